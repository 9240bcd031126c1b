/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sip/resolver_answer.h"

#include <arpa/inet.h>
#include <string.h>
#include <strings.h>

enum {
	HEAD_SIZE = 12,
	CLASS_IN = 1,
	TYPE_CNAME = 5,
	TYPE_SOA = 6,
	RCODE_NONE = 0,
	RCODE_NO_NAME = 3,
	LABEL_MAX = 63,
	NAME_MAX_TEXT = 253
};

static const char plain[] = "abcdefghijklmnopqrstuvwxyz"
			    "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_";

struct message {
	const uint8_t *ptr;
	size_t n;
};

struct record {
	char owner[SIP_NAME_MAX];
	uint16_t type, class;
	uint32_t ttl;
	size_t at, n; /* of the data in the message */
};

static const struct {
	int code;
	size_t size;
} types[RESOLVER_TYPES] = {
	[RESOLVER_A] = { 1, INET6_ADDRSTRLEN },
	[RESOLVER_AAAA] = { 28, INET6_ADDRSTRLEN },
	[RESOLVER_SRV] = { 33, sizeof(struct sip_srv) },
	[RESOLVER_NAPTR] = { 35, sizeof(struct sip_naptr) },
};

int resolver_type_code(enum resolver_type type)
{
	return types[type].code;
}

size_t resolver_type_size(enum resolver_type type)
{
	return types[type].size;
}

bool resolver_name_is_plain(const char *name)
{
	if (strnlen(name, NAME_MAX_TEXT + 1) > NAME_MAX_TEXT)
		return false;
	for (;;) {
		size_t n = strspn(name, plain);

		if (n == 0 || n > LABEL_MAX)
			return false;
		if (!name[n])
			return true;
		if (name[n] != '.')
			return false;
		name += n + 1;
	}
}

/* --- bytes ---------------------------------------------------------------- */

static uint16_t get16(const struct message *m, size_t at)
{
	return (uint16_t)(m->ptr[at] << 8 | m->ptr[at + 1]);
}

static uint32_t get32(const struct message *m, size_t at)
{
	return (uint32_t)get16(m, at) << 16 | get16(m, at + 2);
}

/* One label more; what no plain name has makes the name "?", which nobody asks
 * for and nobody is called. */
static bool add_label(char out[SIP_NAME_MAX], size_t *len, const uint8_t *label,
		      size_t n)
{
	if (*len + n + 1 > NAME_MAX_TEXT + 1)
		return false;
	if (*len)
		out[(*len)++] = '.';
	for (size_t i = 0; i < n; i++)
		out[(*len)++] =
		    label[i] && strchr(plain, label[i]) ? (char)label[i] : '?';
	out[*len] = '\0';
	return true;
}

/* The name at that place (the root is ""), and where it ends; 0: it is broken.
 * A pointer leads to the front of where it began, so there are no loops. */
static size_t read_name(const struct message *m, size_t at,
			char out[SIP_NAME_MAX])
{
	size_t first = at, end = 0, len = 0;

	out[0] = '\0';
	while (at < m->n) {
		uint8_t n = m->ptr[at];

		if (n == 0)
			return end ? end : at + 1;
		if (n >= 0xc0) {
			if (m->n - at < 2)
				return 0;
			if (!end)
				end = at + 2;
			at = get16(m, at) & 0x3fff;
			if (at >= first)
				return 0;
			first = at;
			continue;
		}
		if (n > LABEL_MAX || m->n - at <= n ||
		    !add_label(out, &len, m->ptr + at + 1, n))
			return 0;
		at += n + 1u;
	}
	return 0;
}

/* The record at *at, which moves behind it; false: it is broken. */
static bool read_record(const struct message *m, size_t *at, struct record *r)
{
	size_t p = read_name(m, *at, r->owner);

	if (!p || m->n - p < 10)
		return false;
	r->type = get16(m, p);
	r->class = get16(m, p + 2);
	r->ttl = get32(m, p + 4);
	if (r->ttl > INT32_MAX) /* RFC 2181 8 */
		r->ttl = 0;
	r->n = get16(m, p + 8);
	r->at = p + 10;
	if (m->n - r->at < r->n)
		return false;
	*at = r->at + r->n;
	return true;
}

