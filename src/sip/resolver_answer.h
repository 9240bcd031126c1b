/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SB_SIP_RESOLVER_ANSWER_H
#define SB_SIP_RESOLVER_ANSWER_H

#include "sip/sip_locate.h"

/* What a DNS server sends (RFC 1035 4), read as something that anybody may have
 * made: c-ares 1.18 does not look at owners. Pure; any thread. */

enum {
	RESOLVER_CNAMES_MAX = 8,  /* one behind the other */
	RESOLVER_WALKED_MAX = 128 /* records of a message that are looked at */
};

enum resolver_type {
	RESOLVER_A,
	RESOLVER_AAAA,
	RESOLVER_SRV,
	RESOLVER_NAPTR,
	RESOLVER_TYPES
};

/* Of one question; none: there is no such name or no such record. */
struct resolver_answer {
	enum resolver_type type;
	uint32_t ttl; /* seconds; 0: good for now only */
	size_t count; /* up to SIP_RECORDS_MAX */
	union {       /* naptr is the largest */
		struct sip_naptr naptr[SIP_RECORDS_MAX];
		struct sip_srv srv[SIP_RECORDS_MAX];
		char addresses[SIP_RECORDS_MAX][INET6_ADDRSTRLEN];
	};
};

/* The number of the type in messages. */
int resolver_type_code(enum resolver_type type);
/* Bytes of one record of it in struct resolver_answer. */
size_t resolver_type_size(enum resolver_type type);

/* Whether that can be asked for: labels of letters, digits, "-" and "_" (no
 * name of a host or service has others), of 63 bytes, 253 in all. */
bool resolver_name_is_plain(const char *name);

/* The records of that type and name, or of what its CNAMEs lead to. The message
 * must answer just that question. Left out is what could not be used: targets
 * with odd names, records of a wrong length, ports of 0, addresses that are
 * nobody's (0.0.0.0, ::, multicast), NAPTR with a regular expression. Without
 * records, ttl is what the SOA record says (RFC 2308 5), 0 when there is none.
 * False: broken, of something else, a loop, or a server's failure; out is
 * undefined. */
bool resolver_answer_read(const uint8_t *message, size_t n,
			  enum resolver_type type, const char *name,
			  struct resolver_answer *out);

#endif
