/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SB_SIP_SIP_OWNER_H
#define SB_SIP_SIP_OWNER_H

#include "sip/sip_stack.h"

/* Whose transaction it is: the mark of each transaction that somebody is
 * charged with points to one of these, embedded in whoever that is; what the
 * stack says of it is handed on (sip_user_ops). On the loop. */

struct sip_owner;

struct sip_owner_ops {
	void (*response)(struct sip_owner *o, struct sip_transaction *t,
			 const struct osip_message *response);
	void (*timed_out)(struct sip_owner *o, struct sip_transaction *t,
			  enum sip_failure why);
	/* Once for each; t is dead afterwards. */
	void (*ended)(struct sip_owner *o, struct sip_transaction *t);
	/* NULL in owners that take no INVITE. */
	void (*ack)(struct sip_owner *o, struct sip_transaction *t,
		    const struct osip_message *ack);
	void (*cancelled)(struct sip_owner *o, struct sip_transaction *t);
};

struct sip_owner {
	const struct sip_owner_ops *ops;
};

#endif
