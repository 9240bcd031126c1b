/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SB_STORE_PARTICIPANT_ROWS_H
#define SB_STORE_PARTICIPANT_ROWS_H

#include "store/store.h"

/* Rows of configured participants; what they mean is src/calls' business. */

enum {
	PARTICIPANTS_MAX = 500,
	PARTICIPANT_WORD_MAX = 128, /* of 31 characters, with the NUL */
	PARTICIPANT_TEXT_MAX = 256  /* of a name or an address */
};

struct participant_row {
	int64_t key; /* ascending, never reused */
	char conference[PARTICIPANT_WORD_MAX];
	char name[PARTICIPANT_TEXT_MAX]; /* unique in its conference */
	char address[PARTICIPANT_TEXT_MAX];
	bool use_registrar;
	int transport; /* enum sip_transport, -1: as the settings say */
	bool defer;
	bool display_override;
	char display_name[PARTICIPANT_WORD_MAX]; /* with display_override */
};

/* ERR_EXISTS; sets r->key. */
int store_participant_add(struct store *s, struct participant_row *r,
			  struct error *e) MUST_CHECK;
/* By key; one that is gone is fine. */
int store_participant_delete(struct store *s, int64_t key,
			     struct error *e) MUST_CHECK;
/* In the order in which they were added. */
int store_participant_each(struct store *s,
			   int (*each)(void *arg,
				       const struct participant_row *r,
				       struct error *e),
			   void *arg, struct error *e) MUST_CHECK;

/* So many numbers of revisions that were not given away before, from *first_out
 * on, which is 1 at least; all are below INT32_MAX. Once they are used up they
 * begin again. */
int store_revisions_take(struct store *s, int32_t count, int32_t *first_out,
			 struct error *e) MUST_CHECK;

#endif
