/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SB_SIP_SIP_CREDENTIALS_H
#define SB_SIP_SIP_CREDENTIALS_H

#include "store/sip_password_row.h"

/* The password for the trunk or registrar at hand, so that the loop need not
 * wait for the store. Any thread. */

struct sip_credentials;

/* Reads what is stored; the store must outlive it. NULL: as
 * sip_password_get(). */
struct sip_credentials *sip_credentials_new(struct store *s,
					    struct error *e) MUST_CHECK;
void sip_credentials_free(struct sip_credentials *c); /* NULL is fine */

/* Whether it can be one. ERR_INPUT: too long, no text, or control characters.
 * Pure. */
int sip_credentials_check(const char *password, struct error *e) MUST_CHECK;
/* As sip_password_set(), and in force with the return; or what
 * sip_credentials_check() says. Waits for the disk: not on the loop. */
int sip_credentials_set(struct sip_credentials *c, const char *password,
			struct error *e) MUST_CHECK;
/* A copy, empty where there is none; the caller frees it. ERR_NOMEM. */
int sip_credentials_get(struct sip_credentials *c, struct secret *out,
			struct error *e) MUST_CHECK;
bool sip_credentials_given(struct sip_credentials *c);
/* Another number after each change. */
unsigned sip_credentials_version(struct sip_credentials *c);

#endif
