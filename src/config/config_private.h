/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SB_CONFIG_CONFIG_PRIVATE_H
#define SB_CONFIG_CONFIG_PRIVATE_H

#include "config/config.h"

/* Shared by the files of this folder that read the configuration. */

enum config_type {
	CONFIG_TYPE_TEXT,
	CONFIG_TYPE_PATH,
	CONFIG_TYPE_URI,
	CONFIG_TYPE_KEY_TYPE,
	CONFIG_TYPE_BOOL,
	CONFIG_TYPE_COUNT,
	CONFIG_TYPE_ADDRESSES,
	CONFIG_TYPE_SERVERS
};

struct key_row {
	const char *section, *name;
	size_t member; /* offset in struct config */
	enum config_type type;
	const char *fallback;
	long min, max;
};

/* Check value and put it into its member, replacing what was there. ERR_CONFIG
 * without file and line. */
int config_value_set(struct config *c, const struct key_row *row,
		     const char *value, struct error *e) MUST_CHECK;
void config_value_free(struct config *c, const struct key_row *row);

/* Defaults of members that are still NULL and hang on others. */
int config_fill_defaults(struct config *c, struct error *e) MUST_CHECK;

/* Read one file; key() is told what stands there. ERR_CONFIG "FILE:LINE: ..."
 */
int config_file_read(const char *path,
		     int (*key)(void *arg, unsigned line, const char *section,
				const char *name, const char *value,
				struct error *e),
		     void *arg, struct error *e) MUST_CHECK;

#endif
