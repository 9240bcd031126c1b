/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SB_CTL_PASSWORD_H
#define SB_CTL_PASSWORD_H

#include "base/secret.h"

/* Passwords come from the terminal or from a file, never from an argument that
 * every user of the machine could read. */

enum { PASSWORD_BYTES_MAX = 1024 };

/* Ask on the controlling terminal, without echo. ERR_UNSUPPORTED: there is no
 * terminal. */
int password_ask(const char *question, struct secret *out,
		 struct error *e) MUST_CHECK;

/* The first line of file, or, when file is NULL, what the terminal gives; asked
 * twice when it is a new one. ERR_INPUT: the two differ. */
int password_get(const char *file, const char *question, bool is_new,
		 struct secret *out, struct error *e) MUST_CHECK;

#endif
