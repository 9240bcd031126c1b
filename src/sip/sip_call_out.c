/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "sip/sip_call_private.h"
#include "sip/sip_message.h"

/* Calls that we place: the INVITE is an exchange, each of its tries offers the
 * media of the address that it goes out from. */

/* --- the INVITE ----------------------------------------------------------- */

/* The stream of the try before does when that left by the same address. */
static int prepare_media(struct sip_call *k, const struct sip_try *t,
			 struct error *e)
{
	if (k->media.id && strcmp(k->media.address, t->local_address) != 0)
		call_media_close(k);
	if (!k->media.id && call_media_open(k, t->local_address, e) < 0)
		return -1;
	return call_media_offer(k, t->transport == SIP_TLS, e);
}

static int failed(int rc, struct error *e)
{
	if (rc == OSIP_NOMEM)
		return error_nomem(e);
	return error_set(e, ERR_INPUT, "an INVITE could not be built (%d)", rc);
}

static int set_from(const struct sip_call *k, const struct sip_try *t,
		    struct osip_message *m, struct error *e)
{
	bool v6 = strchr(t->local_address, ':') != NULL;
	struct buf text;
	int rc;

	buf_init(&text, 2 * SIP_URI_SIZE);
	rc = k->from ? buf_addf(&text, e, "<%s>;tag=%s", k->from, t->from_tag)
		     : buf_addf(&text, e, "<%s:%s%s%s>;tag=%s",
				k->secure ? "sips" : "sip", v6 ? "[" : "",
				t->local_address, v6 ? "]" : "", t->from_tag);
	if (rc == 0) {
		rc = osip_message_set_from(m, buf_cstr(&text));
		rc = rc == 0 ? 0 : failed(rc, e);
	}
	buf_free(&text);
	return rc;
}

static int set_line(const struct sip_call *k, const struct sip_try *t,
		    struct osip_message *m, struct error *e)
{
	char to[SIP_URI_SIZE + 2], cseq[32];
	int rc;

	snprintf(to, sizeof(to), "<%s>", k->to->uri);
	snprintf(cseq, sizeof(cseq), "%lu INVITE", (unsigned long)t->cseq);
	m->sip_method = osip_strdup("INVITE");
	m->sip_version = osip_strdup("SIP/2.0");
	if (!m->sip_method || !m->sip_version)
		return error_nomem(e);
	if ((rc = osip_uri_init(&m->req_uri)) != 0 ||
	    (rc = osip_uri_parse(m->req_uri, k->to->uri)) != 0 ||
	    (rc = osip_message_set_to(m, to)) != 0 ||
	    (rc = osip_message_set_call_id(m, t->call_id)) != 0 ||
	    (rc = osip_message_set_cseq(m, cseq)) != 0 ||
	    (rc = osip_message_set_contact(m, t->contact)) != 0)
		return failed(rc, e);
	return 0;
}

static struct osip_message *on_build(void *arg, const struct sip_try *t,
				     struct error *e)
{
	struct sip_call *k = arg;
	osip_message_t *m = NULL;

	if (prepare_media(k, t, e) < 0)
		return NULL;
	if (osip_message_init(&m) != 0) {
		error_nomem(e);
		return NULL;
	}
	call_set_tag(k, t->from_tag);
	if (set_line(k, t, m, e) == 0 && set_from(k, t, m, e) == 0 &&
	    sip_message_add_abilities(m, e) == 0 &&
	    call_add_session(k, m, "", e) == 0 &&
	    call_add_body(m, buf_view(&k->media.said), e) == 0)
		return m;
	osip_message_free(m);
	return NULL;
}

/* --- its answers ---------------------------------------------------------- */

/* RFC 3261 13.2.2.4: another fork's, or one that came after we gave up: it is
 * confirmed, and ended. */
