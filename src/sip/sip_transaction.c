/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sip/sip_transaction.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/secret.h"
#include "sip/sip_clock.h"
#include "sip/sip_memory.h"
#include "sip/sip_message.h"
#include "sip/sip_net.h"

enum {
	KEY_INPUT_MAX = 80000,
	MESSAGE_MAX = 131072, /* more than sip_frame.h takes */
};

/* --- keys */

/* Of the parts, which end with NULL. */
static int digest(const struct sip_stack *s, const char *const *parts,
		  uint8_t key[SIP_KEY_SIZE])
{
	uint8_t whole[SHA256_SIZE];
	struct error e = ERROR_INIT;
	struct buf in;
	int rc = -1;

	buf_init(&in, KEY_INPUT_MAX);
	if (buf_add(&in, s->salt, sizeof(s->salt), &e) < 0)
		goto out;
	for (; *parts; parts++)
		if (buf_add(&in, *parts, strlen(*parts) + 1, &e) < 0)
			goto out;
	sha256_of(buf_view(&in), whole);
	memcpy(key, whole, SIP_KEY_SIZE);
	rc = 0;
out:
	buf_free(&in);
	return rc;
}

static const char *or_empty(const char *s)
{
	return s ? s : "";
}

/* Of CSeq: 0009 and 9 are the same. */
static const char *sequence(const osip_message_t *m)
{
	const char *number = or_empty(m->cseq->number);

	while (number[0] == '0' && number[1])
		number++;
	return number;
}

/* Whose transactions these are: nobody else can name them. A peer of UDP may
 * change its port, a connection is one peer. */
static void scope_of(const struct sip_flow *flow, char *out, size_t size)
{
	if (sip_flow_is_reliable(flow))
		snprintf(out, size, "f%llu", (unsigned long long)flow->id);
	else
		snprintf(out, size, "u%s", flow->peer_address);
}

/* RFC 2543's clients have branches that are not unique (17.2.3). */
static int key_old(struct sip_stack *s, const char *scope,
		   const osip_message_t *m, const char *method,
		   uint8_t key[SIP_KEY_SIZE])
{
	char *uri = NULL, *via = NULL;
	int rc = -1;

	if (osip_uri_to_str(m->req_uri, &uri) != 0 ||
	    osip_via_to_str(osip_list_get(&m->vias, 0), &via) != 0)
		goto out;
	rc = digest(s,
		    (const char *[]){ "2543", scope, method, uri, via,
				      or_empty(m->call_id->number),
				      or_empty(m->call_id->host), sequence(m),
				      sip_message_from_tag(m), NULL },
		    key);
out:
	osip_free(uri);
	osip_free(via);
	return rc;
}

int sip_key_main(struct sip_stack *s, const struct sip_flow *flow,
		 const osip_message_t *request, const char *method,
		 uint8_t key[SIP_KEY_SIZE])
{
	const osip_via_t *via = osip_list_get(&request->vias, 0);
	const char *branch = sip_message_branch(request);
	char scope[INET6_ADDRSTRLEN + 24];

	scope_of(flow, scope, sizeof(scope));
	if (strncasecmp(branch, "z9hG4bK", 7) != 0 || !branch[7])
		return key_old(s, scope, request, method, key);
	return digest(s,
		      (const char *[]){ "server", scope, method, branch,
					or_empty(via->host),
					or_empty(via->port), NULL },
		      key);
}

int sip_key_client(struct sip_stack *s, const char *branch, const char *method,
		   uint8_t key[SIP_KEY_SIZE])
{
	return digest(s, (const char *[]){ "client", branch, method, NULL },
		      key);
}

int sip_key_ack(struct sip_stack *s, const osip_message_t *m,
		uint8_t key[SIP_KEY_SIZE])
{
	return digest(s,
		      (const char *[]){ "ack", or_empty(m->call_id->number),
					or_empty(m->call_id->host), sequence(m),
					sip_message_from_tag(m),
					sip_message_to_tag(m), NULL },
		      key);
}

int sip_key_merge(struct sip_stack *s, const osip_message_t *request,
		  uint8_t key[SIP_KEY_SIZE])
{
	return digest(s,
		      (const char *[]){ "merge", request->sip_method,
					or_empty(request->call_id->number),
					or_empty(request->call_id->host),
					sequence(request),
					sip_message_from_tag(request), NULL },
		      key);
}

