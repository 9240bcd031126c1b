/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SB_CALLS_PARTICIPANTS_PRIVATE_H
#define SB_CALLS_PARTICIPANTS_PRIVATE_H

#include <pthread.h>

#include "base/secret.h"
#include "calls/participants.h"
#include "front/list.h"

/* The table: participants.c changes it for those who ask, and
 * participants_calls.c for calls as they change. */

enum {
	BUCKETS = 1024,
	SEAL_KEY_SIZE = 32,
	REVISIONS_TAKEN = 16384 /* from the store at a time */
};

struct participant {
	struct list node; /* of all, in the order of their numbers */
	struct list
	    call_node; /* of a bucket while its call is known; of gone */
	struct list name_node; /* of a bucket */
	uint64_t number;       /* ascending, never twice */
	int32_t revision;      /* of its last change */
	struct participant_row config;
	bool ad_hoc, added, configured;
	bool listed;  /* those who call us are while connected */
	bool removed; /* and goes when its call has ended */
	bool gone;    /* only who it was is kept */
	bool joined;  /* the call has its first record */
	struct sip_call_facts call;
};

struct participants {
	struct participants_options o;
	/* One change at a time, with what it writes; before the other. */
	pthread_mutex_t changing;
	/* Of all below; never held where something waits. */
	pthread_mutex_t lock;
	struct list all;
	struct list by_call[BUCKETS], by_name[BUCKETS];
	size_t kept;  /* in the store */
	size_t ended; /* ad hoc ones that we called */
	uint64_t last_number;
	/* Those of this run are from first to before end; 0: it has none. */
	int32_t first_revision, end_revision;
	int32_t revision; /* of the last query */
	/* Who is gone, the one that went first before others; and up to which
	 * revision such are forgotten. */
	struct list gone;
	size_t gone_count;
	int32_t gone_forgotten;
	/* No more revisions could be taken, which was told; under changing. */
	bool has_told;
	uint64_t name_key;
	uint8_t seal_key[SEAL_KEY_SIZE];
};

/* All under the lock. */

/* A new one at the end, in no bucket. NULL: no memory. */
struct participant *participant_new(struct participants *p,
				    const struct participant_row *config);
/* Out of every list. */
void participant_free(struct participants *p, struct participant *one);
/* The same, but whoever has seen it will be told that it is gone. */
void participant_bury(struct participants *p, struct participant *one);
void participant_touch(struct participants *p, struct participant *one);
/* Whether all that has changed since that revision is known here. */
bool participants_know_since(const struct participants *p, int32_t revision);
/* Of a query: its own, greater than that of the one before where there is one
 * left. */
int32_t participants_next_revision(struct participants *p);
struct participant *participant_find(struct participants *p,
				     const struct participant_id *id);
enum participant_state participant_state(const struct participant *one);
bool participant_has_call(const struct participant *one);
void participant_view(const struct participant *one,
		      struct participant_view *out);

/* Without the lock: sees to it that there are revisions to give. */
void participants_need_revisions(struct participants *p);

/* From now on that call is its. */
void participant_set_call(struct participants *p, struct participant *one,
			  const struct sip_call_facts *f);
struct participant *participant_of_call(struct participants *p, uint64_t call);

/* What sip_control_follow() calls: on the loop, takes the lock. */
void participants_changed(void *arg, const struct sip_call_facts *f);

#endif
