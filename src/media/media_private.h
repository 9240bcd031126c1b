/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SB_MEDIA_MEDIA_PRIVATE_H
#define SB_MEDIA_MEDIA_PRIVATE_H

#include <pthread.h>

#include "media/echo.h"
#include "media/latch.h"
#include "media/media.h"
#include "media/rtcp.h"

/* The inside of the engine. Everything is guarded by media.lock. */

/* --- packets per second ----------------------------------------------------
 */

struct media_bucket {
	int64_t at_ms;
	uint64_t milli; /* packets that may come now, in thousandths */
};

/* Is one more within rate a second? A second's worth may come at once. */
bool media_bucket_take(struct media_bucket *b, unsigned rate, int64_t now_ms);

/* --- ports -----------------------------------------------------------------
 */

struct media_ports {
	uint16_t first;              /* even */
	unsigned count;              /* pairs */
	unsigned next;               /* pair that is tried first */
	struct media_stream **users; /* of each pair, NULL: free */
};

enum { MEDIA_RTP, MEDIA_RTCP, MEDIA_SOCKETS };

int media_ports_init(struct media_ports *p, const struct media_options *o,
		     struct error *e) MUST_CHECK;
/* Binds the stream's sockets and makes it the pair's user; its local address
 * gets the port. */
int media_ports_bind(struct media_ports *p, struct media_stream *s,
		     struct error *e) MUST_CHECK;
/* Closes the sockets. */
void media_ports_release(struct media_ports *p, struct media_stream *s);
/* Each gets the other's sockets and local address. */
void media_ports_swap(struct media_ports *p, struct media_stream *a,
		      struct media_stream *b);
/* Is that a port of one of our streams? */
bool media_ports_is_ours(const struct media_ports *p,
			 const struct media_address *a);

/* --- streams ----------------------------------------------------------------
 */

struct media_sent {
	uint32_t ssrc;
	uint16_t sequence;
	uint32_t timestamp; /* of the last packet */
	int64_t at_ms;
	uint32_t packets, bytes; /* of this SSRC, RFC 3550 6.4.1 */
};

struct media_stream {
	struct media *media;
	media_id id; /* slot and how often it was used */
	struct media_stream_options options; /* address: not kept */
	struct media_address local;          /* RTP */
	int fd[MEDIA_SOCKETS];
	/* --- agreed */
	bool ready, send, receive;
	uint8_t payload_types[MEDIA_PAYLOADS_MAX];
	unsigned payload_count;
	bool secure;
	struct srtp_lane *in, *out;
	struct latch latch;
	struct latch control; /* RTCP */
	/* --- received */
	struct media_bucket home, control_home, others;
	struct rtp_reception reception;
	uint32_t report_ntp; /* of the last sender report */
	int64_t report_at_ms;
	uint32_t report_source;
	uint64_t reported_in; /* packets at our last report */
	/* --- sent */
	struct media_sent sent;
	struct echo echo;
	uint32_t start; /* first timestamp */
	char cname[MEDIA_CNAME_CHARACTERS + 1];
	/* --- time */
	int64_t expected_ms; /* silence is counted from here */
	bool told_silent;
	int64_t report_due_ms;
	struct media_stats stats;
};

struct media_slot {
	uint32_t uses;
	struct media_stream *stream;
};

struct media {
	struct media_options options;
	pthread_mutex_t lock;
	pthread_t thread;
	int poll, wake; /* epoll, eventfd */
	bool stopping;
	unsigned count;
	struct media_slot *slots; /* options.streams */
	struct media_ports ports;
};

int64_t media_now_ms(const struct media *m);
struct media_stream *media_find(struct media *m, media_id id);

/* Events of its sockets are told by its number: op as of epoll_ctl(). */
int media_watch(struct media_stream *s, const int fd[MEDIA_SOCKETS], int op,
		struct error *e) MUST_CHECK;
/* Says good-bye and frees it. */
void media_end(struct media_stream *s);

extern const struct media_sink media_echo;

/* In the engine's thread, locked: what lies at one socket, a bounded part. */
void media_receive(struct media_stream *s, int which);
/* Reports and time-outs that are due. */
void media_tick(struct media_stream *s, int64_t now_ms);
/* Random, half to one and a half of MEDIA_RTCP_MS (RFC 3550 6.2, 6.3.1). */
int64_t media_report_wait_ms(void);
void media_report(struct media_stream *s, bool bye, int64_t now_ms);
/* Protect and send; the packet is *n bytes, aligned, with room for a trailer.
 */
bool media_transmit(struct media_stream *s, int which, uint8_t *packet,
		    size_t n);
void *media_thread(void *media);

#endif
