/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SB_SIP_SIP_AGENT_PRIVATE_H
#define SB_SIP_SIP_AGENT_PRIVATE_H

#include <pthread.h>

#include "sip/sip_agent.h"

/* Shared by sip_agent*.c. */

struct sip_agent {
	struct sip_agent_options o;
	struct sip_agent_seams seams; /* all filled in */
	struct sip_transports *transports;
	struct sip_resolver *resolver;
	struct sip_stack *stack; /* NULL: ended */
	struct sip_timers timers;
	uint16_t ports[3]; /* where we listen, by enum sip_transport */
	unsigned (*request)(void *arg, struct sip_transaction *t,
			    const struct osip_message *request);
	void *request_arg;
	struct list watches;
	struct sip_outages outages;
	const struct sip_flow_failure *failure; /* being told */
	const struct sip_flow_failure *connect_failure;

	uint64_t tickets; /* of questions to the DNS */
	struct list questions;
	pthread_mutex_t lock;
	struct list answers; /* under lock: of the resolver's thread */
};

/* sip_agent_dns.c */
int sip_agent_dns_new(struct sip_agent *a, struct error *e) MUST_CHECK;
void sip_agent_dns_free(struct sip_agent *a);
/* Tells what has come. */
void sip_agent_dns_run(struct sip_agent *a);

#endif
