/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "app/sip_calling.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/clock.h"
#include "base/log.h"
#include "sip/sip_outbound.h"

enum { PACKETS_PER_SECOND = 200 /* of one stream: ten times what is usual */ };

struct sip_calling {
	struct sip_calling_options o;
	struct media *media;
	struct sip_calls *calls;
	struct sip_flow_watch watch;
	int64_t count_at; /* 0: there is no call */
};

/* --- between the calls and the rest --------------------------------------- */

static void on_changed(void *arg, const struct sip_call_facts *f)
{
	struct sip_calling *c = arg;

	sip_control_changed(c->o.control, f);
	if (!c->count_at)
		c->count_at = clock_monotonic_ms() + SIP_CALLING_COUNT_MS;
}

static void on_wake(void *arg)
{
	struct sip_calling *c = arg;

	c->o.wake(c->o.wake_arg);
}

static void on_rules(void *arg, struct sip_call_rules *out)
{
	struct settings *s = ((struct sip_calling *)arg)->o.settings;

	out->session_seconds =
	    (unsigned)settings_int(s, SETTING_SIP_SESSION_SECONDS);
	out->media_seconds =
	    (unsigned)settings_int(s, SETTING_SIP_MEDIA_TIMEOUT_SECONDS);
}

static unsigned on_request(void *arg, struct sip_transaction *t,
			   const struct osip_message *request)
{
	return sip_calls_request(((struct sip_calling *)arg)->calls, t,
				 request);
}

static void on_lost(struct sip_flow_watch *w, struct sip_flow *flow)
{
	struct sip_calling *c = list_owner(w, struct sip_calling, watch);

	sip_calls_flow_lost(c->calls, flow);
}

/* --- time ----------------------------------------------------------------- */

int64_t sip_calling_next_ms(const struct sip_calling *c)
{
	int64_t next = sip_calls_next_ms(c->calls);

	if (!c->count_at || (next >= 0 && next < c->count_at))
		return next;
	return c->count_at;
}

static void count(void *arg, const struct sip_call_facts *f)
{
	sip_control_counted(((struct sip_calling *)arg)->o.control, f);
}

void sip_calling_tick(struct sip_calling *c)
{
	int64_t now = clock_monotonic_ms();

	sip_calls_tick(c->calls);
	if (!c->count_at || now < c->count_at)
		return;
	c->count_at =
	    sip_calls_each(c->calls, count, c) ? now + SIP_CALLING_COUNT_MS : 0;
}

/* --- calls of ours -------------------------------------------------------- */

/* Does it go to the trunk or registrar? Only that one hears the password. */
static bool is_outbound(const struct sip_outbound_now *now,
			const struct sip_dialled *to)
{
	const struct sip_dial any = { .text = "a" };
	struct sip_dialled by;
	struct error e = ERROR_INIT;

	return now->rules.mode != SIP_CALL_DIRECT &&
	       sip_dial(&any, &now->rules, &by, &e) == 0 &&
	       strcasecmp(by.host, to->host) == 0 && by.port == to->port;
}

/* Whom From names there: "" when our address has to do. */
static void name_us(const struct sip_outbound_now *now,
		    const struct sip_dialled *to, char out[SIP_URI_SIZE])
{
	const char *domain =
	    now->domain[0] ? now->domain : to->host; /* as sip_register_as() */
	bool v6 = !now->domain[0] && strchr(domain, ':');

	out[0] = '\0';
	if (now->user_name[0])
		snprintf(out, SIP_URI_SIZE, "%s:%s@%s%s%s",
			 to->secure ? "sips" : "sip", now->user_name,
			 v6 ? "[" : "", domain, v6 ? "]" : "");
}

static int place(struct sip_calling *c, uint64_t id,
		 const struct sip_dialled *to, const char *routes,
		 struct error *e)
{
	struct sip_call_wish wish = { .to = to };
	struct secret password = { 0 };
	struct sip_outbound_now now;
	char from[SIP_URI_SIZE];
	int rc = -1;

	if (sip_outbound_read(c->o.settings, &now, e) < 0)
		return -1;
	if (is_outbound(&now, to)) {
		if (sip_credentials_get(c->o.credentials, &password, e) < 0)
			return -1;
		name_us(&now, to, from);
		wish.from = from[0] ? from : NULL;
		wish.user_name = now.user_name;
		wish.password = &password;
		wish.routes = routes;
	}
	rc = sip_calls_place(c->calls, id, &wish, e);
	secret_free(&password);
	return rc;
}

void sip_calling_place(struct sip_calling *c, uint64_t id,
		       const struct sip_dialled *to, const char *routes)
{
	struct sip_call_facts f = { .id = id,
				    .state = SIP_CALL_DISCONNECTED,
				    .end = SIP_END_SERVICE_UNAVAILABLE,
				    .encryption = SIP_ENCRYPTION_UNKNOWN };
	struct error e = ERROR_INIT;

	if (place(c, id, to, routes, &e) == 0)
		return;
	log_failure(LOG_LEVEL_WARNING, "sip", &e);
	f.started = f.ended = clock_now();
	f.ended_ms = clock_monotonic_ms();
	snprintf(f.peer, sizeof(f.peer), "%.*s", SIP_TEXT_MAX - 1, to->uri);
	snprintf(f.end_text, sizeof(f.end_text), "%s", e.text);
	sip_control_changed(c->o.control, &f);
}

/* --- life ----------------------------------------------------------------- */

static int start_media(struct sip_calling *c, struct error *e)
{
	const struct media_options o = {
		.first_port = (uint16_t)c->o.config->sip_first_media_port,
		.last_port = (uint16_t)c->o.config->sip_last_media_port,
		.streams = SIP_CALLS_MAX,
		.packets_per_second = PACKETS_PER_SECOND,
	};

	c->media = media_new(&o, e);
	if (!c->media)
		return error_prefix(e, "media ports %u to %u",
				    (unsigned)o.first_port,
				    (unsigned)o.last_port);
	return 0;
}

static int start_calls(struct sip_calling *c, struct error *e)
{
	const struct sip_calls_options o = {
		.stack = sip_agent_stack(c->o.agent),
		.agent = c->o.agent,
		.media = c->media,
		.ports = sip_agent_ports(c->o.agent),
		.changed = on_changed,
		.wake = on_wake,
		.rules = on_rules,
		.arg = c,
	};

	c->calls = sip_calls_new(&o, e);
	return c->calls ? 0 : -1;
}

struct sip_calling *sip_calling_new(const struct sip_calling_options *o,
				    struct error *e)
{
	struct sip_calling *c = calloc(1, sizeof(*c));

	if (!c) {
		error_nomem(e);
		return NULL;
	}
	c->o = *o;
	if (start_media(c, e) < 0 || start_calls(c, e) < 0) {
		sip_calling_free(c);
		return NULL;
	}
	c->watch.lost = on_lost;
	sip_agent_watch(o->agent, &c->watch);
	sip_agent_set_callee(o->agent, on_request, c);
	return c;
}

void sip_calling_free(struct sip_calling *c)
{
	if (!c)
		return;
	if (c->watch.lost) {
		sip_agent_set_callee(c->o.agent, NULL, NULL);
		sip_agent_unwatch(&c->watch);
	}
	sip_calls_free(c->calls);
	media_free(c->media);
	free(c);
}

struct sip_calls *sip_calling_calls(struct sip_calling *c)
{
	return c->calls;
}
