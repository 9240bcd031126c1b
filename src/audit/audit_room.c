/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "audit/audit_room.h"

#include "audit/audit.h"
#include "base/log.h"
#include "base/room.h"

/* The log of the store has up to 4 MiB of room, most of it for pages that the
 * database has a place for already. */
static bool fold(struct store *s, struct audit_reserve *r)
{
	struct error e = ERROR_INIT;

	(void)r;
	return store_fold_log(s, &e) == 0;
}

/* With its room the log can be folded in even where the database has to grow.
 */
static bool give_up(struct store *s, struct audit_reserve *r)
{
	struct error e = ERROR_INIT;
	bool was_there = audit_reserve_give_up(r);

	if (was_there && store_fold_log(s, &e) < 0)
		log_failure(LOG_LEVEL_WARNING, "audit", &e);
	return was_there;
}

/* One try, and another after each way that gave room. */
static int with_room(struct store *s, struct audit_reserve *r,
		     int (*attempt)(struct store *s, void *arg,
				    struct error *e),
		     void *arg, struct error *e)
{
	static bool (*const ways[])(
	    struct store * s, struct audit_reserve * r) = { fold, give_up };
	int rc = attempt(s, arg, e);

	for (size_t i = 0; i < sizeof(ways) / sizeof(*ways); i++) {
		if (rc == 0 || e->kind != ERR_FULL)
			return rc;
		if (!ways[i](s, r))
			continue;
		error_clear(e);
		rc = attempt(s, arg, e);
	}
	return rc;
}

struct appending {
	struct audit_row *const *rows;
	size_t count;
	audit_seal_fn *seal;
};

static int append(struct store *s, void *arg, struct error *e)
{
	const struct appending *a = arg;

	return store_audit_append(s, a->rows, a->count, a->seal,
				  AUDIT_RECORDS_MAX, e);
}

int audit_room_append(struct store *s, struct audit_reserve *r,
		      struct audit_row *const rows[], size_t count,
		      audit_seal_fn *seal, struct error *e)
{
	struct appending a = { rows, count, seal };

	return with_room(s, r, append, &a, e);
}

struct deletion {
	uint64_t before, deleted;
};

static int delete_slice(struct store *s, void *arg, struct error *e)
{
	struct deletion *d = arg;

	return store_audit_delete_before(s, d->before, &d->deleted, e);
}

/* What a transaction deletes is written to the log of the store first, so on a
 * full disk much goes in small slices only. */
int audit_room_delete(struct store *s, struct audit_reserve *r, uint64_t first,
		      uint64_t before, uint64_t *deleted, struct error *e)
{
	uint64_t slice = AUDIT_SLICE_MOST;

	*deleted = 0;
	while (first < before) {
		struct deletion d = { before - first < slice ? before
							     : first + slice,
				      0 };

		if (with_room(s, r, delete_slice, &d, e) == 0) {
			*deleted += d.deleted;
			first = d.before;
		} else if (e->kind == ERR_FULL && slice > AUDIT_SLICE_LEAST) {
			slice /= 2;
			error_clear(e);
		} else {
			return -1;
		}
	}
	return 0;
}

static int check(struct store *s, struct audit_reserve *r, struct error *e)
{
	const char *directory = store_directory(s);
	uint64_t left;

	if (audit_reserve_hold(r, e) < 0 || room_left(directory, &left, e) < 0)
		return -1;
	return left < AUDIT_ROOM_LEAST ? room_error(directory, 0, e) : 0;
}

int audit_room_check(struct store *s, struct audit_reserve *r, struct error *e)
{
	if (check(s, r, e) == 0)
		return 0;
	if (e->kind != ERR_FULL || !fold(s, r))
		return -1;
	error_clear(e);
	return check(s, r, e);
}
