/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/room.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#define CURE "free space there or delete old audit records"

/* A file system without sizes (some over the network, a tmpfs without a limit)
 * has no blocks. */
static uint64_t bytes_left(const struct statvfs *fs)
{
	return fs->f_blocks ? (uint64_t)fs->f_bavail * fs->f_frsize
			    : UINT64_MAX;
}

int room_left(const char *path, uint64_t *out, struct error *e)
{
	struct statvfs fs;

	if (statvfs(path, &fs) < 0)
		return error_errno(e, "%s", path);
	*out = bytes_left(&fs);
	return 0;
}

/* Cut path back to where its file system is mounted. */
static void find_mount(char path[PATH_MAX])
{
	char parent[PATH_MAX];
	struct stat here, above;
	char *slash;

	while (strcmp(path, "/") != 0) {
		strcpy(parent, path);
		slash = strrchr(parent, '/');
		slash[slash == parent] = '\0';
		if (stat(path, &here) < 0 || stat(parent, &above) < 0 ||
		    here.st_dev != above.st_dev)
			return;
		strcpy(path, parent);
	}
}

int room_error(const char *path, long native, struct error *e)
{
	char mount[PATH_MAX];
	struct statvfs fs;

	if (!realpath(path, mount) || statvfs(mount, &fs) < 0)
		return error_set_native(e, ERR_FULL, native,
					"no room at %.200s: " CURE, path);
	find_mount(mount);
	if (bytes_left(&fs) == UINT64_MAX)
		return error_set_native(
		    e, ERR_FULL, native,
		    "no room on the file system %.200s: " CURE, mount);
	return error_set_native(e, ERR_FULL, native,
				"no room on the file system %.200s (%" PRIu64
				" of %" PRIu64 " kB left): " CURE,
				mount, bytes_left(&fs) / 1024,
				(uint64_t)fs.f_blocks * fs.f_frsize / 1024);
}
