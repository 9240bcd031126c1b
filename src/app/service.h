/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SB_APP_SERVICE_H
#define SB_APP_SERVICE_H

#include "app/options.h"
#include "config/config.h"

/* The running service: everything in the order in which it needs each other,
 * on one event loop, until a signal or a method ends it. */

enum service_end {
	SERVICE_ENDED,   /* as asked by a signal or a shutdown */
	SERVICE_RESTART, /* the process shall execute itself again */
	SERVICE_FAILED   /* could not start; *e says why */
};

/* Runs to the end. check tells whether the configuration could be used for a
 * restart: SIGHUP and device.restart ask it first, on any thread. With
 * SERVICE_FAILED, status_out is the exit status. The caller has ignored
 * SIGPIPE. */
enum service_end service_run(struct config *config, bool restarted,
			     int (*check)(void *arg, struct error *e),
			     void *check_arg, int *status_out, struct error *e);

#endif
