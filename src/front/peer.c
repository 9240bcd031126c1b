/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "front/peer.h"

#include <pthread.h>
#include <stdlib.h>

#include "base/log.h"

enum { PORTS = 65536 };

struct peer_registry {
	pthread_mutex_t lock;
	struct peer *by_port[PORTS]; /* pages of unused ports stay untouched */
};

struct peer_registry *peer_registry_new(struct error *e)
{
	struct peer_registry *r = calloc(1, sizeof(*r));

	if (!r) {
		error_nomem(e);
		return NULL;
	}
	pthread_mutex_init(&r->lock, NULL);
	return r;
}

void peer_registry_free(struct peer_registry *r)
{
	if (!r)
		return;
	for (int i = 0; i < PORTS; i++)
		free(r->by_port[i]);
	pthread_mutex_destroy(&r->lock);
	free(r);
}

void peer_registry_put(struct peer_registry *r, uint16_t source_port,
		       const struct peer *p)
{
	struct peer **slot = &r->by_port[source_port];

	pthread_mutex_lock(&r->lock);
	if (!*slot)
		*slot = malloc(sizeof(**slot));
	if (*slot)
		**slot = *p;
	else /* an unregistered port is refused: fails closed */
		log_error("front", "no memory for a peer on port %u",
			  (unsigned)source_port);
	pthread_mutex_unlock(&r->lock);
}

void peer_registry_remove(struct peer_registry *r, uint16_t source_port)
{
	struct peer *p;

	pthread_mutex_lock(&r->lock);
	p = r->by_port[source_port];
	r->by_port[source_port] = NULL;
	pthread_mutex_unlock(&r->lock);
	free(p);
}

bool peer_registry_get(struct peer_registry *r, uint16_t source_port,
		       struct peer *out)
{
	bool found;

	pthread_mutex_lock(&r->lock);
	found = r->by_port[source_port] != NULL;
	if (found)
		*out = *r->by_port[source_port];
	pthread_mutex_unlock(&r->lock);
	return found;
}
