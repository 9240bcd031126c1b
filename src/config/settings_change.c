/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "config/setting_rules.h"
#include "config/settings_private.h"

/* Changing settings: all of a change or nothing of it. */

/* A change, checked. */
struct checked {
	size_t count;
	struct setting_value *values;
	char *texts[SETTING_COUNT]; /* to be in force; taken from here */
	struct setting_numbers numbers;
	uint64_t given, changed;
};

static void checked_free(struct checked *k)
{
	for (int i = 0; i < SETTING_COUNT; i++)
		free(k->texts[i]);
	free(k->values);
}

static int check_one(struct settings *s, const struct setting_change *c,
		     struct checked *k, size_t at, struct error *e)
{
	struct setting_value *v = &k->values[at];

	if (k->given & setting_bit(c->id))
		return error_set(e, ERR_INPUT, "%s stands there twice",
				 setting_row(c->id)->name);
	if (setting_value_check(setting_row(c->id), c->value, v, e) < 0)
		return -1;
	k->given |= setting_bit(c->id);
	k->texts[c->id] = strdup(v->text);
	if (!k->texts[c->id])
		return error_nomem(e);
	k->numbers.of[c->id] = v->number;
	if (strcmp(s->text[c->id], v->text) != 0)
		k->changed |= setting_bit(c->id);
	return 0;
}

static void numbers_in_force(struct settings *s, struct setting_numbers *out)
{
	for (int i = 0; i < SETTING_COUNT; i++)
		out->of[i] = atomic_load(&s->number[i]);
}

/* Under change, which keeps the texts as they are. */
static int check_all(struct settings *s, const struct setting_change *changes,
		     size_t count, struct checked *k, struct error *e)
{
	memset(k, 0, sizeof(*k));
	numbers_in_force(s, &k->numbers);
	if (count > SETTING_COUNT)
		return error_set(e, ERR_INPUT, "more settings than there are");
	k->values = calloc(count + 1, sizeof(*k->values));
	if (!k->values)
		return error_nomem(e);
	k->count = count;
	for (size_t i = 0; i < count; i++)
		if (check_one(s, &changes[i], k, i, e) < 0)
			return -1;
	return 0;
}

static int check_trials(const struct settings *s, const struct checked *k,
			struct error *e)
{
	for (int i = 0; i < SETTING_COUNT; i++) {
		const struct trial *t =
		    k->changed & setting_bit((enum setting_id)i)
			? trial_of_setting(s, (enum setting_id)i)
			: NULL;

		if (t)
			return error_set(e, ERR_CONFLICT,
					 "\"%s\" is on trial (change %s of "
					 "%s); confirm or revert that first",
					 setting_row((enum setting_id)i)->label,
					 t->row.id, t->row.user_name);
	}
	return 0;
}

/* Trials may revert at any moment: what they go back to must fit as well. */
static int check_after_trials(const struct settings *s, const struct checked *k,
			      struct error *e)
{
	struct setting_numbers n = k->numbers;
	struct setting_value v;
	uint64_t back = 0;

	for (size_t i = 0; i < s->trial_count; i++)
		for (size_t j = 0; j < s->trials[i].count; j++) {
			const struct trial_value *was = &s->trials[i].values[j];

			if (setting_value_check(setting_row(was->id), was->from,
						&v, e) < 0)
				return -1;
			n.of[was->id] = v.number;
			back |= setting_bit(was->id);
		}
	if (!back || setting_rules_check(&n, k->changed, e) == 0)
		return 0;
	return error_prefix(e, "once the change on trial reverts");
}

static int check_whether_allowed(struct settings *s, const struct checked *k,
				 struct error *e)
{
	if (check_trials(s, k, e) < 0 ||
	    setting_rules_check(&k->numbers, k->changed, e) < 0 ||
	    check_after_trials(s, k, e) < 0)
		return -1;
	return 0;
}

static int ask_before(struct settings *s, const struct setting_plan *p,
		      const struct checked *k, struct error *e)
{
	if (!s->before || !k->changed ||
	    s->before(&k->numbers, k->changed, s->before_arg, e) == 0)
		return 0;
	if (!p->forced)
		return -1;
	log_failure(LOG_LEVEL_ERROR, "settings", e);
	error_clear(e);
	return 0;
}

static void undo_before(struct settings *s, const struct checked *k)
{
	struct setting_numbers now;
	struct error e = ERROR_INIT;

	if (!s->before || !k->changed)
		return;
	numbers_in_force(s, &now);
	if (s->before(&now, k->changed, s->before_arg, &e) < 0)
		log_failure(LOG_LEVEL_ERROR, "settings", &e);
}

