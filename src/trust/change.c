/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "trust/trust_private.h"

/* Upload, deletion, reset. */

/* --- one change of a store at a time -------------------------------------- */

static int begin(struct trust *t, enum trust_store_id id, size_t total,
		 struct error *e)
{
	struct trust_progress *p = &t->stores[id].progress;
	struct trust_progress now;

	pthread_mutex_lock(&t->lock);
	now = *p;
	if (!now.running)
		*p = (struct trust_progress){ true, 0, total };
	pthread_mutex_unlock(&t->lock);
	if (now.running)
		return error_set(e, ERR_CONFLICT,
				 "another change of the %s is under way "
				 "(%zu of %zu certificates)",
				 trust_store_title(id), now.done, now.total);
	/* Only a load can hold it, which is short. */
	pthread_mutex_lock(&t->stores[id].change);
	return 0;
}

static void end(struct trust *t, enum trust_store_id id)
{
	pthread_mutex_unlock(&t->stores[id].change);
	pthread_mutex_lock(&t->lock);
	t->stores[id].progress = (struct trust_progress){ false, 0, 0 };
	pthread_mutex_unlock(&t->lock);
}

struct watch {
	struct trust *t;
	enum trust_store_id id;
};

static void on_progress(size_t done, size_t total, void *arg)
{
	struct watch *w = arg;
	struct trust_progress *p = &w->t->stores[w->id].progress;

	pthread_mutex_lock(&w->t->lock);
	p->done = done;
	p->total = total;
	pthread_mutex_unlock(&w->t->lock);
}

void trust_get_progress(struct trust *t, enum trust_store_id id,
			struct trust_progress *out)
{
	pthread_mutex_lock(&t->lock);
	*out = t->stores[id].progress;
	pthread_mutex_unlock(&t->lock);
}

/* --- the change ----------------------------------------------------------- */

/* The new snapshot is made before the token is touched: after the commit
 * nothing can fail any more. */
static int commit(struct trust *t, enum trust_store_id id,
		  struct cert_list *certificates, enum trust_source source,
		  struct error *e)
{
	struct watch w = { t, id };
	struct trust_snapshot *s =
	    trust_snapshot_new(source, certificates, NULL, e);

	if (!s)
		return -1;
	if (trust_set_write(t->token, id, &s->certificates, source, on_progress,
			    &w, e) < 0) {
		trust_snapshot_unref(s);
		return -1;
	}
	trust_publish(t, id, s);
	return 0;
}

/* Takes the list over. */
static int replace(struct trust *t, enum trust_store_id id,
		   struct cert_list *certificates, enum trust_source source,
		   struct trust_difference *difference, struct error *e)
{
	struct trust_snapshot *old;
	int rc;

	if (begin(t, id, certificates->count, e) < 0) {
		cert_list_free(certificates);
		return -1;
	}
	old = trust_snapshot(t, id);
	rc = trust_compare(old, certificates, difference, e);
	trust_snapshot_unref(old);
	if (rc == 0)
		rc = commit(t, id, certificates, source, e);
	else
		cert_list_free(certificates);
	end(t, id);
	return rc;
}

/* --- the doors ------------------------------------------------------------ */

int trust_store_examine(struct trust *t, enum trust_store_id id,
			struct view pem, struct cert_list *out,
			struct trust_difference *difference, struct error *e)
{
	struct trust_snapshot *now;
	int rc;

	if (cert_bundle_parse(pem, out, e) < 0)
		return -1;
	now = trust_snapshot(t, id);
	rc = trust_compare(now, out, difference, e);
	trust_snapshot_unref(now);
	if (rc < 0)
		cert_list_free(out);
	return rc;
}

int trust_store_replace(struct trust *t, enum trust_store_id id,
			struct view pem, size_t *count_out,
			struct trust_difference *difference, struct error *e)
{
	struct trust_difference own;
	struct cert_list list;
	size_t count;

	if (cert_bundle_parse(pem, &list, e) < 0)
		return -1;
	count = list.count;
	if (replace(t, id, &list, TRUST_UPLOADED,
		    difference ? difference : &own, e) < 0)
		return -1;
	*count_out = count;
	return 0;
}

/* A damaged store counts as one that holds something. */
static bool is_empty(struct trust *t, enum trust_store_id id)
{
	struct trust_snapshot *s = trust_snapshot(t, id);
	bool empty = s && s->certificates.count == 0 && !s->problem[0];

	trust_snapshot_unref(s);
	return empty;
}

int trust_store_delete(struct trust *t, enum trust_store_id id,
		       size_t *removed_out, struct error *e)
{
	struct cert_list none = { NULL, 0 };
	struct trust_difference difference;

	if (is_empty(t, id))
		return error_set(e, ERR_TRUST_EMPTY, "the %s is empty already",
				 trust_store_title(id));
	if (replace(t, id, &none, TRUST_NONE, &difference, e) < 0)
		return -1;
	*removed_out = difference.removed;
	return 0;
}

int trust_store_reset(struct trust *t, enum trust_store_id id,
		      size_t *count_out, struct error *e)
{
	struct trust_difference difference;
	struct cert_list list;
	size_t count;

	if (trust_factory_read(t, id, &list, e) < 0)
		return -1;
	count = list.count;
	if (replace(t, id, &list, TRUST_DEFAULT, &difference, e) < 0)
		return -1;
	*count_out = count;
	return 0;
}
