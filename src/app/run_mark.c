/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "app/run_mark.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <unistd.h>

#include "base/clock.h"

static void mark_path(const char *state_directory, char out[PATH_MAX])
{
	snprintf(out, PATH_MAX, "%s/running", state_directory);
}

int run_mark_set(const char *state_directory, bool restarted, struct store *s,
		 struct error *e)
{
	char path[PATH_MAX];
	bool unclean;
	int fd;

	mark_path(state_directory, path);
	unclean = access(path, F_OK) == 0;
	if (!restarted &&
	    store_restart_add(s, clock_now(), unclean ? "unknown" : "Cold boot",
			      e) < 0)
		return -1;
	fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0)
		return error_errno(e, "%s", path);
	close(fd);
	return 0;
}

void run_mark_clear(const char *state_directory)
{
	char path[PATH_MAX];

	mark_path(state_directory, path);
	unlink(path);
}
