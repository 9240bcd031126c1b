/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "web/roomy.h"

#include <pthread.h>
#include <string.h>

struct work {
	void (*fn)(void *arg);
	void *arg;
};

static void *run(void *arg)
{
	const struct work *w = arg;

	w->fn(w->arg);
	return NULL;
}

int roomy_run(void (*fn)(void *arg), void *arg, struct error *e)
{
	struct work w = { fn, arg };
	pthread_attr_t attributes;
	pthread_t thread;
	int rc;

	pthread_attr_init(&attributes);
	pthread_attr_setstacksize(&attributes, ROOMY_STACK_BYTES);
	rc = pthread_create(&thread, &attributes, run, &w);
	pthread_attr_destroy(&attributes);
	if (rc != 0)
		return error_set_native(e, ERR_NOMEM, rc,
					"no thread for the call: %s",
					strerrordesc_np(rc));
	pthread_join(thread, NULL);
	return 0;
}
