/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SB_API_SETTING_CALL_H
#define SB_API_SETTING_CALL_H

#include "api/method.h"

/* What all methods share that change settings: the refusals that keep an
 * administrator from locking himself out, trials, records. */

/* Changes gathered from the members of a call. */
struct setting_wishes {
	struct setting_change changes[SETTING_COUNT];
	char numbers[SETTING_COUNT][24]; /* texts of the numbers among them */
	size_t count;
};

/* The value as text, borrowed from v. ERR_INPUT when a setting is wished for
 * twice. */
int setting_wish(struct setting_wishes *w, enum setting_id id,
		 const struct value *v, struct error *e) MUST_CHECK;

/* Check, store, put in force, write down; members confirmWithinSeconds and
 * force as the caller gave them. The reply: status, and with
 * confirmWithinSeconds changeId and secondsLeft. Errors of settings_change(),
 * settings_try() and lock_out.h. */
struct value *setting_call_apply(struct call *c, const struct setting_wishes *w,
				 struct error *e);

/* The rows of those members, to be put in each table of parameters. */
#define SETTING_CALL_ROWS                                                   \
	{ .name = "confirmWithinSeconds",                                   \
	  .type = VALUE_INT,                                                \
	  .least = TRIAL_SECONDS_MIN,                                       \
	  .most = TRIAL_SECONDS_MAX,                                        \
	  .help = "on trial: reverts after so many seconds unless "         \
		  "change.confirm comes on a connection opened after it" }, \
	{                                                                   \
		.name = "force", .type = VALUE_BOOLEAN,                     \
		.help = "also when it would lock out the caller"            \
	}

#define SETTING_CALL_RESULT \
	"status; on trial also changeId string and secondsLeft int"

/* A member of the settings array of a query. */
void setting_describe(struct settings *s, enum setting_id id,
		      struct value *list);
/* Its value as the type that fits, put in under its last name. */
void setting_put_value(struct settings *s, enum setting_id id,
		       struct value *out);
/* A value that is stored as text, as people read it: the label of a choice, On,
 * Off. */
struct value *setting_words(enum setting_id id, const char *text);
/* "clientCertificate" of "verification.clientCertificate". */
const char *setting_last_name(enum setting_id id);

#endif
