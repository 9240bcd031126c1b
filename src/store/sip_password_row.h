/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SB_STORE_SIP_PASSWORD_ROW_H
#define SB_STORE_SIP_PASSWORD_ROW_H

#include "base/secret.h"
#include "store/store.h"

/* The password for the trunk or registrar. It stands in the database as it is,
 * since a digest that would do in its place would be as good as the password;
 * what it was is overwritten. No API gives it out. */

enum { SIP_PASSWORD_MAX = 255 }; /* bytes */

/* "": none from now on. ERR_LIMIT: longer. */
int sip_password_set(struct store *s, const char *password,
		     struct error *e) MUST_CHECK;
/* Empty where there is none. The caller frees it, also after an error. */
int sip_password_get(struct store *s, struct secret *out,
		     struct error *e) MUST_CHECK;

#endif
