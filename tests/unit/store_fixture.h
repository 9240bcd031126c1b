/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SB_TESTS_UNIT_STORE_FIXTURE_H
#define SB_TESTS_UNIT_STORE_FIXTURE_H

#include <limits.h>

#include "store/audit_rows.h"
#include "store/store.h"
#include "tests/lib/unit.h"

/* A store, and what several of its tests write and look for. */

struct store *open_store(const char *directory);
/* Where its database is. */
void database_path(const char *directory, char out[PATH_MAX + 16]);

/* For store_setting_each(): the value of name, and how often it came. */
struct found {
	char name[256], value[8192];
	int count;
};

int find_setting(void *arg, const char *name, const char *value,
		 struct error *e);

/* A stand-in for the hash of src/audit: number and first byte before. */
void seal(struct audit_row *row, const uint8_t previous[SHA256_SIZE]);
/* One record, sealed by that. */
int append_record(struct store *s, uint64_t keep, uint64_t *number,
		  struct error *e);

/* Records in order, each sealed over the one before. */
struct walk {
	uint64_t next;
	size_t count, damaged;
	uint8_t before;
	bool broken;
};

/* From that number on; walks on from what w says. */
int walk_from(struct store *s, int64_t from, size_t count,
	      struct audit_chain *chain, struct walk *w, struct error *e);

#endif
