/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SB_AUTH_SECURITY_WARNINGS_H
#define SB_AUTH_SECURITY_WARNINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

/* Security warnings, as Status shows them: one row each, whether it applies a
 * pure function over a few facts, and which of them somebody has acknowledged.
 */

struct security_facts {
	bool advanced_accounts, console_login;
	bool http; /* and log-ins by it are allowed */
	bool redirect_http;
	bool guest_enabled;
	bool admin_has_default_name;
	bool certificate_login;   /* the mode lets certificates log in */
	size_t expired_passwords; /* of accounts that could log in */
	bool default_certificate; /* in service */
	bool no_audit_room;       /* on the disk, for what is to be recorded */
	bool sip_misnamed; /* SIP peers would not take our certificate for us */
	bool sip_shut;     /* SIP peers are verified, and nobody is trusted */
};

struct security_warning_row {
	const char *id;
	const char *warning, *action; /* what is, what to do */
	const char *page;             /* where */
	const char *severity;         /* "warning", "info" */
	bool (*applies)(const struct security_facts *f);
};

enum { SECURITY_WARNINGS_MAX = 16 };

/* NULL past the end. */
const struct security_warning_row *security_warning_row(size_t i);
/* -1 when there is none. */
int security_warning_find(const char *id);

/* A bit for each row that applies (1u << i). */
unsigned security_warnings_of(const struct security_facts *f);

/* What applied when last looked, and what of it is acknowledged: in memory, so
 * that a restart makes all new again. Any thread. */
struct security_warnings;

struct security_warnings *security_warnings_new(struct error *e) MUST_CHECK;
void security_warnings_free(struct security_warnings *w);

/* Take a ticket, gather the facts, then update with both: of two that looked at
 * the same time the later one counts. Gives the bits of what applied before and
 * does no longer; such a one is new when it comes back. The first update gives
 * none. */
uint64_t security_warnings_ticket(struct security_warnings *w);
unsigned security_warnings_update(struct security_warnings *w, uint64_t ticket,
				  unsigned applying);

unsigned security_warnings_applying(struct security_warnings *w);
unsigned security_warnings_acknowledged(struct security_warnings *w);
/* Only what applies can be; gives the bits that were new until now. */
unsigned security_warnings_acknowledge(struct security_warnings *w,
				       unsigned bits);

#endif
