/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "sip/sip_frame.h"
#include "sip/sip_transport.h"
#include "tests/unit/flow_fixture.h"

/* Flows over real sockets: what becomes a message, which flow serves whom, and
 * how they end. */

#define HEAD                                           \
	"OPTIONS sip:a@b SIP/2.0\r\n"                  \
	"Via: SIP/2.0/TCP h;branch=z9hG4bK1;rport\r\n" \
	"From: <sip:a@b>;tag=1\r\nTo: <sip:a@b>\r\n"   \
	"Call-ID: 1\r\nCSeq: 1 OPTIONS\r\n"
#define MESSAGE   HEAD "Content-Length: 0\r\n\r\n"
#define WITH_BODY HEAD "Content-Length: 4\r\n\r\nbody"
#define ANSWER    "SIP/2.0 200 OK\r\n\r\n"

enum { TICKETS = 8 };

struct told {
	struct sip_flow *flow; /* held */
	char reason[200];
	enum sip_end end;
	atomic_bool done;
};

struct stage {
	struct front_fixture x;
	struct sip_transports *transports;
	struct tls_context *server;
	uint16_t port[3]; /* by transport */
	atomic_uint received, lost;
	atomic_size_t last_n;
	struct sip_flow last; /* a copy */
	uint64_t lost_id;
	bool mute;   /* does not answer */
	bool closes; /* ends each flow with its first message */
	bool inside; /* a call to the transports: nothing is told then */
	unsigned message_ms;
	size_t unread_max;
	struct told told[TICKETS];
};

/* --- the sink */

static void on_received(void *arg, struct sip_flow *f, struct view message)
{
	struct stage *g = arg;

	g->last = *f;
	atomic_store(&g->last_n, message.len);
	if (!g->mute)
		CU_ASSERT_TRUE(f->ops->send(f, ANSWER, strlen(ANSWER)));
	if (g->closes) {
		unsigned lost = atomic_load(&g->lost);

		f->ops->close(f);
		f->ops->close(f);
		CU_ASSERT_EQUAL(atomic_load(&g->lost), lost);
		if (f->transport != SIP_UDP)
			CU_ASSERT_FALSE(f->ops->send(f, "x", 1));
	}
	atomic_fetch_add(&g->received, 1);
}

static void on_lost(void *arg, struct sip_flow *f)
{
	struct stage *g = arg;

	CU_ASSERT_FALSE(g->inside);
	CU_ASSERT_FALSE(f->ops->send(f, "x", 1));
	g->lost_id = f->id;
	atomic_fetch_add(&g->lost, 1);
}

static void on_connected(void *arg, uint64_t ticket, struct sip_flow *f,
			 const struct sip_flow_failure *why)
{
	struct stage *g = arg;
	struct told *told = &g->told[ticket];

	CU_ASSERT_FALSE(g->inside);
	CU_ASSERT_EQUAL(f == NULL, why != NULL);
	told->flow = f ? sip_flow_hold(f) : NULL;
	if (why) {
		CU_ASSERT_NOT_EQUAL(why->end, SIP_END_NONE);
		told->end = why->end;
		snprintf(told->reason, sizeof(told->reason), "%s", why->text);
	}
	atomic_store(&told->done, true);
}

/* --- on the loop */

static void begin(struct front_fixture *x, void *arg)
{
	static const char *const v4[] = { "127.0.0.1" };
	static const char *const names[] = { "sip_udp", "sip_tcp", "sips_tcp" };
	struct stage *g = arg;
	const struct sip_transport_options o = {
		.front = x->front,
		.sink = { .received = on_received,
			  .lost = on_lost,
			  .connected = on_connected,
			  .arg = g },
		.message_ms = g->message_ms,
		.unread_max = g->unread_max,
	};
	struct error e = ERROR_INIT;

	g->transports = sip_transports_new(&o, &e);
	CHECK_OBJECT(g->transports, &e);
	for (int i = 0; i < 3; i++) {
		CHECK_OK(sip_transports_listen(g->transports,
					       (enum sip_transport)i, v4, 1, 0,
					       &e),
			 &e);
		g->port[i] = front_listen_port(x->front, names[i]);
	}
	front_set_tls(x->front, PEER_STREAM, g->server);
}

