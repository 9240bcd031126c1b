/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "api/xmlrpc_memory.h"

#include <libxml/parser.h>
#include <libxml/xmlmemory.h>
#include <pthread.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/secret.h"

/* In front of each block; as aligned as malloc()'s own. */
union head {
	size_t size;
	max_align_t align;
};

static void *wiping_malloc(size_t size)
{
	union head *h;

	if (size > SIZE_MAX - sizeof(*h))
		return NULL;
	h = malloc(sizeof(*h) + size);
	if (!h)
		return NULL;
	h->size = size;
	return h + 1;
}

static void wiping_free(void *p)
{
	union head *h = p;

	if (!p)
		return;
	h--;
	secret_wipe(p, h->size);
	free(h);
}

static void *wiping_realloc(void *p, size_t size)
{
	void *wider = wiping_malloc(size);
	size_t old = p ? ((union head *)p)[-1].size : 0;

	if (!wider)
		return NULL;
	if (p)
		memcpy(wider, p, old < size ? old : size);
	wiping_free(p);
	return wider;
}

static char *wiping_strdup(const char *s)
{
	size_t size = strlen(s) + 1;
	char *copy = wiping_malloc(size);

	return copy ? memcpy(copy, s, size) : NULL;
}

static void set_up(void)
{
	xmlMemSetup(wiping_free, wiping_malloc, wiping_realloc, wiping_strdup);
	xmlInitParser();
}

void xmlrpc_memory_setup(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	pthread_once(&once, set_up);
}
