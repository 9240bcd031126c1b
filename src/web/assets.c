/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "web/assets.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/hash.h"

enum { DEPTH_MAX = 8, ETAG_BYTES = 8 };

struct assets {
	struct asset items[ASSETS_MAX];
	size_t count, bytes;
};

static const struct {
	const char *suffix, *type;
} types[] = {
	{ ".html", "text/html; charset=utf-8" },
	{ ".css", "text/css; charset=utf-8" },
	{ ".js", "text/javascript; charset=utf-8" },
	{ ".mjs", "text/javascript; charset=utf-8" },
	{ ".json", "application/json" },
	{ ".svg", "image/svg+xml" },
	{ ".png", "image/png" },
	{ ".jpg", "image/jpeg" },
	{ ".ico", "image/vnd.microsoft.icon" },
	{ ".woff2", "font/woff2" },
	{ ".txt", "text/plain; charset=utf-8" },
	{ ".webmanifest", "application/manifest+json" },
};

static bool ends_with(const char *s, const char *end)
{
	size_t n = strlen(s), m = strlen(end);

	return n >= m && !strcmp(s + n - m, end);
}

static const char *type_of(const char *path)
{
	for (size_t i = 0; i < sizeof(types) / sizeof(*types); i++)
		if (ends_with(path, types[i].suffix))
			return types[i].type;
	return "application/octet-stream";
}

static int read_whole(int fd, size_t size, uint8_t *p, const char *path,
		      struct error *e)
{
	size_t done = 0;

	while (done < size) {
		ssize_t n = read(fd, p + done, size - done);

		if (n < 0)
			return error_errno(e, "%s", path);
		if (n == 0)
			return error_set(e, ERR_IO, "%s: shrank while read",
					 path);
		done += (size_t)n;
	}
	return 0;
}

/* Take an open file of that size under that path. */
static int add_file(struct assets *a, int fd, const char *path, size_t size,
		    struct error *e)
{
	struct asset *item = &a->items[a->count];
	uint8_t hash[SHA256_SIZE];
	uint8_t *p;

	if (a->count == ASSETS_MAX || size > ASSET_BYTES_MAX ||
	    a->bytes + size > ASSETS_BYTES_MAX)
		return error_set(e, ERR_LIMIT,
				 "%s: too large, or too many files", path);
	p = malloc(size ? size : 1);
	if (!p)
		return error_nomem(e);
	if (read_whole(fd, size, p, path, e) < 0) {
		free(p);
		return -1;
	}
	item->path = strdup(path);
	if (!item->path) {
		free(p);
		return error_nomem(e);
	}
	item->body = view_of(p, size);
	item->type = type_of(path);
	sha256_of(item->body, hash);
	item->etag[0] = '"';
	hex_encode(hash, ETAG_BYTES, item->etag + 1);
	strcat(item->etag, "\"");
	a->bytes += size;
	a->count++;
	return 0;
}

static int add_directory(struct assets *a, int fd, const char *path,
			 unsigned depth, struct error *e);

/* One entry of a directory: files and directories, nothing else. */
static int add_entry(struct assets *a, int directory, const char *parent,
		     const char *name, unsigned depth, struct error *e)
{
	char path[512];
	struct stat st;
	int fd, rc = 0;

	if (name[0] == '.' || ends_with(name, ".am"))
		return 0;
	if ((size_t)snprintf(path, sizeof(path), "%s/%s", parent, name) >=
	    sizeof(path))
		return error_set(e, ERR_LIMIT, "%s/%s: path too long", parent,
				 name);
	fd = openat(directory, name,
		    O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0)
		return errno == ELOOP ? 0 : error_errno(e, "%s", path);
	if (fstat(fd, &st) < 0)
		rc = error_errno(e, "%s", path);
	else if (S_ISDIR(st.st_mode))
		return add_directory(a, fd, path, depth + 1, e);
	else if (S_ISREG(st.st_mode))
		rc = add_file(a, fd, path, (size_t)st.st_size, e);
	close(fd);
	return rc;
}

/* Takes fd over. */
static int add_directory(struct assets *a, int fd, const char *path,
			 unsigned depth, struct error *e)
{
	DIR *d = fdopendir(fd);
	struct dirent *entry;
	int rc = 0;

	if (!d) {
		error_errno(e, "%s", path);
		close(fd);
		return -1;
	}
	if (depth > DEPTH_MAX)
		rc = error_set(e, ERR_LIMIT, "%s: too deep", path);
	while (rc == 0 && (entry = readdir(d)))
		rc = add_entry(a, dirfd(d), path, entry->d_name, depth, e);
	closedir(d);
	return rc;
}

static int compare(const void *a, const void *b)
{
	return strcmp(((const struct asset *)a)->path,
		      ((const struct asset *)b)->path);
}

struct assets *assets_load(const char *directory, struct error *e)
{
	int fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct assets *a;

	if (fd < 0) {
		error_errno(e, "%s", directory);
		return NULL;
	}
	a = calloc(1, sizeof(*a));
	if (!a) {
		close(fd);
		error_nomem(e);
		return NULL;
	}
	if (add_directory(a, fd, "", 0, e) < 0) {
		error_prefix(e, "%s", directory);
		assets_free(a);
		return NULL;
	}
	qsort(a->items, a->count, sizeof(a->items[0]), compare);
	return a;
}

void assets_free(struct assets *a)
{
	if (!a)
		return;
	for (size_t i = 0; i < a->count; i++) {
		free(a->items[i].path);
		free((void *)(uintptr_t)a->items[i].body.ptr);
	}
	free(a);
}

const struct asset *assets_find(const struct assets *a, const char *path)
{
	char index[512];
	struct asset key = { .path = index };
	size_t n = strlen(path);

	if (n + sizeof("index.html") > sizeof(index))
		return NULL;
	memcpy(index, path, n + 1);
	if (n && path[n - 1] == '/')
		memcpy(index + n, "index.html", sizeof("index.html"));
	return bsearch(&key, a->items, a->count, sizeof(key), compare);
}
