/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "tests/unit/flow_stage.h"

void stage_listen(struct front_fixture *x, void *arg)
{
	static const char *const v4[] = { "127.0.0.1" };
	static const char *const v6[] = { "::1" };
	struct stage *g = arg;
	struct front_stream_ops tls = flow_echo_ops(&g->tls);
	struct front_stream_ops tcp = flow_echo_ops(&g->tcp);
	struct {
		const char *name;
		enum peer_via via;
		const char *const *addresses;
		const struct front_stream_ops *ops;
		uint16_t *port;
	} rows[] = {
		{ "sips", PEER_STREAM, v4, &tls, &g->sips },
		{ "sip", PEER_STREAM_TCP, v4, &tcp, &g->sip },
		{ "sips6", PEER_STREAM, v6, &tls, &g->sips6 },
		{ "sip6", PEER_STREAM_TCP, v6, &tcp, &g->sip6 },
	};
	struct error e = ERROR_INIT;

	tls.idle_ms = tcp.idle_ms = g->idle_ms;
	tls.silent_ms = tcp.silent_ms = g->silent_ms;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		CHECK_OK(front_listen_tcp(x->front, rows[i].name, rows[i].via,
					  rows[i].addresses, 1, 0, rows[i].ops,
					  &e),
			 &e);
		*rows[i].port = front_listen_port(x->front, rows[i].name);
	}
	front_set_tls(x->front, PEER_STREAM, g->server);
}

void stage_start(struct stage *g, struct tls_context *server)
{
	g->server = server;
	front_fixture_start(&g->x);
	front_fixture_call(&g->x, stage_listen, g);
	tls_context_unref(server);
}

struct stage *stage_new(void)
{
	struct stage *g = calloc(1, sizeof(*g));

	front_fixture_init(&g->x);
	return g;
}

void stage_end(struct stage *g)
{
	front_fixture_stop(&g->x);
	CU_ASSERT_EQUAL(g->tls.opened, g->tls.closed);
	CU_ASSERT_EQUAL(g->tcp.opened, g->tcp.closed);
	free(g);
}

unsigned stage_flows(struct stage *g)
{
	struct front_stats s;

	front_get_stats(g->x.front, &s);
	return s.flows;
}

struct flow_call call_to(struct flow *f, uint16_t port, struct tls_context *tls,
			 const char *host)
{
	memset(f, 0, sizeof(*f));
	return (struct flow_call){ .options = { .address = "127.0.0.1",
						.port = port,
						.tls = tls,
						.host = host },
				   .flow = f };
}

void call(struct stage *g, struct flow_call *c)
{
	front_fixture_call(&g->x, flow_connect, c);
	CHECK_OBJECT(c->stream, &c->e);
}

bool decided(struct flow *f)
{
	return WAIT_FOR(f->opened + f->failed > 0);
}

void say(struct stage *g, struct flow *f, const char *text, bool close)
{
	struct flow_say s = { f, text, strlen(text), close };

	front_fixture_call(&g->x, flow_say, &s);
}

int deaf(uint16_t *port, int backlog)
{
	struct sockaddr_in in = { .sin_family = AF_INET,
				  .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(in);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	CU_ASSERT_EQUAL_FATAL(bind(fd, (struct sockaddr *)&in, len), 0);
	CU_ASSERT_EQUAL_FATAL(listen(fd, backlog), 0);
	getsockname(fd, (struct sockaddr *)&in, &len);
	*port = ntohs(in.sin_port);
	return fd;
}
