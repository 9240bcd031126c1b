/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SB_CONFIG_SETTINGS_H
#define SB_CONFIG_SETTINGS_H

#include <stdbool.h>
#include <stdint.h>

#include "config/config.h"
#include "store/store.h"

/* What the administrator decides: one row a setting in settings.def; values
 * last in the store; readers take one value from the snapshot in force. Any
 * thread. */

enum setting_id {
#define SETTING(id, ...) SETTING_##id,
#include "config/settings.def"
#undef SETTING
	SETTING_COUNT
};

enum setting_type {
	SETTING_BOOL,
	SETTING_INT,
	SETTING_CHOICE,
	SETTING_TEXT,
	/* "HOST" or "HOST:PORT" of base/host_name.h, "" for none; its number
	 * is the port, min the one that counts where none is named */
	SETTING_SERVER,
	/* Of SIP, "" for none; the number is 1 where something is named:
	 * "HOST" or "HOST:PORT", where no port means that the DNS says it; a
	 * domain, as a name or an address; what stands before the "@" */
	SETTING_HOP,
	SETTING_DOMAIN,
	SETTING_URI_USER
};

struct setting_row {
	const char *name; /* "services.https.port" */
	enum setting_type type;
	const char *fallback; /* default as text */
	int64_t min, max;     /* SETTING_INT; SETTING_TEXT: bytes; or as said */
	const char *choices;  /* "none verify": SETTING_CHOICE */
	const char *label, *help;
	bool can_lock_out, needs_restart;
	/* SETTING_CHOICE: what people read for each, "No verification|Verify
	 * certificate"; NULL: the values themselves. */
	const char *choice_labels;
};

const struct setting_row *setting_row(enum setting_id id);
/* -1 when there is none. */
int setting_find(const char *name);

struct settings;

/* Factory defaults, then [defaults] of the configuration (ERR_CONFIG with file
 * and line), then the stored values. */
struct settings *settings_new(const struct config *c, struct store *s,
			      struct error *e) MUST_CHECK;
void settings_free(struct settings *s);

/* Whether [defaults] of a configuration could be used, each and together,
 * without a store. ERR_CONFIG with file, line and name of those it is about. */
int settings_check_defaults(const struct config *c, struct error *e) MUST_CHECK;

bool settings_bool(struct settings *s, enum setting_id id);
int64_t settings_int(struct settings *s, enum setting_id id);
/* Position in choices. */
int settings_choice(struct settings *s, enum setting_id id);
/* Value as text, the caller frees. */
char *settings_text(struct settings *s, enum setting_id id);

/* The default in force as text, borrowed: [defaults], else the row's. */
const char *settings_default(const struct settings *s, enum setting_id id);

struct setting_change {
	enum setting_id id;
	const char *value;
};

/* Numbers of all settings: of bools 0 and 1, of choices the position, of
 * servers the port (0: none is named), of other texts as setting_type says. */
struct setting_numbers {
	int64_t of[SETTING_COUNT];
};

static inline uint64_t setting_bit(enum setting_id id)
{
	return UINT64_C(1) << id;
}

/* What the numbers would be with these changes; nothing changes. *changed_out:
 * a setting_bit() for each that would be another one. ERR_INPUT as below. */
int settings_would_be(struct settings *s, const struct setting_change *changes,
		      size_t count, struct setting_numbers *out,
		      uint64_t *changed_out, struct error *e) MUST_CHECK;

/* Check all, store all in one transaction, put all in force, tell the
 * listeners. On any error everything stays as it was. ERR_INPUT naming setting,
 * value and range, or a setting that stands there twice; ERR_CONFLICT: a
 * setting is on trial (config/trial.h), or the rules between settings forbid it
 * (setting_rules.h); ERR_PORT_CONFLICT: two services would share a port, or
 * what settings_before_change() says. */
int settings_change(struct settings *s, const struct setting_change *changes,
		    size_t count, struct error *e) MUST_CHECK;
/* The same with one. */
int settings_set(struct settings *s, enum setting_id id, const char *value,
		 struct error *e) MUST_CHECK;

/* Called from the thread that made a change, after it is in force; changed has
 * a setting_bit() for each setting whose value is another one now. One call at
 * a time, in the order of the changes; it must not change settings. Also for
 * trial changes that begin and revert. */
typedef void settings_listener_fn(uint64_t changed, void *arg);

/* At most SETTINGS_LISTENERS_MAX; before the settings are used by other
 * threads. */
enum { SETTINGS_LISTENERS_MAX = 8 };
void settings_on_change(struct settings *s, settings_listener_fn *fn,
			void *arg);

/* Asked before a change is stored, with what the numbers will be: -1 refuses
 * it. What it has done then (a port opened) is undone by another call with the
 * numbers in force, when storing fails. Threads as above; one; NULL takes it
 * away. */
typedef int settings_before_fn(const struct setting_numbers *wanted,
			       uint64_t changed, void *arg, struct error *e);
void settings_before_change(struct settings *s, settings_before_fn *fn,
			    void *arg);

#endif
