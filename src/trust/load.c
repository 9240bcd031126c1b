/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/log.h"
#include "trust/trust_private.h"

/* From what the token holds to what is in force. Under the store's change
 * lock. */

/* A store that was never written and has a factory content: it goes into the
 * token like any other content. Without the file the store is empty; when it
 * cannot be written now, it counts all the same and the next load tries again.
 */
static struct trust_snapshot *install_factory(struct trust *t,
					      enum trust_store_id id,
					      struct error *e)
{
	struct cert_list list;
	enum trust_source source = TRUST_DEFAULT;
	struct error why = ERROR_INIT;

	if (trust_factory_read(t, id, &list, &why) < 0) {
		log_failure(LOG_LEVEL_WARNING, "trust", &why);
		source = TRUST_NONE;
	} else if (trust_set_write(t->token, id, &list, source, NULL, NULL,
				   &why) < 0) {
		log_failure(LOG_LEVEL_WARNING, "trust", &why);
	}
	return trust_snapshot_new(source, &list, NULL, e);
}

/* Somebody has removed members behind our back. What is left is not what the
 * administrator decided, so it trusts nobody until he decides again. */
static struct trust_snapshot *damaged(enum trust_store_id id, struct error *e)
{
	struct cert_list none = { NULL, 0 };
	struct trust_snapshot *s;
	struct error ignored = ERROR_INIT;

	error_prefix(e, "%s", trust_store_title(id));
	log_failure(LOG_LEVEL_ERROR, "trust", e);
	s = trust_snapshot_new(TRUST_NONE, &none, e->text, &ignored);
	error_clear(e);
	if (!s)
		*e = ignored;
	return s;
}

static int load_store(struct trust *t, enum trust_store_id id, struct error *e)
{
	bool written = true;
	struct trust_snapshot *s = trust_set_read(t->token, id, &written, e);

	if (!s && e->kind == ERR_CONFLICT)
		s = damaged(id, e);
	if (!s)
		return error_prefix(e, "%s", trust_store_title(id));
	if (!written && trust_store_has_factory(id)) {
		trust_snapshot_unref(s);
		s = install_factory(t, id, e);
		if (!s)
			return -1;
	}
	trust_publish(t, id, s);
	return 0;
}

int trust_load(struct trust *t, struct error *e)
{
	struct error first = ERROR_INIT;

	for (int i = 0; i < TRUST_STORE_COUNT; i++) {
		enum trust_store_id id = (enum trust_store_id)i;
		struct error own = ERROR_INIT;
		int rc;

		pthread_mutex_lock(&t->stores[id].change);
		rc = load_store(t, id, &own);
		pthread_mutex_unlock(&t->stores[id].change);
		if (rc < 0 && first.kind == ERR_NONE)
			first = own;
	}
	if (first.kind == ERR_NONE)
		return 0;
	*e = first;
	return -1;
}

bool trust_is_loaded(struct trust *t)
{
	bool loaded = true;

	pthread_mutex_lock(&t->lock);
	for (int i = 0; i < TRUST_STORE_COUNT; i++)
		loaded = loaded && t->stores[i].snapshot;
	pthread_mutex_unlock(&t->lock);
	return loaded;
}
