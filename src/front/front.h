/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SB_FRONT_FRONT_H
#define SB_FRONT_FRONT_H

#include <uv.h>

#include "front/peer.h"

/* Every outside listener of the service, on one libuv loop: admission limits,
 * TLS handshakes on a bounded pool, deadlines, and the bridge to civetweb's
 * loopback port. Nobody else accepts from outside.
 *
 * Threads: "loop" functions are called on the thread that runs the loop; the
 * others say "any thread". */

struct front;

/* Limits with their defaults; each names what it bounds. */
struct front_limits {
	unsigned connections;          /* in all but control, 2000; at the
					* limit the longest idle one goes */
	unsigned connections_per_peer; /* one address, 64 (not on control;
					* 0 = no limit) */
	unsigned handshakes_waiting;   /* ClientHello complete, no thread of
					* the pool free yet, 256 */
	unsigned handshake_threads;    /* 1-16, 4 */
	unsigned handshake_ms;         /* accept to finished, 10000 */
	unsigned head_ms;              /* first byte to end of head, 10000 */
	unsigned body_ms;              /* whole body, 60000 */
	unsigned idle_ms;              /* between requests, 60000 */
	unsigned write_ms;             /* a peer that takes nothing, 30000 */
	size_t head_bytes;             /* 16384 */
	size_t body_bytes;             /* 4 MiB */
	size_t buffered_bytes;         /* bodies of all requests, 64 MiB */
	unsigned backend_connections;  /* to civetweb, 32, half of them for
					* one address; civetweb needs four
					* threads more, for control */
	unsigned drain_ms;             /* open requests at the end, 5000 */
};

extern const struct front_limits front_limits_default;

struct front_options {
	uv_loop_t *loop;
	struct front_limits limits;
	struct peer_registry *peers;
	uint16_t backend_port; /* civetweb's, on 127.0.0.1 */
	/* NULL, or told of each peer that gets no connection for its
	 * certificate. On the threads of the handshake pool, several at once;
	 * both are borrowed. */
	void (*refused)(void *arg, const struct peer *p,
			const struct tls_verdict *why);
	void *refused_arg;
};

struct front *front_new(const struct front_options *options,
			struct error *e) MUST_CHECK;

/* Loop. The context that new connections get from now on; those that stand keep
 * theirs. NULL: TLS listeners accept nothing (no identity yet). */
void front_set_tls(struct front *f, struct tls_context *c);
/* Any thread: as front_set_tls(), carried out on the loop soon; takes over the
 * caller's reference. */
void front_post_tls(struct front *f, struct tls_context *c);

/* Connections that are not HTTP (SIP; an echo in the bench). All on the loop.
 * data returns how many bytes were taken; the rest is offered again after
 * front_stream_resume(). */
struct front_stream;
struct front_stream_ops {
	/* admitted; *user is yours. Non-zero refuses it. */
	int (*open)(struct front_stream *s, const struct peer *p, void *arg,
		    void **user);
	size_t (*data)(struct front_stream *s, void *user, const uint8_t *p,
		       size_t n);
	void (*writable)(struct front_stream *s, void *user);
	void (*closed)(struct front_stream *s, void *user);
	void *arg;
};
/* Bytes queued; false when the peer is behind: wait for writable(). */
bool front_stream_write(struct front_stream *s, const void *p, size_t n);
void front_stream_resume(struct front_stream *s);
void front_stream_close(struct front_stream *s);

/* Loop. Open or move a listener; the name ("http", "https", "sips_tcp",
 * "control") is its key: the same name again changes address list and port
 * without dropping connections, and keeps the old sockets when the new ones
 * cannot be bound. An address that this host does not have (or its family, when
 * IPv6 is switched off) is left out with a warning if another one of the list
 * can be bound. ERR_IO naming address and port; ERR_CONFLICT: in use. */
int front_listen_tcp(struct front *f, const char *name, enum peer_via via,
		     const char *const *addresses, size_t address_count,
		     uint16_t port, const struct front_stream_ops *stream,
		     struct error *e) MUST_CHECK;
/* A Unix socket (mode 0660), replaced when a dead one is in the way. */
int front_listen_control(struct front *f, const char *path,
			 struct error *e) MUST_CHECK;
void front_unlisten(struct front *f, const char *name);
/* Loop. The port a TCP listener has (after port 0: which one the kernel chose);
 * 0 when there is no such listener. */
uint16_t front_listen_port(struct front *f, const char *name);

/* Any thread. Counters for pages and benches. */
struct front_stats {
	unsigned connections;
	uint64_t accepted, refused, handshakes, handshakes_failed, requests;
};
void front_get_stats(struct front *f, struct front_stats *out);

/* Loop. Close the listeners, let open requests end (at most drain_ms), close
 * the rest, then call done. front_free() after that, once the loop has run. */
void front_stop(struct front *f, void (*done)(void *arg), void *arg);
void front_free(struct front *f);

#endif
