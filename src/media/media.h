/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SB_MEDIA_MEDIA_H
#define SB_MEDIA_MEDIA_H

#include "media/rtp.h"
#include "media/srtp.h"

/* The audio streams of all calls: one engine, one thread, a pair of UDP ports a
 * stream (RFC 3550, 3551, 3711, 4961).
 *
 * One lock guards everything. The thread holds it for one socket's turn, a call
 * for as long as it runs; nothing under it blocks. Calls come from any thread,
 * but never from a callback. Callbacks run in the engine's thread with the lock
 * held: they do not block and call nothing here except media_put(); when
 * media_close() has returned, none of that stream comes any more.
 *
 * A stream is named by a number that is never given again, so a call that comes
 * too late fails (ERR_NOT_FOUND) and hits nobody else's. */

enum {
	MEDIA_STREAMS_MAX = 4096,   /* of one engine, whatever is asked for */
	MEDIA_PAYLOADS_MAX = 4,     /* payload types of a stream */
	MEDIA_CLOCK_HZ = 8000,      /* of the timestamps: PCMU, PCMA, events */
	MEDIA_RTCP_MS = 5000,       /* mean time between our reports */
	MEDIA_SENDER_MS = 10000,    /* a sender's part so long after a packet */
	MEDIA_TICK_MS = 100,        /* how exact time-outs and reports are */
	MEDIA_CNAME_CHARACTERS = 16 /* random, a stream its own (RFC 7022) */
};

struct media;
struct media_stream;
typedef uint64_t media_id; /* 0: none */

/* --- what becomes of that which is received ------------------------------- */

/* A packet to be sent; source and sequence number are the stream's. */
struct media_frame {
	bool marker;
	uint8_t payload_type;
	uint32_t timestamp;
	struct view payload;
};

/* The echo is one, a mixer will be another. arg: of the stream's options. */
struct media_sink {
	/* A valid packet of an agreed payload type, in order, none twice.
	 * Comfort noise that was not agreed on is none: it is only counted. */
	void (*received)(void *arg, struct media_stream *s,
			 const struct rtp_packet *p, int64_t now_ms);
};

/* Send it, when there is whither and the direction lets us. From inside a sink
 * only; false: not sent (counted when that was a failure). */
bool media_put(struct media_stream *s, const struct media_frame *f,
	       int64_t now_ms);

/* --- the engine ----------------------------------------------------------- */

struct media_options {
	uint16_t first_port, last_port; /* pairs: even for RTP, RTCP above */
	unsigned streams;               /* at most, 1 to MEDIA_STREAMS_MAX */
	unsigned packets_per_second;    /* of a stream; more are dropped */
	/* Milliseconds that never go back; NULL: clock_monotonic_ms(). Called
	 * by any thread. */
	int64_t (*now_ms)(void *arg);
	void *now_arg;
};

/* Starts the thread. NULL: ERR_INPUT (a limit of 0, no pair in the range),
 * ERR_NOMEM, ERR_IO, ERR_INTERNAL (libsrtp2 too). */
struct media *media_new(const struct media_options *o,
			struct error *e) MUST_CHECK;
/* Closes what is open, joins the thread. NULL is fine. */
void media_free(struct media *m);
unsigned media_count(struct media *m); /* streams that are open */

/* --- streams -------------------------------------------------------------- */

struct media_stream_options {
	const char *address; /* local, in figures; not the wildcard */
	/* No valid packet for so long while receiving is expected, be it
	 * comfort noise (RFC 3389) or a report of the other side that is no
	 * good-bye: silent() is called, once until one comes again. 0: never.
	 */
	unsigned silence_ms;
	void (*silent)(void *arg, media_id id);
	const struct media_sink *sink; /* NULL: the echo */
	void *arg;                     /* of silent and sink */
};

struct media_local {
	media_id id;
	uint16_t port; /* RTP; RTCP is port + 1 */
};

/* Bind the next free pair. ERR_INPUT: no such address; ERR_LIMIT: as many
 * streams as may be, or no free pair; ERR_IO: no such address here, no
 * descriptors left; ERR_NOMEM. Until media_set_remote() nothing is accepted. */
int media_open(struct media *m, const struct media_stream_options *o,
	       struct media_local *out, struct error *e) MUST_CHECK;

/* What the two descriptions agreed on. */
struct media_remote {
	const char *address; /* "", 0.0.0.0 or port 0: nowhere until packets
			      * come */
	uint16_t port;
	uint16_t rtcp_port; /* 0: port + 1 */
	uint8_t payload_types[MEDIA_PAYLOADS_MAX];
	unsigned payload_count;
	bool send, receive; /* the direction as we see it (RFC 3264 8.4) */
	bool secure;        /* then both keys */
	struct srtp_key in, out;
	/* Another stream, on which nothing was agreed yet, or 0: this one goes
	 * on at its address and ports with all that it has (keys, counts), and
	 * that one ends. So a stream moves to another family. */
	media_id place;
};

/* At the first answer and whenever descriptions change. A key that stays goes
 * on; a new one to send with brings a new SSRC, so that no counter is taken for
 * another's. ERR_NOT_FOUND; ERR_INPUT: the place is in use, no such address,
 * one of many, or ours, payload types above 127 or too many; ERR_UNSUPPORTED:
 * IPv4 here and IPv6 there; ERR_NOMEM, ERR_IO. The streams are unchanged then;
 * a place is still to be closed. */
int media_set_remote(struct media *m, media_id id, const struct media_remote *r,
		     struct error *e) MUST_CHECK;

/* Says BYE (RFC 3550 6.6) when anything was sent. Unknown: nothing. */
void media_close(struct media *m, media_id id);

/* --- statistics ----------------------------------------------------------- */

/* Packets that were thrown away, by why. */
enum media_drop {
	MEDIA_MALFORMED, /* no RTP or RTCP, too long or too short */
	MEDIA_STRANGER,  /* from where nothing may come */
	MEDIA_LOOPED,    /* our own SSRC, or one of our ports */
	MEDIA_UNASKED,   /* nothing is to be received now */
	MEDIA_EXCESS,    /* over the packets per second */
	MEDIA_FOREIGN,   /* a payload type nobody agreed on */
	MEDIA_STALE,     /* copies, late ones, jumps of the sequence */
	MEDIA_FORGED,    /* SRTP: not made with the key */
	MEDIA_REPLAYED,  /* SRTP: a copy */
	MEDIA_SPENT,     /* SRTP: too many sources, life of the key */
	MEDIA_DROP_COUNT
};
const char *media_drop_name(enum media_drop d);

struct media_stats {
	uint64_t packets_in, bytes_in; /* valid ones; bytes of payload */
	uint64_t packets_out, bytes_out;
	uint64_t rtcp_in, rtcp_out;
	uint64_t send_failures; /* the kernel took no packet, or SRTP */
	uint64_t dropped[MEDIA_DROP_COUNT];
	/* Of the source that sends now, RFC 3550 A.3, A.8. */
	int32_t lost;
	uint32_t jitter; /* in units of 1/8000 s */
	/* What the other side said of ours last. */
	bool remote_reported;
	int32_t remote_lost;
	uint32_t remote_jitter;
	bool latched; /* packets have come: from there */
	char source[64];
	uint16_t source_port;
};

/* ERR_NOT_FOUND. */
int media_stats(struct media *m, media_id id, struct media_stats *out,
		struct error *e) MUST_CHECK;

#endif
