/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "pkcs11/internal.h"

/* SoftHSM writes an object into a file of its own and syncs nothing. What has
 * changed lately is synced file by file; a large change by the file system as a
 * whole, which then has little to do for each file. */

/* syncfs(2) waits for everybody's data: with few files it is the slower way. */
enum { SYNC_FILES_MAX = 64, SYNC_SLACK_S = 2 };

struct sync_job {
	time_t since;
	unsigned files;
};

static int sync_file(int dir, const char *name, struct sync_job *job)
{
	struct stat st;
	int fd, rc;

	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0 ||
	    !S_ISREG(st.st_mode) || st.st_mtime < job->since)
		return 0; /* gone, or nothing new in it */
	if (++job->files > SYNC_FILES_MAX)
		return 0;
	fd = openat(dir, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		return 0;
	rc = fsync(fd);
	close(fd);
	return rc;
}

/* One token's directory: its files, then their names. */
static int sync_token(int tokens, const char *name, struct sync_job *job)
{
	int fd = openat(tokens, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct dirent *entry;
	int rc = 0;
	DIR *dir;

	if (fd < 0)
		return 0; /* not a token */
	dir = fdopendir(fd);
	if (!dir) {
		close(fd);
		return -1;
	}
	while (rc == 0 && job->files <= SYNC_FILES_MAX &&
	       (entry = readdir(dir)) != NULL)
		if (entry->d_name[0] != '.')
			rc = sync_file(fd, entry->d_name, job);
	if (rc == 0)
		rc = fsync(fd);
	closedir(dir);
	return rc;
}

static int sync_tokens(int tokens, struct sync_job *job)
{
	DIR *dir = fdopendir(fcntl(tokens, F_DUPFD_CLOEXEC, 0));
	struct dirent *entry;
	int rc = 0;

	if (!dir)
		return -1;
	while (rc == 0 && (entry = readdir(dir)) != NULL)
		if (entry->d_name[0] != '.')
			rc = sync_token(tokens, entry->d_name, job);
	closedir(dir);
	return rc;
}

int softhsm_sync(const char *conf, time_t since, struct error *e)
{
	struct sync_job job = { since - SYNC_SLACK_S, 0 };
	char tokens[PATH_MAX];
	int fd, rc;

	if (!conf)
		return 0;
	if (softhsm_token_directory(conf, tokens, sizeof(tokens), e) < 0)
		return -1;
	fd = open(tokens, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return error_errno(e, "%s", tokens);
	rc = sync_tokens(fd, &job);
	if (rc == 0 && job.files > SYNC_FILES_MAX)
		rc = syncfs(fd);
	if (rc < 0)
		error_errno(e, "%s", tokens);
	close(fd);
	return rc;
}