static void part(struct sip_call *k, struct sip_transaction *t,
		 const struct osip_message *response)
{
	struct error e = ERROR_INIT;
	struct sip_dialog *d;
	osip_message_t *m = NULL;

	/* Each BYE is a transaction: no callee gets all the room for them. */
	if (k->parted == CALL_PARTED_MAX)
		return;
	k->parted++;
	d = sip_dialog_new_uac(sip_transaction_request(t), response, &e);
	if (d) {
		call_ack(k, d, t, response);
		m = sip_dialog_request(d, "BYE", &e);
	}
	if (m)
		(void)call_errand(k, d, sip_transaction_flow(t), m);
	else
		log_failure(LOG_LEVEL_TRACE, "sip", &e);
	sip_dialog_free(d);
}

static void stand(struct sip_call *k, struct sip_transaction *t,
		  const struct osip_message *response)
{
	struct error e = ERROR_INIT;
	struct view text = call_body(response);

	k->dialog =
	    sip_dialog_new_uac(sip_transaction_request(t), response, &e);
	if (!k->dialog) {
		call_end_without_bye(k, SIP_END_PROTOCOL_ERROR,
				     (unsigned)response->status_code, e.text);
		return;
	}
	if (!sip_dialog_knows_hop(k->dialog))
		log_info("sip",
			 "call %llu: the answer of %s has no Contact; requests "
			 "go where the INVITE went",
			 (unsigned long long)k->facts.id, k->facts.peer);
	call_ack(k, k->dialog, t, response);
	if (call_media_accept(k, text, &e) < 0) {
		call_end(k, SIP_END_CAPABILITY, (unsigned)response->status_code,
			 text.len ? e.text
				  : "the answer has no session description");
		return;
	}
	k->peer_updates = call_lists(response, "allow", "UPDATE");
	call_session_agreed(k, response);
	k->facts.status = (unsigned)response->status_code;
	call_connected(k);
}

static void on_success(struct sip_call *k, struct sip_transaction *t,
		       const struct osip_message *response)
{
	if (k->dialog && sip_dialog_has(k->dialog, response))
		call_ack(k, k->dialog, t, response);
	else if (k->dialog || call_is_over(k))
		part(k, t, response);
	else
		stand(k, t, response);
}

static int invite(struct sip_call *k, struct sip_exchange *before,
		  struct error *e);

/* RFC 4028 7.4: once more with what the other side wants at least. */
static bool ask_longer(struct sip_call *k, struct sip_exchange *x,
		       const struct osip_message *response)
{
	struct session_words words;
	struct error e = ERROR_INIT;

	if (response->status_code != 422 || k->session_least ||
	    call_words(response, &words) < 0 ||
	    words.least <= SESSION_SECONDS_MIN)
		return false;
	k->session_least = words.least;
	if (invite(k, x, &e) == 0)
		return true;
	log_failure(LOG_LEVEL_TRACE, "sip", &e);
	return false;
}

static void on_refusal(struct sip_call *k, struct sip_exchange *x,
		       const struct osip_message *response)
{
	unsigned status = (unsigned)response->status_code;
	char text[ERROR_TEXT_MAX];

	if (call_is_over(k) || ask_longer(k, x, response))
		return;
	k->inviting = NULL;
	snprintf(text, sizeof(text), "%u %s", status,
		 response->reason_phrase ? response->reason_phrase : "");
	call_end_without_bye(k, sip_end_of_status(status), status, text);
}

static void on_answered(void *arg, struct sip_exchange *x,
			struct sip_transaction *t,
			const struct osip_message *response)
{
	struct sip_call *k = arg;

	k->references++;
	if (x == k->inviting && !k->dialog && !call_is_over(k)) {
		bool first = !k->facts.link.known;

		call_set_flow(k, sip_transaction_flow(t));
		memcpy(k->answers, k->facts.link.address, sizeof(k->answers));
		if (first && response->status_code < 200)
			call_changed(k);
	}
	if (MSG_IS_STATUS_2XX(response))
		on_success(k, t, response);
	else if (response->status_code >= 300 && x == k->inviting)
		on_refusal(k, x, response);
	call_release(k);
}

