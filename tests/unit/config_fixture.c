/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <stdio.h>
#include <string.h>

#include "tests/unit/config_fixture.h"

char config_dir[256], config_file[300];

void write_file(const char *name, const void *text, size_t n)
{
	char path[600];
	FILE *out;

	snprintf(path, sizeof(path), "%s/%s", config_dir, name);
	out = fopen(path, "w");
	CU_ASSERT_PTR_NOT_NULL_FATAL(out);
	CU_ASSERT_EQUAL(fwrite(text, 1, n, out), n);
	fclose(out);
}

void begin(const char *text)
{
	snprintf(config_dir, sizeof(config_dir), "%s", unit_temp_dir());
	snprintf(config_file, sizeof(config_file), "%s/sealbridge.conf",
		 config_dir);
	write_file("sealbridge.conf", text, strlen(text));
}

struct config *load(const char *const *overrides, size_t count)
{
	struct error e = ERROR_INIT;
	struct config *c = config_load(config_file, overrides, count, &e);

	CHECK_OBJECT(c, &e);
	return c;
}

void check_refused(const char *const *overrides, size_t count,
		   const char *words)
{
	struct error e = ERROR_INIT;
	struct config *c = config_load(config_file, overrides, count, &e);

	CU_ASSERT_PTR_NULL(c);
	unit_check_error(&e, ERR_CONFIG, words, __FILE__, __LINE__);
	config_free(c);
}
