/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SB_SIP_SIP_EXCHANGE_PRIVATE_H
#define SB_SIP_SIP_EXCHANGE_PRIVATE_H

#include "sip/sip_auth.h"
#include "sip/sip_exchange.h"

/* Shared by sip_exchange*.c. */

enum { SIP_TAG_LENGTH = 16, SIP_CALL_ID_LENGTH = 24, SIP_CALL_ID_ROOM = 256 };

struct sip_exchange {
	struct sip_owner owner; /* the mark of its transactions */
	struct sip_agent *agent;
	const struct sip_exchange_ops *ops;
	void *arg;
	bool secure;
	int64_t limit_ms;
	char host[SIP_NAME_MAX], named_by[INET6_ADDRSTRLEN]; /* "": nobody */
	char *user_name, *routes;
	struct secret password;
	char from_tag[SIP_TAG_LENGTH + 1], call_id[SIP_CALL_ID_ROOM];
	uint32_t cseq;

	struct sip_resolution question;
	struct sip_target targets[SIP_TARGETS_MAX];
	size_t count, at;      /* of targets; the present one */
	struct sip_flow *only; /* held: no targets, but that */
	struct sip_flow *flow; /* held: of the last answer or failure */
	struct sip_timer limit, later;

	struct sip_transaction *t; /* the present one; no other has our mark */
	unsigned tries, challenges;
	struct sip_auth auth;
	bool ringing;          /* the present try had a provisional answer */
	bool final;            /* it has its final answer */
	bool over;             /* final or failed: finished() is next */
	bool busy;             /* in a call from above: nothing is told now */
	enum sip_end given_up; /* nobody wants it any more, and why */
	struct sip_flow_failure last; /* of the targets so far */
};

/* sip_exchange.c */
/* Tells it once, and not after a final answer. */
void sip_exchange_fail(struct sip_exchange *x, enum sip_end end,
		       const char *text);

/* sip_exchange_try.c */
/* Both a name and a password. */
bool sip_exchange_has_credentials(const struct sip_exchange *x);
/* What becomes of the present transaction is of no interest any more. */
void sip_exchange_forget(struct sip_exchange *x);
/* From the present target on; fails when there is none any more. */
void sip_exchange_try(struct sip_exchange *x);

#endif