struct wish {
	struct stage *stage;
	struct sip_target target;
	const char *host;
	uint64_t ticket;
};

static void ask(struct front_fixture *x, void *arg)
{
	const struct wish *w = arg;
	struct stage *g = w->stage;

	(void)x;
	g->told[w->ticket] = (struct told){ 0 };
	g->inside = true;
	sip_transports_connect(g->transports, &w->target, w->host, w->ticket);
	g->inside = false;
}

static void set_client(struct front_fixture *x, void *arg)
{
	(void)x;
	sip_transports_set_client(((struct stage **)arg)[0]->transports,
				  ((struct tls_context **)arg)[1]);
}

static void use_client(struct stage *g, struct tls_context *c)
{
	void *both[] = { g, c };

	front_fixture_call(&g->x, set_client, both);
}

static void let_go(struct front_fixture *x, void *arg)
{
	struct stage *g = arg;

	(void)x;
	for (int i = 0; i < TICKETS; i++) {
		sip_flow_release(g->told[i].flow);
		g->told[i].flow = NULL;
	}
}

struct words {
	struct sip_flow *flow;
	const char *text;
	bool close;
};

static void say(struct front_fixture *x, void *arg)
{
	const struct words *w = arg;

	(void)x;
	if (w->text)
		CU_ASSERT_TRUE(
		    w->flow->ops->send(w->flow, w->text, strlen(w->text)));
	if (w->close)
		w->flow->ops->close(w->flow);
}

/* --- */

static struct stage *stage_with(unsigned message_ms, size_t unread_max)
{
	struct stage *g = calloc(1, sizeof(*g));

	g->message_ms = message_ms;
	g->unread_max = unread_max;
	front_fixture_init(&g->x);
	g->server = flow_server(GOOD, NULL, TLS_1_2);
	front_fixture_start(&g->x);
	front_fixture_call(&g->x, begin, g);
	return g;
}

static struct stage *stage_new(void)
{
	return stage_with(0, 0);
}

static void stage_end(struct stage *g)
{
	front_fixture_call(&g->x, let_go, g);
	front_fixture_stop(&g->x);
	sip_transports_free(g->transports);
	tls_context_unref(g->server);
	free(g);
}

static struct told *want(struct stage *g, enum sip_transport kind,
			 uint16_t port, const char *host, uint64_t ticket)
{
	struct wish w = { .stage = g,
			  .target = { .transport = kind,
				      .address = "127.0.0.1",
				      .port = port },
			  .host = host,
			  .ticket = ticket };

	front_fixture_call(&g->x, ask, &w);
	return &g->told[ticket];
}

static struct told *get(struct stage *g, enum sip_transport kind, uint16_t port,
			const char *host, uint64_t ticket)
{
	struct told *told = want(g, kind, port, host, ticket);

	CU_ASSERT_TRUE_FATAL(WAIT_FOR(atomic_load(&told->done)));
	return told;
}

/* --- framing */

