/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SB_API_LOCK_OUT_H
#define SB_API_LOCK_OUT_H

#include "api/method.h"

/* Whether a change of settings would shut out whoever asks for it. Nothing
 * changes here. */

/* ERR_LOCK_OUT: on another connection like the caller's he would not get in,
 * and why: his service would be off, the redirect would lead nowhere, the mode
 * or the version of TLS would refuse him. numbers: what would be in force;
 * changed: a setting_bit() for each other value. */
int lock_out_check(const struct call *c, const struct setting_numbers *numbers,
		   uint64_t changed, struct error *e) MUST_CHECK;

/* ERR_TRUST_EMPTY: client certificates would be asked for, and there is nobody
 * in the HTTPS trust store to vouch for one. */
int lock_out_check_trust(const struct call *c,
			 const struct setting_numbers *numbers,
			 uint64_t changed, struct error *e) MUST_CHECK;

/* ERR_LOCK_OUT: the caller comes over HTTPS, where clients are verified, and
 * with an empty HTTPS trust store nobody's certificate would pass. */
int lock_out_check_no_trust(const struct call *c, struct error *e) MUST_CHECK;

/* In plain words: how the caller would get in afterwards, when he would. */
const char *lock_out_describe(const struct call *c,
			      const struct setting_numbers *numbers);

#endif
