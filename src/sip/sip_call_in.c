/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <string.h>

#include "base/log.h"
#include "sip/sip_call_private.h"
#include "sip/sip_message.h"

/* Calls that come: an INVITE without a tag in To, until its ACK. */

/* RFC 5630 5.1.1 and 3.1.3: a sips: URI that came without TLS. */
static bool refuse_sips(struct sip_transaction *t,
			const struct osip_message *request)
{
	if (!call_wants_sips(request) ||
	    sip_transaction_flow(t)->transport == SIP_TLS)
		return false;
	call_refuse(
	    t, 480,
	    (const char *const[]){
		"Warning", "380 sealbridge \"SIPS Not Allowed\"", NULL });
	return true;
}

static int name_us(struct sip_call *k, const osip_uri_t *uri, struct error *e)
{
	if (!uri->username)
		return 0;
	k->user = strdup(uri->username);
	return k->user ? 0 : error_nomem(e);
}

static unsigned refuse_for_now(const struct error *why)
{
	log_failure(LOG_LEVEL_WARNING, "sip", why);
	return 503;
}

/* 0, or what the INVITE is refused with. */
static unsigned offer_media(struct sip_call *k, const struct sip_flow *flow)
{
	struct error e = ERROR_INIT;

	k->offered = true;
	if (call_media_open(k, flow->local_address, &e) < 0)
		return refuse_for_now(&e);
	return call_media_offer(k, flow->transport == SIP_TLS, &e) < 0 ? 500
								       : 0;
}

/* The same; 1: it was refused already. */
static unsigned take_media(struct sip_call *k, struct sip_transaction *t,
			   const struct osip_message *request)
{
	struct view offer = call_body(request);
	struct error e = ERROR_INIT;

	if (!offer.len)
		return offer_media(k, sip_transaction_flow(t));
	if (call_media_answer(k, offer, &e) == 0)
		return 0;
	if (e.kind != ERR_INPUT && e.kind != ERR_UNSUPPORTED)
		return refuse_for_now(&e);
	log_info("sip", "a call from %s is refused: %s", k->facts.peer, e.text);
	call_refuse_media(t, &e);
	return 1;
}

static unsigned fill(struct sip_call *k, struct sip_transaction *t,
		     const struct osip_message *request)
{
	struct error e = ERROR_INIT;

	k->facts.incoming = true;
	k->secure = call_wants_sips(request);
	k->peer_updates = call_lists(request, "allow", "UPDATE");
	call_name_peer(k, request->from);
	call_set_flow(k, sip_transaction_flow(t));
	call_note_via(k, request);
	k->dialog = sip_dialog_new_uas(request, sip_transaction_to_tag(t), &e);
	if (!k->dialog)
		return e.kind == ERR_INPUT ? 400 : 500;
	if (name_us(k, request->req_uri, &e) < 0)
		return 500;
	return take_media(k, t, request);
}

/* Once it is answered, or rings. */
static void start(struct sip_call *k, struct sip_transaction *t)
{
	unsigned ring_ms = k->calls->o.ring_ms;
	struct error e = ERROR_INIT;
	osip_message_t *m;

	k->references++;
	call_changed(k);
	if (!ring_ms) {
		call_answer_now(k);
	} else {
		call_arm(k, CALL_RINGS, ring_ms);
		m = sip_stack_answer(t, 180, &e);
		if (m && call_add_contact(k, k->flow, m, &e) < 0) {
			osip_message_free(m);
			m = NULL;
		}
		if (!m || sip_stack_reply(t, m, &e) < 0)
			log_failure(LOG_LEVEL_TRACE, "sip", &e);
	}
	call_release(k);
}

unsigned call_begin(struct sip_calls *c, struct sip_transaction *t,
		    const struct osip_message *request)
{
	struct sip_call_rules rules;
	struct session_timer timer;
	struct error e = ERROR_INIT;
	struct sip_call *k;
	unsigned status;

	call_rules(c, &rules);
	if (refuse_sips(t, request) || !call_ask_session(&rules, t, &timer))
		return 0;
	k = call_new(c, sip_calls_id(c), sip_transaction_to_tag(t), &e);
	if (!k)
		return 500;
	k->asked = timer;
	status = fill(k, t, request);
	if (status) {
		call_release(k);
		return status == 1 ? 0 : status;
	}
	call_own(k, t);
	k->invite = t;
	start(k, t);
	return 0;
}

void call_answer_now(struct sip_call *k)
{
	struct error e = ERROR_INIT;

	k->references++;
	k->answered = true;
	if (call_accept(k, k->invite, &k->asked, buf_view(&k->media.said), &e) <
	    0)
		call_end_without_bye(k, SIP_END_NETWORK_ERROR, 0, e.text);
	else
		call_session_begin(k, &k->asked);
	call_release(k);
}

/* --- ACK */

/* The answer to our offer (RFC 3261 13.3.1.4): false, and the call ends,
 * without one. */
static bool take_answer(struct sip_call *k, const struct osip_message *ack)
{
	struct view text = call_body(ack);
	struct error e = ERROR_INIT;

	if (!k->offered)
		return true;
	k->offered = false;
	if (text.len && call_media_accept(k, text, &e) == 0)
		return true;
	call_end(k, text.len ? SIP_END_CAPABILITY : SIP_END_PROTOCOL_ERROR, 0,
		 text.len ? e.text : "the ACK brought no session description");
	return false;
}

void call_acked(struct sip_call *k, struct sip_transaction *t,
		const struct osip_message *ack)
{
	bool connected = k->facts.state == SIP_CALL_CONNECTED;

	if (t != k->invite) {
		call_disown(k, t);
		return;
	}
	k->invite = NULL;
	if (call_is_over(k)) {
		if (k->bye_owed)
			call_send(k, CALL_BYE);
		k->bye_owed = false;
	} else if (take_answer(k, ack)) {
		call_connected(k);
		if (connected)
			call_changed(k);
	}
	call_disown(k, t);
}
