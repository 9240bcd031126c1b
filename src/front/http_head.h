/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SB_FRONT_HTTP_HEAD_H
#define SB_FRONT_HTTP_HEAD_H

#include "base/buf.h"

/* The head of an HTTP/1 message split strictly (RFC 9112), for both
 * directions. What other parsers forgive (bare LF, folded lines, blanks before
 * the colon, control characters) is refused here, because two programs that
 * forgive differently can be played against each other. Pure. */

enum { HTTP_FIELDS_MAX = 100 };

struct http_field {
	struct view name, value; /* value without blanks around it */
};

struct http_head {
	struct view start_line;
	struct http_field fields[HTTP_FIELDS_MAX];
	size_t count;
};

enum http_step {
	HTTP_MORE,     /* feed more */
	HTTP_CONTINUE, /* the client waits for 100 (requests only) */
	HTTP_DONE,     /* the message is complete */
	HTTP_REFUSED   /* see the refusal */
};

/* Why a message goes no further. The text is static. */
struct http_refusal {
	unsigned status;
	const char *text;
};

/* Length of the head that data begins with, the empty line included; 0 while
 * it is not complete. *scanned (0 at first) remembers how far was looked. */
size_t http_head_length(struct view data, size_t *scanned);

/* Views into head, which is what http_head_length() measured. False: refused,
 * the status (400 or 431) says why. */
bool http_head_split(struct view head, struct http_head *out,
		     struct http_refusal *why);

/* May stand in a method or a field name (RFC 9110 5.6.2). */
bool http_is_token_char(uint8_t c);
/* ASCII, without regard to case. */
bool http_name_is(struct view name, const char *wanted);
/* Number of fields with that name; *first (may be NULL) is the first. */
size_t http_head_find(const struct http_head *h, const char *name,
		      struct view *first);
/* True for a field that means this connection only, or that claims to speak
 * for the connection (Forwarded and its kin): never passed on. */
bool http_field_is_ours(const struct http_head *h, struct view name);

#endif