static const struct row {
	const char *sent;
	unsigned messages;
	size_t last;      /* bytes of the last of them */
	const char *back; /* how what comes back begins */
	bool ends;
} rows[] = {
	{ MESSAGE, 1, sizeof(MESSAGE) - 1, ANSWER, false },
	{ MESSAGE MESSAGE WITH_BODY, 3, sizeof(WITH_BODY) - 1, ANSWER ANSWER,
	  false },
	{ "\r\n" MESSAGE "\r\n\r\n", 1, sizeof(MESSAGE) - 1, ANSWER "\r\n",
	  false },
	{ "\r\n\r\n", 0, 0, "\r\n", false },
	{ "\r\n\r\n\r\n\r\n", 0, 0, "\r\n\r\n", false },
	{ HEAD "Content-Length: 70000\r\n\r\n", 0, 0, "SIP/2.0 513 ", true },
	{ HEAD "Content-Length: x\r\n\r\n", 0, 0, "SIP/2.0 400 ", true },
	{ HEAD "Content-Length: 1\r\nContent-Length: 2\r\n\r\n", 0, 0,
	  "SIP/2.0 400 ", true },
	{ HEAD "\r\n", 0, 0, "SIP/2.0 400 ", true },
	{ MESSAGE "GET / HTTP/1.1\nHost: h\n\n\r\n\r\n", 1, sizeof(MESSAGE) - 1,
	  ANSWER, true },
};

static void check_row(struct stage *g, const struct row *r, bool bytewise)
{
	unsigned before = atomic_load(&g->received);
	unsigned lost = atomic_load(&g->lost);
	size_t wanted = strlen(r->back);
	char got[4096];
	int fd = client_tcp(g->port[SIP_TCP]);

	CU_ASSERT_FATAL(fd >= 0);
	for (const char *p = r->sent; bytewise && *p; p++)
		client_send_n(fd, p, 1);
	if (!bytewise)
		client_send(fd, r->sent);
	CU_ASSERT_EQUAL(recv(fd, got, wanted, MSG_WAITALL), (ssize_t)wanted);
	CU_ASSERT(memcmp(got, r->back, wanted) == 0);
	CU_ASSERT_TRUE(
	    WAIT_FOR(atomic_load(&g->received) == before + r->messages));
	if (r->messages)
		CU_ASSERT_EQUAL(atomic_load(&g->last_n), r->last);
	if (r->ends)
		free(client_all(fd, NULL));
	else
		close(fd);
	CU_ASSERT_TRUE(WAIT_FOR(atomic_load(&g->lost) == lost + 1));
}

static void test_framing(void)
{
	struct stage *g = stage_new();

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		unsigned failures = CU_get_number_of_failures();

		check_row(g, &rows[i], false);
		check_row(g, &rows[i], true);
		if (CU_get_number_of_failures() != failures)
			unit_note("row %zu", i);
	}
	stage_end(g);
}

/* The largest message there is, and one byte more of each part. */
static void test_largest(void)
{
	struct stage *g = stage_new();
	static char head[SIP_HEAD_MAX + 1], body[SIP_BODY_MAX];
	int n;

	for (int over = 0; over < 2; over++) {
		size_t size = SIP_HEAD_MAX + (size_t)over;
		unsigned before = atomic_load(&g->received);
		char back[64] = "";
		int fd = client_tcp(g->port[SIP_TCP]);

		n = snprintf(head, sizeof(head),
			     HEAD "Content-Length: %d\r\nX: ", SIP_BODY_MAX);
		memset(head + n, 'x', size - (size_t)n);
		memcpy(head + size - 4, "\r\n\r\n", 4);
		client_send_n(fd, head, size);
		client_send_n(fd, body, sizeof(body));
		CU_ASSERT(recv(fd, back, sizeof(back) - 1, 0) >= 0 || over);
		if (!over) {
			CU_ASSERT_STRING_EQUAL(back, ANSWER);
			CU_ASSERT_EQUAL(atomic_load(&g->last_n),
					SIP_UNREAD_MAX);
		} else {
			CU_ASSERT(strncmp(back, "SIP/2.0 200", 11) != 0);
			CU_ASSERT_TRUE(WAIT_FOR(atomic_load(&g->lost) == 2));
		}
		CU_ASSERT_EQUAL(atomic_load(&g->received),
				before + (over ? 0 : 1));
		close(fd);
		CU_ASSERT_TRUE(
		    WAIT_FOR(atomic_load(&g->lost) == (unsigned)over + 1));
	}
	stage_end(g);
}

