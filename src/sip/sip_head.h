/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SB_SIP_SIP_HEAD_H
#define SB_SIP_SIP_HEAD_H

#include <stdbool.h>

#include "base/buf.h"

/* A SIP message split into start line, header fields and body (RFC 3261 7), as
 * views into it. It is as strict as framing needs (lines end with CRLF, no NUL)
 * and knows as little of the fields as the admission of a message asks for:
 * what passes goes on to libosip2's parser, and what does not can still be
 * answered. Pure; any thread. */

enum { SIP_FIELDS_MAX = 128 };

enum sip_field_id {
	SIP_CALL_ID,
	SIP_CONTACT,
	SIP_CONTENT_ENCODING,
	SIP_CONTENT_LENGTH,
	SIP_CONTENT_TYPE,
	SIP_CSEQ,
	SIP_FROM,
	SIP_MAX_FORWARDS,
	SIP_REQUIRE,
	SIP_TO,
	SIP_VIA,
	SIP_OTHER_FIELD
};

struct sip_field {
	enum sip_field_id id;
	struct view name;  /* as it was written, possibly the short form */
	struct view value; /* without blanks around it; may be folded */
};

struct sip_head {
	bool request;
	struct view method, uri; /* requests */
	unsigned status;         /* answers: 100 to 699 */
	struct view version;     /* "SIP/2.0" */
	struct sip_field fields[SIP_FIELDS_MAX];
	size_t count;
	struct view body;
};

/* Why a message goes no further, and what a request is answered with. */
struct sip_refusal {
	unsigned status;      /* 400, 405, 415, ...; 0: no answer fits */
	const char *reason;   /* RFC 3261's phrase for the status, static */
	const char *why;      /* for our log and the Warning, static */
	struct view offender; /* a part of the message, or empty */
};

/* Fill *why; -1. */
int sip_refuse(struct sip_refusal *why, unsigned status, const char *text,
	       struct view offender);
/* "Not Found"; NULL for a status that we never send. */
const char *sip_reason(unsigned status);

/* Length of the head that data begins with, the empty line included; 0 while it
 * has no end. *scanned, 0 at first, remembers how far was looked. */
size_t sip_head_length(struct view data, size_t *scanned);

/* CR and LF come as a pair, and there is no NUL: NULL, else what is wrong. Such
 * a head cannot even be framed. */
const char *sip_head_fault(struct view head);

/* Views into message, a whole head and what follows it. On -1 what was split so
 * far is in *out, so that an answer may still be possible. */
int sip_head_split(struct view message, struct sip_head *out,
		   struct sip_refusal *why);

/* Number of fields of that kind; *first, which may be NULL, is the first. */
size_t sip_head_find(const struct sip_head *h, enum sip_field_id id,
		     struct view *first);
/* Value of the Content-Length fields. 1: *out holds it (SIZE_MAX: more than any
 * limit), 0: there is none, -1: refused. */
int sip_head_content_length(const struct sip_head *h, size_t *out,
			    struct sip_refusal *why);

/* Parts of texts. */
bool sip_is_token(struct view v); /* RFC 3261 25.1 */
/* ASCII, without regard to case. */
bool sip_text_is(struct view v, const char *wanted);
/* Digits only; false also for a number above most. */
bool sip_number(struct view v, uint64_t most, uint64_t *out);
struct view sip_trim(struct view v);

#endif
