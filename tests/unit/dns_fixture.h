/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SB_TESTS_UNIT_DNS_FIXTURE_H
#define SB_TESTS_UNIT_DNS_FIXTURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Messages of the DNS, right and wrong ones, and a server on 127.0.0.1 (UDP and
 * TCP) that answers from a table, as the test wants it. */

enum {
	DNS_A = 1,
	DNS_CNAME = 5,
	DNS_SOA = 6,
	DNS_AAAA = 28,
	DNS_SRV = 33,
	DNS_NAPTR = 35,
	DNS_MESSAGE_MAX = 65535
};

/* --- messages */

struct dns_message {
	uint8_t bytes[DNS_MESSAGE_MAX];
	size_t n;
};

/* An answer without records yet to one question. rcode: 0, 2, 3 ... */
void dns_begin(struct dns_message *m, uint16_t id, unsigned rcode,
	       const char *name, unsigned type);
/* Bytes as they are; 16 bits; a name without compression ("" is the root). */
void dns_put(struct dns_message *m, const void *p, size_t n);
void dns_put16(struct dns_message *m, unsigned v);
void dns_put_name(struct dns_message *m, const char *name);
/* One record more: of the answers, or of SOA in the authority. text: as in a
 * zone file, "192.0.2.1", "10 0 5060 a.example", "1 2 s SIP+D2U - to.example"
 * ("-" is an empty string), for SOA its last number. */
void dns_add(struct dns_message *m, const char *owner, unsigned type,
	     uint32_t ttl, const char *text);
/* With data made by the caller. */
void dns_add_raw(struct dns_message *m, const char *owner, unsigned type,
		 unsigned class, uint32_t ttl, const void *data, size_t n);

/* --- the server */

struct dns_row {
	const char *owner;
	unsigned type;
	const char *text;
	uint32_t ttl;
};

enum dns_how {
	DNS_AS_IT_IS,
	DNS_NEVER,      /* says nothing */
	DNS_LATE,       /* first answer after the second question */
	DNS_CUT,        /* UDP: TC and no records; TCP: all */
	DNS_CUT_TWICE,  /* TC by TCP, too */
	DNS_GARBAGE,    /* the right id, and anything behind it */
	DNS_BROKEN,     /* ends in the middle of its records */
	DNS_SHORT,      /* five bytes */
	DNS_WRONG_ID,   /* a lie with another id first */
	DNS_OTHER_NAME, /* a lie about another question first */
	DNS_FAILS,      /* SERVFAIL */
	DNS_REFUSES,
	DNS_MANY /* 300 addresses */
};

struct dns_manner {
	const char *name; /* or "*.what.it.ends.with" */
	unsigned type;    /* 0: any */
	enum dns_how how;
};

struct dns_server;

/* Both tables end with an empty row. Never NULL. */
struct dns_server *dns_server_start(const struct dns_row *zone,
				    const struct dns_manner *manners);
void dns_server_stop(struct dns_server *s);
uint16_t dns_server_port(const struct dns_server *s);
/* How often it was asked; type 0: for any. */
size_t dns_server_asked(struct dns_server *s, const char *name, unsigned type);

#endif