static bool is_served(int fd)
{
	char got[sizeof(ANSWER)] = "";

	client_send(fd, MESSAGE);
	return recv(fd, got, strlen(ANSWER), MSG_WAITALL) ==
		   (ssize_t)strlen(ANSWER) &&
	       strcmp(got, ANSWER) == 0;
}

/* A message that has begun comes to its end, be its peer silent or busy. */
static void test_slow(void)
{
	struct stage *g = stage_with(1500, 0);
	int good = client_tcp(g->port[SIP_TCP]);
	int silent = client_tcp(g->port[SIP_TCP]);
	int busy = client_tcp(g->port[SIP_TCP]);
	int body = client_tcp(g->port[SIP_TCP]);

	CU_ASSERT_TRUE(is_served(good));
	CU_ASSERT_TRUE(is_served(busy));
	client_send(silent, "OPTIONS");
	client_send(busy, HEAD "X: ");
	client_send(body, MESSAGE HEAD "Content-Length: 4\r\n\r\nbo");
	CU_ASSERT_TRUE(WAIT_FOR((send(busy, "x", 1, MSG_NOSIGNAL),
				 send(good, "\r\n", 2, MSG_NOSIGNAL),
				 atomic_load(&g->lost) == 3)));
	CU_ASSERT_EQUAL(atomic_load(&g->received), 3);
	CU_ASSERT_FALSE(is_served(busy));
	free(client_all(silent, NULL));
	free(client_all(body, NULL));
	close(busy);
	/* Between messages there is no hurry. */
	send(good, MESSAGE, strlen(MESSAGE), 0);
	CU_ASSERT_TRUE(WAIT_FOR(atomic_load(&g->received) == 4));
	CU_ASSERT_EQUAL(atomic_load(&g->lost), 3);
	close(good);
	stage_end(g);
}

/* All that is unread has a limit: who goes beyond it goes, and the room is
 * there again. */
static void test_unread(void)
{
	static const char head[] = HEAD "Content-Length: 60000\r\n\r\n";
	static char body[60000];
	struct stage *g = stage_with(0, 100000);
	int fds[2];

	for (unsigned round = 1; round <= 3; round++) {
		for (int i = 0; i < 2; i++) {
			fds[i] = client_tcp(g->port[SIP_TCP]);
			client_send(fds[i], head);
			client_send_n(fds[i], body, sizeof(body) - 1);
		}
		CU_ASSERT_TRUE(
		    WAIT_FOR(atomic_load(&g->lost) == 2 * round - 1));
		for (int i = 0; i < 2; i++)
			send(fds[i], body, 1, MSG_NOSIGNAL);
		CU_ASSERT_TRUE(WAIT_FOR(atomic_load(&g->received) == round));
		CU_ASSERT_EQUAL(atomic_load(&g->lost), 2 * round - 1);
		close(fds[0]);
		close(fds[1]);
		CU_ASSERT_TRUE(WAIT_FOR(atomic_load(&g->lost) == 2 * round));
	}
	stage_end(g);
}

/* It is the one with most that goes, not who happens to come last: few with
 * much would else keep all others from saying anything in two pieces. */
static void test_greedy(void)
{
	static const char head[] = HEAD "Content-Length: 60000\r\n\r\n";
	enum { LIMIT = 100000, MOST = 59999, LEFT = 8 };
	static char body[60000];
	struct stage *g = stage_with(0, LIMIT);
	size_t rest = LIMIT - MOST - 2 * strlen(head) - LEFT;
	int most = client_tcp(g->port[SIP_TCP]);
	int much = client_tcp(g->port[SIP_TCP]);
	int fair = client_tcp(g->port[SIP_TCP]);

	CU_ASSERT_TRUE(is_served(fair));
	client_send(most, head);
	client_send_n(most, body, MOST);
	client_send(much, head);
	client_send_n(much, body, rest);
	/* Whole messages are no matter of this. */
	for (int i = 0; i < 20; i++)
		CU_ASSERT_TRUE(is_served(fair));
	client_send(fair, "OPTIONS sip:a@b");
	free(client_all(most, NULL));
	CU_ASSERT_TRUE(WAIT_FOR(atomic_load(&g->lost) == 1));
	client_send(fair, MESSAGE + strlen("OPTIONS sip:a@b"));
	CU_ASSERT_TRUE(WAIT_FOR(atomic_load(&g->received) == 22));
	client_send_n(much, body, sizeof(body) - rest);
	CU_ASSERT_TRUE(WAIT_FOR(atomic_load(&g->received) == 23));
	CU_ASSERT_EQUAL(atomic_load(&g->lost), 1);
	close(much);
	close(fair);
	stage_end(g);
}

