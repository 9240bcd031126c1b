/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SB_APP_SERVICE_PRIVATE_H
#define SB_APP_SERVICE_PRIVATE_H

#include <stdatomic.h>

#include <uv.h>

#include "api/api.h"
#include "app/host.h"
#include "app/listeners.h"
#include "app/service.h"
#include "app/sip_service.h"
#include "app/tls_policy.h"
#include "app/trials.h"
#include "audit/audit_heads.h"
#include "calls/participants.h"
#include "eventlog/eventlog.h"
#include "front/front.h"
#include "notify/syslog.h"
#include "sip/sip_credentials.h"
#include "web/web.h"

/* The running service (service.c) and its parts as they are put together and
 * taken apart (service_start.c). */

struct service {
	struct config *config;
	uv_loop_t loop;
	uv_signal_t on_term, on_int, on_hup;
	uv_timer_t housekeeping;
	uv_async_t wake; /* token state changed, or an end was asked for */
	uv_work_t load;  /* of identity and trust stores, off the loop */
	bool loading, load_again, stopping;
	int (*check)(void *arg, struct error *e);
	void *check_arg;

	atomic_bool token_changed;
	bool token_was_ready;
	bool crashed;          /* the run before did not end by itself */
	atomic_int wanted_end; /* enum service_end + 1, 0 = go on */
	enum service_end end;

	struct store *store;
	struct settings *settings;
	struct audit *audit;
	struct eventlog *eventlog;
	struct cdr *cdr;
	struct participants *participants;
	struct users *users;
	struct sessions *sessions;
	struct token *token;
	struct audit_heads *heads;
	struct identity *identity;
	struct trust *trust;
	struct syslog_sender *syslog;
	struct tls_policy *tls;
	struct peer_registry *peers;
	struct api *api;
	struct web *web;
	struct front *front;
	struct sip_control *sip_control;
	struct sip_credentials *credentials;
	struct sip_service *sip;
	struct listeners *listeners;
	struct trials trials;
	struct host host;
	/* What SIP peers lack in our certificate, as it was told last. */
	char certificate_problem[SIP_OWN_NAMES_TEXT];
};

/* --- service_start.c */

/* Everything on s->loop, in the order in which it needs each other. -1: what
 * stands by then is for service_tear_down(); *status is the exit status. */
int service_start(struct service *s, bool restarted, int *status,
		  struct error *e) MUST_CHECK;
/* From the outside in: nobody comes in, nobody works, nothing is left. */
void service_tear_down(struct service *s);

/* --- service.c: what the parts call back; arg is the service */

void service_token_state(enum token_state state, void *arg); /* any thread */
int service_may_restart(void *arg, struct error *e);         /* any thread */
void service_restart(void *arg, enum restart_kind kind);     /* any thread */
bool service_is_ready(void *arg);
/* Loop and web threads: is the service of that name on, and if not, why? */
void service_listens(void *arg, const char *name, struct service_state *out);
/* The port of HTTPS when plain HTTP is sent there, else 0. */
uint16_t service_redirect(void *arg);

#endif
