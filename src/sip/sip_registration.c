/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sip/sip_registration.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/secret.h"
#include "front/list.h"
#include "sip/sip_auth.h"
#include "sip/sip_exchange.h"
#include "sip/sip_kept_flow.h"
#include "sip/sip_registration_rules.h"
#include "sip/sip_registration_wish.h"

enum phase {
	OFF,
	ASKING,  /* an exchange is under way */
	STANDS,  /* until the refresh */
	WAITING, /* after a failure */
	STUCK,   /* until the settings change */
	LEAVING, /* the exchange takes the former one back */
	ENDED
};

struct sip_registration {
	struct sip_registration_options o;
	struct sip_timer timer; /* refresh, next try */
	enum phase phase;
	struct registration_wish is; /* what is being carried out */
	struct sip_registration_facts facts;

	struct sip_exchange *exchange; /* the one that counts */
	bool over_flow;                /* it goes over flow, nowhere else */
	bool again;                    /* once more when it is over */
	/* What the registration was made with, and is taken back with. */
	struct secret password;
	unsigned password_version;
	uint32_t asked;
	char contact[SIP_URI_SIZE]; /* of the last request */

	struct sip_kept_flow kept;           /* of the registration */
	char routes[SIP_SERVICE_ROUTE_SIZE]; /* of the registration */
	bool bound; /* the registrar has bound that contact */
	enum registration_step failure; /* the last one */
	unsigned failures;              /* of that kind in a row */
	time_t next_try;                /* while WAITING; wall clock */
	uint32_t longer;                /* what a 423 asked for; 0: none */
	char call_id[256];
	uint32_t cseq;

	void (*done)(void *arg);
	void *done_arg;
};

static void start(struct sip_registration *r);

/* --- what others see ------------------------------------------------------ */

static void tell(struct sip_registration *r)
{
	if (r->o.changed)
		r->o.changed(r->o.arg, &r->facts);
}

static void set_state(struct sip_registration *r,
		      enum sip_registration_state state)
{
	r->facts = (struct sip_registration_facts){ .state = state };
	if (state != SIP_REGISTRATION_OFF)
		snprintf(r->facts.registered_as, sizeof(r->facts.registered_as),
			 "%.*s", SIP_TEXT_MAX - 1, r->is.aor);
}

static void tell_state(struct sip_registration *r,
		       enum sip_registration_state state)
{
	set_state(r, state);
	tell(r);
}

static void tell_problem(struct sip_registration *r, enum sip_end end,
			 const char *text)
{
	set_state(r, SIP_REGISTRATION_FAILED);
	r->facts.end = end;
	r->facts.next_try = r->phase == WAITING ? r->next_try : 0;
	snprintf(r->facts.problem, sizeof(r->facts.problem), "%s", text);
	log_warning("sip", "not registered%s%s: %s", *r->is.aor ? " as " : "",
		    r->is.aor, text);
	tell(r);
}

void sip_registration_facts(const struct sip_registration *r,
			    struct sip_registration_facts *out)
{
	*out = r->facts;
}

const char *sip_registration_routes(const struct sip_registration *r)
{
	return r->facts.state == SIP_REGISTERED ? r->routes : "";
}

/* --- the connection ------------------------------------------------------- */

static void on_timer(struct sip_timer *t)
{
	start(list_owner(t, struct sip_registration, timer));
}

static void wait_ms(struct sip_registration *r, int64_t ms)
{
	sip_timer_set(sip_agent_timers(r->o.agent), &r->timer,
		      sip_agent_now(r->o.agent) + ms, on_timer);
}

static void on_lost(struct sip_kept_flow *k)
{
	struct sip_registration *r =
	    list_owner(k, struct sip_registration, kept);

	if (r->phase != STANDS)
		return;
	log_info("sip", "the connection to the registrar %s is lost",
		 r->is.to.host);
	tell_state(r, SIP_REGISTERING);
	wait_ms(r, REGISTRATION_LOST_MS + sip_spread_ms(REGISTRATION_LOST_MS));
}

/* --- what becomes of it --------------------------------------------------- */

static void wait_for_next(struct sip_registration *r,
			  enum registration_step why, uint32_t at_least)
{
	int64_t ms, least = (int64_t)at_least * 1000;
	uint8_t chance;

	r->failures = why == r->failure ? r->failures + 1 : 1;
	r->failure = why;
	random_bytes(&chance, sizeof(chance));
	ms = registration_pause_ms(why, r->failures, chance);
	if (ms < least)
		ms = least;
	r->phase = WAITING;
	r->next_try = clock_now() + (time_t)((ms + 999) / 1000);
	wait_ms(r, ms);
}