static void test_stack_closes(void)
{
	struct stage *g = stage_new();
	char *a;
	int fd;

	g->closes = true;
	fd = client_tcp(g->port[SIP_TCP]);
	/* Nothing behind the first is read. */
	client_send(fd, MESSAGE MESSAGE);
	a = client_all(fd, NULL);
	CU_ASSERT_STRING_EQUAL(a, ANSWER);
	free(a);
	CU_ASSERT_TRUE(WAIT_FOR(atomic_load(&g->lost) == 1));
	CU_ASSERT_EQUAL(atomic_load(&g->received), 1);
	CU_ASSERT_EQUAL(g->last.transport, SIP_TCP);
	CU_ASSERT_EQUAL(g->last.id, g->lost_id);
	CU_ASSERT_EQUAL(g->last.local_port, g->port[SIP_TCP]);
	CU_ASSERT_STRING_EQUAL(g->last.peer_address, "127.0.0.1");
	CU_ASSERT_FALSE(g->last.verified);
	stage_end(g);
}

/* --- flows that we open: the transports call themselves */

static void test_connect_tcp(void)
{
	struct stage *g = stage_new();
	struct told *first, *second;
	struct words w = { .text = MESSAGE };

	g->mute = true;
	/* Two at once share one, and so does a later one. */
	first = want(g, SIP_TCP, g->port[SIP_TCP], "a.example", 0);
	second = get(g, SIP_TCP, g->port[SIP_TCP], "b.example", 1);
	CU_ASSERT_TRUE(WAIT_FOR(atomic_load(&first->done)));
	CU_ASSERT_PTR_NOT_NULL_FATAL(first->flow);
	CU_ASSERT_PTR_EQUAL(first->flow, second->flow);
	CU_ASSERT_PTR_EQUAL(
	    get(g, SIP_TCP, g->port[SIP_TCP], "a.example", 2)->flow,
	    first->flow);
	w.flow = first->flow;
	front_fixture_call(&g->x, say, &w);
	CU_ASSERT_TRUE(WAIT_FOR(atomic_load(&g->received) == 1));
	CU_ASSERT_EQUAL(g->last.peer_port, first->flow->local_port);
	/* One that is ended serves nobody any more. */
	w = (struct words){ .flow = first->flow, .close = true };
	front_fixture_call(&g->x, say, &w);
	CU_ASSERT_TRUE(WAIT_FOR(atomic_load(&g->lost) == 2));
	second = get(g, SIP_TCP, g->port[SIP_TCP], "a.example", 3);
	CU_ASSERT_PTR_NOT_NULL_FATAL(second->flow);
	CU_ASSERT_NOT_EQUAL(second->flow->id, first->flow->id);
	stage_end(g);
}

