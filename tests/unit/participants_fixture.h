/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SB_TESTS_UNIT_PARTICIPANTS_FIXTURE_H
#define SB_TESTS_UNIT_PARTICIPANTS_FIXTURE_H

#include <limits.h>

#include "calls/participants.h"
#include "tests/unit/control_fixture.h"

/* Participants with a store, call detail records, and calls that the test
 * decides about. */
struct people {
	char directory[PATH_MAX - 32];
	struct config *config;
	struct store *store;
	struct settings *settings;
	struct cdr *cdr;
	struct control_fixture calls;
	struct participants *all;
};
extern struct people people;

void people_start(void);
/* On a new database. */
void people_start_anew(void);
void people_stop(void);

/* In the conference "Room". */
struct participant_row people_row(const char *name, const char *address);
struct participant_id people_id(const char *name); /* by_address */
int people_add(const char *name, bool defer, bool ad_hoc, struct error *e);
void people_must_add(const char *name, bool defer, bool ad_hoc);
struct participant_view people_found(struct participant_id id);
bool people_has(struct participant_id id);

#endif
