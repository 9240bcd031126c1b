/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SB_NOTIFY_SYSLOG_QUEUE_H
#define SB_NOTIFY_SYSLOG_QUEUE_H

#include "base/buf.h"

/* Frames on their way to the server. They stay here until the server's host has
 * acknowledged them, so that a connection that breaks loses none. When the
 * queue is full, the oldest goes. Not thread safe. */

enum {
	SYSLOG_QUEUE_FRAMES = 4096,
	SYSLOG_QUEUE_BYTES = 4 * 1024 * 1024,
	SYSLOG_BATCH_BYTES = 16384 /* handed out at once: a TLS record */
};

struct syslog_frame {
	uint8_t *bytes;
	size_t len;
	uint64_t mark; /* of syslog_queue_handed_out() */
};

/* Frames have numbers from 1 on, in order. Those from first on are here, those
 * before next are handed out. */
struct syslog_queue {
	struct syslog_frame ring[SYSLOG_QUEUE_FRAMES];
	uint64_t first, next, end;
	size_t bytes;
	uint64_t sent, dropped; /* ever */
};

void syslog_queue_init(struct syslog_queue *q);
void syslog_queue_free(struct syslog_queue *q);

/* Takes the content of the frame over, which ends empty. Its number. */
uint64_t syslog_queue_put(struct syslog_queue *q, struct buf *frame);

/* Copies what comes next into out, as many whole frames as fit (at least one:
 * out takes SYSLOG_BATCH_BYTES). *upto_out: the number behind the last one. The
 * number of frames. ERR_NOMEM. */
int syslog_queue_next(const struct syslog_queue *q, struct buf *out,
		      uint64_t *upto_out, struct error *e) MUST_CHECK;
/* They are written; mark is where the stream is now. */
void syslog_queue_handed_out(struct syslog_queue *q, uint64_t upto,
			     uint64_t mark);
/* The stream has been acknowledged up to there. True: some were sent. */
bool syslog_queue_confirm(struct syslog_queue *q, uint64_t acknowledged);
/* The connection is gone: what was not confirmed comes again. */
void syslog_queue_again(struct syslog_queue *q);
/* Drop everything. */
void syslog_queue_clear(struct syslog_queue *q);

/* How many are here. */
size_t syslog_queue_waiting(const struct syslog_queue *q);
/* How many of them are handed out. */
size_t syslog_queue_unconfirmed(const struct syslog_queue *q);

#endif