static void test_connect_tls(void)
{
	struct stage *g = stage_new();
	struct judge_store *good = flow_store(1u << GOOD);
	struct judge_store *other = flow_store(1u << STRANGER);
	struct tls_context *trusts = flow_client(-1, good, TLS_SERVER_VERIFY);
	struct tls_context *doubts = flow_client(-1, other, TLS_SERVER_VERIFY);
	struct tls_context *any = flow_client(-1, NULL, TLS_SERVER_ANY);
	uint16_t port = g->port[SIP_TLS];
	struct told *a, *b;

	a = get(g, SIP_TLS, port, "peer.example", 0);
	CU_ASSERT_PTR_NULL(a->flow);
	CU_ASSERT_PTR_NOT_NULL(strstr(a->reason, "trust store"));
	use_client(g, trusts);
	a = get(g, SIP_TLS, port, "peer.example", 1);
	CU_ASSERT_PTR_NOT_NULL_FATAL(a->flow);
	CU_ASSERT_EQUAL(a->flow->transport, SIP_TLS);
	CU_ASSERT_TRUE(a->flow->verified);
	CU_ASSERT_STRING_EQUAL(a->flow->peer_subject, "CN=peer");
	/* The same name: the same flow. Another one has to be proved. */
	CU_ASSERT_PTR_EQUAL(get(g, SIP_TLS, port, "peer.example", 2)->flow,
			    a->flow);
	b = get(g, SIP_TLS, port, "other.example", 3);
	CU_ASSERT_PTR_NULL(b->flow);
	CU_ASSERT_PTR_NOT_NULL(strstr(b->reason, "refused"));
	b = get(g, SIP_TLS, port, "127.0.0.1", 4);
	CU_ASSERT_PTR_NOT_NULL_FATAL(b->flow);
	CU_ASSERT_PTR_NOT_EQUAL(b->flow, a->flow);
	/* A new policy is not satisfied by what the old one let in. */
	use_client(g, doubts);
	b = get(g, SIP_TLS, port, "peer.example", 5);
	CU_ASSERT_PTR_NULL(b->flow);
	CU_ASSERT_PTR_NOT_NULL(strstr(b->reason, "refused"));
	use_client(g, any);
	b = get(g, SIP_TLS, port, "peer.example", 6);
	CU_ASSERT_PTR_NOT_NULL_FATAL(b->flow);
	CU_ASSERT_FALSE(b->flow->verified);
	CU_ASSERT_STRING_EQUAL(b->flow->peer_subject, "");
	CU_ASSERT_EQUAL(atomic_load(&g->lost), 0);
	stage_end(g);
	tls_context_unref(trusts);
	tls_context_unref(doubts);
	tls_context_unref(any);
	judge_store_unref(good);
	judge_store_unref(other);
}

static void close_all(struct front_fixture *x, void *arg)
{
	struct stage *g = arg;

	(void)x;
	g->inside = true;
	sip_transports_close_tls(g->transports);
	g->inside = false;
}

/* Both ends of TLS flows are closed, others stand. */
static void test_close_tls(void)
{
	struct stage *g = stage_new();
	struct tls_context *any = flow_client(-1, NULL, TLS_SERVER_ANY);
	struct told *tls, *tcp, *again;

	use_client(g, any);
	tls = get(g, SIP_TLS, g->port[SIP_TLS], "peer.example", 0);
	tcp = get(g, SIP_TCP, g->port[SIP_TCP], "peer.example", 1);
	CU_ASSERT_PTR_NOT_NULL_FATAL(tls->flow);
	CU_ASSERT_PTR_NOT_NULL_FATAL(tcp->flow);
	front_fixture_call(&g->x, close_all, g);
	CU_ASSERT_TRUE(WAIT_FOR(atomic_load(&g->lost) == 2));
	CU_ASSERT_EQUAL(tls->flow->failure.end, SIP_END_NONE);
	front_fixture_call(&g->x, close_all, g);
	again = get(g, SIP_TLS, g->port[SIP_TLS], "peer.example", 2);
	CU_ASSERT_PTR_NOT_NULL_FATAL(again->flow);
	CU_ASSERT_NOT_EQUAL(again->flow->id, tls->flow->id);
	CU_ASSERT_PTR_EQUAL(
	    get(g, SIP_TCP, g->port[SIP_TCP], "peer.example", 3)->flow,
	    tcp->flow);
	CU_ASSERT_EQUAL(atomic_load(&g->lost), 2);
	stage_end(g);
	tls_context_unref(any);
}

