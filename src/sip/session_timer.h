/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SB_SIP_SESSION_TIMER_H
#define SB_SIP_SESSION_TIMER_H

#include "sip/sip_head.h"

/* Session timers (RFC 4028): how long a call lasts unless somebody refreshes
 * it, and who that is. Pure: seconds come in, seconds go out. */

enum {
	SESSION_SECONDS = 1800,   /* what is asked for usually, 4.1 */
	SESSION_SECONDS_MIN = 90, /* the least that anybody may ask for, 5 */
};

enum session_refresher { REFRESHER_NOBODY, REFRESHER_UAC, REFRESHER_UAS };

/* What a request or a 2xx to it says. Zeros: nothing. */
struct session_words {
	unsigned expires; /* seconds, 0: no Session-Expires */
	enum session_refresher refresher;
	unsigned least; /* Min-SE, 0: none */
	bool supported; /* "timer" stands in Supported or Require */
};

/* -1: a field that cannot be read (400). */
int session_words_read(const struct sip_head *h, struct session_words *out,
		       struct sip_refusal *why);

/* What was agreed. seconds 0: the call has no limit. */
struct session_timer {
	unsigned seconds;
	bool ours; /* we refresh; else we wait for it */
};

/* The answer of the called side, which wants so many seconds at most, to a
 * request (9): 0, and *out goes into the 2xx; -1: the interval is too small, to
 * be refused with 422 and Min-SE: SESSION_SECONDS_MIN. */
int session_timer_answer(const struct session_words *asked, unsigned wanted,
			 struct session_timer *out);
/* What the calling side, which asked for so many, makes of a 2xx (7.2). */
void session_timer_accept(const struct session_words *answered, unsigned wanted,
			  struct session_timer *out);

/* When to refresh, and when the call is at its end without: seconds after the
 * agreement (10). 0: never. */
unsigned session_timer_refresh_at(const struct session_timer *t);
unsigned session_timer_ends_at(const struct session_timer *t);

#endif
