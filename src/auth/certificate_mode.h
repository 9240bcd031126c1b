/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SB_AUTH_CERTIFICATE_MODE_H
#define SB_AUTH_CERTIFICATE_MODE_H

#include "auth/users.h"
#include "tls/client_certificate.h"

/* Client certificate security (verification.clientCertificate): what each of
 * the four modes lets whom do. Decisions only; the TLS side of a mode (no
 * connection without a certificate that chains to the HTTPS trust store) is
 * carried out by the front. Any thread. */

/* In the order of the setting's choices; rising security, so that >= compares.
 */
enum certificate_mode {
	CERTIFICATE_NOT_REQUIRED,
	CERTIFICATE_VERIFY,
	CERTIFICATE_ALLOWED,
	CERTIFICATE_REQUIRED,
	CERTIFICATE_MODE_COUNT
};

enum certificate_mode certificate_mode_in_force(struct settings *s);
/* "notRequired", as the setting's choices are written. */
const char *certificate_mode_name(enum certificate_mode mode);

/* Where a caller comes in. DOOR_LOCAL: the control socket and the console. */
enum certificate_door { DOOR_HTTP, DOOR_HTTPS, DOOR_LOCAL, DOOR_COUNT };

/* What the caller's connection brings. */
enum certificate_offer {
	OFFER_NONE,     /* no certificate that passed the judge */
	OFFER_TRUSTED,  /* one that names no account */
	OFFER_MATCHING, /* one that names an account, usable or not */
	OFFER_COUNT
};

enum login_way {
	LOGIN_REFUSED,       /* nobody gets in, whatever he offers */
	LOGIN_BY_PASSWORD,   /* user name and password */
	LOGIN_BY_CERTIFICATE /* as that account; passwords are ignored */
};

struct certificate_rule {
	enum login_way way;
	const char *why; /* LOGIN_REFUSED: cause and cure, for people */
};

/* The whole table. Its rows of DOOR_LOCAL hold where console.requireLogin is
 * on; without it, no mode changes anything there. A pure function. */
const struct certificate_rule *certificate_mode_rule(
    enum certificate_mode mode, enum certificate_door door,
    enum certificate_offer offer);

/* Would a caller get in as an administrator, who opens a new connection through
 * the same door with the same certificate (NULL or not present: none) when the
 * mode is the wanted one? DOOR_LOCAL: when the console asks for a log-in, as in
 * the table. ERR_LOCK_OUT: no, and why. */
int certificate_mode_check_caller(struct users *u, enum certificate_mode wanted,
				  enum certificate_door door,
				  const struct client_certificate *c,
				  struct error *e) MUST_CHECK;

/* Which account the certificate of a connection stands for: the one whose id is
 * its login name, byte by byte. */
struct certificate_user {
	enum certificate_offer offer;
	struct identity_of_user user; /* OFFER_MATCHING; must_change_password is
				       * never set */
	bool usable;                  /* the account may be used */
	char why[192]; /* why it stands for nobody or is not usable, else "" */
};

/* -1: the accounts cannot be read. Changes nothing. */
int users_find_by_certificate(struct users *u,
			      const struct client_certificate *c, time_t now,
			      struct certificate_user *out,
			      struct error *e) MUST_CHECK;

/* Log in the account that the certificate stands for, as a log-in by password
 * would: it counts as the account's use and ends its row of failures. Never
 * asks for another password. The caller has checked that the mode lets him.
 * ERR_NO_USER: it stands for nobody (the text says why; not recorded);
 * ERR_AUTH: the account may not be used. */
int users_login_by_certificate(struct users *u, enum login_door door,
			       const struct client_certificate *c,
			       const char *peer_address, time_t now,
			       struct identity_of_user *out,
			       struct error *e) MUST_CHECK;

/* Write down that a certificate was refused as a log-in; the same one at most
 * once in CERTIFICATE_TELL_MS. */
enum { CERTIFICATE_TELL_MS = 60 * 1000 };
void users_certificate_refused(struct users *u, enum login_door door,
			       const struct client_certificate *c,
			       const char *peer_address, const char *why);

#endif
