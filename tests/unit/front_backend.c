/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/unit/front_fixture.h"

/* The backend of the fixture: a thread a connection, like civetweb. */

const struct fake_answer fake_answers[] = {
	{ "no-status", "HTTP/1.1 hello\r\n\r\n", false },
	{ "not-http", "220 mail.example ESMTP\r\n\r\n", false },
	{ "two-lengths",
	  "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
	  false },
	{ "length-and-chunks",
	  "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n"
	  "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
	  false },
	{ "bad-chunk",
	  "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n\r\n",
	  false },
	{ "switching", "HTTP/1.1 101 Switching Protocols\r\n\r\n", false },
	{ "bare-lf", "HTTP/1.1 200 OK\nContent-Length: 0\n\n", false },
	{ "head-cut", "HTTP/1.1 200 OK\r\nContent-Le", true },
	{ "interim",
	  "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 102 Processing\r\n\r\n"
	  "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
	  false },
	{ "empty", "HTTP/1.1 204 No Content\r\n\r\n", false },
	{ "not-modified",
	  "HTTP/1.1 304 Not Modified\r\nContent-Length: 1000\r\n"
	  "ETag: \"x\"\r\n\r\n",
	  false },
	{ "hops",
	  "HTTP/1.1 200 OK\r\nConnection: keep-alive, X-Secret\r\n"
	  "Keep-Alive: timeout=5\r\nX-Secret: 1\r\nContent-Length: 2\r\n"
	  "X-Kept: yes\r\nUpgrade: h2c\r\n\r\nok",
	  false },
	{ NULL, NULL, false },
};

struct talk {
	struct fake_backend *backend;
	int fd;
	uint16_t port;
	char head[65536];
	size_t head_len;
	char *body;
	size_t body_len;
	bool head_request;
};

static void reply(int fd, const void *p, size_t n)
{
	const char *at = p;

	while (n > 0) {
		ssize_t sent = send(fd, at, n, MSG_NOSIGNAL);

		if (sent <= 0)
			return;
		at += sent;
		n -= (size_t)sent;
	}
}

static void reply_text(int fd, const char *text)
{
	reply(fd, text, strlen(text));
}

static char *pattern(size_t n)
{
	char *p = malloc(n + 1);

	for (size_t i = 0; i < n; i++)
		p[i] = (char)('a' + i % 26);
	p[n] = '\0';
	return p;
}

static bool say_bytes(struct talk *t, size_t n)
{
	char head[200];
	char *body = pattern(n);

	snprintf(head, sizeof(head),
		 "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\n\r\n", n);
	reply_text(t->fd, head);
	if (!t->head_request)
		reply(t->fd, body, n);
	free(body);
	return true;
}

