/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "audit/audit_walk.h"

#include <string.h>

/* Numbers that a record may have been moved down by, when others were removed
 * and the numbers closed up. */
enum { CLOSED_MAX = 10000 };

/* --- one look, upward */

static bool same(const uint8_t a[SHA256_SIZE], const uint8_t b[SHA256_SIZE])
{
	return memcmp(a, b, SHA256_SIZE) == 0;
}

/* The hash that a row's content would have with that number behind that hash;
 * false when it has none. */
static bool hash_at(const struct audit_row *row, uint64_t number,
		    const uint8_t previous[SHA256_SIZE],
		    uint8_t out[SHA256_SIZE])
{
	struct audit_row other = *row;

	other.number = number;
	return !row->damaged && audit_record_hash(&other, previous, out);
}

static bool fits_at(const struct audit_row *row, uint64_t number,
		    const uint8_t previous[SHA256_SIZE],
		    const uint8_t wanted[SHA256_SIZE])
{
	uint8_t hash[SHA256_SIZE];

	return hash_at(row, number, previous, hash) && same(hash, wanted);
}

static void break_at(struct audit_walk *w, enum audit_reason reason,
		     uint64_t number)
{
	w->reason = reason;
	w->broken = number ? number : 1;
}

void audit_walk_begin(struct audit_walk *w, uint64_t first,
		      const uint8_t anchor[SHA256_SIZE])
{
	const uint8_t none[SHA256_SIZE] = { 0 };

	memset(w, 0, sizeof(*w));
	w->first = w->next = first;
	memcpy(w->anchor, anchor, SHA256_SIZE);
	memcpy(w->previous, anchor, SHA256_SIZE);
	if (first == 0 || (first == 1 && !same(anchor, none)))
		break_at(w, AUDIT_BROKEN_END, 1);
}

void audit_walk_to(struct audit_walk *w, uint64_t last,
		   const uint8_t *last_hash)
{
	w->has_last = true;
	w->last = last;
	w->has_last_hash = last_hash != NULL;
	if (last_hash)
		memcpy(w->last_hash, last_hash, SHA256_SIZE);
}

void audit_walk_skip(struct audit_walk *w, uint64_t first,
		     const uint8_t anchor[SHA256_SIZE])
{
	w->first = first;
	memcpy(w->anchor, anchor, SHA256_SIZE);
	if (w->next >= first)
		return;
	w->next = first;
	memcpy(w->previous, anchor, SHA256_SIZE);
	memset(w->before, 0, SHA256_SIZE);
}

/* A copy that lasts. What has no room is no record of ours. */
static void keep(struct audit_walk_copy *c, const struct audit_row *row)
{
	const char **texts[] = { &c->row.module,    &c->row.severity,
				 &c->row.user_name, &c->row.peer,
				 &c->row.via,       &c->row.event,
				 &c->row.detail };
	size_t used = 0;

	c->row = *row;
	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
		size_t n = strlen(*texts[i]) + 1;

		if (n > sizeof(c->texts) - used) {
			c->row.damaged = true;
			*texts[i] = "";
			continue;
		}
		memcpy(c->texts + used, *texts[i], n);
		*texts[i] = c->texts + used;
		used += n;
	}
}

static void doubt(struct audit_walk *w, const struct audit_row *row)
{
	break_at(w, AUDIT_BROKEN_CHANGED, row->number);
	w->doubtful = true;
	keep(&w->suspect, row);
	if (w->checked && !same(row->hash, w->previous) &&
	    fits_at(row, row->number - 1, w->before, row->hash))
		w->signs |= AUDIT_SIGN_DOUBLE;
}

/* Behind the end as it was noted: was a record added, or is the note wrong? */
static void judge_surplus(struct audit_walk *w, const struct audit_row *row)
{
	const bool is_noted = w->has_last_hash &&
			      same(row->hash, w->last_hash) &&
			      fits_at(row, row->number, w->previous, row->hash);

	break_at(w,
		 w->last == 0 || is_noted ? AUDIT_BROKEN_END
					  : AUDIT_BROKEN_INSERTED,
		 row->number);
}

bool audit_walk_record(struct audit_walk *w, const struct audit_row *row)
{
	uint8_t hash[SHA256_SIZE];

	if (w->doubtful && !w->behind.row.number)
		keep(&w->behind, row);
	if (w->reason)
		return false;
	if (row->number > INT64_MAX || row->number < w->next) {
		break_at(w, AUDIT_BROKEN_INSERTED,
			 row->number > INT64_MAX ? w->next : row->number);
	} else if (row->number > w->next &&
		   (!w->has_last || w->next <= w->last)) {
		break_at(w, AUDIT_BROKEN_MISSING, w->next);
	} else if (w->has_last && row->number > w->last) {
		judge_surplus(w, row);
	} else if (!hash_at(row, row->number, w->previous, hash)) {
		break_at(w, AUDIT_BROKEN_UNREADABLE, row->number);
	} else if (!same(hash, row->hash)) {
		doubt(w, row);
		return true;
	} else {
		memcpy(w->before, w->previous, SHA256_SIZE);
		memcpy(w->previous, hash, SHA256_SIZE);
		w->next++;
		w->checked++;
		return true;
	}
	return false;
}

