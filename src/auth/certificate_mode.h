/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SB_AUTH_CERTIFICATE_MODE_H
#define SB_AUTH_CERTIFICATE_MODE_H

#include "auth/users.h"
#include "tls/client_certificate.h"

/* Client certificate security (facts 1.6): what each of the four modes lets
 * whom do. Decisions only; the TLS side of a mode (no connection without a
 * certificate that chains to the HTTPS trust store) is carried out by the
 * front. */

/* In the order of the setting's choices; rising security, so that >= compares.
 */
enum certificate_mode {
	CERTIFICATE_NOT_REQUIRED,
	CERTIFICATE_VERIFY,
	CERTIFICATE_ALLOWED,
	CERTIFICATE_REQUIRED
};

enum certificate_mode certificate_mode_in_force(struct settings *s);

#endif
