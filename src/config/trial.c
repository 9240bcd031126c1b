/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config/trial.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/clock.h"
#include "base/log.h"
#include "config/settings_private.h"

/* The trials that run, and how they begin and end. */

#define BOOT_ID_FILE "/proc/sys/kernel/random/boot_id"

void trial_clear(struct trial *t)
{
	for (size_t i = 0; i < t->count; i++) {
		free(t->values[i].from);
		free(t->values[i].to);
	}
	free(t->values);
	memset(t, 0, sizeof(*t));
}

void trial_describe(const struct trial *t, char *out, size_t size)
{
	int n =
	    snprintf(out, size, "change %s of %s", t->row.id, t->row.user_name);

	for (size_t i = 0; i < t->count && n > 0 && (size_t)n < size; i++)
		n += snprintf(out + n, size - (size_t)n, "%s %s: %s -> %s",
			      i ? "," : ":", setting_row(t->values[i].id)->name,
			      t->values[i].from, t->values[i].to);
}

/* Unknown (""): every restart counts as another boot. */
static void read_boot(char out[TRIAL_BOOT_SIZE])
{
	FILE *f = fopen(BOOT_ID_FILE, "re");

	out[0] = '\0';
	if (!f)
		return;
	if (!fgets(out, TRIAL_BOOT_SIZE, f))
		out[0] = '\0';
	out[strcspn(out, "\n")] = '\0';
	fclose(f);
}

void trial_clock_now(struct trial_clock *out)
{
	out->wall = clock_now();
	out->monotonic_ms = clock_monotonic_ms();
	read_boot(out->boot);
}

const struct trial *trial_of_setting(const struct settings *s,
				     enum setting_id id)
{
	for (size_t i = 0; i < s->trial_count; i++)
		for (size_t k = 0; k < s->trials[i].count; k++)
			if (s->trials[i].values[k].id == id)
				return &s->trials[i];
	return NULL;
}

/* --- reading them at start ------------------------------------------------ */

struct loading {
	struct settings *s;
	struct trial *t;
};

static int load_value(void *arg, const char *name, const char *from,
		      struct error *e)
{
	struct loading *l = arg;
	struct trial_value *v = &l->t->values[l->t->count];
	int id = setting_find(name);
	struct setting_value value;

	/* Of another release: there is nothing to go back to here. */
	if (id < 0 || setting_value_check(setting_row((enum setting_id)id),
					  from, &value, e) < 0) {
		log_warning("settings", "trial of setting \"%s\" ignored",
			    name);
		error_clear(e);
		return 0;
	}
	v->id = (enum setting_id)id;
	v->from = strdup(from);
	v->to = strdup(l->s->text[id]);
	l->t->count++;
	return v->from && v->to ? 0 : error_nomem(e);
}

static int load_trial(void *arg, const struct trial_row *row, struct error *e)
{
	struct settings *s = arg;
	struct trial *t = &s->trials[s->trial_count];
	struct loading l = { s, t };

	if (s->trial_count == TRIALS_MAX)
		return error_set(e, ERR_IO, "more than %d trials are stored",
				 TRIALS_MAX);
	t->values = calloc(SETTING_COUNT, sizeof(*t->values));
	if (!t->values)
		return error_nomem(e);
	s->trial_count++;
	t->row = *row;
	t->in_force_ms = row->started_ms;
	return store_trial_value_each(s->store, row->id, load_value, &l, e);
}

int trials_load(struct settings *s, struct error *e)
{
	return store_trial_each(s->store, load_trial, s, e);
}

/* --- beginning ------------------------------------------------------------ */

static int make_row(const struct trial_request *rq, struct trial_row *row,
		    struct error *e)
{
	struct trial_clock now;
	uint64_t random;

	if (rq->seconds < TRIAL_SECONDS_MIN || rq->seconds > TRIAL_SECONDS_MAX)
		return error_set(e, ERR_INPUT,
				 "confirmWithinSeconds: not from %d to %d",
				 TRIAL_SECONDS_MIN, TRIAL_SECONDS_MAX);
	if (getrandom(&random, sizeof(random), 0) != sizeof(random))
		return error_errno(e, "random number");
	trial_clock_now(&now);
	memset(row, 0, sizeof(*row));
	snprintf(row->id, sizeof(row->id), "%016" PRIx64, random);
	snprintf(row->user_name, sizeof(row->user_name), "%s", rq->user_name);
	snprintf(row->peer, sizeof(row->peer), "%s", rq->peer);
	snprintf(row->boot, sizeof(row->boot), "%s", now.boot);
	row->started_at = now.wall;
	row->started_ms = now.monotonic_ms;
	row->seconds = rq->seconds;
	return 0;
}

int settings_try(struct settings *s, const struct setting_change *changes,
		 size_t count, const struct trial_request *rq,
		 char id_out[TRIAL_ID_SIZE], struct error *e)
{
	struct trial t = { .count = 0 };
	const struct setting_plan p = { .changes = changes,
					.count = count,
					.begin = &t };
	int rc = make_row(rq, &t.row, e);

	if (rc < 0)
		return rc;
	pthread_mutex_lock(&s->change);
	if (s->trial_count == TRIALS_MAX)
		rc = error_set(e, ERR_LIMIT,
			       "%d changes are on trial; confirm or revert one",
			       TRIALS_MAX);
	else
		rc = settings_carry_out(s, &p, e);
	if (rc == 0) {
		t.in_force_ms = clock_monotonic_ms();
		memcpy(id_out, t.row.id, TRIAL_ID_SIZE);
		s->trials[s->trial_count++] = t;
	} else {
		trial_clear(&t);
	}
	pthread_mutex_unlock(&s->change);
	return rc;
}

/* --- ending --------------------------------------------------------------- */