/* A server that never says anything. */
static int listen_mute(uint16_t *port)
{
	struct timeval t = { .tv_sec = 30 };
	struct sockaddr_in in = { .sin_family = AF_INET,
				  .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(in);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &t, sizeof(t));
	CU_ASSERT_EQUAL_FATAL(bind(fd, (struct sockaddr *)&in, sizeof(in)), 0);
	CU_ASSERT_EQUAL_FATAL(listen(fd, 8), 0);
	getsockname(fd, (struct sockaddr *)&in, &len);
	*port = ntohs(in.sin_port);
	return fd;
}

/* The next connection, once its ClientHello has come. */
static int take_hello(int listener)
{
	char bytes[4096];
	int fd = accept(listener, NULL, NULL);

	CU_ASSERT_FATAL(fd >= 0);
	CU_ASSERT(recv(fd, bytes, sizeof(bytes), 0) > 5);
	return fd;
}

/* What is being opened begins again under a policy that changed meanwhile, and
 * who waits for it hears of the new one only. */
static void test_close_while_opening(void)
{
	struct stage *g = stage_new();
	struct tls_context *any = flow_client(-1, NULL, TLS_SERVER_ANY);
	struct tls_context *other = flow_client(-1, NULL, TLS_SERVER_ANY);
	uint16_t port;
	int listener = listen_mute(&port), first, second;
	struct told *told;

	use_client(g, any);
	told = want(g, SIP_TLS, port, "peer.example", 0);
	first = take_hello(listener);
	/* Nothing has changed for it. */
	front_fixture_call(&g->x, close_all, g);
	use_client(g, other);
	front_fixture_call(&g->x, close_all, g);
	second = take_hello(listener);
	free(client_all(first, NULL));
	CU_ASSERT_FALSE(atomic_load(&told->done));
	/* Two ask for it. */
	(void)want(g, SIP_TLS, port, "peer.example", 1);
	use_client(g, NULL);
	front_fixture_call(&g->x, close_all, g);
	free(client_all(second, NULL));
	for (int i = 0; i < 2; i++) {
		told = &g->told[i];
		CU_ASSERT_TRUE_FATAL(WAIT_FOR(atomic_load(&told->done)));
		CU_ASSERT_PTR_NULL(told->flow);
		CU_ASSERT_PTR_NOT_NULL(strstr(told->reason, "trust store"));
	}
	CU_ASSERT_EQUAL(atomic_load(&g->lost), 0);
	fcntl(listener, F_SETFL, O_NONBLOCK);
	CU_ASSERT_EQUAL(accept(listener, NULL, NULL), -1);
	close(listener);
	stage_end(g);
	tls_context_unref(any);
	tls_context_unref(other);
}

static void test_connect_fails(void)
{
	struct stage *g = stage_new();
	struct told *a;

	a = get(g, SIP_TCP, 1, "a.example", 0);
	CU_ASSERT_PTR_NULL(a->flow);
	CU_ASSERT_PTR_NOT_NULL(strstr(a->reason, "127.0.0.1 port 1: "));
	a = get(g, SIP_TCP, 0, "a.example", 1);
	CU_ASSERT_PTR_NULL(a->flow);
	CU_ASSERT_NOT_EQUAL(a->reason[0], '\0');
	CU_ASSERT_EQUAL(atomic_load(&g->lost), 0);
	stage_end(g);
}

/* --- UDP */

static int udp_client(uint16_t port)
{
	struct timeval t = { .tv_sec = 30 };
	struct sockaddr_in in = { .sin_family = AF_INET,
				  .sin_port = htons(port),
				  .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &t, sizeof(t));
	CU_ASSERT_EQUAL_FATAL(connect(fd, (struct sockaddr *)&in, sizeof(in)),
			      0);
	return fd;
}

