/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SB_TLS_CLIENT_CERTIFICATE_H
#define SB_TLS_CLIENT_CERTIFICATE_H

#include "base/hash.h"
#include "cert/login_name.h"

/* The client certificate of an established connection, as far as those behind
 * it need it: it has passed the judge, else there would be no connection. A
 * plain value. */

enum { CLIENT_SUBJECT_MAX = 256 };

struct client_certificate {
	bool present;
	struct login_name login;          /* whom it may log in as */
	char subject[CLIENT_SUBJECT_MAX]; /* RFC 4514, cut at the end */
	uint8_t sha256[SHA256_SIZE];      /* of its DER */
	time_t expires;
};

#endif
