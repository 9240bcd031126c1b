/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "sip/sip_call_private.h"

/* What we send within a call. */

struct sip_transaction *call_send(struct sip_call *k, struct osip_message *m,
				  struct error *e)
{
	struct sip_way way = { .flow = k->flow };
	struct sip_transaction *t;

	t = sip_stack_request(k->calls->o.stack, &way, m, &k->owner, e);
	if (t)
		k->references++;
	return t;
}

void call_ack(struct sip_call *k, struct sip_flow *flow,
	      const struct osip_message *response)
{
	struct error e = ERROR_INIT;
	uint32_t cseq = (uint32_t)strtoul(response->cseq->number, NULL, 10);
	osip_message_t *m = sip_dialog_ack(k->dialog, cseq, &e);

	if (!m || sip_stack_ack(k->calls->o.stack, flow, m, &e) < 0)
		log_failure(LOG_LEVEL_TRACE, "sip", &e);
}

void call_hang_up(struct sip_call *k)
{
	struct error e = ERROR_INIT;
	osip_message_t *m = sip_dialog_request(k->dialog, "BYE", &e);

	if (!m || !call_send(k, m, &e))
		log_failure(LOG_LEVEL_TRACE, "sip", &e);
}