static bool say_chunks(struct talk *t, size_t n)
{
	char *body = pattern(n);
	char line[32];

	reply_text(t->fd,
		   "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
	for (size_t at = 0; at < n;) {
		size_t part = n - at < 1000 ? n - at : 1000;

		snprintf(line, sizeof(line), "%zx\r\n", part);
		reply_text(t->fd, line);
		reply(t->fd, body + at, part);
		reply_text(t->fd, "\r\n");
		at += part;
	}
	reply_text(t->fd, "0\r\n\r\n");
	free(body);
	return true;
}

static bool say_end(struct talk *t, size_t n)
{
	char *body = pattern(n);

	reply_text(t->fd, "HTTP/1.1 200 OK\r\n\r\n");
	reply(t->fd, body, n);
	free(body);
	return false;
}

static bool say_trickle(struct talk *t, size_t n)
{
	char *body = pattern(n);
	char head[200];

	snprintf(head, sizeof(head),
		 "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\n\r\n", n);
	reply_text(t->fd, head);
	for (size_t at = 0; at < n; at += 10) {
		reply(t->fd, body + at, n - at < 10 ? n - at : 10);
		sleep_ms(1);
	}
	free(body);
	return true;
}

static bool say_wait(struct talk *t, size_t ms)
{
	for (size_t i = 0; i < ms && !atomic_load(&t->backend->stop); i += 10)
		sleep_ms(10);
	return say_bytes(t, 2);
}

static bool say_close(struct talk *t, size_t n)
{
	(void)n;
	reply_text(t->fd, "HTTP/1.1 200 OK\r\nConnection: close\r\n"
			  "Content-Length: 2\r\n\r\nok");
	return false;
}

static bool say_nothing(struct talk *t, size_t n)
{
	(void)t, (void)n;
	return false;
}

static bool say_broken(struct talk *t, size_t n)
{
	char *body = pattern(n);
	char head[200];

	snprintf(head, sizeof(head),
		 "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\n\r\n", n);
	reply_text(t->fd, head);
	reply(t->fd, body, n / 2);
	free(body);
	return false;
}

static bool say_extra(struct talk *t, size_t n)
{
	(void)n;
	reply_text(t->fd, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
			  "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\npoison");
	return true;
}

static bool say_split(struct talk *t, size_t n)
{
	(void)n;
	reply_text(t->fd, "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n");
	sleep_ms(20);
	reply_text(t->fd, "bo");
	sleep_ms(20);
	reply_text(t->fd, "dy");
	return true;
}

static bool say_leave(struct talk *t, size_t n)
{
	say_bytes(t, 2);
	(void)n;
	return false;
}

/* Ends the connection when the next request is there, unread; the reset follows
 * a moment after the end. */
static bool say_late(struct talk *t, size_t n)
{
	char c;

	(void)n;
	say_bytes(t, 2);
	while (recv(t->fd, &c, 1, MSG_PEEK) < 0 && errno == EAGAIN &&
	       !atomic_load(&t->backend->stop))
		;
	shutdown(t->fd, SHUT_WR);
	sleep_ms(20);
	return false;
}

static bool say_echo(struct talk *t, size_t n)
{
	struct peer p;
	char head[512], who[256];
	int len;

	(void)n;
	if (!peer_registry_get(t->backend->peers, t->port, &p))
		return false;
	len = snprintf(who, sizeof(who),
		       "peer=%s:%u id=%llu via=%d uid=%d gid=%d cipher=%s "
		       "login=%s\n",
		       p.address, (unsigned)p.port,
		       (unsigned long long)p.connection, (int)p.via, (int)p.uid,
		       (int)p.gid, p.tls_cipher,
		       p.certificate.present ? p.certificate.login.name : "-");
	snprintf(head, sizeof(head),
		 "HTTP/1.1 200 OK\r\nX-Backend: yes\r\n"
		 "Content-Length: %zu\r\n\r\n",
		 (size_t)len + t->head_len + t->body_len);
	reply_text(t->fd, head);
	reply_text(t->fd, who);
	reply(t->fd, t->head, t->head_len);
	reply(t->fd, t->body, t->body_len);
	return true;
}

static const struct {
	const char *path;
	bool (*say)(struct talk *t, size_t n); /* false: close */
} says[] = {
	{ "/echo", say_echo },        { "/bytes/", say_bytes },
	{ "/chunks/", say_chunks },   { "/end/", say_end },
	{ "/trickle/", say_trickle }, { "/wait/", say_wait },
	{ "/close", say_close },      { "/die", say_nothing },
	{ "/broken/", say_broken },   { "/extra", say_extra },
	{ "/split", say_split },      { "/leave", say_leave },
	{ "/late", say_late },
};

static bool say_raw(struct talk *t, const char *name)
{
	for (const struct fake_answer *a = fake_answers; a->name; a++) {
		size_t n = strlen(a->name);

		if (strncmp(name, a->name, n) == 0 && name[n] == ' ') {
			reply_text(t->fd, a->bytes);
			return !a->end;
		}
	}
	return false;
}

static bool answer(struct talk *t)
{
	const char *path = strchr(t->head, ' ');
	struct peer p;

	atomic_fetch_add(&t->backend->requests, 1);
	if (!peer_registry_get(t->backend->peers, t->port, &p))
		atomic_fetch_add(&t->backend->strangers, 1);
	if (!path)
		return false;
	path++;
	t->head_request = strncmp(t->head, "HEAD ", 5) == 0;
	if (strncmp(path, "/raw/", 5) == 0)
		return say_raw(t, path + 5);
	if (strncmp(path, "/hang", 5) == 0) {
		while (!atomic_load(&t->backend->stop))
			sleep_ms(10);
		return false;
	}
	for (size_t i = 0; i < sizeof(says) / sizeof(says[0]); i++) {
		size_t n = strlen(says[i].path);

		if (strncmp(path, says[i].path, n) == 0)
			return says[i].say(t, strtoul(path + n, NULL, 10));
	}
	return say_bytes(t, 2);
}

static ssize_t read_some(struct talk *t, void *p, size_t n)
{
	for (;;) {
		ssize_t got = recv(t->fd, p, n, 0);

		if (got >= 0 || errno != EAGAIN ||
		    atomic_load(&t->backend->stop))
			return got;
	}
}

/* One request: head, then as many bytes as its Content-Length says. */
static bool read_request(struct talk *t)
{
	const char *length;

	t->head_len = t->body_len = 0;
	free(t->body);
	t->body = NULL;
	do {
		if (t->head_len + 1 >= sizeof(t->head) ||
		    read_some(t, t->head + t->head_len, 1) <= 0)
			return false;
		t->head[++t->head_len] = '\0';
	} while (t->head_len < 4 ||
		 memcmp(t->head + t->head_len - 4, "\r\n\r\n", 4) != 0);
	length = strcasestr(t->head, "\r\ncontent-length:");
	if (!length)
		return true;
	t->body_len = strtoul(length + 17, NULL, 10);
	t->body = malloc(t->body_len + 1);
	for (size_t at = 0; at < t->body_len;) {
		ssize_t n = read_some(t, t->body + at, t->body_len - at);

		if (n <= 0)
			return false;
		at += (size_t)n;
	}
	return true;
}

static void *talk(void *arg)
{
	struct talk *t = arg;
	struct fake_backend *b = t->backend;

	while (read_request(t) && answer(t)) {
		if (strcasestr(t->head, "\r\nconnection: close"))
			break;
	}
	close(t->fd);
	free(t->body);
	free(t);
	atomic_fetch_sub(&b->open, 1);
	atomic_fetch_sub(&b->pending_threads, 1);
	return NULL;
}

static void *serve(void *arg)
{
	struct fake_backend *b = arg;

	while (!atomic_load(&b->stop)) {
		struct sockaddr_in in;
		socklen_t len = sizeof(in);
		struct timeval tick = { .tv_usec = 20000 };
		int one = 1;
		int fd = accept4(b->listen_fd, (struct sockaddr *)&in, &len,
				 SOCK_CLOEXEC);
		struct talk *t;
		pthread_t thread;

		if (fd < 0)
			continue;
		setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &tick, sizeof(tick));
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
		t = calloc(1, sizeof(*t));
		t->backend = b;
		t->fd = fd;
		t->port = ntohs(in.sin_port);
		atomic_fetch_add(&b->connections, 1);
		atomic_fetch_add(&b->open, 1);
		atomic_fetch_add(&b->pending_threads, 1);
		pthread_create(&thread, NULL, talk, t);
		pthread_detach(thread);
	}
	return NULL;
}

void fake_backend_start(struct fake_backend *b, struct peer_registry *peers)
{
	struct sockaddr_in in = { .sin_family = AF_INET,
				  .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(in);
	struct timeval tick = { .tv_usec = 20000 };

	b->peers = peers;
	b->listen_fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	setsockopt(b->listen_fd, SOL_SOCKET, SO_RCVTIMEO, &tick, sizeof(tick));
	CU_ASSERT_EQUAL_FATAL(
	    bind(b->listen_fd, (struct sockaddr *)&in, sizeof(in)), 0);
	CU_ASSERT_EQUAL_FATAL(listen(b->listen_fd, 100), 0);
	getsockname(b->listen_fd, (struct sockaddr *)&in, &len);
	b->port = ntohs(in.sin_port);
	pthread_create(&b->thread, NULL, serve, b);
}

void fake_backend_stop(struct fake_backend *b)
{
	atomic_store(&b->stop, true);
	pthread_join(b->thread, NULL);
	close(b->listen_fd);
	CU_ASSERT_TRUE(WAIT_FOR(atomic_load(&b->pending_threads) == 0));
}
