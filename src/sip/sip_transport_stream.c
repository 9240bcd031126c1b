/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "sip/sip_answer.h"
#include "sip/sip_frame.h"
#include "sip/sip_transport_private.h"

/* Flows over TCP and TLS. */

struct stream_flow {
	struct sip_flow flow;
	struct sip_transports *transports;
	struct front_stream *stream; /* NULL: gone */
	struct sip_framer framer;
	struct buf in;    /* unread */
	struct list node; /* transports->opened or accepted, later lost */
	bool open, closing;
	/* Of those that we open. */
	struct sip_target target;
	char *host;
	unsigned generation;
	struct list tickets;
};

/* --- from the stack */

static void end(struct stream_flow *f)
{
	f->closing = true;
	if (f->stream)
		front_stream_close(f->stream);
}

/* A peer that is so far behind takes nothing: it is not waited for. */
static bool put(struct stream_flow *f, const void *bytes, size_t n)
{
	if (!f->stream || f->closing)
		return false;
	if (front_stream_write(f->stream, bytes, n))
		return true;
	log_trace("sip", "%s is too far behind: closed", f->flow.peer_address);
	end(f);
	return false;
}

static bool on_send(struct sip_flow *flow, const void *bytes, size_t n)
{
	return put(flow->impl, bytes, n);
}

static void on_close(struct sip_flow *flow)
{
	struct stream_flow *f = flow->impl;

	if (!f->closing)
		end(f);
}

static void on_destroy(struct sip_flow *flow)
{
	struct stream_flow *f = flow->impl;

	list_remove(&f->node);
	buf_free(&f->in);
	free(f->host);
	free(f);
}

static const struct sip_flow_ops stream_flow_ops = { on_send, on_close,
						     on_destroy };

/* --- what is read */

/* What cannot be followed any further is answered if its head is there, and
 * that is the end. */
static void refuse(struct stream_flow *f, struct view data,
		   const struct sip_frame *frame)
{
	struct sip_refusal why = { .status = frame->status,
				   .reason = sip_reason(frame->status),
				   .why = frame->why };
	const struct sip_source source = { f->flow.peer_address,
					   f->flow.peer_port };
	struct sip_refusal ignored;
	struct error e = ERROR_INIT;
	struct sip_head head;
	struct buf answer;
	bool given = false;

	log_trace("sip", "%s: %s", f->flow.peer_address, frame->why);
	buf_init(&answer, SIP_ANSWER_MAX);
	if (frame->head) {
		(void)sip_head_split(view_of(data.ptr, frame->head), &head,
				     &ignored);
		if (head.request &&
		    sip_answer_refusal(&head, &why, &source,
				       view_of(f->transports->salt, SIP_SALT),
				       &answer, &given, &e) == 0 &&
		    given)
			(void)put(f, answer.ptr, answer.len);
	}
	buf_free(&answer);
	end(f);
}

/* One step of the framing; false: there is no other now. */
static bool step(struct stream_flow *f, size_t *at)
{
	const struct sip_transport_sink *sink = &f->transports->o.sink;
	struct view data = view_of(f->in.ptr + *at, f->in.len - *at);
	struct sip_frame frame;

	switch (sip_framer_next(&f->framer, data, &frame)) {
	case SIP_FRAME_MORE: return false;
	case SIP_FRAME_MESSAGE:
		sink->received(sink->arg, &f->flow,
			       view_of(data.ptr, frame.length));
		break;
	case SIP_FRAME_PING: (void)put(f, "\r\n", 2); break;
	case SIP_FRAME_BLANK: break;
	case SIP_FRAME_REFUSED: refuse(f, data, &frame); return false;
	}
	front_stream_pending(f->stream, false);
	*at += frame.length;
	return !f->closing;
}

static void forget_unread(struct stream_flow *f)
{
	f->transports->unread -= f->in.len;
	buf_free(&f->in);
}

static void find_greediest(struct list *streams, struct stream_flow **most)
{
	for (struct list *l = streams->next; l != streams; l = l->next) {
		struct stream_flow *f = list_owner(l, struct stream_flow, node);

		if (!f->closing && (!*most || f->in.len > (*most)->in.len))
			*most = f;
	}
}

/* It is the one with most that goes, and its bytes at once: those who happen to
 * come last have done nothing. */
static void end_greediest(struct sip_transports *t)
{
	struct stream_flow *most = NULL;

	find_greediest(&t->accepted, &most);
	find_greediest(&t->opened, &most);
	if (!most)
		return;
	log_trace("sip", "%s: too much that does not end",
		  most->flow.peer_address);
	forget_unread(most);
	end(most);
}

/* What is left in f->in, which held so much before, is the beginning of a
 * message: it must come to its end, and all of them must not fill the memory.
 */
static void account(struct stream_flow *f, size_t before)
{
	struct sip_transports *t = f->transports;

	t->unread += f->in.len;
	t->unread -= before;
	if (f->closing) { /* it may take a while to go */
		forget_unread(f);
		return;
	}
	front_stream_pending(f->stream, f->in.len > 0);
	if (t->unread > t->o.unread_max)
		end_greediest(t);
}