/* A name that fills the rest of a record's data from there on. */
static bool read_last_name(const struct message *m, const struct record *r,
			   size_t from, char out[SIP_NAME_MAX])
{
	return from < r->n && read_name(m, r->at + from, out) == r->at + r->n;
}

/* --- records -------------------------------------------------------------- */

static bool is_somebody_4(const uint8_t ip[4])
{
	return ip[0] != 0 && ip[0] < 224;
}

static bool is_somebody_6(const uint8_t ip[16])
{
	static const uint8_t nobody[16];

	return ip[0] != 0xff && memcmp(ip, nobody, 16) != 0;
}

static bool take_a(const struct message *m, const struct record *r,
		   struct resolver_answer *out)
{
	return r->n == 4 && is_somebody_4(m->ptr + r->at) &&
	       inet_ntop(AF_INET, m->ptr + r->at, out->addresses[out->count],
			 INET6_ADDRSTRLEN);
}

static bool take_aaaa(const struct message *m, const struct record *r,
		      struct resolver_answer *out)
{
	return r->n == 16 && is_somebody_6(m->ptr + r->at) &&
	       inet_ntop(AF_INET6, m->ptr + r->at, out->addresses[out->count],
			 INET6_ADDRSTRLEN);
}

static bool take_srv(const struct message *m, const struct record *r,
		     struct resolver_answer *out)
{
	struct sip_srv *s = &out->srv[out->count];

	if (r->n < 7 || !read_last_name(m, r, 6, s->target))
		return false;
	s->priority = get16(m, r->at);
	s->weight = get16(m, r->at + 2);
	s->port = get16(m, r->at + 4);
	return s->port && resolver_name_is_plain(s->target);
}

/* A character-string at *from of the data; printable and short enough. */
static bool read_text(const struct message *m, const struct record *r,
		      size_t *from, char *out, size_t size)
{
	const uint8_t *text = m->ptr + r->at + *from;
	size_t n;

	if (*from >= r->n || r->n - *from <= (n = text[0]) || n >= size)
		return false;
	for (size_t i = 0; i < n; i++) {
		if (text[1 + i] <= ' ' || text[1 + i] > '~')
			return false;
		out[i] = (char)text[1 + i];
	}
	out[n] = '\0';
	*from += n + 1;
	return true;
}

static bool take_naptr(const struct message *m, const struct record *r,
		       struct resolver_answer *out)
{
	struct sip_naptr *s = &out->naptr[out->count];
	size_t from = 4;
	char regexp[1];

	if (r->n < 8 || !read_text(m, r, &from, s->flags, sizeof(s->flags)) ||
	    !read_text(m, r, &from, s->service, sizeof(s->service)) ||
	    !read_text(m, r, &from, regexp, sizeof(regexp)) ||
	    !read_last_name(m, r, from, s->replacement))
		return false;
	s->order = get16(m, r->at);
	s->preference = get16(m, r->at + 2);
	return resolver_name_is_plain(s->replacement);
}

static bool (*const takers[RESOLVER_TYPES])(const struct message *m,
					    const struct record *r,
					    struct resolver_answer *out) = {
	[RESOLVER_A] = take_a,
	[RESOLVER_AAAA] = take_aaaa,
	[RESOLVER_SRV] = take_srv,
	[RESOLVER_NAPTR] = take_naptr,
};

/* --- the message ---------------------------------------------------------- */

