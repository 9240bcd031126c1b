/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sip/sip_stack.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/secret.h"
#include "sip/sip_answer.h"
#include "sip/sip_clock.h"
#include "sip/sip_message.h"
#include "sip/sip_transaction.h"

enum { HEAD_MAX = 131072 }; /* more than sip_frame.h and datagrams bring */

struct sip_stack *sip_stack_new(const struct sip_stack_config *c,
				struct error *e)
{
	struct sip_stack *s = calloc(1, sizeof(*s));

	if (!s) {
		error_nomem(e);
		return NULL;
	}
	s->config = *c;
	s->config.sent_by = NULL;
	s->next = -1;
	if (!c->transactions_max)
		s->config.transactions_max = SIP_TRANSACTIONS_MAX;
	if (!c->transactions_peer_max)
		s->config.transactions_peer_max = SIP_TRANSACTIONS_PEER_MAX;
	list_init(&s->all);
	list_init(&s->dirty);
	list_init(&s->done);
	for (size_t i = 0; i < SIP_BUCKETS; i++)
		list_init(&s->buckets[i]);
	random_bytes(s->salt, sizeof(s->salt));
	s->sent_by = c->sent_by ? strdup(c->sent_by) : NULL;
	if (c->sent_by && !s->sent_by) {
		error_nomem(e);
		goto fail;
	}
	if (sip_machines_new(s, e) < 0)
		goto fail;
	return s;
fail:
	free(s->sent_by);
	free(s);
	return NULL;
}

void sip_stack_free(struct sip_stack *s)
{
	if (!s)
		return;
	s->depth++;
	while (!list_empty(&s->all))
		sip_transaction_end(
		    list_owner(s->all.next, struct sip_transaction, all));
	osip_release(s->osip);
	free(s->sent_by);
	free(s);
}

void sip_stack_set_port(struct sip_stack *s, enum sip_transport transport,
			uint16_t port)
{
	s->config.port[transport] = port;
}

/* --- time */

void sip_stack_enter(struct sip_stack *s)
{
	s->depth++;
	sip_clock_set(s->now);
}

void sip_stack_leave(struct sip_stack *s)
{
	if (--s->depth > 0)
		return;
	sip_sweep(s);
	if (s->count)
		sip_stack_wake(s, s->now + SIP_TICK_MS);
	else
		s->next = -1;
}

void sip_stack_wake(struct sip_stack *s, int64_t when)
{
	if (s->next < 0 || when < s->next)
		s->next = when;
}

void sip_stack_now(struct sip_stack *s, int64_t now_ms)
{
	s->now = now_ms;
	sip_clock_set(now_ms);
}

int64_t sip_stack_next_ms(const struct sip_stack *s)
{
	return s->next;
}

void sip_stack_tick(struct sip_stack *s)
{
	sip_stack_enter(s);
	sip_transactions_tick(s);
	sip_stack_leave(s);
	if (s->depth == 0)
		s->next = sip_transactions_next(s);
}

/* --- messages */

/* Without a transaction: the same request again gets the same answer. */
static void refuse(struct sip_stack *s, struct sip_flow *flow,
		   const struct sip_head *head, const struct sip_refusal *why)
{
	struct sip_source source = { flow->peer_address, flow->peer_port };
	struct error e = ERROR_INIT;
	struct buf out;
	bool given = false;

	log_trace("sip", "from %s: %s", flow->peer_address, why->why);
	buf_init(&out, SIP_ANSWER_MAX);
	if (sip_answer_refusal(head, why, &source,
			       view_of(s->salt, sizeof(s->salt)), &out, &given,
			       &e) < 0)
		log_failure(LOG_LEVEL_TRACE, "sip", &e);
	else if (given)
		(void)flow->ops->send(flow, out.ptr, out.len);
	buf_free(&out);
}

