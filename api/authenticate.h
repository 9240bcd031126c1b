/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SB_API_AUTHENTICATE_H
#define SB_API_AUTHENTICATE_H

#include "api/method.h"

/* Find out who calls, by the first of these that is there:
 * - members authenticationUser and authenticationPassword;
 * - the control socket, whose peer is the superuser, the service's own user or
 *   in the service's group: administrator "local";
 * - a session cookie with the X-CSRF-Token that belongs to it.
 * Fills c->caller; VIA_NOBODY when there is none of them. -1: what was offered
 * is not good (ERR_AUTH), or *fault_out is 101 or 103. */
int authenticate(struct call *c, enum fault_code *fault_out,
		 struct error *e) MUST_CHECK;

/* Whether a peer of the control socket is trusted. */
bool control_peer_is_trusted(const struct peer *p);

#endif