unsigned sip_peer_index(const struct sip_stack *s, const char *address)
{
	char net[INET6_ADDRSTRLEN];
	uint8_t key[SIP_KEY_SIZE];

	sip_net_of(address, net);
	if (digest(s, (const char *[]){ "peer", net, NULL }, key) < 0)
		return 0;
	return ((unsigned)key[0] << 8 | key[1]) % SIP_PEERS;
}

/* --- the table */

static struct list *bucket_of(struct sip_stack *s, const uint8_t *key)
{
	return &s->buckets[((unsigned)key[0] << 8 | key[1]) % SIP_BUCKETS];
}

struct sip_transaction *sip_find(struct sip_stack *s, enum sip_slot_kind kind,
				 const uint8_t key[SIP_KEY_SIZE])
{
	struct list *head = bucket_of(s, key);

	for (struct list *l = head->next; l != head; l = l->next) {
		struct sip_slot *slot = list_owner(l, struct sip_slot, link);

		if (slot == &slot->owner->slots[kind] &&
		    memcmp(slot->key, key, SIP_KEY_SIZE) == 0)
			return slot->owner;
	}
	return NULL;
}

void sip_put(struct sip_transaction *t, enum sip_slot_kind kind,
	     const uint8_t key[SIP_KEY_SIZE])
{
	struct sip_slot *slot = &t->slots[kind];

	memcpy(slot->key, key, SIP_KEY_SIZE);
	list_remove(&slot->link);
	list_append(bucket_of(t->stack, key), &slot->link);
}

struct sip_transaction *sip_transaction_new(struct sip_stack *s, bool server,
					    struct error *e)
{
	struct sip_transaction *t = calloc(1, sizeof(*t));
	uint8_t tag[SIP_TAG_SIZE / 2];

	if (!t) {
		error_nomem(e);
		return NULL;
	}
	t->stack = s;
	t->server = server;
	list_init(&t->dirty);
	list_init(&t->done);
	for (int i = 0; i < SIP_SLOTS; i++) {
		list_init(&t->slots[i].link);
		t->slots[i].owner = t;
	}
	random_bytes(tag, sizeof(tag));
	hex_encode(tag, sizeof(tag), t->to_tag);
	buf_init_secret(&t->success, MESSAGE_MAX);
	list_append(&s->all, &t->all);
	s->count++;
	return t;
}

/* --- machines */

int sip_flow_write(struct sip_flow *flow, osip_message_t *m, struct buf *copy,
		   struct error *e)
{
	struct buf out;
	int rc = -1;

	/* A description may hold keys. */
	buf_init_secret(&out, MESSAGE_MAX);
	if (sip_message_write(m, &out, e) < 0)
		goto out;
	if (copy) {
		buf_clear(copy);
		if (buf_add(copy, out.ptr, out.len, e) < 0)
			goto out;
	}
	if (!flow->ops->send(flow, out.ptr, out.len)) {
		error_set(e, ERR_IO, "the way to %s is gone",
			  flow->peer_address);
		goto out;
	}
	rc = 0;
out:
	buf_free(&out);
	return rc;
}

static int on_send(osip_transaction_t *machine, osip_message_t *m, char *host,
		   int port, int socket)
{
	struct sip_transaction *t = osip_transaction_get_your_instance(machine);
	struct error e = ERROR_INIT;
	bool keep = t->server && t->invite && MSG_IS_STATUS_2XX(m);

	(void)host;
	(void)port;
	(void)socket;
	return sip_flow_write(t->flow, m, keep ? &t->success : NULL, &e);
}

static void on_taken(int type, osip_transaction_t *machine, osip_message_t *m)
{
	struct sip_transaction *t = osip_transaction_get_your_instance(machine);

	(void)type;
	(void)m;
	t->took = true;
}

static void on_timeout(int type, osip_transaction_t *machine, osip_message_t *m)
{
	(void)type;
	(void)m;
	sip_transaction_fail(osip_transaction_get_your_instance(machine),
			     SIP_FAILED_TIMEOUT);
}

static void on_transport_error(int type, osip_transaction_t *machine, int error)
{
	(void)type;
	(void)error;
	sip_transaction_fail(osip_transaction_get_your_instance(machine),
			     SIP_FAILED_TRANSPORT);
}

static void on_kill(int type, osip_transaction_t *machine)
{
	struct sip_transaction *t = osip_transaction_get_your_instance(machine);

	(void)type;
	t->rests = true;
	if (t->invite && !t->over && machine->last_response &&
	    MSG_IS_STATUS_2XX(machine->last_response))
		sip_accept(t);
	sip_transaction_soil(t);
}

