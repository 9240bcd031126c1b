/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "store/sip_password_row.h"

#include <string.h>

#include "base/log.h"
#include "store/store_private.h"

/* The write-ahead log keeps copies of what was there, for weeks where little is
 * written. */
static void forget_former(struct store *s)
{
	struct error e = ERROR_INIT;

	if (store_fold_log(s, &e) == 0)
		return;
	error_prefix(&e, "the former SIP password stays in the write-ahead "
			 "log for now");
	log_failure(LOG_LEVEL_WARNING, "store", &e);
}

int sip_password_set(struct store *s, const char *password, struct error *e)
{
	const struct db_value values[] = { db_text(password) };

	if (strlen(password) > SIP_PASSWORD_MAX)
		return error_set(e, ERR_LIMIT,
				 "the password is longer than %d bytes",
				 SIP_PASSWORD_MAX);
	if (store_run(s, STATEMENT_SIP_PASSWORD_PUT, values, COUNT_OF(values),
		      NULL, e) < 0)
		return -1;
	forget_former(s);
	return 0;
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
