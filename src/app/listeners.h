/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SB_APP_LISTENERS_H
#define SB_APP_LISTENERS_H

#include "config/settings.h"
#include "front/front.h"

/* The TCP services that the settings want, opened on the front. One row a
 * service in listeners.c. On the loop only. */

/* Open, move or close every service as the settings say. A port that cannot be
 * bound is logged (once for each new reason) and tried again by the next call;
 * returns how many wanted services are not there. */
unsigned listeners_apply(struct front *f, struct settings *s,
			 const struct config *c);

#endif
