/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SB_TESTS_UNIT_FRONT_FIXTURE_H
#define SB_TESTS_UNIT_FRONT_FIXTURE_H

#include <pthread.h>
#include <stdatomic.h>
#include <uv.h>

#include "front/front.h"
#include "tests/lib/unit.h"

/* A front on a loop in a thread of its own, before a backend of threads that
 * does what a request's path says, right or wrong. */

/* The backend.
 *
 *   /echo        the peer by the registry, then the request as it arrived
 *   /bytes/N     N bytes with Content-Length
 *   /chunks/N    N bytes in chunks of 1000
 *   /end/N       N bytes that end with the connection
 *   /trickle/N   N bytes, ten at a time, a millisecond apart
 *   /wait/MS     answers after so many milliseconds
 *   /hang        never answers
 *   /close       an answer with Connection: close
 *   /die         closes without an answer
 *   /broken/N    Content-Length N, N/2 bytes, end
 *   /extra       bytes behind the answer, in the same write
 *   /split       head and body in two writes
 *   /raw/NAME    a row of the raw answers below
 *   /leave       a whole answer, then closes without having said so
 *
 * A request from a port that is not registered is counted as stranger. */
struct fake_backend {
	struct peer_registry *peers;
	int listen_fd;
	uint16_t port;
	pthread_t thread;
	atomic_bool stop;
	atomic_uint connections, open, requests, strangers;
	atomic_uint pending_threads;
};

struct fake_answer {
	const char *name, *bytes;
	bool end; /* close behind it */
};

extern const struct fake_answer fake_answers[];

void fake_backend_start(struct fake_backend *b, struct peer_registry *peers);
void fake_backend_stop(struct fake_backend *b);

struct front_fixture {
	uv_loop_t loop;
	uv_async_t wake;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t done;
	void (*call)(struct front_fixture *x, void *arg);
	void *arg;

	struct peer_registry *peers;
	struct fake_backend backend;
	struct front_limits limits; /* change before front_fixture_start() */
	void (*refused)(void *arg, const struct peer *p, const char *host,
			const struct tls_verdict *why); /* so, too */
	void *refused_arg;
	struct front *front;
	uint16_t http, https, echo, http6;
	char control[100]; /* fits a socket address */
	bool stopped;
};

/* Default limits, with deadlines that a busy machine does not reach. */
void front_fixture_init(struct front_fixture *x);
/* For tests of them: half a second, more or less. */
void front_fixture_short_deadlines(struct front_fixture *x);
/* Backend, front, listeners "http" (127.0.0.1), "http6" (::1), "control". */
void front_fixture_start(struct front_fixture *x);
/* Run on the loop, wait for it. */
void front_fixture_call(struct front_fixture *x,
			void (*fn)(struct front_fixture *x, void *arg),
			void *arg);
/* front_stop() and everything after it. */
void front_fixture_stop(struct front_fixture *x);

/* Clients: blocking sockets with a receive time-out of half a minute. */
int client_tcp(uint16_t port);
int client_tcp6(uint16_t port);
int client_unix(const char *path);
void client_send(int fd, const char *bytes);
void client_send_n(int fd, const void *bytes, size_t n);
/* All until the end of the connection, which is closed; free() it. NUL behind.
 * *len_out may be NULL. */
char *client_all(int fd, size_t *len_out);
/* One answer with Content-Length (or none: head only); free() it. NULL at the
 * end of the connection. */
char *client_one(int fd);
/* Connect, send, read all. */
char *client_ask(uint16_t port, const char *request);
/* The status of an answer, 0 without one. */
int answer_status(const char *answer);
const char *answer_body(const char *answer);

void sleep_ms(unsigned ms);
/* True once the condition holds, at most for half a minute. */
#define WAIT_FOR(condition)                                   \
	({                                                    \
		bool held_ = false;                           \
		for (int i_ = 0; i_ < 3000 && !held_; i_++) { \
			held_ = (condition);                  \
			if (!held_)                           \
				sleep_ms(10);                 \
		}                                             \
		held_;                                        \
	})

#endif
