/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SB_API_PARTICIPANT_VALUE_H
#define SB_API_PARTICIPANT_VALUE_H

#include "api/value.h"
#include "calls/participants.h"

/* Participants as the methods give them. */

const char *participant_type_name(bool ad_hoc); /* "by_address" */

/* Whose values stand where. */
enum participant_scope {
	SCOPE_FLAT = 0, /* all of them beside its names */
	SCOPE_CURRENT = 1,
	SCOPE_CONFIGURED = 2 /* nested, each in a struct of that name */
};

/* Its names and values into the struct s. scope: SCOPE_FLAT or a sum. What was
 * not configured here has no configured values. */
void participant_put(struct value *s, const struct participant_view *v,
		     unsigned scope);

/* What strangers have written, as one line of text. */
void put_line(struct value *s, const char *name, const char *text);
/* A time that is known. */
void put_time_if(struct value *s, const char *name, time_t t);
/* The number of a call as text; "" for none. */
void put_call_id(struct value *s, uint64_t id);

#endif
