/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sip/sip_memory.h"

#include <malloc.h>
#include <osipparser2/osip_port.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/secret.h"

static void wipe_and_free(void *p)
{
	if (p)
		secret_wipe(p, malloc_usable_size(p));
	free(p);
}

/* realloc() would leave an unwiped copy. */
static void *move(void *p, size_t n)
{
	size_t before = p ? malloc_usable_size(p) : 0;
	void *next = malloc(n);

	if (!next)
		return NULL;
	if (before)
		memcpy(next, p, before < n ? before : n);
	wipe_and_free(p);
	return next;
}

static void start(void)
{
	osip_set_allocators(malloc, move, wipe_and_free);
}

void sip_memory_start(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	pthread_once(&once, start);
}
