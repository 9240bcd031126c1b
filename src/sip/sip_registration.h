/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SB_SIP_SIP_REGISTRATION_H
#define SB_SIP_SIP_REGISTRATION_H

#include "sip/sip_agent.h"
#include "sip/sip_credentials.h"
#include "sip/sip_facts.h"
#include "sip/sip_outbound.h"

/* Our registration with the registrar of the settings (RFC 3261 10): made,
 * refreshed before it ends, made anew when its connection is lost, tried again
 * after failures, and taken back when the settings leave the registrar or the
 * service ends. The connection that it was made over is kept open by CRLF (RFC
 * 5626 4.4.1), so that calls reach us through it. On the loop. */

enum {
	REGISTRATION_LIMIT_MS = 90 * 1000, /* of a request with failover */
	REGISTRATION_LEAVE_MS = 1500,      /* of taking it back */
	REGISTRATION_LOST_MS = 500 /* from a lost connection to the next try */
};

struct sip_registration;

struct sip_registration_options {
	struct sip_agent *agent;
	struct settings *settings;
	struct sip_credentials *credentials;
	/* With each change. */
	void (*changed)(void *arg, const struct sip_registration_facts *f);
	void *arg;
};

/* Does nothing yet. NULL: ERR_NOMEM. */
struct sip_registration *sip_registration_new(
    const struct sip_registration_options *o, struct error *e) MUST_CHECK;
/* After sip_agent_end(). NULL is fine. */
void sip_registration_free(struct sip_registration *r);

/* At start, and when settings of sip_registration_bits() have changed: what
 * they say now holds. The former registration is taken back first, where it is
 * another one; one that was refused is tried again. */
void sip_registration_settings(struct sip_registration *r);
uint64_t sip_registration_bits(void);
/* Again, be it a refresh or a try after failures. */
void sip_registration_now(struct sip_registration *r);
/* The password is another one: the same, unless the newest try was made with
 * it; each try with a wrong one counts where accounts are locked. */
void sip_registration_password(struct sip_registration *r);
/* The service ends: takes the registration back, and makes no other. True:
 * done() comes within REGISTRATION_LEAVE_MS, not from within; false: there is
 * none. */
bool sip_registration_leave(struct sip_registration *r, void (*done)(void *arg),
			    void *arg) MUST_CHECK;

/* The way that the registrar wants calls to go while we are registered, as
 * sip_service_route_read(); "": no other. Borrowed until the next answer. */
const char *sip_registration_routes(const struct sip_registration *r);

void sip_registration_facts(const struct sip_registration *r,
			    struct sip_registration_facts *out);

#endif
