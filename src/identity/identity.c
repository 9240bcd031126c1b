/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "identity/identity.h"

#include <stdlib.h>
#include <string.h>

#include "identity/identity_private.h"

/* --- the object ----------------------------------------------------------- */

static int copy_strings(struct identity *id, const struct identity_options *o,
			struct error *e)
{
	id->host_name = strdup(o->host_name ? o->host_name : "");
	id->addresses = calloc(o->address_count + 1, sizeof(*id->addresses));
	if (!id->host_name || !id->addresses)
		return error_nomem(e);
	for (size_t i = 0; i < o->address_count; i++) {
		id->addresses[i] = strdup(o->addresses[i]);
		if (!id->addresses[i])
			return error_nomem(e);
		id->address_count++;
	}
	return 0;
}

struct identity *identity_new(const struct identity_options *options,
			      struct error *e)
{
	struct identity *id = calloc(1, sizeof(*id));
	pthread_condattr_t attr;

	if (!id) {
		error_nomem(e);
		return NULL;
	}
	id->token = options->token;
	id->default_key = options->default_key;
	id->key_made = options->key_made;
	id->key_made_arg = options->key_made_arg;
	id->key_grace_ms = options->key_grace_ms ? options->key_grace_ms
						 : IDENTITY_KEY_GRACE_MS;
	pthread_mutex_init(&id->lock, NULL);
	pthread_mutex_init(&id->snapshot_lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&id->wake, &attr);
	pthread_condattr_destroy(&attr);
	if (copy_strings(id, options, e) < 0) {
		identity_free(id);
		return NULL;
	}
	return id;
}

void identity_free(struct identity *id)
{
	if (!id)
		return;
	keys_reaper_stop(id);
	local_identity_unref(id->in_service);
	local_identity_unref(id->stored);
	state_free(&id->state);
	pthread_cond_destroy(&id->wake);
	pthread_mutex_destroy(&id->snapshot_lock);
	pthread_mutex_destroy(&id->lock);
	for (size_t i = 0; i < id->address_count; i++)
		free(id->addresses[i]);
	free(id->addresses);
	free(id->host_name);
	free(id);
}

void identity_set_presenter(struct identity *id,
			    const struct identity_presenter *presenter)
{
	id->presenter = *presenter;
}

/* --- snapshots ------------------------------------------------------------ */

static struct local_identity *take(struct identity *id,
				   struct local_identity *const *which)
{
	struct local_identity *l;

	pthread_mutex_lock(&id->snapshot_lock);
	l = *which ? local_identity_ref(*which) : NULL;
	pthread_mutex_unlock(&id->snapshot_lock);
	return l;
}

/* Takes over the reference of l. */
static void set(struct identity *id, struct local_identity **which,
		struct local_identity *l)
{
	struct local_identity *old;

	pthread_mutex_lock(&id->snapshot_lock);
	old = *which;
	*which = l;
	pthread_mutex_unlock(&id->snapshot_lock);
	local_identity_unref(old);
}

struct local_identity *identity_in_service(struct identity *id)
{
	return take(id, &id->in_service);
}

struct local_identity *identity_stored(struct identity *id)
{
	return take(id, &id->stored);
}

bool identity_restart_required(struct identity *id)
{
	bool differ;

	pthread_mutex_lock(&id->snapshot_lock);
	differ = id->stored && id->in_service &&
		 !local_identity_equal(id->stored, id->in_service);
	pthread_mutex_unlock(&id->snapshot_lock);
	return differ;
}

bool identity_fits_sip(struct identity *id, const char *domain,
		       char text[SIP_OWN_NAMES_TEXT])
{
	const struct sip_own_names n = {
		.domain = domain,
		.host_name = id->host_name,
		.addresses = (const char *const *)id->addresses,
		.address_count = id->address_count,
	};
	struct local_identity *l = identity_in_service(id);
	bool fits = true;

	text[0] = '\0';
	if (l)
		fits = sip_own_names_fit(l->chain.items[0], &n, text);
	local_identity_unref(l);
	return fits;
}

int identity_put_in_service(struct identity *id, struct local_identity *l,
			    struct error *e)
{
	const struct identity_presenter *p = &id->presenter;

	if (p->present && p->present(l, p->arg, e) < 0)
		return -1;
	set(id, &id->in_service, local_identity_ref(l));
	return 0;
}

void identity_show_stored(struct identity *id, struct local_identity *l)
{
	set(id, &id->stored, l);
}

struct local_identity *identity_snapshot_make(struct identity *id,
					      const struct identity_state *s,
					      struct error *e)
{
	struct local_identity *l;
	struct cert_list chain;

	if (state_chain(s, &chain, e) < 0)
		return NULL;
	l = local_identity_new(id->token, s->source, &chain, e);
	cert_list_free(&chain);
	return l;
}
