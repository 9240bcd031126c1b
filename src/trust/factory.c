/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "trust/trust_private.h"

/* The factory content: a file that the system's packages keep, so that the
 * device never carries a stale copy of somebody else's certificate. */

enum { FACTORY_BYTES_MAX = 64 * 1024 };

static int parse_file(FILE *f, struct cert_list *out, struct error *e)
{
	char *text = malloc(FACTORY_BYTES_MAX + 1);
	size_t n;
	int rc = -1;

	if (!text)
		return error_nomem(e);
	n = fread(text, 1, FACTORY_BYTES_MAX + 1, f);
	if (ferror(f))
		error_errno(e, "not readable");
	else if (n > FACTORY_BYTES_MAX)
		error_set(e, ERR_LIMIT, "larger than %d bytes",
			  FACTORY_BYTES_MAX);
	else
		rc = cert_bundle_parse(view_of(text, n), out, e);
	free(text);
	return rc;
}

/* 1: read; 0: there is no such file. */
static int read_file(const char *path, struct cert_list *out, struct error *e)
{
	FILE *f = fopen(path, "re");
	int rc;

	if (!f && (errno == ENOENT || errno == ENOTDIR))
		return 0;
	if (!f)
		return error_errno(e, "%s", path);
	rc = parse_file(f, out, e);
	fclose(f);
	return rc < 0 ? error_prefix(e, "%s", path) : 1;
}

int trust_factory_read(const struct trust *t, enum trust_store_id id,
		       struct cert_list *out, struct error *e)
{
	const char *const own[] = { t->factory_file, NULL };
	const char *const *files =
	    t->factory_file ? own : trust_rows[id].factory_files;
	int rc = 0;

	*out = (struct cert_list){ NULL, 0 };
	if (!trust_store_has_factory(id))
		return error_set(e, ERR_UNSUPPORTED,
				 "the %s has no factory content",
				 trust_store_title(id));
	for (size_t i = 0; rc == 0 && files[i]; i++)
		rc = read_file(files[i], out, e);
	if (rc == 0)
		return error_set(e, ERR_NOT_FOUND,
				 "the factory certificate %s is not installed "
				 "(package ca-certificates)",
				 files[0]);
	return rc < 0 ? -1 : 0;
}
