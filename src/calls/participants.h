/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SB_CALLS_PARTICIPANTS_H
#define SB_CALLS_PARTICIPANTS_H

#include "calls/cdr.h"
#include "calls/enumerate_filter.h"
#include "sip/sip_control.h"
#include "store/participant_rows.h"

/* Who takes part in which conference, as the original sees it: whoever was
 * configured (by_address), kept in the store until removed and never called by
 * itself after a start; and ad hoc ones, that is who calls us (in the
 * conference "Echo", as long as connected) and who is called once without being
 * kept. A conference is its name. The triple of name, protocol (always sip) and
 * type is unique in a conference. Calls are placed and ended by sip_control,
 * whose changes are followed; each call leaves its records (calls/cdr.h).
 * Any thread, but never with a lock that the loop may wait for. */

#define CALLERS_CONFERENCE "Echo"

enum {
	/* Ad hoc ones that we have called and whose call has ended: so many can
	 * still be looked at. */
	PARTICIPANTS_ENDED_KEPT = 32,
	/* Of those that are gone so many can still be told of. */
	PARTICIPANTS_GONE_KEPT = 512,
	PARTICIPANTS_PAGE = 50, /* given at a time */
	ENUMERATE_ID_SIZE = 57  /* with the NUL */
};

struct participants;

struct participants_options {
	struct store *store;
	struct sip_control *control;
	struct cdr *cdr;
};

/* Before the loop runs. All outlive it, but the control, which must be gone by
 * participants_free(). Errors of the store; ERR_LIMIT. */
struct participants *participants_new(const struct participants_options *o,
				      struct error *e) MUST_CHECK;
void participants_free(struct participants *p); /* NULL is fine */

/* Who is meant; borrowed. */
struct participant_id {
	const char *conference, *name;
	bool ad_hoc;
};

enum participant_state {
	PARTICIPANT_DORMANT, /* was never called since the start */
	PARTICIPANT_ALERTING,
	PARTICIPANT_CONNECTED,
	PARTICIPANT_DISCONNECTED,
	PARTICIPANT_STATE_COUNT
};
const char *participant_state_name(enum participant_state s); /* "dormant" */

/* What is known of one: a copy. */
struct participant_view {
	struct participant_row config; /* key 0 unless it is kept */
	bool ad_hoc;
	bool added; /* by somebody here; else it has called us */
	bool gone;  /* removed, or no longer connected: only names count */
	enum participant_state state;
	struct sip_call_facts call; /* id 0: dormant */
};

/* Add one, and call it unless row->defer. Nothing is left where that fails.
 * ERR_EXISTS; ERR_LIMIT: PARTICIPANTS_MAX are there, or too many calls;
 * ERR_INPUT and ERR_CONFIG of sip_control_place(); those of the store. */
int participants_add(struct participants *p, const struct participant_row *row,
		     bool ad_hoc, struct participant_view *out,
		     struct error *e) MUST_CHECK;
/* Call it (again). ERR_NOT_FOUND; ERR_CONFLICT: there is a call, or it is not
 * ours to call; those of sip_control_place(). */
int participants_connect(struct participants *p,
			 const struct participant_id *id,
			 struct error *e) MUST_CHECK;
/* Hang up. ERR_NOT_FOUND; ERR_CONFLICT: there is no call. */
int participants_disconnect(struct participants *p,
			    const struct participant_id *id,
			    struct error *e) MUST_CHECK;
/* Hang up, and forget it. ERR_NOT_FOUND; those of the store. */
int participants_remove(struct participants *p, const struct participant_id *id,
			struct error *e) MUST_CHECK;
/* ERR_NOT_FOUND. */
int participants_find(struct participants *p, const struct participant_id *id,
		      struct participant_view *out, struct error *e) MUST_CHECK;

/* --- all of them, batch by batch */

struct participants_query {
	/* Where the batch before ended, as it was given; "" for the first. */
	const char *enumerate_id;
	/* Only what has changed since that revision was current, and who is
	 * gone since. All that there are, and nobody who is gone: for 0, and
	 * where not all changes since then are known here: given by another
	 * run, or too many are gone. A batch that is not the first goes by
	 * that of the first. */
	int32_t last_revision;
	const char *filter; /* atoms connected, disconnected; "": all */
	bool configured_only;
};
struct participants_batch {
	int32_t revision;
	bool all; /* who is in none of the batches is not there */
	char enumerate_id[ENUMERATE_ID_SIZE]; /* "": that is all */
	size_t count;
	struct participant_view views[PARTICIPANTS_PAGE];
};
/* Nothing is remembered between batches: the ID says where to go on, sealed
 * with a key of this process, so one that we have not given is ERR_NOT_FOUND,
 * and so is one whose changes are not all known any more. ERR_INPUT: the
 * filter; who is gone passes any. */
int participants_enumerate(struct participants *p,
			   const struct participants_query *q,
			   struct participants_batch *out,
			   struct error *e) MUST_CHECK;

/* --- calls */

/* Under whose name a call goes; false: it is not known. */
struct participant_names {
	char conference[PARTICIPANT_WORD_MAX];
	char name[PARTICIPANT_TEXT_MAX];
};
bool participants_of_call(struct participants *p, uint64_t call,
			  struct participant_names *out);

#endif
