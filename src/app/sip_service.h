/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SB_APP_SIP_SERVICE_H
#define SB_APP_SIP_SERVICE_H

#include <uv.h>

#include "app/tls_policy.h"
#include "config/settings.h"
#include "front/front.h"
#include "sip/sip_agent.h"
#include "sip/sip_control.h"
#include "sip/sip_credentials.h"

/* The SIP side on the loop of the service: the agent with its timer, and what
 * other threads want of it. Its listeners are those of the settings
 * (app/listeners.h). All on the loop. */

enum { SIP_SERVICE_STOP_MS = 2000 };

struct sip_service;

struct sip_service_options {
	uv_loop_t *loop;
	struct front *front;
	struct sip_control *control;
	const struct config *config;
	struct settings *settings;
	struct tls_policy *tls; /* of the connections that we open */
	struct sip_credentials *credentials; /* of the account */
};

/* What it makes of the loop does not keep it running. The objects must outlive
 * it. NULL: ERR_NOMEM. */
struct sip_service *sip_service_new(const struct sip_service_options *o,
				    struct error *e) MUST_CHECK;
/* Once. ERR_NOMEM, ERR_IO, ERR_INPUT; sip_service_end() is to be called all the
 * same. */
int sip_service_start(struct sip_service *s, struct error *e) MUST_CHECK;
/* For the listeners. */
struct sip_agent *sip_service_agent(struct sip_service *s);

/* Before front_stop(): nothing new begins, calls end, and the registration is
 * taken back; done is called, maybe from within, when all that is so, but
 * SIP_SERVICE_STOP_MS later at the latest. NULL is fine. */
void sip_service_stop(struct sip_service *s, void (*done)(void *arg),
		      void *arg);
/* After front_stop() is done, before front_free(). NULL is fine. */
void sip_service_end(struct sip_service *s);
/* After the loop was closed. NULL is fine. */
void sip_service_free(struct sip_service *s);

#endif
