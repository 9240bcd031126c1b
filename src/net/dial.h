/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SB_NET_DIAL_H
#define SB_NET_DIAL_H

#include "base/host_name.h"

/* TCP connections that we open. Any thread. */

/* Waits until the events of poll(2) (or an error, which the next call on fd
 * tells) are there. deadline: of clock_monotonic_ms(); one that has passed
 * looks once. cancel: a descriptor that gives up by becoming readable, -1 for
 * none. ERR_TIMEOUT, ERR_CANCELLED. */
int net_wait(int fd, short events, int64_t deadline, int cancel,
	     struct error *e) MUST_CHECK;

/* Looks the host up and connects: its addresses one after the other, each with
 * its share of the time that is left. A descriptor that does not block and
 * closes at exec, or -1: ERR_NOT_FOUND, ERR_TIMEOUT, ERR_CANCELLED, ERR_IO (of
 * the last address), ERR_LIMIT, ERR_NOMEM. */
int net_dial(const struct host_port *to, int64_t deadline, int cancel,
	     struct error *e) MUST_CHECK;

#endif
