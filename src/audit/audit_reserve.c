/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "audit/audit_reserve.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "base/room.h"

struct audit_reserve {
	pthread_mutex_t lock;
	char path[PATH_MAX];
};

static int make_path(const char *directory, char out[PATH_MAX], struct error *e)
{
	if (snprintf(out, PATH_MAX, "%s/" AUDIT_RESERVE_FILE, directory) <
	    PATH_MAX)
		return 0;
	return error_set(e, ERR_CONFIG, "state directory: path too long");
}

struct audit_reserve *audit_reserve_new(const char *directory, struct error *e)
{
	struct audit_reserve *r = calloc(1, sizeof(*r));

	if (!r) {
		error_nomem(e);
		return NULL;
	}
	if (make_path(directory, r->path, e) < 0) {
		free(r);
		return NULL;
	}
	pthread_mutex_init(&r->lock, NULL);
	return r;
}

void audit_reserve_free(struct audit_reserve *r)
{
	if (!r)
		return;
	pthread_mutex_destroy(&r->lock);
	free(r);
}

/* Somebody may have removed it to make room; so it is looked at each time. */
static bool is_there(const char *path)
{
	struct stat st;

	return lstat(path, &st) == 0 && S_ISREG(st.st_mode) &&
	       st.st_size >= AUDIT_RESERVE_BYTES;
}

static int allocation_error(const char *path, int number, struct error *e)
{
	if (number == ENOSPC || number == EDQUOT || number == EFBIG)
		return room_error(path, number, e);
	errno = number;
	return error_errno(e, "%s", path);
}

/* A half of it would be no reserve: it goes again. */
static int make(const char *path, struct error *e)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
	int number;

	if (fd < 0)
		return allocation_error(path, errno, e);
	number = posix_fallocate(fd, 0, AUDIT_RESERVE_BYTES);
	if (number == 0 && fsync(fd) < 0)
		number = errno;
	if (number != 0) {
		allocation_error(path, number, e);
		unlink(path);
	}
	close(fd);
	return number ? -1 : 0;
}

int audit_reserve_hold(struct audit_reserve *r, struct error *e)
{
	bool made = false;
	int rc = 0;

	pthread_mutex_lock(&r->lock);
	if (!is_there(r->path)) {
		rc = make(r->path, e);
		made = rc == 0;
	}
	pthread_mutex_unlock(&r->lock);
	if (made)
		log_info("audit", "room for audit records is reserved in %s",
			 r->path);
	return rc;
}

bool audit_reserve_give_up(struct audit_reserve *r)
{
	bool was_there;

	pthread_mutex_lock(&r->lock);
	was_there = unlink(r->path) == 0;
	pthread_mutex_unlock(&r->lock);
	if (was_there)
		log_warning("audit",
			    "the disk is full: audit records now use the room "
			    "that was reserved for them");
	return was_there;
}

bool audit_reserve_give_up_in(const char *directory)
{
	char path[PATH_MAX];
	struct error e = ERROR_INIT;

	return make_path(directory, path, &e) == 0 && unlink(path) == 0;
}
