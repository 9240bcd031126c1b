/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SB_FRONT_HTTP_REQUEST_H
#define SB_FRONT_HTTP_REQUEST_H

#include <http_parser.h>

#include "front/http_head.h"

/* A client's request, collected whole and written anew for the backend. Two
 * parsers must agree on it: the strict split of http_head.h and http_parser,
 * which frames the body. The backend only ever sees what is written here: one
 * Host, one length, no transfer coding, no field of the connection. No I/O. */

struct http_request_reader {
	size_t head_bytes, body_bytes; /* limits */

	struct buf head; /* for the backend, without the closing fields */
	struct buf body; /* decoded */

	/* Known once the head is complete. */
	bool head_done;
	bool safe;       /* GET, HEAD or OPTIONS: may be sent a second time */
	bool get;        /* GET */
	bool head_only;  /* HEAD: the answer has no body */
	bool keep_alive; /* the client wants to go on */
	unsigned minor;  /* HTTP/1.minor */

	struct http_refusal refusal; /* with HTTP_REFUSED */

	/* inner state */
	http_parser parser;
	size_t scanned;
	bool chunked, length_given, expects;
	bool complete, too_large, no_memory;
	uint64_t length;
};

void http_request_init(struct http_request_reader *r, size_t head_bytes,
		       size_t body_bytes);
void http_request_free(struct http_request_reader *r);

/* Everything unread of the connection goes in; *used_out of it is done with
 * (0 while the head is not complete). HTTP_CONTINUE comes once, then feed
 * again. */
enum http_step http_request_feed(struct http_request_reader *r,
				 struct view data, size_t *used_out);

/* After HTTP_DONE: the closing fields and the empty line. keep: the backend
 * connection is to be used again. 0, or -1: ERR_NOMEM. */
int http_request_close_head(struct http_request_reader *r, bool keep,
			    struct error *e) MUST_CHECK;

#endif
