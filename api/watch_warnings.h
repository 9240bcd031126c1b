/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SB_API_WATCH_WARNINGS_H
#define SB_API_WATCH_WARNINGS_H

#include "api/method.h"

/* Keeps the security warnings true to the service. */

/* The state at the start, so that what is fixed later shows. */
void warnings_begin(const struct api_services *services);
/* After a call that may have changed what warnings are about: what is fixed is
 * written to the audit trail as the caller's deed. */
void warnings_after_call(const struct call *c);
/* Time and trial changes that revert change it too; nobody did that. */
void warnings_look(const struct api_services *services);

#endif
