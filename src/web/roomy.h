/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SB_WEB_ROOMY_H
#define SB_WEB_ROOMY_H

#include "base/error.h"

/* civetweb gives its threads a stack of 100 KiB, set when Debian compiled it;
 * the API goes through libcrypto, libxml2, SQLite and a PKCS#11 module of
 * unknown appetite. So a call runs on a thread of its own, with the caller
 * waiting. */

enum { ROOMY_STACK_BYTES = 2 * 1024 * 1024 };

/* Run fn(arg) with that much stack and return when it is done. -1: ERR_NOMEM,
 * nothing was run. */
int roomy_run(void (*fn)(void *arg), void *arg, struct error *e) MUST_CHECK;

#endif
