/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SB_CERT_LOGIN_NAME_H
#define SB_CERT_LOGIN_NAME_H

#include "cert/cert.h"

/* The user that a client certificate stands for. Compared byte by byte with the
 * names of accounts, so nothing that could be read in two ways passes: exactly
 * one common name in the whole subject; a UTF8String, or a PrintableString of
 * ASCII (no BMPString, UniversalString, TeletexString, IA5String); at least
 * one and at most LOGIN_NAME_CHARACTERS_MAX characters, no control (a NUL,
 * too), direction or invisible ones. Pure; any thread. */

enum { LOGIN_NAME_CHARACTERS_MAX = 31 };

struct login_name {
	char name[4 * LOGIN_NAME_CHARACTERS_MAX + 1]; /* UTF-8; "": none */
	char reason[96]; /* why there is none; "" when there is one */
};

/* Whether the certificate gives one. */
bool login_name_of(const struct cert *c, struct login_name *out);

#endif
