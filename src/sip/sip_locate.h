/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SB_SIP_SIP_LOCATE_H
#define SB_SIP_SIP_LOCATE_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "sip/sip_check.h"

/* Where a request goes (RFC 3263 4): which names to ask for, one after the
 * other, and in which order the addresses are tried. The questions are put by
 * somebody else; nothing here waits, and chance is handed in. One thread at a
 * time. */

enum {
	SIP_NAME_MAX = 256, /* a name of the DNS, the NUL included */
	SIP_TARGETS_MAX = 16,
	SIP_QUERIES_MAX = 40, /* in all, whatever the DNS says */
	SIP_RECORDS_MAX = 32, /* of one answer; more are left out */
};

/* What is looked for. */
struct sip_destination {
	const char *host;   /* a name, or an address without brackets */
	uint16_t port;      /* 0: none was given */
	bool secure;        /* sips: */
	bool foreign;       /* the other side of a call named it */
	bool has_transport; /* of the URI or a setting; else the DNS chooses */
	/* Without has_transport that of a host of which the DNS says nothing
	 * but addresses; always TLS if secure. */
	enum sip_transport transport;
};

enum sip_query_type { SIP_QUERY_NAPTR, SIP_QUERY_SRV, SIP_QUERY_ADDRESS };

struct sip_query {
	enum sip_query_type type;
	char name[SIP_NAME_MAX];
};

struct sip_naptr {
	uint16_t order, preference;
	char flags[8], service[32], replacement[SIP_NAME_MAX];
};

struct sip_srv {
	uint16_t priority, weight, port;
	char target[SIP_NAME_MAX];
};

/* The answer to a query: of its own kind; none when it failed. Borrowed. */
struct sip_records {
	const struct sip_naptr *naptr;
	const struct sip_srv *srv;
	const char (*addresses)[INET6_ADDRSTRLEN];
	size_t count;
};

/* Where to try, in this order. */
struct sip_target {
	enum sip_transport transport;
	char address[INET6_ADDRSTRLEN];
	uint16_t port;
};

struct sip_locator;

/* NULL: ERR_NOMEM, or ERR_INPUT: no name and no address, or sips: with a
 * transport without TLS. chance gives any 32 bits. */
struct sip_locator *sip_locator_new(const struct sip_destination *d,
				    uint32_t (*chance)(void *arg), void *arg,
				    struct error *e) MUST_CHECK;
void sip_locator_free(struct sip_locator *l);

/* The next question; false when there is none any more. */
bool sip_locator_next(struct sip_locator *l, struct sip_query *out);
/* Its answer. */
void sip_locator_answer(struct sip_locator *l, const struct sip_records *r);
/* Once there is no question any more: how many targets, and which. */
size_t sip_locator_targets(const struct sip_locator *l,
			   const struct sip_target **out);

#endif