static void test_udp(void)
{
	struct stage *g = stage_new();
	int fd = udp_client(g->port[SIP_UDP]);
	struct sockaddr_in own;
	socklen_t len = sizeof(own);
	struct told *told;
	struct words w;
	uint64_t id;
	char got[100];

	getsockname(fd, (struct sockaddr *)&own, &len);
	/* Keep-alives are nobody's. */
	send(fd, "\r\n\r\n", 4, 0);
	send(fd, "\0\0\0\0", 4, 0);
	send(fd, "", 0, 0);
	send(fd, "not SIP at all", 14, 0);
	CU_ASSERT_TRUE(WAIT_FOR(atomic_load(&g->received) == 1));
	CU_ASSERT_EQUAL(atomic_load(&g->last_n), 14);
	CU_ASSERT_EQUAL(recv(fd, got, sizeof(got), 0), (ssize_t)strlen(ANSWER));
	id = g->last.id;
	CU_ASSERT_EQUAL(g->last.transport, SIP_UDP);
	CU_ASSERT_EQUAL(g->last.peer_port, ntohs(own.sin_port));
	CU_ASSERT_EQUAL(g->last.local_port, g->port[SIP_UDP]);
	CU_ASSERT_STRING_EQUAL(g->last.local_address, "127.0.0.1");
	/* Nobody held it: the next is another one. One that is held stays. */
	told = get(g, SIP_UDP, ntohs(own.sin_port), "a.example", 0);
	CU_ASSERT_PTR_NOT_NULL_FATAL(told->flow);
	CU_ASSERT_NOT_EQUAL(told->flow->id, id);
	send(fd, MESSAGE, strlen(MESSAGE), 0);
	CU_ASSERT_TRUE(WAIT_FOR(atomic_load(&g->received) == 2));
	CU_ASSERT_EQUAL(g->last.id, told->flow->id);
	CU_ASSERT_EQUAL(recv(fd, got, sizeof(got), 0), (ssize_t)strlen(ANSWER));
	w = (struct words){ .flow = told->flow,
			    .text = "hello",
			    .close = true };
	front_fixture_call(&g->x, say, &w);
	CU_ASSERT_EQUAL(recv(fd, got, sizeof(got), 0), 5);
	/* Ending one means nothing. */
	front_fixture_call(&g->x, say, &w);
	CU_ASSERT_EQUAL(recv(fd, got, sizeof(got), 0), 5);
	CU_ASSERT_EQUAL(atomic_load(&g->lost), 0);
	close(fd);
	stage_end(g);
}

/* The service stops: each stream is lost, once. */
static void test_stop(void)
{
	struct stage *g = stage_new();
	struct told *told = get(g, SIP_TCP, g->port[SIP_TCP], "a", 0);
	int fd = client_tcp(g->port[SIP_TCP]);

	CU_ASSERT_PTR_NOT_NULL(told->flow);
	client_send(fd, MESSAGE);
	CU_ASSERT_TRUE(WAIT_FOR(atomic_load(&g->received) == 1));
	front_fixture_call(&g->x, let_go, g);
	front_fixture_stop(&g->x);
	CU_ASSERT_EQUAL(atomic_load(&g->lost), 3);
	sip_transports_free(g->transports);
	tls_context_unref(g->server);
	close(fd);
	free(g);
}

static const struct unit_test tests[] = {
	{ "framing", test_framing },
	{ "the largest", test_largest },
	{ "slow messages", test_slow },
	{ "unread bytes", test_unread },
	{ "unread bytes of few", test_greedy },
	{ "the stack closes", test_stack_closes },
	{ "connect, TCP", test_connect_tcp },
	{ "connect, TLS", test_connect_tls },
	{ "close TLS", test_close_tls },
	{ "close TLS while it is opened", test_close_while_opening },
	{ "connect fails", test_connect_fails },
	{ "UDP", test_udp },
	{ "stop", test_stop },
	{ NULL, NULL },
};

int main(int argc, char **argv)
{
	return unit_main(argc, argv, "sip-transport", tests, flow_setup,
			 flow_teardown);
}
