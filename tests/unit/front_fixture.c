/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/unit/front_fixture.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"

enum { RECEIVE_S = 30, PATIENT_MS = 60000 };

void sleep_ms(unsigned ms)
{
	struct timespec t = { ms / 1000, (long)(ms % 1000) * 1000000L };

	nanosleep(&t, NULL);
}

/* --- the loop's thread --- */

static void *run(void *arg)
{
	struct front_fixture *x = arg;

	uv_run(&x->loop, UV_RUN_DEFAULT);
	return NULL;
}

static void on_wake(uv_async_t *wake)
{
	struct front_fixture *x = wake->data;
	void (*call)(struct front_fixture * f, void *arg);

	pthread_mutex_lock(&x->lock);
	call = x->call;
	pthread_mutex_unlock(&x->lock);
	if (!call)
		return;
	call(x, x->arg);
	pthread_mutex_lock(&x->lock);
	x->call = NULL;
	pthread_cond_signal(&x->done);
	pthread_mutex_unlock(&x->lock);
}

void front_fixture_call(struct front_fixture *x,
			void (*fn)(struct front_fixture *x, void *arg),
			void *arg)
{
	pthread_mutex_lock(&x->lock);
	x->call = fn;
	x->arg = arg;
	uv_async_send(&x->wake);
	while (x->call)
		pthread_cond_wait(&x->done, &x->lock);
	pthread_mutex_unlock(&x->lock);
}

void front_fixture_init(struct front_fixture *x)
{
	memset(x, 0, sizeof(*x));
	log_set_level(LOG_LEVEL_ERROR); /* the rest is what is tested */
	x->limits = front_limits_default;
	x->limits.handshake_ms = PATIENT_MS;
	x->limits.head_ms = PATIENT_MS;
	x->limits.body_ms = PATIENT_MS;
	x->limits.idle_ms = PATIENT_MS;
	x->limits.write_ms = PATIENT_MS;
	x->limits.drain_ms = PATIENT_MS;
}

void front_fixture_short_deadlines(struct front_fixture *x)
{
	x->limits.handshake_ms = 400;
	x->limits.head_ms = 400;
	x->limits.body_ms = 600;
	x->limits.idle_ms = 500;
}

void front_fixture_start(struct front_fixture *x)
{
	static const char *const v4[] = { "127.0.0.1" };
	static const char *const v6[] = { "::1" };
	struct error e = ERROR_INIT;

	pthread_mutex_init(&x->lock, NULL);
	pthread_cond_init(&x->done, NULL);
	x->peers = peer_registry_new(&e);
	fake_backend_start(&x->backend, x->peers);
	CU_ASSERT_EQUAL_FATAL(uv_loop_init(&x->loop), 0);
	uv_async_init(&x->loop, &x->wake, on_wake);
	x->wake.data = x;
	x->front =
	    front_new(&(struct front_options){ .loop = &x->loop,
					       .limits = x->limits,
					       .peers = x->peers,
					       .backend_port = x->backend.port,
					       .refused = x->refused,
					       .refused_arg = x->refused_arg },
		      &e);
	CHECK_OBJECT(x->front, &e);
	CHECK_OK(
	    front_listen_tcp(x->front, "http", PEER_HTTP, v4, 1, 0, NULL, &e),
	    &e);
	CHECK_OK(
	    front_listen_tcp(x->front, "http6", PEER_HTTP, v6, 1, 0, NULL, &e),
	    &e);
	x->http = front_listen_port(x->front, "http");
	x->http6 = front_listen_port(x->front, "http6");
	snprintf(x->control, sizeof(x->control), "%s/control.sock",
		 unit_temp_dir());
	CHECK_OK(front_listen_control(x->front, x->control, &e), &e);
	CU_ASSERT_EQUAL_FATAL(pthread_create(&x->thread, NULL, run, x), 0);
}

static void on_stopped(void *arg)
{
	struct front_fixture *x = arg;

	x->stopped = true;
	uv_close((uv_handle_t *)&x->wake, NULL);
}

static void stop_on_loop(struct front_fixture *x, void *arg)
{
	(void)arg;
	front_stop(x->front, on_stopped, x);
}

