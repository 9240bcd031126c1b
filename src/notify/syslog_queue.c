/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "notify/syslog_queue.h"

#include <stdlib.h>
#include <string.h>

#include "notify/syslog_message.h"

_Static_assert((int)SYSLOG_FRAME_MAX <= (int)SYSLOG_BATCH_BYTES,
	       "one frame always fits");

static struct syslog_frame *frame_at(struct syslog_queue *q, uint64_t number)
{
	return &q->ring[number % SYSLOG_QUEUE_FRAMES];
}

void syslog_queue_init(struct syslog_queue *q)
{
	memset(q, 0, sizeof(*q));
	q->first = q->next = q->end = 1;
}

void syslog_queue_free(struct syslog_queue *q)
{
	syslog_queue_clear(q);
}

/* What was handed out has most likely arrived. */
static void drop_first(struct syslog_queue *q)
{
	struct syslog_frame *f = frame_at(q, q->first);

	if (q->first < q->next)
		q->sent++;
	else
		q->dropped++;
	q->bytes -= f->len;
	free(f->bytes);
	memset(f, 0, sizeof(*f));
	q->first++;
	if (q->next < q->first)
		q->next = q->first;
}

uint64_t syslog_queue_put(struct syslog_queue *q, struct buf *frame)
{
	struct syslog_frame *f;

	while (q->first < q->end &&
	       (q->end - q->first == SYSLOG_QUEUE_FRAMES ||
		q->bytes + frame->len > SYSLOG_QUEUE_BYTES))
		drop_first(q);
	f = frame_at(q, q->end);
	f->mark = 0;
	f->bytes = buf_steal(frame, &f->len);
	q->bytes += f->len;
	return q->end++;
}

int syslog_queue_next(const struct syslog_queue *q, struct buf *out,
		      uint64_t *upto_out, struct error *e)
{
	uint64_t number = q->next;

	while (number < q->end) {
		const struct syslog_frame *f =
		    &q->ring[number % SYSLOG_QUEUE_FRAMES];

		if (out->len + f->len > SYSLOG_BATCH_BYTES)
			break;
		if (buf_add(out, f->bytes, f->len, e) < 0)
			return -1;
		number++;
	}
	*upto_out = number;
	return (int)(number - q->next);
}

void syslog_queue_handed_out(struct syslog_queue *q, uint64_t upto,
			     uint64_t mark)
{
	for (; q->next < upto; q->next++)
		frame_at(q, q->next)->mark = mark;
}

bool syslog_queue_confirm(struct syslog_queue *q, uint64_t acknowledged)
{
	bool any = false;

	while (q->first < q->next &&
	       frame_at(q, q->first)->mark <= acknowledged) {
		drop_first(q);
		any = true;
	}
	return any;
}

void syslog_queue_again(struct syslog_queue *q)
{
	q->next = q->first;
}

void syslog_queue_clear(struct syslog_queue *q)
{
	while (q->first < q->end)
		drop_first(q);
}

size_t syslog_queue_waiting(const struct syslog_queue *q)
{
	return (size_t)(q->end - q->first);
}

size_t syslog_queue_unconfirmed(const struct syslog_queue *q)
{
	return (size_t)(q->next - q->first);
}
