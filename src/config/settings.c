/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config/settings.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "config/setting_rules.h"
#include "config/settings_private.h"

static const struct setting_row rows[SETTING_COUNT] = {
#define SETTING(id, ...) [SETTING_##id] = { __VA_ARGS__ },
#include "config/settings.def"
#undef SETTING
};

const struct setting_row *setting_row(enum setting_id id)
{
	return &rows[id];
}

int setting_find(const char *name)
{
	for (int i = 0; i < SETTING_COUNT; i++)
		if (!strcmp(rows[i].name, name))
			return i;
	return -1;
}

static int put_in_force(struct settings *s, enum setting_id id,
			const struct setting_value *v, struct error *e)
{
	char *copy = strdup(v->text), *old;

	if (!copy)
		return error_nomem(e);
	pthread_mutex_lock(&s->texts);
	old = s->text[id];
	s->text[id] = copy;
	pthread_mutex_unlock(&s->texts);
	atomic_store(&s->number[id], v->number);
	free(old);
	return 0;
}

static int check_default(const struct config *c, size_t at,
			 struct setting_value *value, struct error *e)
{
	int id = setting_find(c->defaults[at].name);

	if (id < 0)
		error_set(e, ERR_CONFIG, "unknown setting \"%.128s\"",
			  c->defaults[at].name);
	else if (setting_value_check(&rows[id], c->defaults[at].value, value,
				     e) == 0)
		return id;
	e->kind = ERR_CONFIG;
	if (c->defaults[at].line)
		error_prefix(e, "%s:%u", c->defaults[at].file,
			     c->defaults[at].line);
	else
		error_prefix(e, "%s", c->defaults[at].file);
	return -1;
}

/* What would be in force with nothing stored. */
static int check_each(const struct config *c, struct setting_numbers *n,
		      uint64_t *given, struct error *e)
{
	struct setting_value value;
	int id;

	*given = 0;
	for (id = 0; id < SETTING_COUNT; id++) {
		if (setting_value_check(&rows[id], rows[id].fallback, &value,
					e) < 0)
			return -1;
		n->of[id] = value.number;
	}
	for (size_t i = 0; i < c->default_count; i++) {
		id = check_default(c, i, &value, e);
		if (id < 0)
			return -1;
		n->of[id] = value.number;
		*given |= setting_bit((enum setting_id)id);
	}
	return 0;
}

/* Where the defaults of these settings stand: "FILE:3: NAME, FILE:7: NAME". */
static void name_places(const struct config *c, uint64_t bits, char *out,
			size_t size)
{
	size_t n = 0;

	out[0] = '\0';
	for (size_t i = 0; i < c->default_count && n < size; i++) {
		const struct config_default *d = &c->defaults[i];

		if (!(bits &
		      setting_bit((enum setting_id)setting_find(d->name))))
			continue;
		if (d->line)
			n += (size_t)snprintf(out + n, size - n, "%s%s:%u: %s",
					      n ? ", " : "", d->file, d->line,
					      d->name);
		else
			n += (size_t)snprintf(out + n, size - n, "%s%s: %s",
					      n ? ", " : "", d->file, d->name);
	}
}

int settings_check_defaults(const struct config *c, struct error *e)
{
	char places[ERROR_TEXT_MAX / 2];
	struct setting_numbers n;
	uint64_t given, broken;

	if (check_each(c, &n, &given, e) < 0)
		return -1;
	broken = setting_rules_broken(&n, given, e);
	if (!broken)
		return 0;
	name_places(c, broken & given, places, sizeof(places));
	e->kind = ERR_CONFIG;
	return error_prefix(e, "%s", places);
}

static int apply_defaults(struct settings *s, const struct config *c,
			  struct error *e)
{
	struct setting_value value;
	int id;

	if (settings_check_defaults(c, e) < 0)
		return -1;
	for (int i = 0; i < SETTING_COUNT; i++)
		if (setting_value_check(&rows[i], rows[i].fallback, &value, e) <
			0 ||
		    put_in_force(s, (enum setting_id)i, &value, e) < 0)
			return -1;
	for (size_t i = 0; i < c->default_count; i++) {
		id = check_default(c, i, &value, e);
		if (id < 0 ||
		    put_in_force(s, (enum setting_id)id, &value, e) < 0)
			return -1;
	}
	return 0;
}

static int keep_defaults(struct settings *s, struct error *e)
{
	for (int i = 0; i < SETTING_COUNT; i++) {
		s->initial[i] = strdup(s->text[i]);
		if (!s->initial[i])
			return error_nomem(e);
	}
	return 0;
}

/* What an older or a newer release stored must not keep the service from
 * starting: the default holds then. */
static int apply_stored(void *arg, const char *name, const char *text,
			struct error *e)
{
	struct settings *s = arg;
	struct setting_value value;
	int id = setting_find(name);

	if (id < 0) {
		log_warning("settings", "stored setting \"%s\" is unknown here",
			    name);
		return 0;
	}
	if (setting_value_check(&rows[id], text, &value, e) < 0) {
		error_prefix(e, "stored value ignored, default in force");
		log_failure(LOG_LEVEL_WARNING, "settings", e);
		error_clear(e);
		return 0;
	}
	return put_in_force(s, (enum setting_id)id, &value, e);
}

struct settings *settings_new(const struct config *c, struct store *store,
			      struct error *e)
{
	struct settings *s = calloc(1, sizeof(*s));

	if (!s) {
		error_nomem(e);
		return NULL;
	}
	s->store = store;
	pthread_mutex_init(&s->change, NULL);
	pthread_mutex_init(&s->texts, NULL);
	if (apply_defaults(s, c, e) < 0 || keep_defaults(s, e) < 0 ||
	    store_setting_each(store, apply_stored, s, e) < 0 ||
	    trials_load(s, e) < 0) {
		settings_free(s);
		return NULL;
	}
	return s;
}

void settings_free(struct settings *s)
{
	if (!s)
		return;
	for (int i = 0; i < SETTING_COUNT; i++) {
		free(s->text[i]);
		free(s->initial[i]);
	}
	for (size_t i = 0; i < s->trial_count; i++)
		trial_clear(&s->trials[i]);
	pthread_mutex_destroy(&s->texts);
	pthread_mutex_destroy(&s->change);
	free(s);
}

bool settings_bool(struct settings *s, enum setting_id id)
{
	return atomic_load(&s->number[id]) != 0;
}

int64_t settings_int(struct settings *s, enum setting_id id)
{
	return atomic_load(&s->number[id]);
}

int settings_choice(struct settings *s, enum setting_id id)
{
	return (int)atomic_load(&s->number[id]);
}

char *settings_text(struct settings *s, enum setting_id id)
{
	char *copy;

	pthread_mutex_lock(&s->texts);
	copy = strdup(s->text[id]);
	pthread_mutex_unlock(&s->texts);
	return copy;
}

const char *settings_default(const struct settings *s, enum setting_id id)
{
	return s->initial[id];
}
