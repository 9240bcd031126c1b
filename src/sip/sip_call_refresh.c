/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <string.h>

#include "base/log.h"
#include "base/secret.h"
#include "sip/sip_call_private.h"
#include "sip/sip_message.h"

/* Session timers in a call (RFC 4028): refreshed by UPDATE if the other side
 * knows that, which needs no description, else by INVITE with the one that was
 * said last. */

enum {
	MEDIA_SECONDS = 60,
	AGAIN_MS = 5000, /* what failed is tried again so much later */
	BUSY_MS = 1000,  /* and this, when something else is under way */
};

void call_rules(const struct sip_calls *c, struct sip_call_rules *out)
{
	out->session_seconds = SESSION_SECONDS;
	out->media_seconds = MEDIA_SECONDS;
	if (c->o.rules)
		c->o.rules(c->o.arg, out);
	if (out->session_seconds < SESSION_SECONDS_MIN)
		out->session_seconds = SESSION_SECONDS_MIN;
}

static void arm(struct sip_call *k, enum call_timer which, unsigned seconds)
{
	if (seconds)
		call_arm(k, which, 1000 * (int64_t)seconds);
	else
		call_disarm(k, which);
}

void call_session_begin(struct sip_call *k, const struct session_timer *timer)
{
	k->session = *timer;
	arm(k, CALL_REFRESHES, session_timer_refresh_at(timer));
	arm(k, CALL_EXPIRES, session_timer_ends_at(timer));
}

/* --- the request */

static unsigned seconds_of(const struct sip_call *k)
{
	unsigned seconds =
	    k->session.seconds ? k->session.seconds : k->rules.session_seconds;

	return seconds < k->session_least ? k->session_least : seconds;
}

int call_add_session(const struct sip_call *k, struct osip_message *m,
		     const char *refresher, struct error *e)
{
	unsigned least =
	    k->session_least ? k->session_least : (unsigned)SESSION_SECONDS_MIN;
	char expires[48], min_se[12];

	snprintf(expires, sizeof(expires), "%u%s", seconds_of(k), refresher);
	snprintf(min_se, sizeof(min_se), "%u", least);
	if (sip_message_add(m, "Session-Expires", expires, e) < 0)
		return -1;
	return sip_message_add(m, "Min-SE", min_se, e);
}

struct osip_message *call_build_refresh(struct sip_call *k, struct error *e)
{
	bool invite = !k->peer_updates;
	osip_message_t *m =
	    sip_dialog_request(k->dialog, invite ? "INVITE" : "UPDATE", e);

	if (!m)
		return NULL;
	k->sending[CALL_REFRESH].invite = invite;
	if (call_add_contact(k, k->flow, m, e) == 0 &&
	    sip_message_add_abilities(m, e) == 0 &&
	    call_add_session(k, m, ";refresher=uac", e) == 0 &&
	    (!invite || call_add_body(m, buf_view(&k->media.said), e) == 0))
		return m;
	osip_message_free(m);
	return NULL;
}

void call_refresh(struct sip_call *k)
{
	if (call_is_sending(k, CALL_REFRESH) || k->invite ||
	    k->facts.state != SIP_CALL_CONNECTED)
		call_arm(k, CALL_REFRESHES, BUSY_MS);
	else
		call_send(k, CALL_REFRESH);
}

/* --- its answer */

void call_session_agreed(struct sip_call *k, const struct osip_message *m)
{
	struct session_words words;
	struct session_timer timer;

	if (osip_list_size(&m->allows) > 0)
		k->peer_updates = call_lists(m, "allow", "UPDATE");
	if (call_words(m, &words) < 0)
		memset(&words, 0, sizeof(words));
	session_timer_accept(&words, seconds_of(k), &timer);
	call_session_begin(k, &timer);
}

static void on_success(struct sip_call *k, const struct osip_message *m)
{
	struct error e = ERROR_INIT;
	bool invite = strcmp(m->cseq->method, "INVITE") == 0;

	if (invite && call_media_accept(k, call_body(m), &e) < 0) {
		call_end(k, SIP_END_CAPABILITY, 0, e.text);
		return;
	}
	if (sip_dialog_refresh(k->dialog, m, &e) < 0)
		log_failure(LOG_LEVEL_TRACE, "sip", &e);
	call_session_agreed(k, m);
	call_changed(k);
}

/* RFC 4028 7.4: once more with what the other side wants at least. */
static void on_too_small(struct sip_call *k, const struct osip_message *m)
{
	struct session_words words;

	if (call_words(m, &words) == 0 && words.least > k->session_least) {
		k->session_least = words.least;
		call_refresh(k);
	} else {
		call_arm(k, CALL_REFRESHES, AGAIN_MS);
	}
}

/* RFC 3261 14.1: the owner of the Call-ID waits longer. */
static void on_glare(struct sip_call *k)
{
	bool owner = !k->facts.incoming;
	uint32_t chance;

	random_bytes(&chance, sizeof(chance));
	call_arm(k, CALL_REFRESHES,
		 owner ? 2100 + 10 * (chance % 191) : 10 * (chance % 200 + 1));
}

static void on_unknown_method(struct sip_call *k)
{
	if (!k->peer_updates) {
		call_arm(k, CALL_REFRESHES, AGAIN_MS);
		return;
	}
	k->peer_updates = false;
	call_refresh(k);
}

void call_refreshed(struct sip_call *k, const struct osip_message *m)
{
	switch (m->status_code) {
	case 408:
	case 481: /* RFC 3261 12.2.1.2 */
		call_end(k, SIP_END_NETWORK_ERROR, (unsigned)m->status_code,
			 "the other side does not know the call any more");
		break;
	case 405:
	case 501: on_unknown_method(k); break;
	case 422: on_too_small(k, m); break;
	case 491: on_glare(k); break;
	default:
		if (MSG_IS_STATUS_2XX(m))
			on_success(k, m);
		else /* the call stands until its time is over */
			call_arm(k, CALL_REFRESHES, AGAIN_MS);
	}
}

void call_refresh_failed(struct sip_call *k, bool timeout)
{
	if (timeout)
		call_end(k, SIP_END_NETWORK_ERROR, 0,
			 "the other side does not answer any more");
	else
		call_arm(k, CALL_REFRESHES, AGAIN_MS);
}
