/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SB_FRONT_FRONT_H
#define SB_FRONT_FRONT_H

#include <sys/socket.h>

#include "front/list.h"
#include "front/peer.h"

/* Every outside listener of the service, on one libuv loop: admission limits,
 * TLS handshakes on a bounded pool, deadlines, and the bridge to civetweb's
 * loopback port. Nobody else accepts from outside. Also the connections that
 * the SIP side opens, and its datagrams: they share loop, pool and limits.
 *
 * Threads: "loop" functions are called on the thread that runs the loop; the
 * others say "any thread". */

struct front;
struct uv_loop_s; /* libuv's uv_loop_t */

/* Limits with their defaults; each names what it bounds. */
struct front_limits {
	unsigned connections;          /* HTTP and HTTPS, 2000; at the limit
					* the longest idle one goes */
	unsigned connections_per_peer; /* of these from one address, 64
					* (0 = no limit) */
	unsigned flows;                /* streams, accepted and opened, 12000;
					* at the limit none is added */
	unsigned flows_per_peer;       /* accepted from one address, 256
					* (0 = no limit) */
	unsigned handshakes_waiting;   /* ClientHello complete, no thread of
					* the pool free yet, 256; the last
					* quarter is for addresses that have
					* less than four with the pool */
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
	struct uv_loop_s *loop;
	struct front_limits limits;
	struct peer_registry *peers;
	uint16_t backend_port; /* civetweb's, on 127.0.0.1 */
	/* NULL, or told of each peer that gets no connection for its
	 * certificate; p->via says where. host: what was dialled, NULL when
	 * the peer called. On the threads of the handshake pool, several at
	 * once; all are borrowed. */
	void (*refused)(void *arg, const struct peer *p, const char *host,
			const struct tls_verdict *why);
	void *refused_arg;
};

struct front *front_new(const struct front_options *options,
			struct error *e) MUST_CHECK;

/* Loop. The context that new connections of that kind, PEER_HTTPS or
 * PEER_STREAM, get from now on; those that stand keep theirs. NULL: its
 * listeners accept nothing (no identity yet). */
void front_set_tls(struct front *f, enum peer_via via, struct tls_context *c);
/* Any thread: as front_set_tls(), carried out on the loop soon; takes over the
 * caller's reference. */
void front_post_tls(struct front *f, enum peer_via via, struct tls_context *c);

/* Loop. Streams that were accepted, and whose handshake began with another
 * context than the one of now (also one that was posted), are given up: for who
 * has closed those that stand, so that none from before comes after it. */
void front_end_older_handshakes(struct front *f);

/* Connections that are not HTTP (SIP; an echo in the bench), accepted by a
 * listener or opened by front_connect(). All on the loop. data returns how many
 * bytes were taken; the rest is offered again after front_stream_resume(), and
 * meanwhile at most about 34 KB more are read. closed() is the last that is
 * heard of a stream; one that was never open is not closed. */
struct front_stream;
struct front_stream_ops {
	/* admitted; *user is yours. Non-zero refuses it. */
	int (*open)(struct front_stream *s, const struct peer *p, void *arg,
		    void **user);
	size_t (*data)(struct front_stream *s, void *user, const uint8_t *p,
		       size_t n);
	void (*writable)(struct front_stream *s, void *user);
	void (*closed)(struct front_stream *s, void *user);
	/* Instead of open, of a stream that was to be opened: why, and when it
	 * was for the certificate of the peer the verdict, else NULL. Both are
	 * borrowed; the stream is gone. */
	void (*failed)(struct front_stream *s, void *arg,
		       const struct error *why,
		       const struct tls_verdict *verdict);
	void *arg;
	/* The stream is ended when its peer says nothing for so long (0: may be
	 * silent for ever); up to a second late. */
	unsigned idle_ms;
	/* The same until the first byte of one that was accepted (0: as
	 * idle_ms). */
	unsigned silent_ms;
	/* The same for what front_stream_pending() says has begun and has not
	 * ended, however busy its peer is (0: no limit). */
	unsigned pending_ms;
};
/* Bytes queued; false when the peer is behind (wait for writable()) or the
 * stream is not open. */
bool front_stream_write(struct front_stream *s, const void *p, size_t n);
void front_stream_resume(struct front_stream *s);
/* Something that has to end has begun, a message for one; false: it has ended.
 * Said again while it is so: changes nothing. */
void front_stream_pending(struct front_stream *s, bool pending);
/* What was written is sent first; closed() comes after that, perhaps before
 * this returns. Before it is open it is given up, and none of the ops is called
 * any more: do not use s after that. */
void front_stream_close(struct front_stream *s);
/* Inside closed(): what broke the connection, "peer sent alert
 * certificate_required" for one; NULL for an end in good form. A TLS 1.3 server
 * that does not want our certificate says so only once the stream is open. */
const struct error *front_stream_failure(const struct front_stream *s);
/* Who is at the other end. As long as the stream. */
const struct peer *front_stream_peer(const struct front_stream *s);

