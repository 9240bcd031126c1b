/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SB_TESTS_UNIT_CONFIG_FIXTURE_H
#define SB_TESTS_UNIT_CONFIG_FIXTURE_H

#include "config/config.h"
#include "tests/lib/unit.h"

/* A configuration file in a directory of its own. */

extern char config_dir[256], config_file[300];

/* A fresh directory with this file in it. */
void begin(const char *text);
/* Any file there. */
void write_file(const char *name, const void *text, size_t n);

struct config *load(const char *const *overrides, size_t count);
/* ERR_CONFIG, with those words. */
void check_refused(const char *const *overrides, size_t count,
		   const char *words);

#endif
