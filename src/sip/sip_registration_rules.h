/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SB_SIP_SIP_REGISTRATION_RULES_H
#define SB_SIP_SIP_REGISTRATION_RULES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "sip/sip_end.h"
#include "sip/sip_service_route.h"

/* What the answer to a REGISTER means and when the next one is due (RFC 3261
 * 10.2, 10.3, 20; RFC 5626 4.5). Pure; any thread. */

struct osip_message;

enum {
	REGISTRATION_ROOM_SECONDS = 300, /* before the end, or half of it */
	REGISTRATION_SHORTEST_MS = 5000, /* between refreshes */
	REGISTRATION_LONGEST_SECONDS = 7 * 86400,
	REGISTRATION_RETRY_AFTER_MAX_SECONDS = 86400,
	REGISTRATION_REASON_MAX = 80
};

/* --- when */

/* From the answer to the next refresh: with room for some that fail. */
int64_t registration_refresh_ms(uint32_t granted_seconds);
/* --- answers */

struct registration_answer {
	unsigned status;
	char reason[REGISTRATION_REASON_MAX]; /* one line */
	uint32_t granted;     /* seconds, of a 2xx; 0: it keeps nothing */
	uint32_t min_expires; /* seconds, 0: none */
	uint32_t retry_after; /* seconds, 0: none */
	/* Of a 2xx: what calls are to pass (RFC 3608); "": nothing. */
	char routes[SIP_SERVICE_ROUTE_SIZE];
	bool bad_routes;   /* there were some of no use */
	bool had_password; /* set by who asked: so had the request, and it
			    * is not that which was too old */
};

/* contact: what our request had, "<sip:...>". What is granted stands in the
 * parameter "expires" of that contact in the answer, else in Expires, else it
 * is what was asked for (10.2.4); values that are no number do not count. */
void registration_answer_read(const struct osip_message *m, const char *contact,
			      uint32_t asked, struct registration_answer *out);

enum registration_step {
	REGISTRATION_STANDS,
	REGISTRATION_LONGER, /* ask again, for min_expires (10.3, 423) */
	/* Tried again after a pause, not before retry_after: */
	REGISTRATION_LATER,     /* nobody answers, or cannot for now */
	REGISTRATION_REFUSED,   /* a no that may become a yes: an account that
				 * is still to be made, a certificate */
	REGISTRATION_FORBIDDEN, /* 403: a policy; some registrars also say it
				 * to a wrong password */
	REGISTRATION_PASSWORD   /* it had one, which is wrong: each try counts
				 * where accounts   are locked after some */
};
/* A redirection is not followed: the registrar is the one of the settings. */
enum registration_step registration_step(const struct registration_answer *a,
					 uint32_t asked);
/* The same without an answer. */
enum registration_step registration_step_of_end(enum sip_end end);
/* The registrar has nothing of us any more: neither is what was bound taken
 * back, nor its connection kept. */
bool registration_step_lets_go(enum registration_step s);

/* Of a step with a pause: until the next try after so many failures of that
 * kind in a row, at least 1. Twice as long each time up to a limit, by chance
 * (0 to 255) between half and all of it, so that many devices do not come back
 * at once: 10 s to 10 min for LATER, 1 to 30 min for REFUSED, 30 min for
 * FORBIDDEN. PASSWORD waits 12 h, which is 2 to 4 tries a day: fewer than any
 * registrar locks an account for, and still it comes back by itself after a
 * registrar that had lost its accounts for a while. */
int64_t registration_pause_ms(enum registration_step s, unsigned failures,
			      uint8_t chance);

/* What is wrong and what helps, for people. registrar: the host. */
void registration_problem(const struct registration_answer *a,
			  const char *registrar, char *out, size_t size);

/* --- requests */

/* Our contact with the user in it: "<sip:USER@ADDRESS:PORT;transport=tls>" of
 * "<sip:ADDRESS:PORT;transport=tls>". ERR_LIMIT, ERR_INPUT. */
int registration_contact(const char *contact, const char *user, char *out,
			 size_t size, struct error *e) MUST_CHECK;

struct registration_request {
	const char *uri, *aor, *contact;
	const char *call_id, *from_tag;
	uint32_t cseq;
	uint32_t seconds; /* 0: the contact is to go */
};

/* A REGISTER without Via. NULL: ERR_NOMEM, ERR_INPUT. */
struct osip_message *registration_request(const struct registration_request *r,
					  struct error *e) MUST_CHECK;

#endif