/* A connection to open. The strings are copied. */
struct front_connect_options {
	const char *address; /* numeric */
	uint16_t port;
	const char *local_address; /* to call from; NULL: the kernel's choice */
	/* A client context and the name or address that was dialled, which the
	 * verifier is asked about; a reference is taken. NULL: plain TCP. */
	struct tls_context *tls;
	const char *host;
	unsigned limit_ms; /* until it is open; 0: handshake_ms */
};

/* Loop. None of the ops is called before this returns; then either open (with
 * arg; not that of the ops) or failed, unless the stream is closed before. The
 * handshake is the pool's. NULL: ERR_INPUT (no such address, no host), ERR_IO
 * (no way there), ERR_LIMIT (limits.flows), ERR_CANCELLED (stopping). failed:
 * ERR_IO, ERR_TIMEOUT, ERR_TLS, ERR_LIMIT (handshakes_waiting), ERR_CANCELLED,
 * or the error of the token that did not sign. */
struct front_stream *front_connect(struct front *f,
				   const struct front_connect_options *options,
				   const struct front_stream_ops *ops,
				   void *arg, struct error *e) MUST_CHECK;

/* Loop, and not from inside the ops of a stream or a listener. Open or move a
 * listener; the name ("http", "https", "sips_tcp",
 * "control") is its key: the same name again changes address list and port
 * without dropping connections, and keeps the old sockets when the new ones
 * cannot be bound. An address that this host does not have (or its family, when
 * IPv6 is switched off) is left out with a warning if another one of the list
 * can be bound. ERR_IO naming address and port; ERR_CONFLICT: in use. */
int front_listen_tcp(struct front *f, const char *name, enum peer_via via,
		     const char *const *addresses, size_t address_count,
		     uint16_t port, const struct front_stream_ops *stream,
		     struct error *e) MUST_CHECK;
/* Datagrams. from and to are numeric addresses with their ports; to is the one
 * of ours that was asked, also on a wildcard socket. */
struct front_datagram_ops {
	void (*datagram)(void *arg, const struct sockaddr_storage *from,
			 const struct sockaddr_storage *to, const uint8_t *p,
			 size_t n);
	void *arg;
	/* Longer ones are dropped and counted; 0: any (65507). */
	size_t bytes_max;
};
/* Loop. As front_listen_tcp(), for UDP; the names are of one space. At most so
 * many datagrams of a socket are taken (DATAGRAM_BATCH) before others get
 * a turn. */
int front_listen_udp(struct front *f, const char *name,
		     const char *const *addresses, size_t address_count,
		     uint16_t port, const struct front_datagram_ops *ops,
		     struct error *e) MUST_CHECK;
/* Loop. Send from a socket of that listener: from is the address that was asked
 * (to of the datagram that is answered), NULL leaves it to the kernel. Nothing
 * is queued: what the kernel does not take is lost, as anywhere on the way.
 * ERR_NOT_FOUND: no such listener, or none of its sockets can send from there
 * to there; ERR_IO: the kernel refuses; ERR_LIMIT: it has no room now. */
int front_udp_send(struct front *f, const char *name,
		   const struct sockaddr_storage *from,
		   const struct sockaddr_storage *to, const void *p, size_t n,
		   struct error *e) MUST_CHECK;
/* Loop. Which address of ours, with the listener's port, datagrams to there
 * come from. ERR_NOT_FOUND: no socket of that family; ERR_IO: no way there. */
int front_udp_local(struct front *f, const char *name,
		    const struct sockaddr_storage *to,
		    struct sockaddr_storage *from_out,
		    struct error *e) MUST_CHECK;
/* A Unix socket (mode 0660), replaced when a dead one is in the way. */
int front_listen_control(struct front *f, const char *path,
			 struct error *e) MUST_CHECK;
void front_unlisten(struct front *f, const char *name);
/* Loop. The port a TCP or UDP listener has (after port 0: which one the kernel
 * chose); 0 when there is no such listener. */
uint16_t front_listen_port(struct front *f, const char *name);

/* Something that the loop does soon, not from within the call: embedded in its
 * owner, zeros at first. Loop. Twice before it ran is once. */
struct front_later {
	struct list node;
	void (*run)(struct front_later *l);
};
void front_later(struct front *f, struct front_later *l,
		 void (*run)(struct front_later *l));
/* It does not run any more. */
void front_later_cancel(struct front_later *l);

/* Any thread. Counters for pages and benches. */
struct front_stats {
	unsigned connections; /* of all kinds, also those being opened */
	unsigned flows;       /* streams of these */
	uint64_t accepted, refused, handshakes, handshakes_failed, requests;
	uint64_t datagrams;         /* received and handed on */
	uint64_t datagrams_dropped; /* received, too long */
};
void front_get_stats(struct front *f, struct front_stats *out);

/* Loop. Close the listeners, let open requests end (at most drain_ms), close
 * the rest, then call done. front_free() after that, once the loop has run. */
void front_stop(struct front *f, void (*done)(void *arg), void *arg);
void front_free(struct front *f);

#endif