/* Former and new value of what really changes. */
static int fill_trial(struct settings *s, const struct checked *k,
		      struct trial *t, struct error *e)
{
	t->values = calloc(SETTING_COUNT, sizeof(*t->values));
	if (!t->values)
		return error_nomem(e);
	for (int i = 0; i < SETTING_COUNT; i++) {
		struct trial_value *v = &t->values[t->count];

		if (!(k->changed & setting_bit((enum setting_id)i)))
			continue;
		v->id = (enum setting_id)i;
		v->from = strdup(s->text[i]);
		v->to = strdup(k->texts[i]);
		t->count++;
		if (!v->from || !v->to)
			return error_nomem(e);
	}
	if (t->count == 0)
		return error_set(e, ERR_INPUT,
				 "nothing would change: the settings are like "
				 "that already");
	return 0;
}

static int store_it(struct settings *s, const struct setting_plan *p,
		    const struct checked *k, struct error *e)
{
	struct setting_pair values[SETTING_COUNT], from[SETTING_COUNT];
	struct setting_changes c = {
		.values = values,
		.count = k->count,
		.begin = p->begin ? &p->begin->row : NULL,
		.from = from,
		.from_count = p->begin ? p->begin->count : 0,
		.end = p->end,
		.end_count = p->end_count,
	};

	for (size_t i = 0; i < k->count; i++)
		values[i] =
		    (struct setting_pair){ setting_row(p->changes[i].id)->name,
					   k->values[i].text };
	for (size_t i = 0; i < c.from_count; i++)
		from[i] = (struct setting_pair){
			setting_row(p->begin->values[i].id)->name,
			p->begin->values[i].from
		};
	return store_settings_change(s->store, &c, e);
}

static void put_in_force(struct settings *s, struct checked *k)
{
	for (int i = 0; i < SETTING_COUNT; i++) {
		char *old = s->text[i];

		if (!k->texts[i])
			continue;
		pthread_mutex_lock(&s->texts);
		s->text[i] = k->texts[i];
		pthread_mutex_unlock(&s->texts);
		k->texts[i] = NULL;
		atomic_store(&s->number[i], k->numbers.of[i]);
		free(old);
	}
	for (size_t i = 0; k->changed && i < s->listener_count; i++)
		s->listeners[i].fn(k->changed, s->listeners[i].arg);
}

int settings_carry_out(struct settings *s, const struct setting_plan *p,
		       struct error *e)
{
	struct checked k;
	int rc = check_all(s, p->changes, p->count, &k, e);

	if (rc == 0 && !p->forced)
		rc = check_whether_allowed(s, &k, e);
	if (rc == 0 && p->begin)
		rc = fill_trial(s, &k, p->begin, e);
	if (rc == 0)
		rc = ask_before(s, p, &k, e);
	if (rc < 0)
		goto out;
	rc = store_it(s, p, &k, e);
	if (rc == 0 || p->forced)
		put_in_force(s, &k);
	else
		undo_before(s, &k);
out:
	checked_free(&k);
	return rc;
}

int settings_would_be(struct settings *s, const struct setting_change *changes,
		      size_t count, struct setting_numbers *out,
		      uint64_t *changed_out, struct error *e)
{
	struct checked k;
	int rc;

	pthread_mutex_lock(&s->change);
	rc = check_all(s, changes, count, &k, e);
	pthread_mutex_unlock(&s->change);
	*out = k.numbers;
	*changed_out = k.changed;
	checked_free(&k);
	return rc;
}

int settings_change(struct settings *s, const struct setting_change *changes,
		    size_t count, struct error *e)
{
	const struct setting_plan p = { .changes = changes, .count = count };
	int rc;

	pthread_mutex_lock(&s->change);
	rc = settings_carry_out(s, &p, e);
	pthread_mutex_unlock(&s->change);
	return rc;
}

int settings_set(struct settings *s, enum setting_id id, const char *text,
		 struct error *e)
{
	const struct setting_change c = { id, text };

	return settings_change(s, &c, 1, e);
}

void settings_on_change(struct settings *s, settings_listener_fn *fn, void *arg)
{
	pthread_mutex_lock(&s->change);
	if (s->listener_count < SETTINGS_LISTENERS_MAX) {
		s->listeners[s->listener_count].fn = fn;
		s->listeners[s->listener_count++].arg = arg;
	} else {
		log_error("settings", "more than %d listeners",
			  SETTINGS_LISTENERS_MAX);
	}
	pthread_mutex_unlock(&s->change);
}

void settings_before_change(struct settings *s, settings_before_fn *fn,
			    void *arg)
{
	pthread_mutex_lock(&s->change);
	s->before = fn;
	s->before_arg = arg;
	pthread_mutex_unlock(&s->change);
}
