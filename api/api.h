/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SB_API_API_H
#define SB_API_API_H

#include "audit/audit_heads.h"
#include "auth/security_warnings.h"
#include "auth/users.h"
#include "calls/participants.h"
#include "eventlog/eventlog.h"
#include "identity/identity.h"
#include "notify/syslog.h"
#include "pkcs11/token.h"
#include "sip/sip_control.h"
#include "trust/trust.h"
#include "web/web.h"

/* Everything an administrator can do is a method here: pages, programs, shell
 * and console come through api_handle(), so there is one check of rights and
 * one audit record. Rows: api/methods_<area>.c. */

enum restart_kind { RESTART_NOW, SHUT_DOWN };

/* What a service of the settings really does at this moment. */
struct service_state {
	bool listening;
	uint16_t port;                /* when listening */
	char problem[ERROR_TEXT_MAX]; /* "", or why it is not there */
};

/* What the methods work on; all outlive the api. */
struct api_services {
	struct store *store;
	struct config *config;
	struct settings *settings;
	struct audit *audit;
	struct audit_heads *heads;
	struct eventlog *eventlog;
	struct users *users;
	struct sessions *sessions;
	struct token *token;
	struct identity *identity;
	struct trust *trust;
	struct syslog_sender *syslog;
	struct sip_control *sip;
	struct cdr *cdr;
	struct participants *participants;
	struct sip_credentials *credentials; /* for trunk or registrar */
	struct security_warnings *warnings;  /* made by api_new() */
	/* Would the service come back after a restart? ERR_CONFIG if not. */
	int (*may_restart)(void *arg, struct error *e);
	/* Ask the application to restart or end, after the reply is out; any
	 * thread. */
	void (*restart)(void *arg, enum restart_kind kind);
	/* A service by its name in config/setting_rules.h; any thread. */
	void (*service_state)(void *app, const char *name,
			      struct service_state *out);
	void *app;
	const char *version;
	time_t started_at;
};

struct api;
struct api *api_new(const struct api_services *services,
		    struct error *e) MUST_CHECK;
void api_free(struct api *a);

/* A web_rpc_fn; arg is the struct api. */
int api_handle(void *arg, const struct web_request *rq, struct web_reply *reply,
	       struct error *e);

/* What GET /system.xml answers, a web_document_fn; arg is the struct api. */
int api_system_xml(void *arg, struct buf *out, struct error *e);

#endif
