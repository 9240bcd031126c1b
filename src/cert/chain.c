/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "cert/bundle.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cert/cert_private.h"

/* Most certificates in a chain, and most signatures verified for one upload:
 * many certificates of one name must not keep a processor busy. */
enum { CHAIN_DEPTH_MAX = 16, CHAIN_VERIFY_MAX = 2000 };

struct build {
	const struct cert_list *in;
	bool *used; /* in the chain */
	unsigned verified;
	struct error *e;
};

/* 1 yes, 0 no, -1 ERR_LIMIT. */
static int issued_by(struct build *b, const struct cert *c,
		     const struct cert *issuer)
{
	if (!cert_names_fit(c, issuer))
		return 0;
	if (b->verified++ >= CHAIN_VERIFY_MAX)
		return error_set(b->e, ERR_LIMIT,
				 "too many certificates of one name");
	return cert_is_issued_by(c, issuer);
}

/* Whether in->items[i] issued another one of the upload. */
static int issued_any(struct build *b, size_t i)
{
	const struct cert *issuer = b->in->items[i];

	for (size_t k = 0; k < b->in->count; k++) {
		int yes = k == i ? 0 : issued_by(b, b->in->items[k], issuer);

		if (yes)
			return yes;
	}
	return 0;
}

/* Of two certificates for the same key: rather one that somebody else signed,
 * then the newer one. */
static bool better_leaf(const struct cert *a, const struct cert *b)
{
	bool a_self = cert_is_self_issued(a), b_self = cert_is_self_issued(b);

	if (a_self != b_self)
		return b_self;
	return cert_not_before(a) > cert_not_before(b);
}

static int leaf_by_key(struct build *b, const struct public_key *key)
{
	struct error ignored = ERROR_INIT;
	int best = -1;

	for (size_t i = 0; i < b->in->count; i++) {
		const struct cert *c = b->in->items[i];
		const struct public_key *own = cert_public_key(c, &ignored);

		if (own && public_key_equal(own, key) &&
		    (best < 0 || better_leaf(c, b->in->items[best])))
			best = (int)i;
	}
	return best;
}

/* The only certificate that issued none of the others; when there are several,
 * the only one of these that is no CA. -1: *e says why not. */
static int leaf_by_position(struct build *b)
{
	int any = -1, plain = -1, any_count = 0, plain_count = 0;

	for (size_t i = 0; i < b->in->count; i++) {
		int issued = issued_any(b, i);

		if (issued < 0)
			return -1;
		if (issued)
			continue;
		any = (int)i;
		any_count++;
		if (!cert_is_ca(b->in->items[i])) {
			plain = (int)i;
			plain_count++;
		}
	}
	if (any_count == 1)
		return any;
	if (plain_count == 1)
		return plain;
	return error_set(b->e, ERR_CERTIFICATE,
			 "%d of the %zu certificates could be the device's "
			 "own; only one may be no issuer of another",
			 any_count, b->in->count);
}

/* "RSA 2048, 1a2b3c4d": enough to tell two keys of one size apart. */
static void key_words(const struct public_key *k, char out[32])
{
	char kind[16], id[9];

	public_key_describe(k, kind);
	hex_encode(k->id, 4, id);
	snprintf(out, 32, "%s, %s", kind, id);
}

static int mismatch(struct build *b, const struct public_key *key)
{
	struct error why = ERROR_INIT;
	const struct public_key *own;
	char given[32], found[32];
	int leaf;

	key_words(key, given);
	leaf = leaf_by_position(b);
	if (leaf < 0)
		return error_set(b->e, ERR_KEY_MISMATCH,
				 "none of the %zu certificates carries the "
				 "private key (%s)",
				 b->in->count, given);
	own = cert_public_key(b->in->items[leaf], &why);
	if (!own)
		return error_set(b->e, ERR_KEY_MISMATCH,
				 "the certificate is for another key (%s) than "
				 "the private key (%s)",
				 cert_key_text(b->in->items[leaf]), given);
	key_words(own, found);
	return error_set(b->e, ERR_KEY_MISMATCH,
			 "the certificate is for another key (%s) than the "
			 "private key (%s)",
			 found, given);
}

/* Append the certificate and its issuers, as far as the upload has them. */
static int follow(struct build *b, size_t at, struct cert_chain *out)
{
	size_t next;
	int yes;

	for (;;) {
		const struct cert *c = b->in->items[at];

		b->used[at] = true;
		if (cert_list_add(&out->chain, c, b->e) < 0)
			return -1;
		if (cert_is_issued_by(c, c))
			return 0;
		for (next = 0; next < b->in->count; next++) {
			yes = b->used[next]
				  ? 0
				  : issued_by(b, c, b->in->items[next]);
			if (yes < 0)
				return -1;
			if (yes)
				break;
		}
		if (next == b->in->count)
			return 0;
		if (out->chain.count == CHAIN_DEPTH_MAX)
			return error_set(b->e, ERR_LIMIT,
					 "chain of more than %d certificates",
					 CHAIN_DEPTH_MAX);
		out->reordered |= next < at;
		at = next;
	}
}

static int build(struct build *b, const struct public_key *key,
		 struct cert_chain *out)
{
	int leaf = key ? leaf_by_key(b, key) : leaf_by_position(b);

	if (leaf < 0)
		return key ? mismatch(b, key) : -1;
	if (follow(b, (size_t)leaf, out) < 0)
		return -1;
	for (size_t i = 0; i < b->in->count; i++)
		if (!b->used[i] &&
		    cert_list_add(&out->dropped, b->in->items[i], b->e) < 0)
			return -1;
	return 0;
}

int cert_chain_build(const struct cert_list *in, const struct public_key *key,
		     struct cert_chain *out, struct error *e)
{
	struct build b = { .in = in, .e = e };
	int rc;

	memset(out, 0, sizeof(*out));
	if (in->count == 0)
		return error_set(e, ERR_CERTIFICATE, "no certificate");
	b.used = calloc(in->count, sizeof(*b.used));
	if (!b.used)
		return error_nomem(e);
	rc = build(&b, key, out);
	free(b.used);
	if (rc < 0)
		cert_chain_free(out);
	return rc;
}

void cert_chain_free(struct cert_chain *c)
{
	cert_list_free(&c->chain);
	cert_list_free(&c->dropped);
	c->reordered = false;
}
