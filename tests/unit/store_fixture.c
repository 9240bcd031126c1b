/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <stdio.h>
#include <string.h>

#include "tests/unit/store_fixture.h"

struct store *open_store(const char *directory)
{
	struct error e = ERROR_INIT;
	struct store *s = store_open(directory, &e);

	CHECK_OBJECT(s, &e);
	return s;
}

void database_path(const char *directory, char out[PATH_MAX + 16])
{
	snprintf(out, PATH_MAX + 16, "%s/sealbridge.db", directory);
}

int find_setting(void *arg, const char *name, const char *value,
		 struct error *e)
{
	struct found *f = arg;

	(void)e;
	if (!strcmp(name, f->name)) {
		snprintf(f->value, sizeof(f->value), "%s", value);
		f->count++;
	}
	return 0;
}

void seal(struct audit_row *row, const uint8_t previous[SHA256_SIZE])
{
	memset(row->hash, 0, SHA256_SIZE);
	row->hash[0] = (uint8_t)row->number;
	row->hash[1] = previous[0];
}

int append_record(struct store *s, uint64_t keep, uint64_t *number,
		  struct error *e)
{
	struct audit_row row = { .at = 7,
				 .module = "Web",
				 .severity = "Info",
				 .user_name = "admin",
				 .peer = "::1",
				 .via = "",
				 .event = "login",
				 .format = AUDIT_FORMAT_TEXT,
				 .detail = "d" };
	struct audit_row *const one[] = { &row };

	if (store_audit_append(s, one, 1, seal, keep, e) < 0)
		return -1;
	*number = row.number;
	return 0;
}

static int step(void *arg, const struct audit_row *row, struct error *e)
{
	struct walk *w = arg;

	(void)e;
	if (w->count++ && (row->number != w->next || row->hash[1] != w->before))
		w->broken = true;
	w->next = row->number + 1;
	w->before = row->hash[0];
	w->damaged += row->damaged;
	return 0;
}

int walk_from(struct store *s, int64_t from, size_t count,
	      struct audit_chain *chain, struct walk *w, struct error *e)
{
	struct audit_page page = AUDIT_PAGE_ALL;

	page.from = from;
	page.count = count;
	return store_audit_page(s, &page, chain, step, w, e);
}
