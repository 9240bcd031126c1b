/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "auth/initial_password.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "auth/password_rules.h"

/* 20 characters of 6 random bits: 120 bits. */
enum { GENERATED_LENGTH = 20 };

static int open_directory(const char *path, struct error *e)
{
	char copy[PATH_MAX];
	const char *directory;
	struct stat st;
	int fd;

	if (snprintf(copy, sizeof(copy), "%s", path) >= (int)sizeof(copy))
		return error_set(e, ERR_CONFIG, "%.100s...: path too long",
				 path);
	directory = dirname(copy);
	if (mkdir(directory, 0700) < 0 && errno != EEXIST)
		return error_errno(e, "%s", directory);
	fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return error_errno(e, "%s", directory);
	if (fstat(fd, &st) < 0 || (st.st_mode & (S_IWGRP | S_IWOTH))) {
		error_set(e, ERR_CONFIG,
			  "%s: others may write there; chmod 0700 it",
			  directory);
		close(fd);
		return -1;
	}
	return fd;
}

static int write_line(int fd, const char *password, struct error *e)
{
	char line[GENERATED_LENGTH + 2];
	ssize_t n = snprintf(line, sizeof(line), "%s\n", password);
	int rc = 0;

	if (write(fd, line, (size_t)n) != n || fsync(fd) < 0)
		rc = error_errno(e, "initial password file");
	secret_wipe(line, sizeof(line));
	return rc;
}

/* The file appears whole, under its name, or not at all; another process that
 * was faster keeps its own. */
static int generate(int directory, const char *name, struct error *e)
{
	char password[GENERATED_LENGTH + 1], random[13], temporary[32];
	int fd, rc;

	random_text(random, sizeof(random) - 1);
	snprintf(temporary, sizeof(temporary), ".new-%s", random);
	fd = openat(directory, temporary,
		    O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0)
		return error_errno(e, "initial password file");
	random_text(password, GENERATED_LENGTH);
	rc = write_line(fd, password, e);
	secret_wipe(password, sizeof(password));
	close(fd);
	if (rc == 0 && linkat(directory, temporary, directory, name, 0) < 0 &&
	    errno != EEXIST)
		rc = error_errno(e, "initial password file");
	unlinkat(directory, temporary, 0);
	if (rc == 0 && fsync(directory) < 0)
		rc = error_errno(e, "initial password file");
	return rc;
}

static int check(const char *path, struct secret *s, struct error *e)
{
	if (s->len == 0)
		error_set(e, ERR_CONFIG, "%s: no password in it", path);
	else if (password_text_check(view_of(s->ptr, s->len), e) == 0)
		return 0;
	else
		error_prefix(e, "%s", path);
	e->kind = ERR_CONFIG;
	secret_free(s);
	return -1;
}

int initial_password_get(const char *path, struct secret *out, struct error *e)
{
	const char *slash = strrchr(path, '/');
	int directory = open_directory(path, e), rc = 0;

	if (directory < 0)
		return -1;
	if (faccessat(directory, slash ? slash + 1 : path, F_OK, 0) < 0)
		rc = generate(directory, slash ? slash + 1 : path, e);
	close(directory);
	if (rc < 0)
		return error_prefix(e, "%s", path);
	if (secret_read_file(out, path, PASSWORD_BYTES_MAX, e) < 0)
		return -1;
	return check(path, out, e);
}
