/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "trust/trust.h"

#include <stdlib.h>
#include <string.h>

#include "trust/trust_private.h"

struct trust *trust_new(const struct trust_options *options, struct error *e)
{
	struct trust *t = calloc(1, sizeof(*t));

	if (!t) {
		error_nomem(e);
		return NULL;
	}
	t->token = options->token;
	pthread_mutex_init(&t->lock, NULL);
	for (int i = 0; i < TRUST_STORE_COUNT; i++)
		pthread_mutex_init(&t->stores[i].change, NULL);
	if (options->factory_file &&
	    !(t->factory_file = strdup(options->factory_file))) {
		error_nomem(e);
		trust_free(t);
		return NULL;
	}
	return t;
}

void trust_free(struct trust *t)
{
	if (!t)
		return;
	for (int i = 0; i < TRUST_STORE_COUNT; i++) {
		trust_snapshot_unref(t->stores[i].snapshot);
		pthread_mutex_destroy(&t->stores[i].change);
	}
	pthread_mutex_destroy(&t->lock);
	free(t->factory_file);
	free(t);
}

void trust_on_change(struct trust *t,
		     void (*fn)(enum trust_store_id id,
				const struct trust_snapshot *s, void *arg),
		     void *arg)
{
	t->on_change = fn;
	t->on_change_arg = arg;
}
