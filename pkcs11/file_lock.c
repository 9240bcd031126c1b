/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "pkcs11/internal.h"

enum { POLL_MS = 10 };

static int open_file(const char *path)
{
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0660);

	/* Somebody else's lock file can still be locked. */
	if (fd < 0 && (errno == EACCES || errno == EROFS))
		fd = open(path, O_RDONLY | O_CLOEXEC);
	return fd;
}

int file_lock_take(const char *path, unsigned wait_ms, int *fd_out,
		   struct error *e)
{
	int64_t deadline = clock_monotonic_ms() + wait_ms;
	int fd;

	*fd_out = -1;
	if (!path)
		return 0;
	fd = open_file(path);
	if (fd < 0)
		return error_errno(e, "token lock %s", path);
	while (flock(fd, LOCK_EX | LOCK_NB) < 0) {
		struct timespec nap = { 0, POLL_MS * 1000000L };

		if (errno != EWOULDBLOCK && errno != EINTR) {
			error_errno(e, "token lock %s", path);
			goto fail;
		}
		if (clock_monotonic_ms() >= deadline) {
			error_set(e, ERR_TIMEOUT,
				  "token lock %s: held by another process "
				  "for %u s",
				  path, wait_ms / 1000);
			goto fail;
		}
		nanosleep(&nap, NULL);
	}
	*fd_out = fd;
	return 0;
fail:
	close(fd);
	return -1;
}

void file_lock_release(int fd)
{
	if (fd >= 0)
		close(fd);
}
