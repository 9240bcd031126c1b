/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "pkcs11/internal.h"

/* A refused PIN must not be tried again, by a restart neither: three tries lock
 * many tokens for good. The mark says which PIN file was refused by which
 * token; it holds nothing of the PIN. */

enum { MARK_MAX = 512 };

int pin_identity_of(const char *path, struct pin_identity *out, struct error *e)
{
	struct stat st;

	if (stat(path, &st) < 0)
		return error_errno(e, "PIN file %s", path);
	out->dev = st.st_dev;
	out->ino = st.st_ino;
	out->mtime = st.st_mtim;
	out->size = st.st_size;
	return 0;
}

bool pin_identity_equal(const struct pin_identity *a,
			const struct pin_identity *b)
{
	return a->dev == b->dev && a->ino == b->ino && a->size == b->size &&
	       a->mtime.tv_sec == b->mtime.tv_sec &&
	       a->mtime.tv_nsec == b->mtime.tv_nsec;
}

static void mark_path(const char *directory, const char *suffix, char *out,
		      size_t cap)
{
	snprintf(out, cap, "%s/pin-refused%s", directory, suffix);
}

/* The token's part is hashed, so that no label can break the format. */
static void token_digest(const char *token, char out[2 * SHA256_SIZE + 1])
{
	uint8_t digest[SHA256_SIZE];

	sha256_of(view_str(token), digest);
	hex_encode(digest, sizeof(digest), out);
}

bool pin_mark_read(const char *directory, const char *token,
		   struct pin_identity *out)
{
	char path[4096], wanted[2 * SHA256_SIZE + 1], got[2 * SHA256_SIZE + 1];
	uint64_t dev, ino;
	int64_t sec, nsec, size;
	bool fits = false;
	FILE *f;

	mark_path(directory, "", path, sizeof(path));
	f = fopen(path, "re");
	if (!f)
		return false;
	if (fscanf(f,
		   "token %64s dev %" SCNu64 " ino %" SCNu64 " mtime %" SCNd64
		   ".%" SCNd64 " size %" SCNd64,
		   got, &dev, &ino, &sec, &nsec, &size) == 6) {
		token_digest(token, wanted);
		fits = !strcmp(got, wanted);
		out->dev = (dev_t)dev;
		out->ino = (ino_t)ino;
		out->mtime.tv_sec = (time_t)sec;
		out->mtime.tv_nsec = (long)nsec;
		out->size = (off_t)size;
	}
	fclose(f);
	return fits;
}

static int write_whole(int fd, const char *text, size_t n)
{
	return write(fd, text, n) == (ssize_t)n && fsync(fd) == 0 ? 0 : -1;
}

int pin_mark_write(const char *directory, const char *token,
		   const struct pin_identity *id, struct error *e)
{
	char path[4096], temp[4096], text[MARK_MAX];
	char digest[2 * SHA256_SIZE + 1];
	int fd, n, rc;

	mark_path(directory, "", path, sizeof(path));
	mark_path(directory, ".new", temp, sizeof(temp));
	token_digest(token, digest);
	n = snprintf(text, sizeof(text),
		     "token %s dev %" PRIu64 " ino %" PRIu64 " mtime %" PRId64
		     ".%09" PRId64 " size %" PRId64 "\n",
		     digest, (uint64_t)id->dev, (uint64_t)id->ino,
		     (int64_t)id->mtime.tv_sec, (int64_t)id->mtime.tv_nsec,
		     (int64_t)id->size);
	fd = open(temp, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd < 0)
		return error_errno(e, "%s", temp);
	rc = write_whole(fd, text, (size_t)n);
	close(fd);
	if (rc < 0 || rename(temp, path) < 0)
		return error_errno(e, "%s", path);
	return 0;
}

void pin_mark_remove(const char *directory)
{
	char path[4096];

	mark_path(directory, "", path, sizeof(path));
	unlink(path);
}
