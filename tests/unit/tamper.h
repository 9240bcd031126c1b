/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SB_TESTS_UNIT_TAMPER_H
#define SB_TESTS_UNIT_TAMPER_H

#include <limits.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>

/* Do to the database behind the store's back what SQL can do. */
static inline void tamper(const char *directory, const char *sql)
{
	char path[PATH_MAX];
	char *text = NULL;
	sqlite3 *db = NULL;

	snprintf(path, sizeof(path), "%s/sealbridge.db", directory);
	if (sqlite3_open(path, &db) != SQLITE_OK ||
	    sqlite3_exec(db, sql, NULL, NULL, &text) != SQLITE_OK) {
		fprintf(stderr, "tamper: %s: %s\n", sql, text ? text : path);
		abort();
	}
	sqlite3_close(db);
}

#endif
