/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "api/setting_call.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/lock_out.h"
#include "config/trial.h"

const char *setting_last_name(enum setting_id id)
{
	return strrchr(setting_row(id)->name, '.') + 1;
}

int setting_wish(struct setting_wishes *w, enum setting_id id,
		 const struct value *v, struct error *e)
{
	const char *text = w->numbers[w->count];

	for (size_t i = 0; i < w->count; i++)
		if (w->changes[i].id == id)
			return error_set(e, ERR_INPUT, "%s stands there twice",
					 setting_row(id)->name);
	if (value_is(v, VALUE_BOOLEAN))
		text = value_boolean(v) ? "yes" : "no";
	else if (value_is(v, VALUE_INT))
		snprintf(w->numbers[w->count], sizeof(w->numbers[0]), "%d",
			 (int)value_int(v));
	else
		text = value_string(v);
	w->changes[w->count++] = (struct setting_change){ id, text };
	return 0;
}

/* --- writing down --------------------------------------------------------- */

struct former {
	uint64_t changed;
	char *texts[SETTING_COUNT];
};

static void former_read(struct settings *s, uint64_t changed, struct former *f)
{
	f->changed = changed;
	for (int i = 0; i < SETTING_COUNT; i++)
		f->texts[i] = changed & setting_bit((enum setting_id)i)
				  ? settings_text(s, (enum setting_id)i)
				  : NULL;
}

static void former_free(struct former *f)
{
	for (int i = 0; i < SETTING_COUNT; i++)
		free(f->texts[i]);
}

static void write_down(const struct call *c, const struct setting_wishes *w,
		       const struct former *f)
{
	for (size_t i = 0; i < w->count; i++) {
		enum setting_id id = w->changes[i].id;
		char *now;

		if (!(f->changed & setting_bit(id)))
			continue;
		now = settings_text(c->services->settings, id);
		call_audit(c, AUDIT(SETTING_CHANGED,
				    .setting = setting_row(id)->name,
				    .from = f->texts[id],
				    .to = now ? now : w->changes[i].value));
		free(now);
	}
}

/* --- applying ------------------------------------------------------------- */

static int change(struct call *c, const struct setting_wishes *w,
		  const struct value *seconds, char id[TRIAL_ID_SIZE],
		  struct error *e)
{
	const struct trial_request rq = {
		.user_name = c->caller.user.id,
		.peer = c->request->peer.address,
		.seconds = value_int(seconds),
	};

	if (!seconds)
		return settings_change(c->services->settings, w->changes,
				       w->count, e);
	return settings_try(c->services->settings, w->changes, w->count, &rq,
			    id, e);
}

static int check(const struct call *c, const struct setting_wishes *w,
		 uint64_t *changed, struct error *e)
{
	struct setting_numbers n;

	if (settings_would_be(c->services->settings, w->changes, w->count, &n,
			      changed, e) < 0)
		return -1;
	if (value_boolean(value_member(c->params, "force")))
		return 0;
	if (lock_out_check_trust(c, &n, *changed, e) < 0)
		return -1;
	if (value_member(c->params, "confirmWithinSeconds"))
		return 0;
	if (lock_out_check(c, &n, *changed, e) == 0)
		return 0;
	return e->kind != ERR_LOCK_OUT
		   ? -1
		   : error_set(e, ERR_LOCK_OUT,
			       "%.400s; apply it on trial "
			       "(confirmWithinSeconds), or with force",
			       strdupa(e->text));
}

struct value *setting_call_apply(struct call *c, const struct setting_wishes *w,
				 struct error *e)
{
	const struct value *seconds =
	    value_member(c->params, "confirmWithinSeconds");
	char id[TRIAL_ID_SIZE];
	struct former f;
	struct value *s = NULL;
	uint64_t changed;

	if (check(c, w, &changed, e) < 0)
		return NULL;
	former_read(c->services->settings, changed, &f);
	if (change(c, w, seconds, id, e) < 0)
		goto out;
	write_down(c, w, &f);
	s = result_ok();
	if (seconds) {
		call_audit(c,
			   AUDIT(TRIAL_STARTED, .changeId = id,
				 .seconds = AUDIT_NUMBER(value_int(seconds))));
		value_put_string(s, "changeId", id);
		value_put_int(s, "secondsLeft", value_int(seconds));
		/* What comes next shall come on a new connection. */
		c->reply->close = true;
	}
out:
	former_free(&f);
	return s;
}

/* --- describing ----------------------------------------------------------- */

static struct value *as_value(enum setting_id id, const char *text)
{
	switch (setting_row(id)->type) {
	case SETTING_BOOL: return value_new_boolean(!strcmp(text, "yes"));
	case SETTING_INT: return value_new_int((int32_t)atoi(text));
	default: return value_new_string(text);
	}
}

void setting_put_value(struct settings *s, enum setting_id id,
		       struct value *out)
{
	char *text = settings_text(s, id);

	value_put(out, setting_last_name(id), text ? as_value(id, text) : NULL);
	free(text);
}

/* Words of choices, and the "|" separated labels beside them. */
static void put_choices(const struct setting_row *row, struct value *out)
{
	const char *word = row->choices, *label = row->choice_labels;

	while (*word) {
		struct value *s = value_add_struct(out);
		size_t n = strcspn(word, " ");
		size_t m = label ? strcspn(label, "|") : 0;

		value_put(
		    s, "value",
		    value_new_text((struct view){ (const uint8_t *)word, n }));
		value_put(s, "label",
			  value_new_text(
			      m ? (struct view){ (const uint8_t *)label, m }
				: (struct view){ (const uint8_t *)word, n }));
		word += n + strspn(word + n, " ");
		if (label)
			label += m + (label[m] == '|');
	}
}

struct value *setting_words(enum setting_id id, const char *text)
{
	const struct setting_row *row = setting_row(id);
	const char *word = row->choices, *label = row->choice_labels;
	size_t length = strlen(text);

	if (row->type == SETTING_BOOL)
		return value_new_string(!strcmp(text, "yes") ? "On" : "Off");
	while (label && word && *word) {
		size_t n = strcspn(word, " "), m = strcspn(label, "|");

		if (n == length && !memcmp(word, text, n))
			return value_new_text(
			    (struct view){ (const uint8_t *)label, m });
		word += n + strspn(word + n, " ");
		label += m + (label[m] == '|');
	}
	return value_new_string(text);
}

void setting_describe(struct settings *s, enum setting_id id,
		      struct value *list)
{
	static const char *const types[] = {
		[SETTING_BOOL] = "boolean",  [SETTING_INT] = "int",
		[SETTING_CHOICE] = "choice", [SETTING_TEXT] = "text",
		[SETTING_SERVER] = "text",   [SETTING_HOP] = "text",
		[SETTING_DOMAIN] = "text",   [SETTING_URI_USER] = "text"
	};
	const struct setting_row *row = setting_row(id);
	struct value *out = value_add_struct(list);

	value_put_string(out, "name", setting_last_name(id));
	value_put_string(out, "label", row->label);
	value_put_string(out, "help", row->help);
	value_put_string(out, "type", types[row->type]);
	value_put(out, "default", as_value(id, settings_default(s, id)));
	value_put_boolean(out, "canLockOut", row->can_lock_out);
	value_put_boolean(out, "needsRestart", row->needs_restart);
	if (row->type == SETTING_CHOICE)
		put_choices(row, value_put_array(out, "choices"));
	if (row->type == SETTING_INT) {
		value_put_int(out, "minimum", (int32_t)row->min);
		value_put_int(out, "maximum", (int32_t)row->max);
	}
}
