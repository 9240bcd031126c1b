/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SB_APP_OPTIONS_H
#define SB_APP_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>

/* The command line of sealbridged(8). */

enum { OVERRIDES_MAX = 64 };

/* Exit statuses, after sysexits(3) where it has one. */
enum exit_status {
	EXIT_OK = 0,
	EXIT_FAILED = 1,
	EXIT_USAGE = 2,
	EXIT_TOKEN = 69,
	EXIT_CONFIG = 78
};

struct options {
	const char *file;
	const char *overrides[OVERRIDES_MAX];
	size_t override_count;
	bool check_only;
};

/* -1: go on; otherwise the exit status to end with (help, version, usage). */
int options_parse(int argc, char **argv, struct options *out);

#endif
