/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SB_APP_SYSTEM_RECORDS_H
#define SB_APP_SYSTEM_RECORDS_H

#include "audit/audit.h"
#include "pkcs11/keys.h"
#include "web/sessions.h"

/* What goes into the audit trail without anybody asking. A record that cannot
 * be written is counted and logged by audit_append(). */

/* restarted: by a method or a signal; crashed: the run before did not end by
 * itself. */
void record_started(struct audit *a, bool restarted, bool crashed);
void record_stopped(struct audit *a, bool restarts);

/* The event of a token's state: one that was ready and is gone is lost, one
 * that was not ready yet is another matter. Pure. */
enum audit_event token_event(enum token_state now, bool was_ready);
/* The state as it is now; *was_ready is kept from call to call. */
void record_token(struct audit *a, const struct token_info *now,
		  bool *was_ready);

/* For sessions_on_end() and struct identity_options; arg: the struct audit. */
void record_session_end(const struct session_end *end, void *arg);
void record_own_key(void *arg, const struct token_id *id, enum key_kind kind);

#endif
