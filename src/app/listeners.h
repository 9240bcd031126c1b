/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SB_APP_LISTENERS_H
#define SB_APP_LISTENERS_H

#include <uv.h>

#include "api/api.h"
#include "config/settings.h"
#include "front/front.h"
#include "sip/sip_agent.h"

/* The services that the settings want (config/setting_rules.h), opened on the
 * front. A change of their settings is carried out on the loop before it is
 * stored: a port that cannot be opened refuses the change, and the sockets that
 * are open stay. Connections of other services, and those that stand, are not
 * touched. */

struct listeners;

struct listeners_options {
	uv_loop_t *loop;
	struct front *front;
	struct sip_agent *sip; /* opens those of SIP on the front */
	struct settings *settings;
	const struct config *config;
};

/* Loop. From here on changes of the settings are carried out. */
struct listeners *listeners_new(const struct listeners_options *o,
				struct error *e) MUST_CHECK;

/* Loop. Open, move or close every service as the settings in force say. A port
 * that cannot be bound is logged (once for each new reason) and tried again by
 * the next call. */
void listeners_apply(struct listeners *l);

/* Any thread. Unknown and unavailable names are not listening. */
void listeners_state(struct listeners *l, const char *name,
		     struct service_state *out);
/* Any thread. Every wanted service of this release is there. */
bool listeners_complete(struct listeners *l);

/* The loop does not run any more: who waits for it is told so, and changes of
 * settings are not carried out any more. */
void listeners_stop(struct listeners *l);
void listeners_free(struct listeners *l); /* NULL is fine */

#endif
