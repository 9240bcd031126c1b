/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "auth/password_rules.h"
#include "auth/users_private.h"

/* One computation for each former password, ADVANCED_PASSWORD_HISTORY at most;
 * they queue for the same few places as those of log-ins. */
static int was_used(struct users *u, const struct user_row *row,
		    struct view wanted, bool *out, struct error *e)
{
	struct user_history h;

	*out = false;
	if (row->password_hash[0] &&
	    password_verify(wanted, row->password_hash, out, e) < 0)
		return -1;
	if (*out)
		return 0;
	if (store_user_history(u->store, row->key, &h, e) < 0)
		return -1;
	for (size_t i = 0;
	     i < h.count && i < ADVANCED_PASSWORD_HISTORY - 1 && !*out; i++)
		if (password_verify(wanted, h.hashes[i], out, e) < 0)
			return -1;
	return 0;
}

int users_check_password(struct users *u, const struct user_row *row,
			 struct view wanted, bool advanced, unsigned broken,
			 struct error *e)
{
	bool used = false;

	if (password_text_check(wanted, e) < 0)
		return -1;
	broken |= password_rules_broken(wanted, advanced);
	if (advanced && row && was_used(u, row, wanted, &used, e) < 0)
		return -1;
	if (used)
		broken |= 1u << PASSWORD_RULE_HISTORY;
	return password_rules_refuse(broken, e);
}

int users_store_password(struct users *u, const struct user_row *before,
			 const struct user_row *row, bool advanced,
			 struct error *e)
{
	if (!advanced || !before->password_hash[0])
		return store_user_update(u->store, row, e);
	return store_user_update_password(u->store, row, before->password_hash,
					  ADVANCED_PASSWORD_HISTORY - 1, e);
}
