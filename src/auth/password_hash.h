/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SB_AUTH_PASSWORD_HASH_H
#define SB_AUTH_PASSWORD_HASH_H

#include <stdbool.h>

#include "base/buf.h"

/* Passwords as crypt(5) strings (yescrypt). One computation takes about 30 ms
 * and 16 MiB; so few run at once and few wait. Any thread. */

enum {
	PASSWORD_HASH_SIZE = 256,
	PASSWORD_HASHES_AT_ONCE = 4,
	PASSWORD_HASHES_WAITING = 16
};

/* Of 1 to PASSWORD_BYTES_MAX bytes without NUL. ERR_LIMIT: too many wait. */
int password_hash(struct view password, char out[PASSWORD_HASH_SIZE],
		  struct error *e) MUST_CHECK;

/* Whether the password belongs to the hash. Takes the same time for any
 * password and any hash of ours; a password that cannot be one (too long, NUL)
 * is worked on too and is wrong. ERR_LIMIT: too many wait. */
int password_verify(struct view password, const char *hash, bool *right_out,
		    struct error *e) MUST_CHECK;

#endif