static const struct {
	int type;
	osip_message_cb_t call;
} message_calls[] = {
	{ OSIP_ICT_STATUS_1XX_RECEIVED, on_taken },
	{ OSIP_ICT_STATUS_2XX_RECEIVED, on_taken },
	{ OSIP_ICT_STATUS_3XX_RECEIVED, on_taken },
	{ OSIP_ICT_STATUS_4XX_RECEIVED, on_taken },
	{ OSIP_ICT_STATUS_5XX_RECEIVED, on_taken },
	{ OSIP_ICT_STATUS_6XX_RECEIVED, on_taken },
	{ OSIP_NICT_STATUS_1XX_RECEIVED, on_taken },
	{ OSIP_NICT_STATUS_2XX_RECEIVED, on_taken },
	{ OSIP_NICT_STATUS_3XX_RECEIVED, on_taken },
	{ OSIP_NICT_STATUS_4XX_RECEIVED, on_taken },
	{ OSIP_NICT_STATUS_5XX_RECEIVED, on_taken },
	{ OSIP_NICT_STATUS_6XX_RECEIVED, on_taken },
	{ OSIP_ICT_STATUS_TIMEOUT, on_timeout },
	{ OSIP_NICT_STATUS_TIMEOUT, on_timeout },
};

static void say_nothing(const char *file, int line, osip_trace_level_t level,
			const char *format, va_list arguments)
{
	(void)file;
	(void)line;
	(void)level;
	(void)format;
	(void)arguments;
}

/* It would write about each wrong message to our standard output, and without a
 * function of ours it turns that on with the first one. */
static void keep_quiet(void)
{
	osip_trace_initialize_func(OSIP_FATAL, say_nothing);
	for (int i = 0; i < END_TRACE_LEVEL; i++)
		osip_trace_disable_level((osip_trace_level_t)i);
}

int sip_machines_new(struct sip_stack *s, struct error *e)
{
	sip_clock_set(s->now);
	sip_memory_start();
	if (osip_init(&s->osip) != 0) {
		s->osip = NULL;
		return error_nomem(e);
	}
	keep_quiet();
	osip_set_cb_send_message(s->osip, on_send);
	for (size_t i = 0; i < sizeof(message_calls) / sizeof(message_calls[0]);
	     i++)
		osip_set_message_callback(s->osip, message_calls[i].type,
					  message_calls[i].call);
	for (int i = 0; i < OSIP_KILL_CALLBACK_COUNT; i++)
		osip_set_kill_transaction_callback(s->osip, i, on_kill);
	for (int i = 0; i < OSIP_TRANSPORT_ERROR_CALLBACK_COUNT; i++)
		osip_set_transport_error_callback(s->osip, i,
						  on_transport_error);
	return 0;
}

/* The library goes by the transport in Via, which for a server's is a peer's
 * word: the flow decides. */
static void set_timers(struct sip_transaction *t)
{
	bool reliable = sip_flow_is_reliable(t->flow);
	osip_transaction_t *m = t->machine;

	if (m->ist_context) {
		m->ist_context->timer_g_length = reliable ? -1 : SIP_T1_MS;
		m->ist_context->timer_i_length = reliable ? 0 : SIP_T4_MS;
	}
	if (m->nist_context)
		m->nist_context->timer_j_length = reliable ? 0 : SIP_TIMEOUT_MS;
}

int sip_transaction_start(struct sip_transaction *t, osip_fsm_type_t type,
			  osip_message_t *request, struct error *e)
{
	int rc =
	    osip_transaction_init(&t->machine, type, t->stack->osip, request);

	if (rc != 0) {
		t->machine = NULL;
		return rc == OSIP_NOMEM
			   ? error_nomem(e)
			   : error_set(e, ERR_INPUT,
				       "no transaction for this message (%d)",
				       rc);
	}
	/* At once, while its list is short (sip_transaction_timers.c). */
	(void)osip_remove_transaction(t->stack->osip, t->machine);
	osip_transaction_set_your_instance(t->machine, t);
	set_timers(t);
	return 0;
}

void sip_transaction_run(struct sip_transaction *t, osip_event_t *event)
{
	t->took = false;
	osip_transaction_execute(t->machine, event);
	sip_stack_wake(t->stack, t->stack->now + SIP_TICK_MS);
}
