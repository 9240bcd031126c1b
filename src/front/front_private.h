/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SB_FRONT_FRONT_PRIVATE_H
#define SB_FRONT_FRONT_PRIVATE_H

#include <pthread.h>
#include <stdatomic.h>
#include <uv.h>

#include "front/admission.h"
#include "front/deadline.h"
#include "front/front.h"
#include "front/watch.h"

/* What the files of this folder share. All of it belongs to the loop, except
 * what is marked. */

enum {
	SCRATCH = 65536,      /* one read from a socket */
	DATAGRAM_MAX = 65535, /* no UDP datagram is longer */
	BACKLOG = 511,
	CONTROL_MAX = 128,       /* connections on the control socket */
	ACCEPT_BATCH = 64,       /* accepted before others get a turn */
	DATAGRAM_BATCH = 64,     /* the same for datagrams of one socket */
	DATAGRAM_ROOM = 1048576, /* asked of the kernel for each UDP socket */
	STREAM_LOOK_MS = 1000,   /* between two looks for idle streams */
	ACCEPT_PAUSE_MS = 100,   /* no descriptors, no memory */
	LINGER_MS = 5000,
	TRIM_MS = 1000,          /* quiet TLS gives its buffers back */
	QUEUE_MS = 10000,        /* wait for a backend connection */
	QUEUE_MAX = 256,         /* requests that wait so */
	RESPONSE_MS = 120000,    /* until the backend begins to answer */
	BACKEND_IDLE_MS = 30000, /* below civetweb's own 60 s */
	RESET_WAIT_MS = 100,
	BACKEND_RESERVED = 4, /* beyond the limit, for the control socket */
	OUT_HIGH = 262144,    /* waiting for one peer: read no more for it */
	OUT_HIGH_CROWDED = 16384, /* the same when all wait together too much */
	OUT_ALL_MAX = 33554432,
	OUT_MAX = 1048576,        /* a stream that ignores the above is cut */
	WRITE_PROGRESS_MIN = 4096 /* bytes in write_ms, or the peer is stuck */
};

struct listener;

struct handshake_pool {
	int epoll_fd, stop_fd;
	unsigned count;
	pthread_t threads[16];
	atomic_uint waiting;  /* ClientHello complete, not looked at yet */
	pthread_mutex_t lock; /* of done */
	struct list done;     /* connections on their way back to the loop */
};

struct backends {
	struct list idle; /* last used first */
	struct list busy; /* also those whose client is gone */
	unsigned count;
	struct list waiting; /* exchanges */
	unsigned waiting_count;
};

struct front {
	uv_loop_t *loop;
	struct front_limits limits;
	struct peer_registry *peers;
	uint16_t backend_port;
	void (*refused)(void *arg, const struct peer *p, const char *host,
			const struct tls_verdict *why);
	void *refused_arg;

	struct watcher watcher;
	struct deadlines deadlines;
	uv_async_t async; /* the pool is done with something; new context */
	unsigned closing; /* libuv handles that are not closed yet */

	struct admission admission; /* HTTP */
	struct admission flows;     /* streams */
	struct list groups;         /* listeners by name */
	int spare_fd; /* given up to refuse when descriptors run out */
	struct list conns;
	unsigned conn_count;
	unsigned control_count; /* of these */
	unsigned flow_count;    /* of these, in and out */
	uint64_t next_connection;

	struct tls_context *tls[PEER_VIA_COUNT]; /* of the TLS kinds */
	pthread_mutex_t posted_lock;
	struct tls_context *posted[PEER_VIA_COUNT]; /* under posted_lock */
	bool posted_set[PEER_VIA_COUNT];

	struct handshake_pool pool;
	struct backends backends;
	size_t buffered; /* request bodies in memory */
	size_t outgoing; /* bytes that wait for peers */

	struct list later;

	bool stopping, stopped;
	struct deadline drain;
	void (*done)(void *arg);
	void *done_arg;

	/* Any thread. */
	struct {
		atomic_uint connections, flows;
		atomic_uint_fast64_t accepted, refused, handshakes,
		    handshakes_failed, requests, datagrams, datagrams_dropped;
	} stats;

	uint8_t scratch[SCRATCH];
	/* Apart: who is told of a datagram may read streams meanwhile. */
	uint8_t datagram[DATAGRAM_MAX];
};

/* front.c: something ended; when stopping, look whether that was the last. */
void front_settle(struct front *f);

/* listener.c */
void listeners_close_all(struct front *f);
/* Let TLS listeners accept when there is a context, and not otherwise. */
void listeners_update(struct front *f);

/* Whether connections of that kind are TLS, and whether they are streams. */
static inline bool via_is_tls(enum peer_via via)
{
	return via == PEER_HTTPS || via == PEER_STREAM;
}

static inline bool via_is_stream(enum peer_via via)
{
	return via == PEER_STREAM || via == PEER_STREAM_TCP;
}

/* accept.c */
void accept_ready(struct watch *w, uint32_t events);

/* handshake.c */
int handshake_pool_start(struct front *f, struct error *e) MUST_CHECK;
void handshake_pool_stop(struct front *f); /* nothing is with it any more */
void handshake_pool_collect(struct front *f);

/* backend.c */
void backends_close_idle(struct front *f);
void backends_close_all(struct front *f);

#endif