void audit_walk_end(struct audit_walk *w)
{
	bool noted = w->has_last_hash && same(w->previous, w->last_hash);

	if (w->reason || !w->has_last)
		return;
	if (w->next <= w->last)
		break_at(w,
			 noted && w->checked ? AUDIT_BROKEN_END
					     : AUDIT_BROKEN_MISSING,
			 w->next);
	else if (w->next > w->last + 1)
		break_at(w, AUDIT_BROKEN_END, w->next);
	else if (w->has_last_hash && w->last && !noted)
		break_at(w, AUDIT_BROKEN_END, w->last);
}

/* --- the second look, at a record whose content does not fit */

/* Would the suspect fit in the place of the row in hand, by the hashes as they
 * are stored around it? Exchanged records stand beside their hash or beside the
 * other's; of neighbours that changed places, the hash before stands behind. */
static bool suspect_fits(const struct audit_walk *w,
			 const struct audit_row *row)
{
	const struct audit_row *s = &w->suspect.row;
	uint8_t hash[SHA256_SIZE];

	if (hash_at(s, row->number, w->again, hash) &&
	    (same(hash, s->hash) || same(hash, row->hash)))
		return true;
	return fits_at(s, row->number, row->hash, s->hash) ||
	       (row->number - 1 != s->number &&
		fits_at(s, row->number - 1, row->hash, s->hash));
}

void audit_walk_again(struct audit_walk *w, const struct audit_row *row)
{
	const uint64_t place = w->suspect.row.number;

	if (w->again_number == 0 && row->number == w->first)
		memcpy(w->again, w->anchor, SHA256_SIZE);
	else if (w->again_number + 1 != row->number)
		memset(w->again, 0, SHA256_SIZE);
	/* A record that is where it belongs leaves its place to nobody: what
	 * fits there too is a copy. */
	if (row->number != place &&
	    !fits_at(row, row->number, w->again, row->hash) &&
	    suspect_fits(w, row))
		w->signs |= AUDIT_SIGN_ELSEWHERE;
	if (row->number != place && same(row->hash, w->suspect.row.hash))
		w->signs |= AUDIT_SIGN_COPY;
	if (row->number > place && fits_at(row, place, w->previous, row->hash))
		w->signs |= AUDIT_SIGN_PUSHED;
	memcpy(w->again, row->hash, SHA256_SIZE);
	w->again_number = row->number;
}

static bool is_closed(const struct audit_walk *w)
{
	const struct audit_row *suspect = &w->suspect.row;
	const struct audit_row *behind = &w->behind.row;

	if (behind->number != suspect->number + 1 ||
	    fits_at(behind, behind->number, suspect->hash, behind->hash))
		return false;
	for (uint64_t i = 1; i <= CLOSED_MAX; i++)
		if (fits_at(behind, behind->number + i, suspect->hash,
			    behind->hash))
			return true;
	return false;
}

enum audit_reason audit_sign_reason(unsigned signs)
{
	static const struct {
		enum audit_sign sign;
		enum audit_reason reason;
	} rows[] = {
		{ AUDIT_SIGN_DOUBLE, AUDIT_BROKEN_INSERTED },
		/* Of two that changed places the other one is further up too.
		 */
		{ AUDIT_SIGN_ELSEWHERE, AUDIT_BROKEN_MOVED },
		{ AUDIT_SIGN_PUSHED, AUDIT_BROKEN_INSERTED },
		{ AUDIT_SIGN_CLOSED, AUDIT_BROKEN_MISSING },
	};

	if (signs & AUDIT_SIGN_COPY)
		signs &= ~(unsigned)AUDIT_SIGN_ELSEWHERE;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		if (signs & rows[i].sign)
			return rows[i].reason;
	return AUDIT_BROKEN_CHANGED;
}

void audit_walk_decide(struct audit_walk *w)
{
	if (!(w->signs & ~(unsigned)AUDIT_SIGN_COPY) && is_closed(w))
		w->signs |= AUDIT_SIGN_CLOSED;
	w->reason = audit_sign_reason(w->signs);
	/* Of two for one place, the first is the one that came in. */
	if (w->signs & AUDIT_SIGN_DOUBLE) {
		w->broken--;
		w->checked--;
	}
	w->doubtful = false;
}