void front_fixture_stop(struct front_fixture *x)
{
	front_fixture_call(x, stop_on_loop, NULL);
	pthread_join(x->thread, NULL);
	CU_ASSERT_TRUE(x->stopped);
	CU_ASSERT_EQUAL(uv_loop_close(&x->loop), 0);
	front_free(x->front);
	fake_backend_stop(&x->backend);
	peer_registry_free(x->peers);
	pthread_mutex_destroy(&x->lock);
	pthread_cond_destroy(&x->done);
}

/* --- clients --- */

static int client_connect(int family, const void *sa, socklen_t len)
{
	struct timeval t = { .tv_sec = RECEIVE_S };
	int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);

	CU_ASSERT_FATAL(fd >= 0);
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &t, sizeof(t));
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &t, sizeof(t));
	if (connect(fd, sa, len) < 0) {
		close(fd);
		return -1;
	}
	return fd;
}

int client_tcp(uint16_t port)
{
	struct sockaddr_in in = { .sin_family = AF_INET,
				  .sin_port = htons(port),
				  .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };

	return client_connect(AF_INET, &in, sizeof(in));
}

int client_tcp6(uint16_t port)
{
	struct sockaddr_in6 in = { .sin6_family = AF_INET6,
				   .sin6_port = htons(port),
				   .sin6_addr = IN6ADDR_LOOPBACK_INIT };

	return client_connect(AF_INET6, &in, sizeof(in));
}

int client_unix(const char *path)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX };

	snprintf(un.sun_path, sizeof(un.sun_path), "%s", path);
	return client_connect(AF_UNIX, &un, sizeof(un));
}

void client_send_n(int fd, const void *bytes, size_t n)
{
	const char *p = bytes;

	while (n > 0) {
		ssize_t sent = send(fd, p, n, MSG_NOSIGNAL);

		if (sent <= 0)
			return; /* the answer says why */
		p += sent;
		n -= (size_t)sent;
	}
}

void client_send(int fd, const char *bytes)
{
	client_send_n(fd, bytes, strlen(bytes));
}

char *client_all(int fd, size_t *len_out)
{
	size_t len = 0, cap = 65536;
	char *all = malloc(cap + 1);
	ssize_t n;

	while ((n = recv(fd, all + len, cap - len, 0)) > 0) {
		len += (size_t)n;
		if (len == cap) {
			cap *= 2;
			all = realloc(all, cap + 1);
		}
	}
	if (n < 0 && errno == EAGAIN) {
		unit_note("the connection did not end");
		CU_FAIL("the connection did not end");
	}
	all[len] = '\0';
	close(fd);
	if (len_out)
		*len_out = len;
	return all;
}

char *client_one(int fd)
{
	size_t len = 0, want = SIZE_MAX, cap = 8 << 20;
	char *all = malloc(cap);

	while (len < want && len + 1 < cap) {
		/* Byte by byte until the length is known: what follows is
		 * another answer. */
		ssize_t n =
		    recv(fd, all + len, want == SIZE_MAX ? 1 : want - len, 0);
		const char *end, *length;

		if (n <= 0) {
			free(all);
			return NULL;
		}
		len += (size_t)n;
		all[len] = '\0';
		if (want != SIZE_MAX || len < 4 ||
		    memcmp(all + len - 4, "\r\n\r\n", 4) != 0)
			continue;
		end = all + len;
		length = strcasestr(all, "\r\ncontent-length:");
		want = (size_t)(end - all);
		if (length)
			want += strtoul(length + 17, NULL, 10);
	}
	return all;
}

char *client_ask(uint16_t port, const char *request)
{
	int fd = client_tcp(port);

	CU_ASSERT_FATAL(fd >= 0);
	client_send(fd, request);
	return client_all(fd, NULL);
}

int answer_status(const char *answer)
{
	return answer && strncmp(answer, "HTTP/1.1 ", 9) == 0 ? atoi(answer + 9)
							      : 0;
}

const char *answer_body(const char *answer)
{
	const char *end = answer ? strstr(answer, "\r\n\r\n") : NULL;

	return end ? end + 4 : "";
}
