/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <stdlib.h>
#include <string.h>

#include "audit/audit_private.h"
#include "audit/audit_walk.h"

/* One look at all records, a page at a time. */
struct look {
	struct audit_walk *walk;
	struct audit_chain chain; /* as of the page in hand */
	struct audit_page page;
	bool again, begun, done;
	size_t in_page;
};

/* Meanwhile others append, and the front may be cut off. */
static void enter_page(struct look *l)
{
	const struct audit_chain *c = &l->chain;

	if (l->again)
		return;
	if (!l->begun)
		audit_walk_begin(l->walk, c->first, c->anchor);
	else
		audit_walk_skip(l->walk, c->first, c->anchor);
	audit_walk_to(l->walk, c->last, c->last_hash);
	if (c->damaged && !l->walk->reason) {
		l->walk->reason = AUDIT_BROKEN_END;
		l->walk->broken = l->walk->next;
	}
	l->begun = true;
}

static int take(void *arg, const struct audit_row *row, struct error *e)
{
	struct look *l = arg;

	(void)e;
	if (l->in_page++ == 0)
		enter_page(l);
	if (l->again)
		audit_walk_again(l->walk, row);
	else if (!l->done)
		l->done = !audit_walk_record(l->walk, row);
	if ((int64_t)row->number == INT64_MAX)
		l->done = true;
	else
		l->page.from = (int64_t)row->number + 1;
	return 0;
}

static int look(struct audit *a, struct look *l, struct error *e)
{
	l->page = (struct audit_page)AUDIT_PAGE_ALL;
	l->page.count = AUDIT_PAGE_RECORDS;
	do {
		l->in_page = 0;
		if (store_audit_page(a->store, &l->page, &l->chain, take, l,
				     e) < 0)
			return error_prefix(e, "audit trail");
	} while (l->in_page && !l->done);
	if (l->in_page == 0)
		enter_page(l);
	return 0;
}

static int walk_twice(struct audit *a, struct audit_walk *w, struct error *e)
{
	struct look first = { .walk = w },
		    second = { .walk = w, .again = true };

	if (look(a, &first, e) < 0)
		return -1;
	audit_walk_end(w);
	if (!w->doubtful)
		return 0;
	if (look(a, &second, e) < 0)
		return -1;
	audit_walk_decide(w);
	return 0;
}

int audit_verify(struct audit *a, struct audit_verdict *out, struct error *e)
{
	struct audit_walk *w = calloc(1, sizeof(*w));
	int rc;

	memset(out, 0, sizeof(*out));
	out->rollback = AUDIT_ROLLBACK_NOT_SUPPORTED;
	if (!w)
		return error_nomem(e);
	rc = walk_twice(a, w, e);
	out->checked = w->checked;
	out->first_broken = w->broken;
	out->reason = w->reason;
	audit_reason_sentence(w->reason, w->broken, out->problem);
	free(w);
	out->intact = rc == 0 && out->reason == AUDIT_INTACT;
	return rc;
}
