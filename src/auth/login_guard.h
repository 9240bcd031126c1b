/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SB_AUTH_LOGIN_GUARD_H
#define SB_AUTH_LOGIN_GUARD_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"

/* Slows down who guesses passwords. Failures are counted per account id (also
 * of accounts that do not exist, so that the delay tells nothing) and per peer
 * (an IPv6 peer is its /64). The tables are fixed: a name falls into a bucket
 * by a keyed hash, so that no flood of names can push another one out. Two
 * names in one bucket share a delay, which hurts nobody much. Any thread. */

enum {
	LOGIN_GUARD_KEY_SIZE = 16,
	LOGIN_ACCOUNT_BUCKETS = 1024,
	LOGIN_PEER_BUCKETS = 4096,
	LOGIN_DELAY_FIRST_MS = 250,
	LOGIN_DELAY_MAX_MS = 4000,
	LOGIN_WAITING_MAX = 8, /* callers in a delay, in all */
	/* Of these, kept for a peer without failures, one a peer. */
	LOGIN_WAITING_RESERVED = LOGIN_WAITING_MAX / 2,
	LOGIN_WAITING_PER_PEER_MAX =
	    4, /* so that one peer cannot shut out all */
	LOGIN_FORGET_MS = 15 * 60 * 1000, /* after the last failure */
	LOGIN_TELL_MS = 60 * 1000 /* from one told refusal to the next */
};

/* 0, 250, 500, ... 4000 ms for 0, 1, 2, ... failures. */
unsigned login_delay_ms(unsigned failures);

struct login_guard;

/* key: LOGIN_GUARD_KEY_SIZE bytes that choose the buckets; NULL: random ones.
 */
struct login_guard *login_guard_new(const uint8_t *key,
				    struct error *e) MUST_CHECK;
void login_guard_free(struct login_guard *g);

/* How long this attempt has to wait; the time is handed in. */
unsigned login_guard_delay(struct login_guard *g, const char *id,
			   const char *peer, int64_t now_ms);
void login_guard_failed(struct login_guard *g, const char *id, const char *peer,
			int64_t now_ms);
/* Forgets the account's failures, and as many of the peer's: the failures of
 * other accounts from that peer stay. */
void login_guard_passed(struct login_guard *g, const char *id,
			const char *peer);

/* Sleep for the delay. ERR_AUTH at once when too many sleep already; peers that
 * failed fill no more than what is not reserved. */
int login_guard_wait(struct login_guard *g, const char *id, const char *peer,
		     struct error *e) MUST_CHECK;

/* Counts an attempt that was refused unread. Gives how many there were since
 * the last telling when it is time to tell, otherwise 0. */
unsigned login_guard_refused(struct login_guard *g, int64_t now_ms);

#endif