/* The unread bytes are never more than the largest message: it is either
 * complete then, or refused. */
static size_t on_data(struct front_stream *s, void *user, const uint8_t *p,
		      size_t n)
{
	struct stream_flow *f = user;
	size_t taken = 0, before = f->in.len;
	struct error e = ERROR_INIT;

	(void)s;
	sip_flow_hold(&f->flow);
	while (taken < n && !f->closing) {
		size_t room = SIP_UNREAD_MAX - f->in.len, at = 0;
		size_t part = n - taken < room ? n - taken : room;

		if (buf_add(&f->in, p + taken, part, &e) < 0) {
			log_failure(LOG_LEVEL_WARNING, "sip", &e);
			end(f);
			break;
		}
		taken += part;
		while (step(f, &at))
			;
		buf_consume(&f->in, at);
		if (f->in.len == 0)
			buf_free(&f->in);
	}
	account(f, before);
	sip_flow_release(&f->flow);
	return n;
}

/* --- life */

static struct stream_flow *make(struct sip_transports *t)
{
	struct stream_flow *f = calloc(1, sizeof(*f));

	if (!f)
		return NULL;
	f->flow.id = ++t->next_id;
	f->flow.ops = &stream_flow_ops;
	f->flow.impl = f;
	f->flow.references = 1;
	f->transports = t;
	buf_init_secret(&f->in, SIP_UNREAD_MAX);
	list_init(&f->node);
	list_init(&f->tickets);
	return f;
}

static void introduce(struct stream_flow *f, struct front_stream *s,
		      const struct peer *p)
{
	struct sip_flow *flow = &f->flow;

	f->stream = s;
	f->open = true;
	flow->transport = p->via == PEER_STREAM ? SIP_TLS : SIP_TCP;
	memcpy(flow->peer_address, p->address, sizeof(p->address));
	memcpy(flow->local_address, p->local_address, sizeof(p->local_address));
	flow->peer_port = p->port;
	flow->local_port = p->local_port;
	flow->verified = p->certificate.present;
	snprintf(flow->peer_subject, sizeof(flow->peer_subject), "%s",
		 p->certificate.names.subject);
	if (flow->transport != SIP_TLS)
		return;
	snprintf(flow->tls_version, sizeof(flow->tls_version), "%s",
		 tls_version_name(p->tls_version));
	snprintf(flow->tls_cipher, sizeof(flow->tls_cipher), "%s",
		 p->tls_cipher);
}

/* To all who wait for it. */
static void answer_all(struct stream_flow *f, struct sip_flow *flow,
		       const struct sip_flow_failure *why)
{
	while (!list_empty(&f->tickets))
		sip_ticket_answer(
		    f->transports,
		    list_owner(f->tickets.next, struct sip_ticket, node), flow,
		    why);
}

static int on_accepted(struct front_stream *s, const struct peer *p, void *arg,
		       void **user)
{
	struct stream_flow *f = make(arg);

	if (!f)
		return -1;
	introduce(f, s, p);
	list_append(&f->transports->accepted, &f->node);
	*user = f;
	return 0;
}

static int on_opened(struct front_stream *s, const struct peer *p, void *arg,
		     void **user)
{
	struct stream_flow *f = arg;

	introduce(f, s, p);
	*user = f;
	answer_all(f, &f->flow, NULL);
	return 0;
}

/* What TLS came to is worth a line, an administrator will look for it; the rest
 * is everyday life. */
static void log_failed(const char *peer, const struct sip_flow_failure *why)
{
	bool ours = why->end == SIP_END_OWN_CERTIFICATE_REFUSED;
	enum log_level level = LOG_LEVEL_INFO;

	if (ours)
		level = LOG_LEVEL_WARNING;
	else if (why->end == SIP_END_FAILED_TO_CONNECT)
		level = LOG_LEVEL_TRACE;
	log_at(level, "sip", "%s: %s%s", peer,
	       ours ? "does not accept the certificate of this device: " : "",
	       why->text);
}

static void on_failed(struct front_stream *s, void *arg,
		      const struct error *why,
		      const struct tls_verdict *verdict)
{
	struct stream_flow *f = arg;
	struct sip_flow_failure failure = sip_failure_of(why, verdict);

	(void)s;
	f->stream = NULL;
	log_failed(f->host, &failure);
	answer_all(f, NULL, &failure);
	sip_flow_release(&f->flow);
}

/* Those above hear of it from the loop, not from within their own calls. */
static void on_closed(struct front_stream *s, void *user)
{
	struct stream_flow *f = user;
	const struct error *why = front_stream_failure(s);

	/* A server of TLS 1.3 that does not want our certificate says so only
	 * now: somebody will ask. */
	if (why) {
		f->flow.failure = sip_failure_of(why, NULL);
		log_failed(f->flow.peer_address, &f->flow.failure);
	}
	if (f->flow.failure.end == SIP_END_FAILED_TO_CONNECT)
		f->flow.failure.end = SIP_END_NETWORK_ERROR;
	forget_unread(f);
	f->stream = NULL;
	f->closing = true;
	list_remove(&f->node);
	list_append(&f->transports->lost, &f->node);
	sip_transports_wake(f->transports);
}

