/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sip/sip_frame.h"

#include <string.h>

static enum sip_frame_step refuse(struct sip_frame *out, unsigned status,
				  const char *why)
{
	out->status = status;
	out->why = why;
	return SIP_FRAME_REFUSED;
}

/* What stands before a message; MESSAGE: nothing does. */
static enum sip_frame_step blank_step(struct view data, struct sip_frame *out)
{
	if (data.ptr[0] != '\r')
		return SIP_FRAME_MESSAGE;
	/* A lone CRLF may be the first half of a ping. */
	if (memcmp(data.ptr, "\r\n\r\n", data.len < 4 ? data.len : 4) == 0) {
		if (data.len < 4)
			return SIP_FRAME_MORE;
		out->length = 4;
		return SIP_FRAME_PING;
	}
	if (data.ptr[1] != '\n')
		return refuse(out, 400, "CR without LF");
	out->length = 2;
	return SIP_FRAME_BLANK;
}

/* Does the start line name our protocol? Who speaks another one, HTTP for one,
 * would wait for answers that never come. */
static bool is_sip(struct view head)
{
	for (size_t i = 0; i + 4 <= head.len && head.ptr[i] != '\r'; i++)
		if (sip_text_is(view_of(head.ptr + i, 4), "SIP/"))
			return true;
	return false;
}

/* The head is whole: how long is the message? MORE: f->total says. What else is
 * wrong with it is not the framing's business. */
static enum sip_frame_step measure(struct sip_framer *f, struct view data,
				   struct sip_frame *out)
{
	struct sip_refusal why = { 0 };
	struct sip_head head;
	const char *fault;
	size_t body;
	int found;

	out->head = data.len;
	fault = sip_head_fault(data);
	if (fault)
		return refuse(out, 400, fault);
	if (!is_sip(data))
		return refuse(out, 400, "not SIP");
	/* Content-Length may stand behind the last field that there is room
	 * for. */
	if (sip_head_split(data, &head, &why) < 0 && why.status == 513)
		return refuse(out, why.status, why.why);
	found = sip_head_content_length(&head, &body, &why);
	if (found < 0)
		return refuse(out, why.status, why.why);
	if (found == 0)
		return refuse(out, 400, "no Content-Length over a stream");
	if (body > SIP_BODY_MAX)
		return refuse(out, 513, "body too large");
	f->head = data.len;
	f->total = data.len + body;
	return SIP_FRAME_MORE;
}

static enum sip_frame_step message_step(struct sip_framer *f, struct view data,
					struct sip_frame *out)
{
	enum sip_frame_step step;
	size_t head;

	if (!f->total) {
		head = sip_head_length(data, &f->scanned);
		if (head > SIP_HEAD_MAX || (!head && data.len > SIP_HEAD_MAX))
			return refuse(out, 513, "head too large");
		if (!head)
			return SIP_FRAME_MORE;
		step = measure(f, view_of(data.ptr, head), out);
		if (step != SIP_FRAME_MORE)
			return step;
	}
	if (data.len < f->total)
		return SIP_FRAME_MORE;
	out->head = f->head;
	out->length = f->total;
	return SIP_FRAME_MESSAGE;
}

enum sip_frame_step sip_framer_next(struct sip_framer *f, struct view data,
				    struct sip_frame *out)
{
	enum sip_frame_step step = SIP_FRAME_MESSAGE;

	memset(out, 0, sizeof(*out));
	if (!data.len)
		return SIP_FRAME_MORE;
	if (!f->scanned)
		step = blank_step(data, out);
	if (step == SIP_FRAME_MESSAGE)
		step = message_step(f, data, out);
	if (step != SIP_FRAME_MORE)
		memset(f, 0, sizeof(*f));
	return step;
}