static void on_failed(void *arg, struct sip_exchange *x, enum sip_end end,
		      const char *text)
{
	struct sip_call *k = arg;
	struct sip_flow *flow = sip_exchange_flow(x);

	if (x != k->inviting)
		return;
	k->references++;
	k->inviting = NULL;
	if (flow && !call_is_over(k))
		call_set_flow(k, flow);
	if (!k->dialog)
		call_end_without_bye(k, end, 0, text);
	call_release(k);
}

static void on_finished(void *arg, struct sip_exchange *x)
{
	struct sip_call *k = arg;

	if (x == k->inviting)
		k->inviting = NULL;
	call_release(k);
}

static const struct sip_exchange_ops invite_ops = {
	.build = on_build,
	.answered = on_answered,
	.failed = on_failed,
	.finished = on_finished,
};

void call_cancel(struct sip_call *k)
{
	if (k->inviting)
		sip_exchange_cancel(k->inviting);
}

/* --- beginnings ----------------------------------------------------------- */

/* before: the exchange that this one goes on from, or NULL. */
static int invite(struct sip_call *k, struct sip_exchange *before,
		  struct error *e)
{
	struct sip_exchange_options o = {
		.agent = k->calls->o.agent,
		.ops = &invite_ops,
		.arg = k,
		.to = sip_dialled_destination(k->to),
		.secure = k->secure,
		.routes = k->routes,
		.user_name = k->user_name,
		.password = k->password.len ? &k->password : NULL,
		.limit_ms = SIP_CALL_ANSWER_MS,
		.call_id = before ? sip_exchange_call_id(before) : NULL,
		.cseq = before ? sip_exchange_cseq(before) : 0,
	};
	struct sip_exchange *x;

	if (!o.agent)
		return error_set(e, ERR_UNSUPPORTED, "no calls can be placed");
	x = sip_exchange_start(&o, e);
	if (!x)
		return -1;
	k->references++;
	k->inviting = x;
	return 0;
}

static int copy(const char *from, char **out, struct error *e)
{
	*out = from && *from ? strdup(from) : NULL;
	return from && *from && !*out ? error_nomem(e) : 0;
}

static int fill(struct sip_call *k, const struct sip_call_wish *w,
		struct error *e)
{
	k->to = malloc(sizeof(*k->to));
	if (!k->to)
		return error_nomem(e);
	*k->to = *w->to;
	k->secure = w->to->secure;
	snprintf(k->facts.peer, sizeof(k->facts.peer), "%.*s", SIP_TEXT_MAX - 1,
		 w->to->uri);
	if (copy(w->from, &k->from, e) < 0 ||
	    copy(w->user_name, &k->user_name, e) < 0 ||
	    copy(w->routes, &k->routes, e) < 0)
		return -1;
	if (!w->password || !w->password->len)
		return 0;
	return secret_copy(&k->password,
			   view_of(w->password->ptr, w->password->len), e);
}

static enum sip_end end_of(const struct error *e)
{
	return e->kind == ERR_LIMIT ? SIP_END_PORT_ALLOCATION
				    : SIP_END_SERVICE_UNAVAILABLE;
}

int sip_calls_place(struct sip_calls *c, uint64_t id,
		    const struct sip_call_wish *w, struct error *e)
{
	bool full = c->closed || c->live >= c->o.calls_max;
	struct sip_call *k = call_new(c, id, "", e);
	int rc;

	if (!k)
		return -1;
	if (fill(k, w, e) < 0) {
		call_release(k);
		return -1;
	}
	k->references++;
	call_changed(k);
	rc = full ? error_set(e, ERR_LIMIT, "too many calls")
		  : invite(k, NULL, e);
	if (rc < 0)
		call_end_without_bye(k, end_of(e), 0, e->text);
	call_release(k);
	return 0;
}