static const char *why_status(unsigned status)
{
	static const struct {
		unsigned status;
		const char *why;
	} rows[] = {
		{ 400, "no transaction can be made of it" },
		{ 481, "nothing here that it is about" },
		{ 482, "the same request came on another way" },
		{ 500, "no memory" },
		{ 503, "too many requests at the same time" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (rows[i].status == status)
			return rows[i].why;
	return "refused";
}

/* 0: *head may go to the parser. */
static int check(struct view message, enum sip_transport transport,
		 struct sip_head *head, struct sip_refusal *why)
{
	size_t scanned = 0, n = sip_head_length(message, &scanned);
	const char *fault = sip_head_fault(view_of(message.ptr, n));

	if (sip_head_split(message, head, why) < 0)
		return -1;
	if (fault)
		return sip_refuse(why, 400, fault, view_of("", 0));
	return head->request ? sip_check_request(head, transport, why)
			     : sip_check_answer(head, transport, why);
}

/* The head as the parser gets it: without Content-Length, so that it finds no
 * body and does not look into one. */
static int write_head(const struct sip_head *h, struct view message,
		      struct buf *out, struct error *e)
{
	const uint8_t *end = memmem(message.ptr, message.len, "\r\n", 2);

	if (!end)
		return error_set(e, ERR_INPUT, "no start line");
	if (buf_add(out, message.ptr, (size_t)(end - message.ptr), e) < 0)
		return -1;
	for (size_t i = 0; i < h->count; i++) {
		const struct sip_field *f = &h->fields[i];

		if (f->id == SIP_CONTENT_LENGTH)
			continue;
		if (buf_adds(out, "\r\n", e) < 0 ||
		    buf_add(out, f->name.ptr, f->name.len, e) < 0 ||
		    buf_adds(out, ": ", e) < 0 ||
		    buf_add(out, f->value.ptr, f->value.len, e) < 0)
			return -1;
	}
	return buf_adds(out, "\r\n\r\n", e);
}

/* The library takes multipart bodies apart as soon as it sees them, and has had
 * holes there; a body is put in as the bytes that it is. NULL: it is not what
 * the parser takes. */
static osip_event_t *parse(const struct sip_head *h, struct view message)
{
	struct error e = ERROR_INIT;
	osip_event_t *event = NULL;
	struct buf head;

	buf_init(&head, HEAD_MAX);
	if (write_head(h, message, &head, &e) < 0)
		goto out;
	event = osip_parse(buf_cstr(&head), head.len);
	if (event && h->body.len &&
	    osip_message_set_body(event->sip, (const char *)h->body.ptr,
				  h->body.len) != 0) {
		osip_event_free(event);
		event = NULL;
	}
out:
	buf_free(&head);
	return event;
}

static void dispatch(struct sip_stack *s, struct sip_flow *flow,
		     const struct sip_head *head, osip_event_t *event)
{
	struct sip_refusal why;
	unsigned status;

	if (MSG_IS_RESPONSE(event->sip)) {
		sip_take_answer(s, flow, event);
	} else if (!sip_take_request(s, flow, event, &status)) {
		sip_refuse(&why, status, why_status(status), view_of("", 0));
		refuse(s, flow, head, &why);
	}
}

void sip_stack_received(struct sip_stack *s, struct sip_flow *flow,
			struct view message)
{
	struct sip_refusal why;
	struct sip_head head;
	osip_event_t *event;

	memset(&why, 0, sizeof(why));
	memset(&head, 0, sizeof(head));
	if (check(message, flow->transport, &head, &why) < 0) {
		refuse(s, flow, &head, &why);
		return;
	}
	sip_stack_enter(s);
	event = parse(&head, message);
	if (event) {
		dispatch(s, flow, &head, event);
	} else if (head.request) {
		sip_refuse(&why, 400, "a field does not keep to its grammar",
			   view_of("", 0));
		refuse(s, flow, &head, &why);
	}
	sip_stack_leave(s);
}

/* --- of a transaction */

const struct osip_message *sip_transaction_request(
    const struct sip_transaction *t)
{
	return t->machine && t->machine->orig_request ? t->machine->orig_request
						      : t->request;
}

struct sip_flow *sip_transaction_flow(const struct sip_transaction *t)
{
	return t->flow;
}

const char *sip_transaction_to_tag(const struct sip_transaction *t)
{
	return t->to_tag;
}

void sip_transaction_set_mark(struct sip_transaction *t, void *mark)
{
	t->mark = mark;
}

void *sip_transaction_mark(const struct sip_transaction *t)
{
	return t->mark;
}

size_t sip_stack_count(const struct sip_stack *s)
{
	return s->count;
}
