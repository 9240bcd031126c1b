/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "store/sip_password_row.h"

#include <string.h>

#include "store/store_private.h"

int sip_password_set(struct store *s, const char *password, struct error *e)
{
	const struct db_value values[] = { db_text(password) };

	if (strlen(password) > SIP_PASSWORD_MAX)
		return error_set(e, ERR_LIMIT,
				 "the password is longer than %d bytes",
				 SIP_PASSWORD_MAX);
	return store_run(s, STATEMENT_SIP_PASSWORD_PUT, values,
			 COUNT_OF(values), NULL, e);
}

int sip_password_get(struct store *s, struct secret *out, struct error *e)
{
	struct db_cell cells[DB_COLUMNS_MAX];
	struct db_rows rows;
	int rc;

	memset(out, 0, sizeof(*out));
	rc = store_secret_rows(s, STATEMENT_SIP_PASSWORD_GET, &rows, e);
	if (rc == 0 && db_rows_next(&rows, cells) && cells[0].len)
		rc = secret_copy(out, view_of(cells[0].text, cells[0].len), e);
	db_rows_free(&rows);
	return rc;
}