void sip_streams_lost(struct sip_transports *t)
{
	struct list now;

	list_init(&now);
	list_move(&t->lost, &now);
	while (!list_empty(&now)) {
		struct stream_flow *f =
		    list_owner(now.next, struct stream_flow, node);

		list_remove(&f->node);
		t->o.sink.lost(t->o.sink.arg, &f->flow);
		sip_flow_release(&f->flow);
	}
}

struct front_stream_ops sip_stream_ops(struct sip_transports *t)
{
	return (struct front_stream_ops){ .open = on_accepted,
					  .data = on_data,
					  .closed = on_closed,
					  .arg = t,
					  .idle_ms = t->o.idle_ms,
					  .silent_ms = t->o.silent_ms,
					  .pending_ms = t->o.message_ms };
}

/* --- opening */

static bool serves(const struct stream_flow *f, const struct sip_target *target,
		   const char *host)
{
	bool tls = target->transport == SIP_TLS;

	return !f->closing && f->target.transport == target->transport &&
	       f->target.port == target->port &&
	       strcmp(f->target.address, target->address) == 0 &&
	       /* Another name, or another policy, was not proved by it. */
	       (!tls || (f->generation == f->transports->generation &&
			 strcmp(f->host, host) == 0));
}

static struct stream_flow *find(struct sip_transports *t,
				const struct sip_target *target,
				const char *host)
{
	for (struct list *l = t->opened.next; l != &t->opened; l = l->next) {
		struct stream_flow *f = list_owner(l, struct stream_flow, node);

		if (serves(f, target, host))
			return f;
	}
	return NULL;
}

static int dial(struct stream_flow *f, struct error *e)
{
	struct sip_transports *t = f->transports;
	bool tls = f->target.transport == SIP_TLS;
	const struct front_connect_options o = {
		.address = f->target.address,
		.port = f->target.port,
		.tls = tls ? t->client : NULL,
		.host = tls ? f->host : NULL,
		.limit_ms = t->o.connect_ms,
	};
	const struct front_stream_ops ops = { .open = on_opened,
					      .data = on_data,
					      .closed = on_closed,
					      .failed = on_failed,
					      .idle_ms = t->o.idle_ms,
					      .pending_ms = t->o.message_ms };

	if (tls && !t->client)
		return error_set(e, ERR_CONFIG,
				 "no certificate and no trust store yet");
	f->stream = front_connect(t->o.front, &o, &ops, f, e);
	return f->stream ? 0 : -1;
}

void sip_stream_connect(struct sip_transports *t,
			const struct sip_target *target, const char *host,
			struct sip_ticket *k)
{
	struct stream_flow *f = find(t, target, host);
	struct sip_flow_failure why;
	struct error e = ERROR_INIT;

	if (f && f->open) {
		sip_ticket_answer(t, k, &f->flow, NULL);
		return;
	}
	if (f) {
		list_append(&f->tickets, &k->node);
		return;
	}
	f = make(t);
	if (f)
		f->host = strdup(host);
	if (!f || !f->host) {
		error_nomem(&e);
		goto failed;
	}
	f->target = *target;
	f->generation = t->generation;
	if (dial(f, &e) < 0)
		goto failed;
	list_append(&t->opened, &f->node);
	list_append(&f->tickets, &k->node);
	return;
failed:
	why = sip_failure_of(&e, NULL);
	sip_ticket_answer(t, k, NULL, &why);
	if (f)
		sip_flow_release(&f->flow);
}

/* --- the end of all */

/* No policy of before is what lets it in; who waits for it goes on waiting. */
static void begin_again(struct stream_flow *f)
{
	struct sip_flow_failure why;
	struct error e = ERROR_INIT;

	front_stream_close(f->stream);
	f->stream = NULL;
	f->generation = f->transports->generation;
	if (dial(f, &e) == 0)
		return;
	why = sip_failure_of(&e, NULL);
	answer_all(f, NULL, &why);
	sip_flow_release(&f->flow);
}

static void end_or_begin_again(struct stream_flow *f)
{
	if (f->open)
		end(f);
	else if (f->generation != f->transports->generation)
		begin_again(f);
}

static bool is_tls(const struct stream_flow *f)
{
	return f->open ? f->flow.transport == SIP_TLS
		       : f->target.transport == SIP_TLS;
}

/* Ending one may move it to the lost ones at once. */
static void each_tls(struct list *streams, void (*fn)(struct stream_flow *f))
{
	struct list all;

	list_init(&all);
	list_move(streams, &all);
	while (!list_empty(&all)) {
		struct stream_flow *f =
		    list_owner(all.next, struct stream_flow, node);

		list_remove(&f->node);
		list_append(streams, &f->node);
		if (!f->closing && is_tls(f))
			fn(f);
	}
}

void sip_transports_close_tls(struct sip_transports *t)
{
	front_end_older_handshakes(t->o.front);
	each_tls(&t->accepted, end);
	each_tls(&t->opened, end_or_begin_again);
}
