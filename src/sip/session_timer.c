/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sip/session_timer.h"

#include <string.h>

#include "sip/sip_check.h"

enum { END_MARGIN_MAX = 32 }; /* seconds, RFC 4028 10 */

/* The only fields that are not sip_head's business. */
static const char session_expires[] = "Session-Expires";
static const char session_expires_short[] = "x";
static const char min_se[] = "Min-SE";
static const char supported[] = "Supported";
static const char supported_short[] = "k";

/* "seconds;name=value;..." */
static int read_seconds(struct view value, unsigned *out, struct view *params,
			struct sip_refusal *why)
{
	const uint8_t *end = memchr(value.ptr, ';', value.len);
	size_t n = end ? (size_t)(end - value.ptr) : value.len;
	uint64_t seconds;

	if (!sip_number(sip_trim(view_of(value.ptr, n)), UINT32_MAX, &seconds))
		return sip_refuse(why, 400, "a session interval is no number",
				  value);
	*out = (unsigned)seconds;
	*params = view_of(value.ptr + n, value.len - n);
	return 0;
}

/* Value of the parameter refresher. */
static enum session_refresher find_refresher(struct view params)
{
	while (params.len) {
		const uint8_t *next =
		    memchr(params.ptr + 1, ';', params.len - 1);
		size_t n = next ? (size_t)(next - params.ptr) : params.len;
		struct view one = view_of(params.ptr + 1, n - 1);
		const uint8_t *equals = memchr(one.ptr, '=', one.len);
		size_t name = equals ? (size_t)(equals - one.ptr) : one.len;

		if (equals && sip_text_is(sip_trim(view_of(one.ptr, name)),
					  "refresher")) {
			struct view value =
			    sip_trim(view_of(equals + 1, one.len - name - 1));

			return sip_text_is(value, "uac")   ? REFRESHER_UAC
			       : sip_text_is(value, "uas") ? REFRESHER_UAS
							   : REFRESHER_NOBODY;
		}
		params = view_of(params.ptr + n, params.len - n);
	}
	return REFRESHER_NOBODY;
}

static bool lists_timer(struct view value)
{
	struct view word;

	while (sip_next_word(&value, &word))
		if (sip_text_is(word, "timer"))
			return true;
	return false;
}

int session_words_read(const struct sip_head *h, struct session_words *out,
		       struct sip_refusal *why)
{
	struct view params;

	memset(out, 0, sizeof(*out));
	for (size_t i = 0; i < h->count; i++) {
		const struct sip_field *f = &h->fields[i];

		if (sip_text_is(f->name, session_expires) ||
		    sip_text_is(f->name, session_expires_short)) {
			if (read_seconds(f->value, &out->expires, &params,
					 why) < 0)
				return -1;
			out->refresher = find_refresher(params);
		} else if (sip_text_is(f->name, min_se)) {
			if (read_seconds(f->value, &out->least, &params, why) <
			    0)
				return -1;
		} else if (f->id == SIP_REQUIRE ||
			   sip_text_is(f->name, supported) ||
			   sip_text_is(f->name, supported_short)) {
			out->supported =
			    out->supported || lists_timer(f->value);
		}
	}
	return 0;
}

static unsigned at_least(unsigned seconds, unsigned least)
{
	return seconds < least ? least : seconds;
}

int session_timer_answer(const struct session_words *asked, unsigned wanted,
			 struct session_timer *out)
{
	unsigned least = at_least(asked->least, SESSION_SECONDS_MIN);

	out->seconds = 0;
	out->ours = true;
	if (asked->expires && asked->expires < SESSION_SECONDS_MIN)
		/* 9: only who knows the extension understands 422. */
		return asked->supported ? -1 : 0;
	/* We want a limit in any case: a caller that is gone is noticed. */
	out->seconds =
	    asked->expires && asked->expires < wanted ? asked->expires : wanted;
	out->seconds = at_least(out->seconds, least);
	if (asked->supported)
		out->ours = asked->refresher != REFRESHER_UAC;
	return 0;
}

void session_timer_accept(const struct session_words *answered, unsigned wanted,
			  struct session_timer *out)
{
	out->seconds = answered->expires;
	/* Without an answer about it, a limit of our own would only end calls
	 * with those who do not know it: we refresh. */
	if (!answered->expires)
		out->seconds = wanted;
	/* Less than anybody may ask for would end the call at once. */
	if (out->seconds < SESSION_SECONDS_MIN)
		out->seconds = SESSION_SECONDS_MIN;
	out->ours = !answered->expires || answered->refresher != REFRESHER_UAS;
}

unsigned session_timer_refresh_at(const struct session_timer *t)
{
	return t->ours ? t->seconds / 2 : 0;
}

/* The lesser of 32 seconds and a third before the end. */
unsigned session_timer_ends_at(const struct session_timer *t)
{
	unsigned margin = t->seconds / 3;

	return t->seconds - (margin < END_MARGIN_MAX ? margin : END_MARGIN_MAX);
}
