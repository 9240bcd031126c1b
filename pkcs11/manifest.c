/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "pkcs11/manifest.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define HEAD      "sealbridge manifest 1"
#define SUM_WORD  "sum "
#define NO_ID     "-"
#define KEY_ROLE  "key"
#define BAD(what) error_set(e, ERR_INPUT, "manifest: bad %s", what)

enum { LINE_MAX_BYTES = 512, HEX_SHA256 = 2 * SHA256_SIZE };

bool manifest_role_is_key(const char *role)
{
	return !strcmp(role, KEY_ROLE);
}

void manifest_free(struct manifest *m)
{
	free(m->members);
	memset(m, 0, sizeof(*m));
}

int manifest_compare(const struct manifest *a, const struct manifest *b)
{
	if (a->generation != b->generation)
		return a->generation > b->generation ? 1 : -1;
	return memcmp(a->sum, b->sum, sizeof(a->sum));
}

/* --- words */

static bool text_is_plain(const char *s, size_t max)
{
	size_t n = strlen(s);

	if (n == 0 || n >= max)
		return false;
	for (; *s; s++)
		if ((unsigned char)*s < 0x20 || *s == 0x7f)
			return false;
	return true;
}

/* Roles and the names of facts. */
static bool word_is_plain(const char *s)
{
	size_t n = strspn(s, "abcdefghijklmnopqrstuvwxyz"
			     "ABCDEFGHIJKLMNOPQRSTUVWXYZ");

	return n > 0 && n < SET_ROLE_MAX && !s[n];
}

/* --- writing */

static int put_member(struct buf *out, const struct set_member *m,
		      struct error *e)
{
	char sha[HEX_SHA256 + 1], id[2 * TOKEN_ID_MAX + 1];
	const char *label = m->label ? m->label : "";

	if (!word_is_plain(m->role))
		return BAD("role");
	if (m->id.len > TOKEN_ID_MAX)
		return BAD("id");
	if (!text_is_plain(label, TOKEN_LABEL_MAX))
		return BAD("label");
	hex_encode(m->sha256, sizeof(m->sha256), sha);
	hex_encode(m->id.bytes, m->id.len, id);
	return buf_addf(out, e, "member %s %s %s %s\n", m->role, sha,
			m->id.len ? id : NO_ID, label);
}

static int put_fact(struct buf *out, const struct set_fact *f, struct error *e)
{
	if (!word_is_plain(f->name))
		return BAD("name of a fact");
	if (!text_is_plain(f->value, SET_FACT_MAX))
		return BAD("fact");
	return buf_addf(out, e, "fact %s %s\n", f->name, f->value);
}

static int put_sum(struct buf *out, struct error *e)
{
	uint8_t sum[SHA256_SIZE];
	char hex[HEX_SHA256 + 1];

	sha256_of(buf_view(out), sum);
	hex_encode(sum, sizeof(sum), hex);
	return buf_addf(out, e, SUM_WORD "%s\n", hex);
}

int manifest_format(const char *name, const char *serial, uint64_t generation,
		    const struct set_member *members, size_t member_count,
		    const struct set_fact *facts, size_t fact_count,
		    struct buf *out, struct error *e)
{
	if (!text_is_plain(name, SET_NAME_MAX))
		return BAD("name");
	if (member_count > SET_MEMBERS_MAX || fact_count > SET_FACTS_MAX)
		return error_set(e, ERR_LIMIT,
				 "more than %d certificates in a set",
				 (int)SET_MEMBERS_MAX);
	if (buf_addf(out, e, HEAD "\nset %s\n", name) < 0)
		return -1;
	if (serial[0] && buf_addf(out, e, "token %s\n", serial) < 0)
		return -1;
	if (buf_addf(out, e, "generation %" PRIu64 "\n", generation) < 0)
		return -1;
	for (size_t i = 0; i < fact_count; i++)
		if (put_fact(out, &facts[i], e) < 0)
			return -1;
	for (size_t i = 0; i < member_count; i++)
		if (put_member(out, &members[i], e) < 0)
			return -1;
	return put_sum(out, e);
}

/* --- reading */

/* The next space-separated word of *at into out; false: none or too long. */
static bool next_word(const char **at, char *out, size_t cap)
{
	size_t n = strcspn(*at, " ");

	if (n == 0 || n >= cap)
		return false;
	memcpy(out, *at, n);
	out[n] = '\0';
	*at += n;
	if (**at == ' ')
		(*at)++;
	return true;
}

static bool copy_rest(const char *rest, char *out, size_t cap)
{
	if (!text_is_plain(rest, cap))
		return false;
	memcpy(out, rest, strlen(rest) + 1);
	return true;
}

static int take_set(struct manifest *m, const char *rest, struct error *e)
{
	return copy_rest(rest, m->name, sizeof(m->name)) ? 0 : BAD("name");
}

static int take_token(struct manifest *m, const char *rest, struct error *e)
{
	return copy_rest(rest, m->serial, sizeof(m->serial)) ? 0
							     : BAD("serial");
}

static int take_generation(struct manifest *m, const char *rest,
			   struct error *e)
{
	size_t n = strspn(rest, "0123456789");

