/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SB_FRONT_CONNECT_H
#define SB_FRONT_CONNECT_H

#include "front/conn.h"

/* Connections that we open, until they are. */

struct dial {
	char *host; /* whom we meant to reach; NULL: plain TCP */
	/* Why it fails. Written by the pool while the connection is with it. */
	struct error why;
	bool late; /* the deadline passed */
};

/* Writable for the first time, or it failed. */
void connect_ready(struct conn *c);
/* The connection comes about no more: let go of it, then close it. */
void connect_fail(struct conn *c);
/* Why, for its handler. */
const struct error *connect_failure(struct conn *c);
void dial_free(struct dial *d); /* NULL is fine */

#endif
