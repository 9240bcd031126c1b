/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SB_CONFIG_SETTINGS_H
#define SB_CONFIG_SETTINGS_H

#include <stdbool.h>
#include <stdint.h>

#include "config/config.h"
#include "store/store.h"

/* What the administrator decides (interface 4): one row a setting in
 * settings.def; values last in the store; readers take one value from the
 * snapshot in force. Any thread. */

enum setting_id {
#define SETTING(id, ...) SETTING_##id,
#include "config/settings.def"
#undef SETTING
	SETTING_COUNT
};

enum setting_type { SETTING_BOOL, SETTING_INT, SETTING_CHOICE, SETTING_TEXT };

struct setting_row {
	const char *name; /* "services.https.port" */
	enum setting_type type;
	const char *fallback; /* default as text */
	int64_t min, max;     /* SETTING_INT; SETTING_TEXT: bytes */
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

/* Whether [defaults] of a configuration could be used, without a store.
 * ERR_CONFIG with file and line. */
int settings_check_defaults(const struct config *c, struct error *e) MUST_CHECK;

bool settings_bool(struct settings *s, enum setting_id id);
int64_t settings_int(struct settings *s, enum setting_id id);
/* Position in choices. */
int settings_choice(struct settings *s, enum setting_id id);
/* Value as text, the caller frees. */
char *settings_text(struct settings *s, enum setting_id id);

/* Check, store, put in force. ERR_INPUT naming setting, value and range. */
int settings_set(struct settings *s, enum setting_id id, const char *value,
		 struct error *e) MUST_CHECK;

#endif
