/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/unit/judge_fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cert/bundle.h"
#include "tests/lib/unit.h"

#define CA "critical,CA:TRUE"

static const struct part usual[] = {
	{ 'R', "/CN=Root", "ecP256:0", 'R', .constraints = CA },
	{ 'I', "/CN=Issuing", "ecP256:1", 'R', .constraints = CA },
	{ 'J', "/CN=Lower", "ecP256:2", 'I', .constraints = CA },
	{ 'L', "/CN=alice", "ecP256:3", .issuer = 'I' },
	{ 'M', "/CN=alice", "ecP256:3", .issuer = 'J' },
	{ 'D', "/CN=device", "ecP256:6", .issuer = 'D' },
	{ 'S', "/CN=Root", "ecP256:4", 'S', .constraints = CA },
	{ 'O', "/CN=Other", "ecP256:5", 'O', .constraints = CA },
	{ 'X', "/CN=Root", "ecP256:0", 'O', .constraints = CA },
	{ 'Y', "/CN=Other", "ecP256:5", 'R', .constraints = CA },
	{ 'K', "/CN=Issuing", "ecP256:7", 'R', .constraints = CA },
	{ 0 },
};

static const struct part *find(const struct part *rows, char id)
{
	while (rows->id && rows->id != id)
		rows++;
	return rows->id ? rows : NULL;
}

#define TAKE(member)                               \
	do {                                       \
		if (change->member)                \
			p.member = change->member; \
	} while (0)

static struct part part_of(const struct world *w, char id)
{
	const struct part *base = find(usual, id);
	const struct part *change = w->changes ? find(w->changes, id) : NULL;
	struct part p = { .id = id };

	if (base)
		p = *base;
	CU_ASSERT_FATAL(base || change);
	if (!change)
		return p;
	TAKE(subject);
	TAKE(key);
	TAKE(issuer);
	TAKE(issuer_name);
	TAKE(from);
	TAKE(to);
	TAKE(constraints);
	TAKE(usage);
	TAKE(extended);
	TAKE(alt);
	TAKE(digest);
	TAKE(extensions);
	TAKE(v1);
	TAKE(authority);
	TAKE(common_names);
	TAKE(common_name_count);
	return p;
}

static struct test_key *key_of(const char *text)
{
	char kind[24] = "";
	unsigned n = 0;

	CU_ASSERT_EQUAL_FATAL(sscanf(text, "%23[^:]:%u", kind, &n), 2);
	return test_key(kind, n);
}

struct cert *cert_take_pem(char *pem)
{
	struct error e = ERROR_INIT;
	struct cert_list list;
	struct cert *c;

	CHECK_OK(cert_bundle_parse(view_str(pem), &list, &e), &e);
	c = cert_ref(list.items[0]);
	cert_list_free(&list);
	free(pem);
	return c;
}

struct cert *world_cert(struct world *w, char id)
{
	struct part p = part_of(w, id), issuer = part_of(w, p.issuer);
	struct test_cert_options o = {
		.subject = p.subject,
		.key = key_of(p.key),
		.issuer = p.issuer_name ? p.issuer_name : issuer.subject,
		.issuer_key = key_of(issuer.key),
		.not_before = NOW + (p.from ? p.from : -YEAR),
		.not_after = NOW + (p.to ? p.to : YEAR),
		.v1 = p.v1,
		.alt_names = p.alt,
		.extended_usage = p.extended,
		.usage = p.usage,
		.digest = p.digest,
		.constraints = p.constraints ? p.constraints : "",
		.extensions = p.extensions,
		.common_names = p.common_names,
		.common_name_count = p.common_name_count,
	};

	if (p.authority)
		o.authority = key_of(part_of(w, p.authority).key);
	if (!w->made[(int)id])
		w->made[(int)id] = cert_take_pem(test_cert_pem(&o));
	return w->made[(int)id];
}

struct test_key *world_key(struct world *w, char id)
{
	return key_of(part_of(w, id).key);
}

void world_list(struct world *w, const char *letters, struct cert_list *out)
{
	struct error e = ERROR_INIT;

	memset(out, 0, sizeof(*out));
	for (const char *p = letters; p && *p; p++)
		CHECK_OK(cert_list_add(out, world_cert(w, *p), &e), &e);
}

struct judge_store *world_store(struct world *w, const char *letters)
{
	struct error e = ERROR_INIT;
	struct cert_list anchors;
	struct judge_store *s;

	world_list(w, letters, &anchors);
	s = judge_store_new(&anchors, &e);
	CHECK_OBJECT(s, &e);
	cert_list_free(&anchors);
	return s;
}

void world_letters(const struct world *w, const struct cert_list *l,
		   char out[32])
{
	size_t n = 0;

	for (size_t i = 0; i < l->count && n < 31; i++) {
		out[n] = '?';
		for (int id = 'A'; id <= 'z'; id++)
			if (w->made[id] && cert_equal(w->made[id], l->items[i]))
				out[n] = (char)id;
		n++;
	}
	out[n] = '\0';
}

void world_end(struct world *w)
{
	for (size_t i = 0; i < sizeof(w->made) / sizeof(*w->made); i++)
		cert_unref(w->made[i]);
	memset(w->made, 0, sizeof(w->made));
}

void judge_row_check(const struct judge_row *row, bool accepted)
{
	struct error e = ERROR_INIT;
	struct world w = { .changes = row->parts };
	struct judge_store *store = world_store(&w, row->store);
	struct cert_list sent;
	struct judge_question q = { .store = store,
				    .sent = &sent,
				    .role = row->role,
				    .host = row->host,
				    .now = NOW + row->later };
	enum judge_reason reason = accepted ? JUDGE_ACCEPTED : row->reason;
	struct judgement j;
	char path[32];
	bool right;

	world_list(&w, row->sent, &sent);
	CHECK_OK(judge(&q, &j, &e), &e);
	world_letters(&w, &j.path, path);
	right = j.accepted == accepted && j.reason == reason &&
		(!row->path || !strcmp(path, row->path)) &&
		(accepted ? !*j.text : *j.text != '\0') &&
		(!row->words || strstr(j.text, row->words));
	if (!right)
		unit_note("%s: %s, path %s: %s", row->name,
			  judge_reason_name(j.reason), path, j.text);
	CU_ASSERT(right);
	CU_ASSERT(accepted || !*j.login.name);
	judgement_free(&j);
	cert_list_free(&sent);
	judge_store_unref(store);
	world_end(&w);
}
