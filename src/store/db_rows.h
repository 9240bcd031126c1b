/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SB_STORE_DB_ROWS_H
#define SB_STORE_DB_ROWS_H

#include "store/db.h"

/* For engines: how they fill struct db_rows. */

/* One cell; text without meaning for an integer and the other way round. */
int db_rows_add_cell(struct db_rows *r, int64_t number, struct view text,
		     struct error *e) MUST_CHECK;

#endif
