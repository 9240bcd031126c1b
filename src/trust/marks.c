/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <stdio.h>
#include <string.h>

#include "trust/trust.h"

/* Curves whose groups are too small, as cert_key_text() names them. */
static const char *const small_curves[] = { "secp112", "secp128",    "secp160",
					    "secp192", "prime192v1", "secp224",
					    "sect1",   "brainpoolP1" };

static bool is_small_curve(const char *text)
{
	for (size_t i = 0; i < sizeof(small_curves) / sizeof(*small_curves);
	     i++)
		if (!strncmp(text, small_curves[i], strlen(small_curves[i])))
			return true;
	return false;
}

static bool key_is_weak(const struct cert *c)
{
	const char *text = cert_key_text(c);
	unsigned bits;

	if (sscanf(text, "RSA %u", &bits) == 1 ||
	    sscanf(text, "RSA-PSS %u", &bits) == 1)
		return bits < KEY_RSA_BITS_MIN;
	if (!strncmp(text, "EC ", 3))
		return is_small_curve(text + 3);
	return !strncmp(text, "DSA ", 4);
}

/* Nobody relies on what a root signed about itself. */
static bool signature_is_weak(const struct cert *c)
{
	return !cert_is_self_issued(c) &&
	       cert_signature_strength(c) != CERT_SIGNATURE_GOOD;
}

const char *trust_mark_name(enum trust_mark mark)
{
	static const char *const names[TRUST_MARK_COUNT] = {
		[TRUST_MARK_EXPIRED] = "expired",
		[TRUST_MARK_NOT_YET_VALID] = "notYetValid",
		[TRUST_MARK_WEAK_KEY] = "weakKey",
		[TRUST_MARK_WEAK_SIGNATURE] = "weakSignature",
		[TRUST_MARK_NO_AUTHORITY] = "notAuthority",
	};

	return names[mark];
}

unsigned trust_marks(const struct cert *c, time_t now)
{
	const bool marks[TRUST_MARK_COUNT] = {
		[TRUST_MARK_EXPIRED] = cert_not_after(c) < now,
		[TRUST_MARK_NOT_YET_VALID] = cert_not_before(c) > now,
		[TRUST_MARK_WEAK_KEY] = key_is_weak(c),
		[TRUST_MARK_WEAK_SIGNATURE] = signature_is_weak(c),
		[TRUST_MARK_NO_AUTHORITY] = !cert_is_ca(c),
	};
	unsigned bits = 0;

	for (unsigned i = 0; i < TRUST_MARK_COUNT; i++)
		bits |= marks[i] ? 1u << i : 0;
	return bits;
}
