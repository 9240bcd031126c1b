/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/key_pem.h"

#include <string.h>

#include "base/base64.h"

#define BEGIN "-----BEGIN PUBLIC KEY-----"
#define END   "-----END PUBLIC KEY-----"

enum { LINE_CHARS = 64 };

int public_key_to_pem(const struct public_key *k, struct buf *out,
		      struct error *e)
{
	struct buf line;
	int rc;

	buf_init(&line, PUBLIC_KEY_PEM_MAX);
	rc = base64_encode(view_of(k->spki, k->spki_len), &line, e);
	if (rc == 0)
		rc = buf_adds(out, BEGIN "\n", e);
	for (size_t at = 0; rc == 0 && at < line.len; at += LINE_CHARS)
		rc = buf_addf(out, e, "%.*s\n", LINE_CHARS,
			      buf_cstr(&line) + at);
	if (rc == 0)
		rc = buf_adds(out, END "\n", e);
	buf_free(&line);
	return rc;
}

static const uint8_t *find(struct view in, const char *what)
{
	return memmem(in.ptr, in.len, what, strlen(what));
}

static struct view rest_of(struct view text, const uint8_t *from)
{
	return view_of(from, (size_t)(text.ptr + text.len - from));
}

int public_key_from_pem(struct view text, struct public_key *out,
			struct error *e)
{
	uint8_t der[PUBLIC_KEY_PEM_MAX];
	const uint8_t *begin = find(text, BEGIN), *end;
	struct view body;
	size_t len, bad;

	if (!begin)
		return error_set(e, ERR_INPUT, "no \"" BEGIN "\" in it");
	body = rest_of(text, begin + strlen(BEGIN));
	end = find(body, END);
	if (!end)
		return error_set(e, ERR_INPUT, "no \"" END "\" in it");
	if (find(rest_of(text, end), BEGIN))
		return error_set(e, ERR_INPUT, "more than one public key");
	body.len = (size_t)(end - body.ptr);
	if (base64_decoded_max(body.len) > sizeof(der))
		return error_set(e, ERR_INPUT, "the public key is too long");
	if (base64_decode(body, der, &len, &bad) < 0)
		return error_set(e, ERR_INPUT,
				 "the public key is no Base64 at byte %zu",
				 bad);
	return public_key_from_spki(view_of(der, len), out, e);
}
