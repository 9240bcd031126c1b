/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/unit/pkcs11_wrapper.h"

const char *wrapper_path(void)
{
	static char path[4096 + 32];
	char self[4096];
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);
	char *slash;

	if (n < 0)
		abort();
	self[n] = '\0';
	slash = strrchr(self, '/');
	*slash = '\0';
	snprintf(path, sizeof(path), "%s/pkcs11-wrapper.so", self);
	return path;
}

struct wrapper_knobs *wrapper_load(void)
{
	void *module = dlopen(wrapper_path(), RTLD_NOW | RTLD_LOCAL);
	struct wrapper_knobs *knobs =
	    module ? dlsym(module, "wrapper_knobs") : NULL;

	if (!knobs) {
		fprintf(stderr, "%s\n", dlerror());
		exit(99);
	}
	memset(knobs, 0, sizeof(*knobs));
	return knobs;
}
