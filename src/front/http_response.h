/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SB_FRONT_HTTP_RESPONSE_H
#define SB_FRONT_HTTP_RESPONSE_H

#include <http_parser.h>

#include "front/http_head.h"

/* The backend's answer on its way to the client: its frame is followed to the
 * last byte, its fields of the connection are replaced by ours. No I/O. */

enum { HTTP_RESPONSE_HEAD_MAX = 32768 };

struct http_response_reader {
	/* What was asked; filled in before the first byte. */
	bool head_only;         /* HEAD */
	unsigned client_minor;  /* 0: no chunks for this client */
	bool client_keep_alive; /* the client wants to go on */

	/* Known once the head is complete. */
	bool head_done;
	bool backend_keeps; /* framed by length, and the backend goes on */
	bool client_closes; /* the client's connection ends after this */
	bool body_begun;

	struct http_refusal refusal;

	/* inner state */
	http_parser parser;
	struct buf head;
	size_t scanned;
	unsigned status;
	bool bodiless, by_end, chunked, unchunk, complete, no_memory;
	struct buf *out;
};

void http_response_init(struct http_response_reader *r);
void http_response_free(struct http_response_reader *r);

/* Bytes from the backend; what is for the client goes behind out (NULL: is
 * dropped). HTTP_DONE with *used_out less than data.len: the backend sent more
 * than its answer. HTTP_REFUSED: not an answer that can be passed on. */
enum http_step http_response_feed(struct http_response_reader *r,
				  struct view data, size_t *used_out,
				  struct buf *out);
/* The backend closed: HTTP_DONE when that is how this answer ends. */
enum http_step http_response_end(struct http_response_reader *r);

#endif
