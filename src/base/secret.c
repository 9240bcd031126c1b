/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/secret.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include <openssl/crypto.h>

void secret_wipe(void *p, size_t n)
{
	if (n)
		explicit_bzero(p, n);
}

bool secret_equal(const void *a, const void *b, size_t n)
{
	return CRYPTO_memcmp(a, b, n) == 0;
}

int secret_alloc(struct secret *s, size_t n, struct error *e)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	size_t mapped = (n + 1 + page - 1) / page * page;
	void *p;

	p = mmap(NULL, mapped, PROT_READ | PROT_WRITE,
		 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (p == MAP_FAILED)
		return error_nomem(e);
	/* Both are best effort: an unprivileged service may have spent its
	 * RLIMIT_MEMLOCK, and refusing the upload would help nobody. */
	(void)mlock(p, mapped);
	(void)madvise(p, mapped, MADV_DONTDUMP);
	s->ptr = p;
	s->len = n;
	s->mapped = mapped;
	return 0;
}

int secret_copy(struct secret *s, struct view from, struct error *e)
{
	if (secret_alloc(s, from.len, e) < 0)
		return -1;
	if (from.len)
		memcpy(s->ptr, from.ptr, from.len);
	return 0;
}

void secret_free(struct secret *s)
{
	if (s->ptr) {
		secret_wipe(s->ptr, s->mapped);
		munmap(s->ptr, s->mapped);
	}
	memset(s, 0, sizeof(*s));
}

static int check_mode(int fd, const char *path, struct error *e)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return error_errno(e, "%s", path);
	if (!S_ISREG(st.st_mode))
		return error_set(e, ERR_INPUT, "%s: not a regular file", path);
	if (st.st_mode & (S_IRWXO | S_IWGRP))
		return error_set(e, ERR_INPUT,
				 "%s: others may read or write it; "
				 "chmod 0600 (or 0640) it",
				 path);
	return 0;
}

int secret_read_file(struct secret *s, const char *path, size_t max,
		     struct error *e)
{
	struct secret raw = { 0 };
	size_t got = 0;
	int fd, rc = -1;

	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return error_errno(e, "%s", path);
	if (check_mode(fd, path, e) < 0 || secret_alloc(&raw, max + 2, e) < 0)
		goto out;
	while (got < max + 2) {
		ssize_t n = read(fd, raw.ptr + got, max + 2 - got);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			error_errno(e, "%s", path);
			goto out;
		}
		if (n == 0)
			break;
		got += (size_t)n;
	}
	raw.ptr[got] = '\0';
	got = strcspn((char *)raw.ptr, "\r\n");
	if (got > max) {
		error_set(e, ERR_INPUT, "%s: first line longer than %zu bytes",
			  path, max);
		goto out;
	}
	rc = secret_copy(s, view_of(raw.ptr, got), e);
out:
	close(fd);
	secret_free(&raw);
	return rc;
}

void random_bytes(void *p, size_t n)
{
	uint8_t *at = p;

	while (n) {
		ssize_t got = getrandom(at, n, 0);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			abort();
		at += got;
		n -= (size_t)got;
	}
}

void random_text(char *out, size_t n)
{
	static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				       "abcdefghijklmnopqrstuvwxyz"
				       "0123456789-_";

	random_bytes(out, n);
	for (size_t i = 0; i < n; i++)
		out[i] = alphabet[(uint8_t)out[i] & 63];
	out[n] = '\0';
}