	/* 19 digits are below 2^63: no overflow, and room to count on */
	if (n == 0 || n > 18 || rest[n])
		return BAD("generation");
	m->generation = strtoull(rest, NULL, 10);
	return m->generation ? 0 : BAD("generation");
}

static int take_fact(struct manifest *m, const char *rest, struct error *e)
{
	struct set_fact *f = &m->facts[m->fact_count];

	if (m->fact_count >= SET_FACTS_MAX)
		return BAD("number of facts");
	if (!next_word(&rest, f->name, sizeof(f->name)) ||
	    !word_is_plain(f->name) ||
	    !copy_rest(rest, f->value, sizeof(f->value)))
		return BAD("fact");
	m->fact_count++;
	return 0;
}

static int take_member(struct manifest *m, const char *rest, struct error *e)
{
	char sha[HEX_SHA256 + 1], id[2 * TOKEN_ID_MAX + 1];
	struct manifest_member *to = &m->members[m->member_count];
	int n = 0;

	if (m->member_count >= SET_MEMBERS_MAX)
		return BAD("number of members");
	if (!next_word(&rest, to->role, sizeof(to->role)) ||
	    !word_is_plain(to->role) || !next_word(&rest, sha, sizeof(sha)) ||
	    hex_decode(sha, to->sha256, SHA256_SIZE) != SHA256_SIZE ||
	    !next_word(&rest, id, sizeof(id)))
		return BAD("member");
	if (strcmp(id, NO_ID) != 0)
		n = hex_decode(id, to->id.bytes, TOKEN_ID_MAX);
	if (n < 0 || !copy_rest(rest, to->label, sizeof(to->label)))
		return BAD("member");
	to->id.len = (size_t)n;
	m->member_count++;
	return 0;
}

static const struct {
	const char *word;
	int (*take)(struct manifest *m, const char *rest, struct error *e);
} line_kinds[] = {
	{ "set ", take_set },
	{ "token ", take_token },
	{ "generation ", take_generation },
	{ "fact ", take_fact },
	{ "member ", take_member },
};

static int take_line(struct manifest *m, const char *line, struct error *e)
{
	for (size_t i = 0; i < sizeof(line_kinds) / sizeof(line_kinds[0]);
	     i++) {
		size_t n = strlen(line_kinds[i].word);

		if (!strncmp(line, line_kinds[i].word, n))
			return line_kinds[i].take(m, line + n, e);
	}
	return BAD("line");
}

/* The text before the sum line, if the sum is right. */
static int check_sum(struct view text, struct view *body, uint8_t *sum,
		     struct error *e)
{
	const size_t tail = strlen(SUM_WORD) + HEX_SHA256 + 1;
	uint8_t wanted[SHA256_SIZE];
	char hex[HEX_SHA256 + 1];

	if (text.len > MANIFEST_TEXT_MAX || text.len <= tail ||
	    text.ptr[text.len - 1] != '\n' ||
	    memcmp(text.ptr + text.len - tail, SUM_WORD, strlen(SUM_WORD)) != 0)
		return BAD("end");
	memcpy(hex, text.ptr + text.len - 1 - HEX_SHA256, HEX_SHA256);
	hex[HEX_SHA256] = '\0';
	*body = view_of(text.ptr, text.len - tail);
	sha256_of(*body, sum);
	if (hex_decode(hex, wanted, sizeof(wanted)) != SHA256_SIZE ||
	    memcmp(wanted, sum, SHA256_SIZE) != 0)
		return BAD("sum");
	return 0;
}

static size_t count_lines(struct view body)
{
	size_t n = 0;

	for (size_t i = 0; i < body.len; i++)
		n += body.ptr[i] == '\n';
	return n;
}

static int parse_lines(struct manifest *m, struct view body, struct error *e)
{
	bool first = true;

	while (body.len) {
		const uint8_t *end = memchr(body.ptr, '\n', body.len);
		char line[LINE_MAX_BYTES];
		size_t n;

		if (!end || (n = (size_t)(end - body.ptr)) >= sizeof(line) ||
		    memchr(body.ptr, '\0', n))
			return BAD("line");
		memcpy(line, body.ptr, n);
		line[n] = '\0';
		body = view_of(end + 1, body.len - n - 1);
		if (first && strcmp(line, HEAD) != 0)
			return BAD("head");
		if (!first && take_line(m, line, e) < 0)
			return -1;
		first = false;
	}
	return m->name[0] && m->generation ? 0 : BAD("head");
}

int manifest_parse(struct view text, struct manifest *out, struct error *e)
{
	struct view body;
	size_t lines;

	memset(out, 0, sizeof(*out));
	if (check_sum(text, &body, out->sum, e) < 0)
		return -1;
	lines = count_lines(body);
	if (lines > SET_MEMBERS_MAX + SET_FACTS_MAX + 8)
		return BAD("number of lines");
	out->members = calloc(lines ? lines : 1, sizeof(out->members[0]));
	if (!out->members)
		return error_nomem(e);
	if (parse_lines(out, body, e) < 0) {
		manifest_free(out);
		return -1;
	}
	return 0;
}
