/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SB_FRONT_CONN_H
#define SB_FRONT_CONN_H

#include "front/front_private.h"

/* One connection from outside, plain or TLS, seen by those above as two byte
 * queues. On the loop, except while it is with the handshake pool. */

enum conn_state {
	CONN_CONNECTING, /* outgoing: waits for the peer's TCP */
	CONN_HELLO,      /* TLS: waits for the ClientHello */
	CONN_HANDSHAKE,  /* belongs to the pool: the loop touches neither socket
			  * nor TLS, it may only cancel */
	CONN_OPEN,       /* upper decides */
	CONN_FINISHING,  /* sends what is left, then ends */
	CONN_LINGER,     /* has sent everything, waits for the peer's end */
	CONN_CLOSED
};

struct conn;
struct dial;

struct conn_ops {
	/* Admitted. */
	void (*open)(struct conn *c);
	/* c->in has bytes or c->eof is set. */
	void (*input)(struct conn *c);
	/* The peer has taken most of what waited. */
	void (*writable)(struct conn *c);
	/* The phase's deadline passed. */
	void (*expired)(struct conn *c, enum deadline_kind kind);
	/* The service stops: conn_finish() as soon as possible. */
	void (*stop)(struct conn *c);
	/* The connection ends: let go of it. */
	void (*closed)(struct conn *c);
};

struct conn {
	struct watch watch;
	struct front *front;
	struct list node; /* front->conns */
	enum conn_state state;
	struct peer peer;
	struct admission_entry *admitted; /* NULL on the control socket, which
					   * is never TLS */

	const struct conn_ops *ops;
	void *upper;
	struct front_stream_ops stream; /* open is NULL for HTTP */

	struct dial *dial;           /* outgoing, until it is open */
	struct tls_context *context; /* that the handshake began with */
	struct tls_conn *tls;

	struct buf in;  /* plain text, not taken yet; the ClientHello first */
	struct buf out; /* plain text, not sent yet, from out_at */
	size_t out_at;

	bool reading;  /* upper wants input */
	bool more;     /* the TLS layer may hold input that did not fit */
	bool eof;      /* the peer has ended its side */
	bool broken;   /* the socket or TLS failed */
	bool blocked;  /* the socket was full: what waits is not held back */
	bool behind;   /* was told that the peer is behind */
	bool linger;   /* finishing: the peer may still be sending */
	bool notified; /* close_notify is queued */

	struct deadline deadline;       /* of the phase */
	struct deadline write_deadline; /* of what waits in out */
	struct deadline trim;           /* TLS only: since the last byte */
	size_t moved;                   /* sent since write_deadline was set */
	uint64_t heard_ms;              /* uv_now() at the last byte */
	struct error *failure; /* what broke it, if something worth a word */

	/* With the pool. */
	atomic_bool cancelled; /* the deadline passed: do not sign */
	atomic_bool arming;    /* a thread is letting go of it */
	bool greeted;          /* pool: the ClientHello was looked at */
	bool established;      /* pool's result */
	struct list done;      /* pool->done */
};

/* A descriptor just accepted. It is closed when that fails. */
void conn_new(struct front *f, int fd, const struct peer *peer,
	      struct admission_entry *admitted,
	      const struct front_stream_ops *stream);
/* In the front's list, counted, nothing else yet. NULL: no memory, nothing was
 * taken. */
struct conn *conn_make(struct front *f, int fd, const struct peer *peer,
		       struct admission_entry *admitted,
		       const struct front_stream_ops *stream);
/* Admitted: those above decide from now on. */
void conn_open(struct conn *c);
/* Those above hear of it no more. */
void conn_let_go(struct conn *c);
/* Give up a handshake: the pool gives the connection back soon. */
void conn_cancel_handshake(struct conn *c);
/* Back from the pool. */
void conn_adopt(struct conn *c);

/* Queue bytes; nothing is sent before conn_flush(). A failure marks the
 * connection broken. */
void conn_write(struct conn *c, const void *p, size_t n);
/* Send what can be sent. Never closes: a failure marks the connection broken,
 * and an event follows. */
void conn_flush(struct conn *c);
/* The same, for who has perhaps been told that the peer is behind: when the
 * kernel takes all of it at once, no event follows, so writable() is here. */
void conn_catch_up(struct conn *c);
/* Bytes that wait for the peer. */
size_t conn_pending(const struct conn *c);
/* Enough waits for the peer: produce no more before writable(). */
bool conn_is_behind(struct conn *c);

/* Start or stop taking input. */
void conn_set_reading(struct conn *c, bool reading);
/* Take what the TLS layer or the socket have; true when c->in has grown or
 * the end came. */
bool conn_fill(struct conn *c);

void conn_set_deadline(struct conn *c, enum deadline_kind kind);

/* Send what is queued, then end it. linger: the peer may be in the middle of
 * sending, so that closing at once could destroy what it was told. The upper
 * side hears closed() at the end. */
void conn_finish(struct conn *c, bool linger);
/* At once. Twice is fine. */
void conn_close(struct conn *c);
/* The service stops. */
void conn_stop(struct conn *c);
/* Close the one that has been idle between requests for longest, to make room.
 * False: none is. */
bool conn_evict_idle(struct front *f);

/* conn_io.c, for conn.c */
/* Sending has failed: the peer may have said why before it left, which becomes
 * the failure. What it said besides is lost with the connection. */
void conn_last_words(struct conn *c);
void conn_arm(struct conn *c);

/* stream.c: the stream of a connection that is not open yet. */
int stream_prepare(struct conn *c) MUST_CHECK;

extern const struct conn_ops bridge_ops;
extern const struct conn_ops stream_conn_ops;

/* handshake.c: hand over. False: too many wait already. */
bool handshake_submit(struct conn *c);

#endif
