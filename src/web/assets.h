/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SB_WEB_ASSETS_H
#define SB_WEB_ASSETS_H

#include "base/buf.h"

/* The static files of www/, read once into an immutable table: there are a few
 * dozen small ones, a request then touches no file system (civetweb's own file
 * handler opens, stats and reads at each), nothing outside the table can be
 * reached by any path, and a half-written upgrade is never served. Changed
 * files show after a restart of the service. */

enum {
	ASSETS_MAX = 1000,
	ASSET_BYTES_MAX = 2 * 1024 * 1024,
	ASSETS_BYTES_MAX = 32 * 1024 * 1024,
};

struct asset {
	char *path;       /* "/users/users.html" */
	const char *type; /* Content-Type */
	char etag[24];    /* with its quotes */
	struct view body;
};

struct assets;

/* Every regular file below directory, hidden ones and *.am left out; symbolic
 * links are not followed. ERR_IO naming the path, ERR_LIMIT. */
struct assets *assets_load(const char *directory, struct error *e) MUST_CHECK;
void assets_free(struct assets *a);
/* A path that ends with "/" stands for its index.html. NULL: none. Any
 * thread. */
const struct asset *assets_find(const struct assets *a, const char *path);

#endif