static void on_stands(struct sip_registration *r,
		      const struct registration_answer *a)
{
	uint32_t granted = a->granted;
	bool known = r->facts.state == SIP_REGISTERED;

	set_state(r, SIP_REGISTERED);
	r->facts.expires = clock_now() + (time_t)granted;
	sip_link_facts_of(sip_exchange_flow(r->exchange), &r->facts.link);
	if (!known)
		log_info("sip", "registered as %s with %s for %u s", r->is.aor,
			 r->is.to.host, granted);
	sip_kept_flow_set(&r->kept, sip_exchange_flow(r->exchange));
	if (a->bad_routes && !known)
		log_warning("sip",
			    "the registrar %s wants calls to go by "
			    "routes (Service-Route) that cannot be used; they "
			    "go without",
			    r->is.to.host);
	memcpy(r->routes, a->routes, sizeof(r->routes));
	r->phase = STANDS;
	r->bound = true;
	r->failures = 0;
	wait_ms(r, registration_refresh_ms(granted));
	tell(r);
}

static void on_refused(struct sip_registration *r,
		       const struct registration_answer *a,
		       enum registration_step step)
{
	char text[ERROR_TEXT_MAX];

	registration_problem(a, r->is.to.host, text, sizeof(text));
	if (registration_step_lets_go(step)) {
		r->bound = false;
		sip_kept_flow_set(&r->kept, NULL);
	}
	wait_for_next(r, step, a->retry_after);
	tell_problem(r, sip_end_of_status(a->status), text);
}

static void on_answer(struct sip_registration *r,
		      const struct registration_answer *a)
{
	enum registration_step step = registration_step(a, r->asked);

	/* Who names another interval each time is refused in the end. */
	if (step == REGISTRATION_LONGER && r->longer)
		step = REGISTRATION_LATER;
	r->longer = 0;
	switch (step) {
	case REGISTRATION_STANDS: on_stands(r, a); break;
	case REGISTRATION_LONGER:
		r->longer = a->min_expires;
		r->again = true;
		break;
	default: on_refused(r, a, step); break;
	}
}

static void on_failure(struct sip_registration *r, enum sip_end end,
		       const char *text)
{
	r->longer = 0;
	if (r->over_flow) {
		/* One of which nothing comes back is of no use. */
		if (end == SIP_END_NO_ANSWER)
			sip_kept_flow_close(&r->kept);
		else
			sip_kept_flow_set(&r->kept, NULL);
		tell_state(r, SIP_REGISTERING);
		r->again = true;
		return;
	}
	wait_for_next(r, registration_step_of_end(end), 0);
	tell_problem(r, end, text);
}

/* --- the exchange --------------------------------------------------------- */

static struct osip_message *build(void *arg, const struct sip_try *t,
				  struct error *e)
{
	struct sip_registration *r = arg;
	struct registration_request rq = {
		.uri = r->is.to.uri,
		.aor = r->is.aor,
		.contact = r->contact,
		.call_id = t->call_id,
		.from_tag = t->from_tag,
		.cseq = t->cseq,
		.seconds = r->asked,
	};

	/* What is taken back is the contact that was given. */
	if (r->phase != LEAVING &&
	    registration_contact(t->contact, r->is.user, r->contact,
				 sizeof(r->contact), e) < 0)
		return NULL;
	return registration_request(&rq, e);
}

static void remember(struct sip_registration *r, const struct sip_exchange *x)
{
	r->cseq = sip_exchange_cseq(x);
	snprintf(r->call_id, sizeof(r->call_id), "%s", sip_exchange_call_id(x));
}

static void left(struct sip_registration *r);

/* The exchange has said what it had to say. */
static void after(struct sip_registration *r)
{
	r->exchange = NULL;
	if (r->phase == LEAVING) {
		left(r);
	} else if (r->again) {
		r->again = false;
		start(r);
	}
}

static void on_answered(void *arg, struct sip_exchange *x,
			struct sip_transaction *t,
			const struct osip_message *response)
{
	struct sip_registration *r = arg;
	struct registration_answer a;

	(void)t;
	registration_answer_read(response, r->contact, r->asked, &a);
	if (x != r->exchange || a.status < 200)
		return;
	a.had_password =
	    sip_exchange_challenges(x) > 0 && !sip_auth_is_stale(response);
	remember(r, x);
	if (r->phase != LEAVING)
		on_answer(r, &a);
	after(r);
}

static void on_failed(void *arg, struct sip_exchange *x, enum sip_end end,
		      const char *text)
{
	struct sip_registration *r = arg;

	if (x != r->exchange)
		return;
	remember(r, x);
	if (r->phase != LEAVING)
		on_failure(r, end, text);
	after(r);
}

static void on_finished(void *arg, struct sip_exchange *x)
{
	struct sip_registration *r = arg;

	if (x != r->exchange)
		return;
	r->exchange = NULL;
	if (r->phase == LEAVING)
		left(r);
}

static const struct sip_exchange_ops ops = {
	.build = build,
	.answered = on_answered,
	.failed = on_failed,
	.finished = on_finished,
};

static int take_password(struct sip_registration *r, struct error *e)
{
	secret_free(&r->password);
	r->password_version = sip_credentials_version(r->o.credentials);
	return sip_credentials_get(r->o.credentials, &r->password, e);
}

static int begin_exchange(struct sip_registration *r, int64_t limit_ms,
			  struct error *e)
{
	struct sip_exchange_options o = {
		.agent = r->o.agent,
		.ops = &ops,
		.arg = r,
		.to = sip_dialled_destination(&r->is.to),
		.flow = r->kept.flow,
		.user_name = r->is.user,
		.password = &r->password,
		.limit_ms = limit_ms,
		.call_id = *r->call_id ? r->call_id : NULL,
		.cseq = r->cseq,
	};

