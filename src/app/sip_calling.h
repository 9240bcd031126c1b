/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SB_APP_SIP_CALLING_H
#define SB_APP_SIP_CALLING_H

#include "config/config.h"
#include "config/settings.h"
#include "sip/sip_agent.h"
#include "sip/sip_calls.h"
#include "sip/sip_control.h"
#include "sip/sip_credentials.h"

/* Calls in the service: their media engine, what of the settings counts for
 * them, and their way to the control. On the loop. */

enum { SIP_CALLING_COUNT_MS = 2000 /* packets of calls are told so often */ };

struct sip_calling;

struct sip_calling_options {
	struct sip_agent *agent;
	struct sip_control *control;
	const struct config *config;
	struct settings *settings;
	struct sip_credentials *credentials;
	void (*wake)(void *arg); /* any thread: sip_calling_tick() is wanted */
	void *wake_arg;
};

/* NULL: as media_new(). */
struct sip_calling *sip_calling_new(const struct sip_calling_options *o,
				    struct error *e) MUST_CHECK;
/* After sip_agent_end(), before sip_agent_free(). NULL is fine. */
void sip_calling_free(struct sip_calling *c);

/* Places a call; what cannot be done is told as a call that has ended. routes:
 * of one by the registrar (sip_service_route.h). */
void sip_calling_place(struct sip_calling *c, uint64_t id,
		       const struct sip_dialled *to, const char *routes);
struct sip_calls *sip_calling_calls(struct sip_calling *c);
int64_t sip_calling_next_ms(const struct sip_calling *c);
void sip_calling_tick(struct sip_calling *c);

#endif
