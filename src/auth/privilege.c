/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "auth/users.h"

#include <string.h>

static const char *const names[PRIVILEGE_COUNT] = {
	[PRIVILEGE_NONE] = "none",
	[PRIVILEGE_CONFERENCE_LIST] = "conference list only",
	[PRIVILEGE_CONFERENCE_LIST_STREAMING] =
	    "conference list plus streaming",
	[PRIVILEGE_CONFERENCE_DETAIL] = "conference detail",
	[PRIVILEGE_CONFERENCE_CREATION] = "conference creation",
	[PRIVILEGE_LIMITED_CONTROL] = "conference creation and limited control",
	[PRIVILEGE_FULL_CONTROL] = "conference creation and full control",
	[PRIVILEGE_ADMINISTRATOR] = "administrator",
};

const char *privilege_name(enum privilege p)
{
	return (unsigned)p < PRIVILEGE_COUNT ? names[p] : names[PRIVILEGE_NONE];
}

int privilege_from_name(const char *name, enum privilege *out)
{
	for (int p = PRIVILEGE_NONE + 1; p < PRIVILEGE_COUNT; p++)
		if (!strcmp(names[p], name)) {
			*out = (enum privilege)p;
			return 0;
		}
	return -1;
}
