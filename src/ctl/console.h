/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SB_CTL_CONSOLE_H
#define SB_CTL_CONSOLE_H

#include "ctl/commands.h"

/* Commands one after the other from standard input, until it ends. Where the
 * service asks for a log-in (console.requireLogin), it is asked for once, and
 * again after console.timeoutMinutes without input. A struct command's run:
 * returns the status of the last command. */
int console_run(struct ctl *c, int argc, char **argv);

#endif