	if (r->phase != LEAVING && take_password(r, e) < 0)
		return -1;
	r->over_flow = r->kept.flow != NULL;
	r->exchange = sip_exchange_start(&o, e);
	return r->exchange ? 0 : -1;
}

static void stop_exchange(struct sip_registration *r)
{
	struct sip_exchange *x = r->exchange;

	r->exchange = NULL;
	r->again = false;
	if (!x)
		return;
	remember(r, x);
	sip_exchange_drop(x);
}

/* Asks the registrar. */
static void start(struct sip_registration *r)
{
	struct error e = ERROR_INIT;

	sip_timer_stop(&r->timer);
	r->asked = r->longer > r->is.seconds ? r->longer : r->is.seconds;
	if (r->facts.state != SIP_REGISTERED)
		tell_state(r, SIP_REGISTERING);
	r->phase = ASKING;
	if (begin_exchange(r, REGISTRATION_LIMIT_MS, &e) == 0)
		return;
	wait_for_next(r, REGISTRATION_LATER, 0);
	tell_problem(r, SIP_END_SERVICE_UNAVAILABLE, e.text);
}

/* --- what the settings want ----------------------------------------------- */

/* There is nothing of a former one any more. */
static void begin(struct sip_registration *r,
		  const struct registration_wish *wanted)
{
	stop_exchange(r);
	sip_kept_flow_set(&r->kept, NULL);
	sip_timer_stop(&r->timer);
	r->is = *wanted;
	r->failures = 0;
	r->longer = 0;
	if (!wanted->on) {
		r->phase = OFF;
		tell_state(r, SIP_REGISTRATION_OFF);
	} else if (*wanted->problem) {
		r->phase = STUCK;
		tell_problem(r, SIP_END_DESTINATION_UNREACHABLE,
			     wanted->problem);
	} else {
		set_state(r, SIP_REGISTERING);
		start(r);
	}
}

static void left(struct sip_registration *r)
{
	struct registration_wish wanted;

	if (r->done) {
		void (*done)(void *arg) = r->done;

		r->done = NULL;
		r->phase = ENDED;
		sip_kept_flow_set(&r->kept, NULL);
		done(r->done_arg);
		return;
	}
	registration_wish_read(r->o.settings, &wanted);
	begin(r, &wanted);
}

/* False: there is nothing to take back, or it could not be tried. */
static bool take_back(struct sip_registration *r)
{
	struct error e = ERROR_INIT;

	stop_exchange(r);
	sip_timer_stop(&r->timer);
	if (!r->bound)
		return false;
	r->bound = false;
	r->asked = 0;
	r->phase = LEAVING;
	if (begin_exchange(r, REGISTRATION_LEAVE_MS, &e) == 0)
		return true;
	log_failure(LOG_LEVEL_WARNING, "sip", &e);
	return false;
}

void sip_registration_settings(struct sip_registration *r)
{
	struct registration_wish wanted;
	uint32_t seconds = r->is.seconds;

	if (r->phase == LEAVING || r->phase == ENDED)
		return;
	registration_wish_read(r->o.settings, &wanted);
	if (!registration_wish_is(&r->is, &wanted)) {
		if (!take_back(r))
			begin(r, &wanted);
		return;
	}
	r->is.seconds = wanted.seconds;
	if (r->phase == WAITING ||
	    (r->phase == STANDS && wanted.seconds != seconds))
		sip_registration_now(r);
}

void sip_registration_now(struct sip_registration *r)
{
	/* One that is under way is as new as another would be. */
	if (r->phase == ASKING)
		r->again |= r->password_version !=
			    sip_credentials_version(r->o.credentials);
	else if (r->phase == STANDS || r->phase == WAITING)
		start(r);
}

void sip_registration_password(struct sip_registration *r)
{
	if (r->password_version != sip_credentials_version(r->o.credentials))
		sip_registration_now(r);
}

bool sip_registration_leave(struct sip_registration *r, void (*done)(void *arg),
			    void *arg)
{
	if (r->phase != LEAVING && !take_back(r)) {
		r->phase = ENDED;
		sip_kept_flow_set(&r->kept, NULL);
		return false;
	}
	r->done = done;
	r->done_arg = arg;
	return true;
}

/* --- new and free --------------------------------------------------------- */

struct sip_registration *sip_registration_new(
    const struct sip_registration_options *o, struct error *e)
{
	struct sip_registration *r = calloc(1, sizeof(*r));

	if (!r) {
		error_nomem(e);
		return NULL;
	}
	r->o = *o;
	sip_kept_flow_init(&r->kept, o->agent, on_lost);
	return r;
}

void sip_registration_free(struct sip_registration *r)
{
	if (!r)
		return;
	sip_exchange_drop(r->exchange);
	sip_timer_stop(&r->timer);
	sip_kept_flow_end(&r->kept);
	secret_free(&r->password);
	free(r);
}
