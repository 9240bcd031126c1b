/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SB_CTL_COMMAND_TABLE_H
#define SB_CTL_COMMAND_TABLE_H

#include <stdio.h>

#include "ctl/commands.h"

/* All commands, as the command line and the console take them. */

/* The row whose name the words begin with; *words_out is how many words the
 * name has. NULL: none. argc is at least 1. */
const struct command *command_find(int argc, char **argv, int *words_out);

/* Name, arguments and help of each. */
void command_list(FILE *out);

#endif