/* Where the answers begin; 0: it does not answer that question. */
static size_t skip_question(const struct message *m, enum resolver_type type,
			    const char *name)
{
	char asked[SIP_NAME_MAX];
	uint8_t rcode;
	size_t at;

	if (m->n < HEAD_SIZE)
		return 0;
	rcode = m->ptr[3] & 0x0f;
	/* An answer (QR) of a plain query (opcode) to one question. */
	if ((m->ptr[2] & 0xf8) != 0x80 || get16(m, 4) != 1 ||
	    (rcode != RCODE_NONE && rcode != RCODE_NO_NAME))
		return 0;
	at = read_name(m, HEAD_SIZE, asked);
	if (!at || m->n - at < 4 || strcasecmp(asked, name) != 0 ||
	    get16(m, at) != types[type].code || get16(m, at + 2) != CLASS_IN)
		return 0;
	return at + 4;
}

static size_t answers_of(const struct message *m)
{
	size_t n = get16(m, 6);

	return n < RESOLVER_WALKED_MAX ? n : RESOLVER_WALKED_MAX;
}

static bool is_of(const struct record *r, const char *owner, uint16_t type)
{
	return r->class == CLASS_IN && r->type == type &&
	       strcasecmp(r->owner, owner) == 0;
}

/* Goes one CNAME further: name is changed and *moved set, when there is one.
 * False: something is broken. */
static bool follow_cname(const struct message *m, size_t at,
			 char name[SIP_NAME_MAX], uint32_t *ttl, bool *moved)
{
	struct record r;

	*moved = false;
	for (size_t i = 0; i < answers_of(m); i++) {
		if (!read_record(m, &at, &r))
			return false;
		if (*moved || !is_of(&r, name, TYPE_CNAME))
			continue;
		if (!read_last_name(m, &r, 0, name) ||
		    !resolver_name_is_plain(name))
			return false;
		if (r.ttl < *ttl)
			*ttl = r.ttl;
		*moved = true;
	}
	return true;
}

/* Where the answers end; they were all seen to be whole before. */
static size_t collect(const struct message *m, size_t at, const char *name,
		      struct resolver_answer *out)
{
	struct record r;

	for (size_t i = 0; i < answers_of(m) && read_record(m, &at, &r); i++) {
		if (out->count == SIP_RECORDS_MAX ||
		    !is_of(&r, name, (uint16_t)types[out->type].code) ||
		    !takers[out->type](m, &r, out))
			continue;
		out->count++;
		if (r.ttl < out->ttl)
			out->ttl = r.ttl;
	}
	return at;
}

/* How long it is known that there is nothing: the smaller one of the SOA's TTL
 * and its last number. */
static uint32_t negative_ttl(const struct message *m, size_t at)
{
	size_t n = get16(m, 8);
	struct record r;

	if (get16(m, 6) > RESOLVER_WALKED_MAX)
		return 0;
	for (size_t i = 0;
	     i < n && i < RESOLVER_WALKED_MAX && read_record(m, &at, &r); i++) {
		uint32_t minimum;

		if (r.type != TYPE_SOA || r.class != CLASS_IN || r.n < 22)
			continue;
		minimum = get32(m, r.at + r.n - 4);
		return minimum < r.ttl ? minimum : r.ttl;
	}
	return 0;
}

bool resolver_answer_read(const uint8_t *bytes, size_t n,
			  enum resolver_type type, const char *name,
			  struct resolver_answer *out)
{
	const struct message m = { bytes, n };
	char current[SIP_NAME_MAX];
	size_t start, end;
	bool moved = true;

	if (!resolver_name_is_plain(name))
		return false;
	out->type = type;
	out->count = 0;
	out->ttl = UINT32_MAX;
	start = skip_question(&m, type, name);
	if (!start)
		return false;
	memcpy(current, name, strlen(name) + 1);
	for (size_t i = 0; moved; i++)
		if (i > RESOLVER_CNAMES_MAX ||
		    !follow_cname(&m, start, current, &out->ttl, &moved))
			return false;
	end = collect(&m, start, current, out);
	if (!out->count) {
		uint32_t ttl = negative_ttl(&m, end);

		out->ttl = ttl < out->ttl ? ttl : out->ttl;
	}
	return true;
}
