/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "pkcs11/internal.h"

/* SoftHSM's C_Login truncates token.object and writes it anew; a kill in
 * between leaves an empty or cut file, and the token seems never to have been
 * initialised (fact: platform-facts, SoftHSM). Each good file is therefore
 * copied into the state directory under the lock that logins take, and a bad
 * one replaced by its copy. The file holds no key that its PIN does not
 * protect; the copy is readable by its owner only. */

/* A directory, a name in it and a suffix fit without being cut. */
enum { GUARD_PATH_MAX = PATH_MAX + 512 };
enum { TOKEN_OBJECT_MAX = 64 * 1024, CONF_LINE_MAX = 4096 };

/* --- the content
 *
 * A generation number, then attributes: type, kind, value, all numbers of eight
 * bytes, big-endian. */

enum { KIND_BOOL = 1, KIND_ULONG = 2, KIND_BYTES = 3 };

#define OS_VENDOR     (0x80000000UL + 0x5348UL)
#define OS_LABEL      (OS_VENDOR + 1)
#define OS_SERIAL     (OS_VENDOR + 2)
#define OS_FLAGS      (OS_VENDOR + 3)
#define OS_SO_PIN     (OS_VENDOR + 4)
#define OS_USER_PIN   (OS_VENDOR + 5)
#define OS_SEEN(type) (1U << ((type)-OS_VENDOR))

struct reader {
	struct view in;
	bool broken;
};

static uint64_t read_number(struct reader *r)
{
	uint64_t n = 0;

	if (r->in.len < 8) {
		r->broken = true;
		return 0;
	}
	for (int i = 0; i < 8; i++)
		n = n << 8 | r->in.ptr[i];
	r->in = view_of(r->in.ptr + 8, r->in.len - 8);
	return n;
}

static void skip(struct reader *r, uint64_t n)
{
	if (r->in.len < n)
		r->broken = true;
	else
		r->in = view_of(r->in.ptr + n, r->in.len - (size_t)n);
}

/* One attribute; what is of use for the judgement is noted. */
static void read_attribute(struct reader *r, unsigned *seen, uint64_t *flags)
{
	uint64_t type = read_number(r), kind = read_number(r), n;

	switch (kind) {
	case KIND_BOOL: skip(r, 1); break;
	case KIND_ULONG:
		n = read_number(r);
		if (type == OS_FLAGS) {
			*flags = n;
			*seen |= OS_SEEN(OS_FLAGS);
		}
		break;
	case KIND_BYTES:
		n = read_number(r);
		if (n && type > OS_VENDOR && type <= OS_USER_PIN)
			*seen |= OS_SEEN(type);
		skip(r, n);
		break;
	default: r->broken = true;
	}
}

bool softhsm_token_object_valid(struct view content)
{
	unsigned wanted = OS_SEEN(OS_LABEL) | OS_SEEN(OS_SERIAL) |
			  OS_SEEN(OS_FLAGS) | OS_SEEN(OS_SO_PIN);
	struct reader r = { content, false };
	uint64_t flags = 0;
	unsigned seen = 0;

	read_number(&r);
	while (!r.broken && r.in.len)
		read_attribute(&r, &seen, &flags);
	if (flags & CKF_USER_PIN_INITIALIZED)
		wanted |= OS_SEEN(OS_USER_PIN);
	return !r.broken && (flags & CKF_TOKEN_INITIALIZED) &&
	       (seen & wanted) == wanted;
}

/* --- files */

/* Whole file; length 0 when there is none or it is too long to be one. */
static size_t slurp(const char *path, uint8_t *out)
{
	FILE *f = fopen(path, "re");
	size_t n = 0;

	if (f) {
		n = fread(out, 1, TOKEN_OBJECT_MAX, f);
		if (n == TOKEN_OBJECT_MAX || ferror(f))
			n = 0;
		fclose(f);
	}
	return n;
}

static int sync_directory_of(const char *path)
{
	char dir[GUARD_PATH_MAX];
	char *slash;
	int fd, rc;

	snprintf(dir, sizeof(dir), "%s", path);
	slash = strrchr(dir, '/');
	if (slash)
		*slash = '\0';
	fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return -1;
	rc = fsync(fd);
	close(fd);
	return rc;
}

/* A group that the owner is not in can be set by root alone, and is no reason
 * to leave the token lost. */
static bool give_to(int fd, const struct stat *like)
{
	return fchown(fd, like->st_uid, like->st_gid) == 0 ||
	       (errno == EPERM && like->st_uid == geteuid());
}

/* Replace a file as a whole. The owner stays who it was: a service that runs
 * as root must not take a token's file from the account it belongs to. */
