/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SB_TLS_CLIENT_CERTIFICATE_H
#define SB_TLS_CLIENT_CERTIFICATE_H

#include "base/hash.h"
#include "cert/login_name.h"

/* The client certificate of an established connection, as far as those behind
 * it need it: it has passed the judge, else there would be no connection. A
 * plain value. */

enum { CLIENT_SUBJECT_MAX = 256, CLIENT_SERIAL_MAX = 65 };

/* How a certificate names itself, each cut at the end; "" when there is none.
 */
struct certificate_names {
	char subject[CLIENT_SUBJECT_MAX],
	    issuer[CLIENT_SUBJECT_MAX]; /* RFC 4514 */
	char serial[CLIENT_SERIAL_MAX]; /* hex */
};

struct client_certificate {
	bool present;
	struct login_name login; /* whom it may log in as */
	struct certificate_names names;
	uint8_t sha256[SHA256_SIZE]; /* of its DER */
	time_t expires;
};

#endif