static int find(const struct settings *s, const char *id, size_t *at,
		struct error *e)
{
	for (*at = 0; *at < s->trial_count; ++*at)
		if (!strcmp(s->trials[*at].row.id, id))
			return 0;
	return error_set(e, ERR_NO_CHANGE,
			 "no change of that name is on trial; it has been "
			 "confirmed or reverted, or its time was over");
}

static void take_out(struct settings *s, size_t at, struct trial *out)
{
	*out = s->trials[at];
	s->trial_count--;
	memmove(&s->trials[at], &s->trials[at + 1],
		(s->trial_count - at) * sizeof(*s->trials));
}

/* Ends it with these changes. */
static int end_one(struct settings *s, size_t at, struct setting_plan *p,
		   struct trial *out, struct error *e)
{
	const char *id = s->trials[at].row.id;

	p->end = &id;
	p->end_count = 1;
	if (settings_carry_out(s, p, e) < 0)
		return -1;
	take_out(s, at, out);
	return 0;
}

static int confirm(struct settings *s, size_t at, int64_t opened_ms,
		   struct trial *out, struct error *e)
{
	struct setting_plan p = { .count = 0 };
	const struct trial *t = &s->trials[at];
	struct trial_clock now;

	trial_clock_now(&now);
	if (trial_ms_left(&t->row, &now) == 0)
		return error_set(e, ERR_NO_CHANGE,
				 "the time to confirm this change is over");
	if (!trial_may_confirm(t, &now, opened_ms))
		return error_set(e, ERR_CONFLICT,
				 "this connection was opened before the "
				 "change, so it does not show that you still "
				 "get in; confirm on a new connection");
	return end_one(s, at, &p, out, e);
}

int settings_confirm(struct settings *s, const char *id, int64_t opened_ms,
		     struct trial *out, struct error *e)
{
	size_t at;
	int rc;

	pthread_mutex_lock(&s->change);
	rc = find(s, id, &at, e);
	if (rc == 0)
		rc = confirm(s, at, opened_ms, out, e);
	pthread_mutex_unlock(&s->change);
	return rc;
}

static int revert(struct settings *s, size_t at, struct trial *out,
		  struct error *e)
{
	const struct trial *t = &s->trials[at];
	struct setting_change back[SETTING_COUNT];
	struct setting_plan p = { .changes = back,
				  .count = t->count,
				  .forced = true };

	for (size_t i = 0; i < t->count; i++)
		back[i] = (struct setting_change){ t->values[i].id,
						   t->values[i].from };
	return end_one(s, at, &p, out, e);
}

int settings_revert(struct settings *s, const char *id, struct trial *out,
		    struct error *e)
{
	size_t at;
	int rc;

	pthread_mutex_lock(&s->change);
	rc = find(s, id, &at, e);
	if (rc == 0)
		rc = revert(s, at, out, e);
	pthread_mutex_unlock(&s->change);
	return rc;
}

int settings_revert_due(struct settings *s, struct trial *out, struct error *e)
{
	struct trial_clock now;
	int rc = 0;

	pthread_mutex_lock(&s->change);
	trial_clock_now(&now);
	for (size_t i = 0; i < s->trial_count; i++)
		if (trial_ms_left(&s->trials[i].row, &now) == 0) {
			rc = revert(s, i, out, e) == 0 ? 1 : -1;
			break;
		}
	pthread_mutex_unlock(&s->change);
	return rc;
}

/* The former values of all trials, and the changes in their place where both
 * name a setting. */
static size_t rescue_changes(const struct settings *s,
			     const struct setting_change *changes, size_t count,
			     struct setting_change out[SETTING_COUNT])
{
	const char *values[SETTING_COUNT] = { NULL };
	size_t n = 0;

	for (size_t i = 0; i < s->trial_count; i++)
		for (size_t k = 0; k < s->trials[i].count; k++)
			values[s->trials[i].values[k].id] =
			    s->trials[i].values[k].from;
	for (size_t i = 0; i < count; i++)
		values[changes[i].id] = changes[i].value;
	for (int i = 0; i < SETTING_COUNT; i++)
		if (values[i])
			out[n++] = (struct setting_change){ (enum setting_id)i,
							    values[i] };
	return n;
}

int settings_rescue(struct settings *s, const struct setting_change *changes,
		    size_t count, size_t *reverted_out, struct error *e)
{
	struct setting_change all[SETTING_COUNT];
	const char *ids[TRIALS_MAX];
	struct setting_plan p = { .changes = all, .end = ids, .forced = true };
	int rc;

	pthread_mutex_lock(&s->change);
	p.count = rescue_changes(s, changes, count, all);
	p.end_count = *reverted_out = s->trial_count;
	for (size_t i = 0; i < s->trial_count; i++)
		ids[i] = s->trials[i].row.id;
	rc = settings_carry_out(s, &p, e);
	for (size_t i = 0; rc == 0 && i < p.end_count; i++)
		trial_clear(&s->trials[i]);
	if (rc == 0)
		s->trial_count = 0;
	pthread_mutex_unlock(&s->change);
	return rc;
}

/* --- looking -------------------------------------------------------------- */

bool settings_has_trials(struct settings *s)
{
	return atomic_load(&s->trial_count) > 0;
}

int settings_trial_each(struct settings *s,
			int (*each)(void *arg, const struct trial *t,
				    const struct trial_clock *now,
				    struct error *e),
			void *arg, struct error *e)
{
	struct trial_clock now;
	int rc = 0;

	pthread_mutex_lock(&s->change);
	trial_clock_now(&now);
	for (size_t i = 0; rc == 0 && i < s->trial_count; i++)
		rc = each(arg, &s->trials[i], &now, e);
	pthread_mutex_unlock(&s->change);
	return rc;
}
