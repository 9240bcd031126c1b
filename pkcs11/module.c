/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

#include "pkcs11/internal.h"

bool module_is_remote(const char *path)
{
	const char *name = strrchr(path, '/');

	return !strcmp(name ? name + 1 : path, "p11-kit-client.so");
}

static int copy_bytes(int from, int to, struct error *e)
{
	struct stat st;
	off_t at = 0;

	if (fstat(from, &st) < 0)
		return error_errno(e, "reading the module");
	while (at < st.st_size) {
		ssize_t n = sendfile(to, from, &at, (size_t)(st.st_size - at));

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return error_errno(e, "copying the module");
	}
	return 0;
}

/* The dynamic linker knows a library by its inode (and by the name it was
 * opened with), so a second copy with connections of its own needs a file of
 * its own. The descriptor stays open as long as the copy is loaded: its number
 * is part of the name. */
static int make_copy(const char *path, struct error *e)
{
	int from = open(path, O_RDONLY | O_CLOEXEC);
	int to;

	if (from < 0)
		return error_errno(e, "%s", path);
	to = memfd_create("p11-kit-client.so", MFD_CLOEXEC);
	if (to < 0)
		error_errno(e, "memfd_create");
	else if (copy_bytes(from, to, e) < 0) {
		close(to);
		to = -1;
	}
	close(from);
	return to;
}

int module_load(struct connection *c, const char *path, bool copy,
		struct error *e)
{
	char name[64];

	c->copy_fd = -1;
	if (copy) {
		c->copy_fd = make_copy(path, e);
		if (c->copy_fd < 0)
			return error_prefix(e, "module %s", path);
		snprintf(name, sizeof(name), "/proc/self/fd/%d", c->copy_fd);
	}
	c->f =
	    p11_kit_module_load(copy ? name : path, P11_KIT_MODULE_UNMANAGED);
	if (c->f)
		return 0;
	error_set(e, ERR_TOKEN, "module %s cannot be loaded: %s", path,
		  p11_kit_message());
	if (c->copy_fd >= 0)
		close(c->copy_fd);
	c->copy_fd = -1;
	return -1;
}

/* Not by p11_kit_module_initialize(): for a module that p11-kit does not manage
 * it passes no arguments (0.24.1), which promises a single thread; SoftHSM then
 * leaves its locks out and crashes. */
int module_initialize(struct connection *c, struct error *e)
{
	CK_C_INITIALIZE_ARGS args = { .flags = CKF_OS_LOCKING_OK };
	CK_RV rv = CALL(c, C_Initialize, &args);

	if (rv != CKR_OK && rv != CKR_CRYPTOKI_ALREADY_INITIALIZED)
		return rv_error(e, rv, "C_Initialize");
	c->initialized = true;
	/* Somebody else in this process uses the module too, and would miss
	 * it. */
	c->shared = rv == CKR_CRYPTOKI_ALREADY_INITIALIZED;
	return 0;
}

void module_finalize(struct connection *c)
{
	if (c->initialized && !c->shared)
		CALL(c, C_Finalize, NULL);
	c->initialized = false;
}

void module_unload(struct connection *c)
{
	if (c->f)
		p11_kit_module_release(c->f);
	c->f = NULL;
	if (c->copy_fd >= 0)
		close(c->copy_fd);
	c->copy_fd = -1;
}
