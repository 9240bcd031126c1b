/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SB_API_AUTHENTICATE_H
#define SB_API_AUTHENTICATE_H

#include "api/method.h"

/* Fill c->entry: what the mode of client certificates lets this connection do.
 * The certificate counts by what it is now: one that has expired meanwhile is
 * none. -1: the accounts cannot be read. */
int entry_find(struct call *c, struct error *e) MUST_CHECK;

/* ERR_AUTH with cause and cure. A client whose connection has no certificate
 * must open another one, so this one is ended; a trusted certificate that was
 * refused is recorded. */
int entry_refuse(const struct call *c, enum login_door door, struct error *e);

/* Find out who calls, by c->entry. Root's own methods: root on the control
 * socket. A control socket that asks for no log-in: the members
 * authenticationUser and authenticationPassword; else its peer, when that is
 * the superuser, the service's own user or in the service's group:
 * administrator "local"; else a session. Otherwise by the rule in the entry:
 * - by certificate: the session that it opened, else its user; members are
 *   ignored;
 * - by password: the members, else a session opened by password;
 * - refused: nobody.
 * A session counts with the X-CSRF-Token that belongs to it, and ends when the
 * rule no longer lets it in. Whoever sends that header means a session. Fills
 * c->caller; VIA_NOBODY when nothing was offered. -1: what was offered is not
 * good (ERR_AUTH), or *fault_out is 101 or 103. */
int authenticate(struct call *c, enum fault_code *fault_out,
		 struct error *e) MUST_CHECK;

/* Whether a peer of the control socket is trusted. */
bool control_peer_is_trusted(const struct peer *p);
bool control_peer_is_root(const struct peer *p);

#endif
