/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <string.h>

#include "base/log.h"
#include "sip/sip_call_private.h"
#include "sip/sip_message.h"

/* What the other side asks for within a call. */

static void reply_plain(struct sip_transaction *t, unsigned status)
{
	call_refuse(t, status, NULL);
}

static unsigned on_bye(struct sip_call *k, struct sip_transaction *t,
		       const struct osip_message *request)
{
	(void)request;
	reply_plain(t, 200);
	k->bye_owed = false;
	call_end_without_bye(k, SIP_END_REMOTE_TEARDOWN, 0, "");
	return 0;
}

/* --- INVITE and UPDATE */

/* An offer of ours waits for its answer (RFC 3261 14.2, RFC 3311 5.2). */
static bool we_offered(const struct sip_call *k)
{
	return k->offered || (call_is_sending(k, CALL_REFRESH) &&
			      k->sending[CALL_REFRESH].invite);
}

/* Told and in force: the peer may have moved. */
static void settle(struct sip_call *k, const struct osip_message *request,
		   const struct session_timer *timer)
{
	struct error e = ERROR_INIT;

	if (sip_dialog_refresh(k->dialog, request, &e) < 0)
		log_failure(LOG_LEVEL_TRACE, "sip", &e);
	if (osip_list_size(&request->allows) > 0)
		k->peer_updates = call_lists(request, "allow", "UPDATE");
	call_session_begin(k, timer);
	call_changed(k);
}

/* An offer that does not fit is refused, and the call goes on as before. */
static bool take_offer(struct sip_call *k, struct sip_transaction *t,
		       struct view offer)
{
	struct error e = ERROR_INIT;

	if (call_media_answer(k, offer, &e) == 0)
		return true;
	log_trace("sip", "a change of call %llu is refused: %s",
		  (unsigned long long)k->facts.id, e.text);
	call_refuse_media(t, &e);
	return false;
}

static void accept_change(struct sip_call *k, struct sip_transaction *t,
			  const struct session_timer *timer, struct view sdp)
{
	struct error e = ERROR_INIT;

	k->references++;
	if (call_accept(k, t, timer, sdp, &e) < 0)
		log_failure(LOG_LEVEL_TRACE, "sip", &e);
	else
		settle(k, sip_transaction_request(t), timer);
	call_release(k);
}

static unsigned on_invite(struct sip_call *k, struct sip_transaction *t,
			  const struct osip_message *request)
{
	struct view offer = call_body(request);
	struct session_timer timer;
	struct error e = ERROR_INIT;

	if (k->invite && !k->answered) {
		call_refuse_later(t, 500, CALL_RETRY_AFTER_MAX);
		return 0;
	}
	if (we_offered(k))
		return 491;
	if (!call_ask_session(&k->rules, t, &timer))
		return 0;
	if (offer.len && !take_offer(k, t, offer))
		return 0;
	if (!offer.len && call_media_offer(k, k->media.key.present, &e) < 0)
		return 500;
	call_own(k, t);
	k->invite = t;
	k->answered = true;
	k->offered = offer.len == 0;
	accept_change(k, t, &timer, buf_view(&k->media.said));
	return 0;
}

static unsigned on_update(struct sip_call *k, struct sip_transaction *t,
			  const struct osip_message *request)
{
	struct view offer = call_body(request);
	struct session_timer timer;

	if (offer.len && we_offered(k))
		return 491;
	/* Theirs in the INVITE has no answer yet. */
	if (offer.len && k->invite && !k->answered) {
		call_refuse_later(t, 500, CALL_RETRY_AFTER_MAX);
		return 0;
	}
	if (!call_ask_session(&k->rules, t, &timer))
		return 0;
	if (offer.len && !take_offer(k, t, offer))
		return 0;
	accept_change(k, t, &timer,
		      offer.len ? buf_view(&k->media.said) : view_of("", 0));
	return 0;
}

/* --- others */

/* RFC 6086: what is sent is for applications; none is here, but some use it
 * without a body to see whether the call stands. */
static unsigned on_info(struct sip_call *k, struct sip_transaction *t,
			const struct osip_message *request)
{
	(void)k;
	if (osip_list_size(&request->bodies) == 0)
		reply_plain(t, 200);
	else
		call_refuse(t, 415,
			    (const char *const[]){ "Accept", "", NULL });
	return 0;
}

static unsigned on_options(struct sip_call *k, struct sip_transaction *t,
			   const struct osip_message *request)
{
	struct error e = ERROR_INIT;
	osip_message_t *m = sip_stack_answer(t, 200, &e);

	(void)k;
	(void)request;
	if (m && sip_message_add_abilities(m, &e) < 0) {
		osip_message_free(m);
		m = NULL;
	}
	if (!m || sip_stack_reply(t, m, &e) < 0)
		log_failure(LOG_LEVEL_TRACE, "sip", &e);
	return 0;
}

static const struct {
	const char *method;
	unsigned (*take)(struct sip_call *k, struct sip_transaction *t,
			 const struct osip_message *request);
	bool late; /* also when the call is over */
} rows[] = {
	{ "INVITE", on_invite, false },   { "BYE", on_bye, true },
	{ "UPDATE", on_update, false },   { "INFO", on_info, false },
	{ "OPTIONS", on_options, false },
};

unsigned call_request(struct sip_call *k, struct sip_transaction *t,
		      const struct osip_message *request)
{
	unsigned status;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (strcmp(request->sip_method, rows[i].method) != 0)
			continue;
		if (call_is_over(k) && !rows[i].late)
			return 481;
		status = sip_dialog_take(k->dialog, request);
		if (status)
			return status;
		/* Whoever knows the tags has moved there. */
		call_set_flow(k, sip_transaction_flow(t));
		call_note_via(k, request);
		return rows[i].take(k, t, request);
	}
	call_refuse(t, 405, (const char *const[]){ "Allow", SIP_ALLOW, NULL });
	return 0;
}
