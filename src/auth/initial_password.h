/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SB_AUTH_INITIAL_PASSWORD_H
#define SB_AUTH_INITIAL_PASSWORD_H

#include "base/secret.h"

/* The first password of "admin": the first line of the file, which is generated
 * when it is not there (0600, its directory 0700 when that is made too). An
 * existing file must be private and hold a password that meets the rules. */
int initial_password_get(const char *path, struct secret *out,
			 struct error *e) MUST_CHECK;

#endif
