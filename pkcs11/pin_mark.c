/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "base/secret.h"
#include "pkcs11/internal.h"

/* A refused PIN must not be tried again, by a restart neither: three tries lock
 * many tokens for good. The mark is bound to the PIN itself, by a salted slow
 * digest, and not to its file: a systemd credential is a new file at every
 * start. */

enum { MARK_MAX = 512 };

#define MARK_FORMAT "sealbridge refused PIN 2\ntoken %s\nsalt %s\nscrypt %s\n"
#define MARK_SCAN                                                         \
	"sealbridge refused PIN 2\ntoken %64[0-9a-f]\nsalt %64[0-9a-f]\n" \
	"scrypt %64[0-9a-f]%c"

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

int pin_mark_make(const char *token, struct view pin, struct pin_mark *out,
		  struct error *e)
{
	token_digest(token, out->token);
	random_bytes(out->salt, sizeof(out->salt));
	return hash_secret(pin, out->salt, out->digest, e);
}

int pin_mark_fits(const struct pin_mark *m, const char *token, struct view pin,
		  bool *fits, struct error *e)
{
	char wanted[2 * SHA256_SIZE + 1];
	uint8_t digest[SHA256_SIZE];

	*fits = false;
	token_digest(token, wanted);
	if (strcmp(m->token, wanted) != 0)
		return 0;
	if (hash_secret(pin, m->salt, digest, e) < 0)
		return -1;
	*fits = secret_equal(m->digest, digest, sizeof(digest));
	return 0;
}

static bool scan(FILE *f, struct pin_mark *out)
{
	char salt[2 * HASH_SALT_SIZE + 1], digest[2 * SHA256_SIZE + 1], end;

	return fscanf(f, MARK_SCAN, out->token, salt, digest, &end) == 4 &&
	       end == '\n' && strlen(out->token) == 2 * SHA256_SIZE &&
	       hex_decode(salt, out->salt, HASH_SALT_SIZE) == HASH_SALT_SIZE &&
	       hex_decode(digest, out->digest, SHA256_SIZE) == SHA256_SIZE;
}

/* A mark that is damaged, or of the old format that knew only the file, counts
 * as none: the price is one attempt, which writes the mark anew. To take it for
 * a refusal would keep the token from a right PIN for good. */
bool pin_mark_read(const char *directory, struct pin_mark *out)
{
	struct error e = ERROR_INIT;
	char path[4096];
	bool whole;
	FILE *f;

	mark_path(directory, "", path, sizeof(path));
	f = fopen(path, "re");
	if (!f) {
		if (errno != ENOENT) {
			error_errno(&e, "%s", path);
			log_failure(LOG_LEVEL_WARNING, "token", &e);
		}
		return false;
	}
	whole = scan(f, out);
	fclose(f);
	if (!whole)
		log_warning("token", "%s: not a mark of a refused PIN", path);
	return whole;
}

static int write_whole(int fd, const char *text, size_t n)
{
	return write(fd, text, n) == (ssize_t)n && fsync(fd) == 0 ? 0 : -1;
}

int pin_mark_write(const char *directory, const struct pin_mark *m,
		   struct error *e)
{
	char path[4096], temp[4096], text[MARK_MAX];
	char salt[2 * HASH_SALT_SIZE + 1], digest[2 * SHA256_SIZE + 1];
	int fd, n, rc;

	mark_path(directory, "", path, sizeof(path));
	mark_path(directory, ".new", temp, sizeof(temp));
	hex_encode(m->salt, sizeof(m->salt), salt);
	hex_encode(m->digest, sizeof(m->digest), digest);
	n = snprintf(text, sizeof(text), MARK_FORMAT, m->token, salt, digest);
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