static int replace_file(const char *path, struct view content,
			const struct stat *like, struct error *e)
{
	char temp[GUARD_PATH_MAX];
	int fd, ok;

	if (snprintf(temp, sizeof(temp), "%s.new", path) >= (int)sizeof(temp))
		return error_set(e, ERR_IO, "%s: path too long", path);
	fd = open(temp, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd < 0)
		return error_errno(e, "%s", temp);
	ok = write(fd, content.ptr, content.len) == (ssize_t)content.len &&
	     (!like || give_to(fd, like)) && fsync(fd) == 0;
	close(fd);
	if (!ok || rename(temp, path) < 0 || sync_directory_of(path) < 0) {
		error_errno(e, "%s", path);
		unlink(temp);
		return -1;
	}
	return 0;
}

struct guarded {
	char live[GUARD_PATH_MAX], backup[GUARD_PATH_MAX];
	uint8_t live_bytes[TOKEN_OBJECT_MAX], backup_bytes[TOKEN_OBJECT_MAX];
};

static void back_up(const struct guarded *g, struct view live,
		    struct view backup)
{
	struct error e = ERROR_INIT;

	if (view_equal(live, backup))
		return;
	if (replace_file(g->backup, live, NULL, &e) < 0)
		log_failure(LOG_LEVEL_WARNING, "token", &e);
}

/* Returns the number of damaged files that are left: 0 or 1. */
static unsigned restore(const struct guarded *g, struct view backup,
			const struct stat *directory)
{
	struct error e = ERROR_INIT;

	if (!softhsm_token_object_valid(backup)) {
		log_warning("token", "%s is damaged and there is no backup",
			    g->live);
		return 1;
	}
	if (replace_file(g->live, backup, directory, &e) < 0) {
		log_failure(LOG_LEVEL_ERROR, "token", &e);
		return 1;
	}
	log_warning("token", "%s was damaged; the backup was put back",
		    g->live);
	return 0;
}

/* One token directory of SoftHSM. */
static unsigned guard_one(struct guarded *g, const char *tokens,
			  const char *name, const char *backups)
{
	struct view live, backup;
	struct stat directory;
	char path[GUARD_PATH_MAX];

	snprintf(path, sizeof(path), "%s/%s", tokens, name);
	if (stat(path, &directory) < 0 || !S_ISDIR(directory.st_mode))
		return 0;
	snprintf(g->live, sizeof(g->live), "%s/%s/token.object", tokens, name);
	snprintf(g->backup, sizeof(g->backup), "%s/%s.token.object", backups,
		 name);
	live = view_of(g->live_bytes, slurp(g->live, g->live_bytes));
	backup = view_of(g->backup_bytes, slurp(g->backup, g->backup_bytes));
	if (!softhsm_token_object_valid(live))
		return restore(g, backup, &directory);
	back_up(g, live, backup);
	return 0;
}

/* --- configuration */

int softhsm_token_directory(const char *conf, char *out, size_t cap,
			    struct error *e)
{
	char line[CONF_LINE_MAX];
	FILE *f = fopen(conf, "re");

	if (!f)
		return error_errno(e, "%s", conf);
	out[0] = '\0';
	while (fgets(line, sizeof(line), f)) {
		char value[CONF_LINE_MAX];

		line[strcspn(line, "#\r\n")] = '\0';
		if (sscanf(line, " directories.tokendir = %4095[^\n]", value) ==
		    1)
			snprintf(out, cap, "%s", value);
	}
	fclose(f);
	for (size_t n = strlen(out); n && strchr(" \t/", out[n - 1]);)
		out[--n] = '\0';
	return out[0] ? 0
		      : error_set(e, ERR_CONFIG, "%s: no directories.tokendir",
				  conf);
}

static int guard_all(const char *conf, const char *state_directory,
		     unsigned *damaged, struct error *e)
{
	char tokens[PATH_MAX], backups[PATH_MAX];
	struct guarded *g;
	struct dirent *entry;
	DIR *dir;

	if (softhsm_token_directory(conf, tokens, sizeof(tokens), e) < 0)
		return -1;
	snprintf(backups, sizeof(backups), "%s/softhsm", state_directory);
	if (mkdir(backups, 0700) < 0 && errno != EEXIST)
		return error_errno(e, "%s", backups);
	dir = opendir(tokens);
	if (!dir)
		return error_errno(e, "%s", tokens);
	g = malloc(sizeof(*g));
	while (g && (entry = readdir(dir)) != NULL)
		if (entry->d_name[0] != '.')
			*damaged +=
			    guard_one(g, tokens, entry->d_name, backups);
	closedir(dir);
	if (!g)
		return error_nomem(e);
	free(g);
	return 0;
}

unsigned softhsm_guard_run(const char *conf, const char *state_directory)
{
	struct error e = ERROR_INIT;
	unsigned damaged = 0;

	if (conf && guard_all(conf, state_directory, &damaged, &e) < 0) {
		error_prefix(&e, "SoftHSM's token is not guarded");
		log_failure(LOG_LEVEL_WARNING, "token", &e);
	}
	return damaged;
}
