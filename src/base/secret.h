/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SB_BASE_SECRET_H
#define SB_BASE_SECRET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

/* Bytes that must not survive their use: PINs, passwords, uploaded keys.
 * They live in memory of their own that is locked (as far as RLIMIT_MEMLOCK
 * allows), left out of core dumps and wiped when freed. One owner. */
struct secret {
	uint8_t *ptr; /* NUL behind len, so that text is a C string */
	size_t len;
	size_t mapped; /* bytes of the mapping */
};

/* Overwrite so that the compiler cannot leave it out. NULL with 0 is fine. */
void secret_wipe(void *p, size_t n);

/* Are n bytes the same? Takes as long for any content. */
bool secret_equal(const void *a, const void *b, size_t n);

/* Room for n bytes, zeroed. 0, or -1: ERR_NOMEM. */
int secret_alloc(struct secret *s, size_t n, struct error *e) MUST_CHECK;
/* A locked copy of the bytes. */
int secret_copy(struct secret *s, struct view from, struct error *e) MUST_CHECK;
/* Wipe and give back; ends as an empty secret. Freed twice is fine. */
void secret_free(struct secret *s);

/* The first line of a file, without its line end: how PINs and passwords are
 * kept. Refused (ERR_INPUT) when longer than max bytes or when others may read
 * or write the file; ERR_IO when it cannot be read. The text names the file,
 * never its content. */
int secret_read_file(struct secret *s, const char *path, size_t max,
		     struct error *e) MUST_CHECK;

/* n bytes from the kernel's generator (getrandom(2)); never fails short of a
 * kernel without it, which ends the process. */
void random_bytes(void *p, size_t n);
/* n characters of base64url alphabet (6 random bits each) and a NUL. */
void random_text(char *out, size_t n);

#endif
