/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sip/digest.h"

#include <stdio.h>
#include <string.h>

#include "base/hash.h"
#include "base/secret.h"
#include "sip/sip_head.h"

enum { HEX_MAX = 2 * SHA256_SIZE + 1 };

static const char *const algorithms[DIGEST_ALGORITHM_COUNT] = {
	[DIGEST_MD5] = "MD5",
	[DIGEST_SHA256] = "SHA-256",
};

const char *digest_algorithm_name(enum digest_algorithm a)
{
	return (unsigned)a < DIGEST_ALGORITHM_COUNT ? algorithms[a] : "";
}

/* --- reading */

static bool is_blank(uint8_t c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static void skip_blanks(struct view *v)
{
	while (v->len && is_blank(v->ptr[0]))
		*v = view_of(v->ptr + 1, v->len - 1);
}

/* A text in quotes, without them and the backslashes. -1: no end, or too long.
 */
static int take_quoted(struct view *v, char out[DIGEST_TEXT_MAX])
{
	size_t n = 0, i = 1;

	for (; i < v->len && v->ptr[i] != '"'; i++) {
		if (v->ptr[i] == '\\')
			i++;
		if (i == v->len || n + 1 == DIGEST_TEXT_MAX || !v->ptr[i])
			return -1;
		out[n++] = (char)v->ptr[i];
	}
	if (i >= v->len)
		return -1;
	out[n] = '\0';
	*v = view_of(v->ptr + i + 1, v->len - i - 1);
	return 0;
}

static int take_word(struct view *v, char out[DIGEST_TEXT_MAX])
{
	size_t n = 0;

	while (n < v->len && v->ptr[n] != ',' && v->ptr[n] != '=' &&
	       !is_blank(v->ptr[n]))
		n++;
	if (!sip_is_token(view_of(v->ptr, n)) || n >= DIGEST_TEXT_MAX)
		return -1;
	memcpy(out, v->ptr, n);
	out[n] = '\0';
	*v = view_of(v->ptr + n, v->len - n);
	return 0;
}

/* The next name=value, commas between them. 1: there is one; 0: the end; -1:
 * something else. */
static int next_parameter(struct view *v, char name[DIGEST_TEXT_MAX],
			  char text[DIGEST_TEXT_MAX])
{
	while (v->len && (is_blank(v->ptr[0]) || v->ptr[0] == ','))
		*v = view_of(v->ptr + 1, v->len - 1);
	if (!v->len)
		return 0;
	if (take_word(v, name) < 0)
		return -1;
	skip_blanks(v);
	if (!v->len || v->ptr[0] != '=')
		return -1;
	*v = view_of(v->ptr + 1, v->len - 1);
	skip_blanks(v);
	if ((v->len && v->ptr[0] == '"' ? take_quoted(v, text)
					: take_word(v, text)) < 0)
		return -1;
	skip_blanks(v);
	return !v->len || v->ptr[0] == ',' ? 1 : -1;
}

static bool offers_auth(const char *list)
{
	struct view rest = view_str(list);

	while (rest.len) {
		const uint8_t *comma = memchr(rest.ptr, ',', rest.len);
		size_t n = comma ? (size_t)(comma - rest.ptr) : rest.len;

		if (sip_text_is(sip_trim(view_of(rest.ptr, n)), "auth"))
			return true;
		rest = comma ? view_of(comma + 1, rest.len - n - 1)
			     : view_of("", 0);
	}
	return false;
}

/* What was read so far beside the challenge itself. */
struct reading {
	bool realm, nonce, other_algorithm, other_qop;
};

static void take_algorithm(const char *text, struct digest_challenge *out,
			   struct reading *r)
{
	r->other_algorithm = true;
	for (int a = 0; a < DIGEST_ALGORITHM_COUNT; a++)
		if (sip_text_is(view_str(text), algorithms[a])) {
			out->algorithm = (enum digest_algorithm)a;
			r->other_algorithm = false;
		}
}

static void take_parameter(const char *name, const char *text,
			   struct digest_challenge *out, struct reading *r)
{
	struct view n = view_str(name);
	size_t size = strlen(text) + 1; /* all of these texts have one size */

	if (sip_text_is(n, "realm")) {
		memcpy(out->realm, text, size);
		r->realm = true;
	} else if (sip_text_is(n, "nonce")) {
		memcpy(out->nonce, text, size);
		r->nonce = true;
	} else if (sip_text_is(n, "opaque")) {
		memcpy(out->opaque, text, size);
		out->has_opaque = true;
	} else if (sip_text_is(n, "stale")) {
		out->stale = sip_text_is(view_str(text), "true");
	} else if (sip_text_is(n, "algorithm")) {
		take_algorithm(text, out, r);
	} else if (sip_text_is(n, "qop")) {
		out->qop = offers_auth(text);
		r->other_qop = !out->qop;
	}
}

int digest_challenge_read(struct view value, struct digest_challenge *out,
			  struct error *e)
{
	char name[DIGEST_TEXT_MAX], text[DIGEST_TEXT_MAX];
	struct reading r = { 0 };
	int rc;

	memset(out, 0, sizeof(*out));
	skip_blanks(&value);
	if (value.len > DIGEST_VALUE_MAX || take_word(&value, name) < 0)
		return error_set(e, ERR_INPUT, "no authentication challenge");
	if (!sip_text_is(view_str(name), "Digest"))
		return error_set(e, ERR_UNSUPPORTED,
				 "authentication by \"%.32s\", not Digest",
				 name);
	while ((rc = next_parameter(&value, name, text)) > 0)
		take_parameter(name, text, out, &r);
	if (rc < 0 || !r.realm || !r.nonce)
		return error_set(e, ERR_INPUT,
				 "an authentication challenge that cannot be "
				 "read, or without realm or nonce");
	if (r.other_algorithm || r.other_qop)
		return error_set(e, ERR_UNSUPPORTED,
				 "digest authentication neither by SHA-256 nor "
				 "by MD5, or not with qop auth");
	return 0;
}

/* --- answering */

static size_t hash_texts(enum digest_algorithm a, const char *const *texts,
			 char hex[HEX_MAX], struct error *e)
{
	uint8_t digest[SHA256_SIZE];
	struct buf in;
	size_t size = 0;

	buf_init_secret(&in, (size_t)8 * DIGEST_VALUE_MAX);
	for (; *texts; texts++)
		if (buf_adds(&in, *texts, e) < 0 ||
		    (texts[1] && buf_adds(&in, ":", e) < 0))
			goto out;
	if (a == DIGEST_MD5)
		md5_of(buf_view(&in), digest);
	else
		sha256_of(buf_view(&in), digest);
	size = a == DIGEST_MD5 ? MD5_SIZE : SHA256_SIZE;
	hex_encode(digest, size, hex);
out:
	secret_wipe(digest, sizeof(digest));
	buf_free(&in);
	return size;
}

/* A text in quotes again. */
static int add_quoted(struct buf *out, const char *name, const char *text,
		      struct error *e)
{
	if (buf_addf(out, e, "%s=\"", name) < 0)
		return -1;
	for (; *text; text++)
		if (((*text == '"' || *text == '\\') &&
		     buf_adds(out, "\\", e) < 0) ||
		    buf_add(out, text, 1, e) < 0)
			return -1;
	return buf_adds(out, "\"", e);
}

static int compute(const struct digest_challenge *c,
		   const struct digest_request *r, const char *count,
		   char response[HEX_MAX], struct error *e)
{
	const char *const who[] = { r->user_name, c->realm, r->password, NULL };
	const char *const what[] = { r->method, r->uri, NULL };
	char a1[HEX_MAX], a2[HEX_MAX];
	const char *const with_qop[] = { a1,     c->nonce, count, r->cnonce,
					 "auth", a2,       NULL };
	const char *const without[] = { a1, c->nonce, a2, NULL };

	bool made =
	    hash_texts(c->algorithm, who, a1, e) &&
	    hash_texts(c->algorithm, what, a2, e) &&
	    hash_texts(c->algorithm, c->qop ? with_qop : without, response, e);

	/* It is as good as the password there. */
	secret_wipe(a1, sizeof(a1));
	return made ? 0 : -1;
}

int digest_answer(const struct digest_challenge *c,
		  const struct digest_request *r, struct buf *out,
		  struct error *e)
{
	char count[9], response[HEX_MAX];

	snprintf(count, sizeof(count), "%08x", r->count);
	if (compute(c, r, count, response, e) < 0 ||
	    buf_adds(out, "Digest ", e) < 0 ||
	    add_quoted(out, "username", r->user_name, e) < 0 ||
	    add_quoted(out, ", realm", c->realm, e) < 0 ||
	    add_quoted(out, ", nonce", c->nonce, e) < 0 ||
	    add_quoted(out, ", uri", r->uri, e) < 0 ||
	    buf_addf(out, e, ", response=\"%s\", algorithm=%s", response,
		     algorithms[c->algorithm]) < 0 ||
	    (c->has_opaque && add_quoted(out, ", opaque", c->opaque, e) < 0) ||
	    (c->qop && buf_addf(out, e, ", qop=auth, nc=%s, cnonce=\"%s\"",
				count, r->cnonce) < 0))
		return -1;
	return 0;
}
