/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "calls/participants.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/log.h"
#include "calls/participants_private.h"

const char *participant_state_name(enum participant_state s)
{
	static const char *const names[] = {
		[PARTICIPANT_DORMANT] = "dormant",
		[PARTICIPANT_ALERTING] = "alerting",
		[PARTICIPANT_CONNECTED] = "connected",
		[PARTICIPANT_DISCONNECTED] = "disconnected",
	};

	return names[s];
}

/* --- the table, under the lock -------------------------------------------- */

/* Strangers choose names: which of them share a bucket is not for them to
 * know. */
static struct list *bucket_of(struct participants *p, const char *name)
{
	uint64_t hash = p->name_key;

	for (; *name; name++)
		hash = (hash ^ (uint8_t)*name) * 0x100000001b3;
	return &p->by_name[(hash >> 32) % BUCKETS];
}

struct participant *participant_new(struct participants *p,
				    const struct participant_row *config)
{
	struct participant *one = calloc(1, sizeof(*one));

	if (!one)
		return NULL;
	one->number = ++p->last_number;
	one->config = *config;
	list_init(&one->call_node);
	list_append(&p->all, &one->node);
	list_append(bucket_of(p, config->name), &one->name_node);
	participant_touch(p, one);
	return one;
}

void participant_free(struct participants *p, struct participant *one)
{
	if (one->config.key)
		p->kept--;
	list_remove(&one->node);
	list_remove(&one->call_node);
	list_remove(&one->name_node);
	free(one);
}

bool participant_has_call(const struct participant *one)
{
	return one->call.id != 0 && one->call.state != SIP_CALL_DISCONNECTED;
}

static bool is_it(const struct participant *one,
		  const struct participant_id *id)
{
	return !one->removed && one->ad_hoc == id->ad_hoc &&
	       !strcmp(one->config.name, id->name) &&
	       !strcmp(one->config.conference, id->conference);
}

struct participant *participant_find(struct participants *p,
				     const struct participant_id *id)
{
	struct list *bucket = bucket_of(p, id->name);

	for (struct list *l = bucket->next; l != bucket; l = l->next) {
		struct participant *one =
		    list_owner(l, struct participant, name_node);

		if (is_it(one, id))
			return one;
	}
	return NULL;
}

/* NULL with ERR_NOT_FOUND, also for a caller that is not connected yet. */
static struct participant *find_listed(struct participants *p,
				       const struct participant_id *id,
				       struct error *e)
{
	struct participant *one = participant_find(p, id);

	if (one && one->listed)
		return one;
	error_set(e, ERR_NOT_FOUND, "%s in %s", id->name, id->conference);
	return NULL;
}

enum participant_state participant_state(const struct participant *one)
{
	if (one->call.id == 0)
		return PARTICIPANT_DORMANT;
	switch (one->call.state) {
	case SIP_CALL_ALERTING: return PARTICIPANT_ALERTING;
	case SIP_CALL_CONNECTED: return PARTICIPANT_CONNECTED;
	default: return PARTICIPANT_DISCONNECTED;
	}
}

void participant_view(const struct participant *one,
		      struct participant_view *out)
{
	out->config = one->config;
	out->ad_hoc = one->ad_hoc;
	out->added = one->added;
	out->gone = one->gone || one->removed;
	out->state = participant_state(one);
	out->call = one->call;
}

/* --- placing calls, under the lock ---------------------------------------- */

static int place(struct participants *p, struct participant *one,
		 struct error *e)
{
	const struct participant_row *c = &one->config;
	const struct sip_place what = {
		.address = c->address,
		.use_registrar = c->use_registrar,
		.has_transport = c->transport >= 0,
		.transport = c->transport >= 0
				 ? (enum sip_transport)c->transport
				 : SIP_TLS,
	};
	struct sip_call_facts f = { .state = SIP_CALL_ALERTING,
				    .encryption = SIP_ENCRYPTION_UNKNOWN };

	if (sip_control_place(p->o.control, &what, &f.id, e) < 0)
		return -1;
	f.started = clock_now();
	snprintf(f.peer, sizeof(f.peer), "%s", c->address);
	if (one->ad_hoc && one->call.id)
		p->ended--;
	participant_set_call(p, one, &f);
	return 0;
}

/* Its call is gone already: what happens then comes by itself. */
static void hang_up(struct participants *p, const struct participant *one)
{
	struct error e = ERROR_INIT;

	if (sip_control_end(p->o.control, one->call.id, &e) < 0)
		log_failure(LOG_LEVEL_TRACE, "calls", &e);
}

/* --- adding --------------------------------------------------------------- */

/* The one whose name a new one of that ID takes over: called once, and its call
 * has ended. NULL: none. */
static struct participant *find_former(struct participants *p,
				       const struct participant_id *id)
{
	struct participant *one = participant_find(p, id);

	return one && one->ad_hoc && one->added && !participant_has_call(one)
		   ? one
		   : NULL;
}

static int check_new(struct participants *p, const struct participant_id *id,
		     struct error *e)
{
	if (participant_find(p, id) && !find_former(p, id))
		return error_set(e, ERR_EXISTS, "%s in %s", id->name,
				 id->conference);
	if (!id->ad_hoc && p->kept >= PARTICIPANTS_MAX)
		return error_set(e, ERR_LIMIT, "%d are configured already",
				 PARTICIPANTS_MAX);
	return 0;
}

/* Before anything is stored. */
static int check_first(struct participants *p, const struct participant_id *id,
		       struct error *e)
{
	int rc;

	pthread_mutex_lock(&p->lock);
	rc = check_new(p, id, e);
	pthread_mutex_unlock(&p->lock);
	return rc;
}

static struct participant *insert(struct participants *p,
				  const struct participant_row *row,
				  bool ad_hoc)
{
	struct participant *one = participant_new(p, row);

	if (!one)
		return NULL;
	one->ad_hoc = ad_hoc;
	one->added = true;
	one->listed = true;
	one->configured = row->key != 0;
	if (row->key)
		p->kept++;
	return one;
}

/* The former one goes when the new one has its call, and not before. */
static int insert_and_call(struct participants *p,
			   const struct participant_row *row,
			   const struct participant_id *id,
			   struct participant_view *out, struct error *e)
{
	struct participant *former = find_former(p, id);
	struct participant *one = insert(p, row, id->ad_hoc);

	if (!one)
		return error_nomem(e);
	if (!row->defer && place(p, one, e) < 0) {
		participant_free(p, one);
		return -1;
	}
	if (former) {
		p->ended--;
		participant_bury(p, former);
	}
	participant_view(one, out);
	return 0;
}

/* Checked again: somebody of that name may have called meanwhile. */
static int enter(struct participants *p, const struct participant_row *row,
		 const struct participant_id *id, struct participant_view *out,
		 struct error *e)
{
	int rc;

	pthread_mutex_lock(&p->lock);
	rc = check_new(p, id, e);
	if (rc == 0)
		rc = insert_and_call(p, row, id, out, e);
	pthread_mutex_unlock(&p->lock);
	return rc;
}

/* One that could not be called is not kept. */
static void take_back(struct participants *p, int64_t key)
{
	struct error e = ERROR_INIT;

	if (key && store_participant_delete(p->o.store, key, &e) < 0)
		log_failure(LOG_LEVEL_ERROR, "calls", &e);
}

int participants_add(struct participants *p, const struct participant_row *row,
		     bool ad_hoc, struct participant_view *out, struct error *e)
{
	const struct participant_id id = { row->conference, row->name, ad_hoc };
	struct participant_row copy = *row;
	int rc;

	copy.key = 0;
	if (ad_hoc && row->defer)
		return error_set(e, ERR_INPUT,
				 "who is not kept is called at once");
	pthread_mutex_lock(&p->changing);
	rc = check_first(p, &id, e);
	if (rc == 0 && !ad_hoc)
		rc = store_participant_add(p->o.store, &copy, e);
	if (rc == 0) {
		rc = enter(p, &copy, &id, out, e);
		if (rc < 0)
			take_back(p, copy.key);
	}
	pthread_mutex_unlock(&p->changing);
	return rc;
}

/* --- the other changes ---------------------------------------------------- */

int participants_connect(struct participants *p,
			 const struct participant_id *id, struct error *e)
{
	struct participant *one;
	int rc = -1;

	pthread_mutex_lock(&p->lock);
	one = find_listed(p, id, e);
	if (one && !one->added)
		error_set(e, ERR_CONFLICT, "%s has called us", id->name);
	else if (one && participant_has_call(one))
		error_set(e, ERR_CONFLICT, "%s is being called already",
			  id->name);
	else if (one)
		rc = place(p, one, e);
	pthread_mutex_unlock(&p->lock);
	return rc;
}

int participants_disconnect(struct participants *p,
			    const struct participant_id *id, struct error *e)
{
	struct participant *one;
	int rc = -1;

	pthread_mutex_lock(&p->lock);
	one = find_listed(p, id, e);
	if (one && !participant_has_call(one)) {
		error_set(e, ERR_CONFLICT, "%s has no call", id->name);
	} else if (one) {
		hang_up(p, one);
		rc = 0;
	}
	pthread_mutex_unlock(&p->lock);
	return rc;
}

/* Under the lock. With a call it is no longer seen, and goes with the call. */
static void forget(struct participants *p, struct participant *one)
{
	if (!participant_has_call(one)) {
		if (one->ad_hoc && one->added)
			p->ended--;
		participant_bury(p, one);
		return;
	}
	if (one->config.key)
		p->kept--;
	one->config.key = 0;
	participant_touch(p, one);
	one->removed = true;
	one->listed = false;
	hang_up(p, one);
}

static int64_t key_of(struct participants *p, const struct participant_id *id,
		      struct error *e)
{
	struct participant *one;
	int64_t key;

	pthread_mutex_lock(&p->lock);
	one = find_listed(p, id, e);
	key = one ? one->config.key : -1;
	pthread_mutex_unlock(&p->lock);
	return key;
}

/* Out of the store first: what is gone there does not come back. */
static int remove_one(struct participants *p, const struct participant_id *id,
		      struct error *e)
{
	int64_t key = key_of(p, id, e);
	struct participant *one;

	if (key < 0 ||
	    (key > 0 && store_participant_delete(p->o.store, key, e) < 0))
		return -1;
	pthread_mutex_lock(&p->lock);
	one = find_listed(p, id, e);
	if (one)
		forget(p, one);
	pthread_mutex_unlock(&p->lock);
	return one ? 0 : -1;
}

int participants_remove(struct participants *p, const struct participant_id *id,
			struct error *e)
{
	int rc;

	pthread_mutex_lock(&p->changing);
	rc = remove_one(p, id, e);
	pthread_mutex_unlock(&p->changing);
	return rc;
}

int participants_find(struct participants *p, const struct participant_id *id,
		      struct participant_view *out, struct error *e)
{
	struct participant *one;

	pthread_mutex_lock(&p->lock);
	one = find_listed(p, id, e);
	if (one)
		participant_view(one, out);
	pthread_mutex_unlock(&p->lock);
	return one ? 0 : -1;
}

/* --- the whole ------------------------------------------------------------ */

static int load_one(void *arg, const struct participant_row *row,
		    struct error *e)
{
	struct participants *p = arg;
	struct participant_row known = *row;

	/* Somebody has written in it; others look names up by it. */
	if (known.transport < -1 || known.transport > SIP_TLS)
		known.transport = -1;
	return insert(p, &known, false) ? 0 : error_nomem(e);
}

struct participants *participants_new(const struct participants_options *o,
				      struct error *e)
{
	struct participants *p = calloc(1, sizeof(*p));

	if (!p) {
		error_nomem(e);
		return NULL;
	}
	p->o = *o;
	pthread_mutex_init(&p->changing, NULL);
	pthread_mutex_init(&p->lock, NULL);
	list_init(&p->all);
	list_init(&p->gone);
	for (size_t i = 0; i < BUCKETS; i++) {
		list_init(&p->by_call[i]);
		list_init(&p->by_name[i]);
	}
	random_bytes(&p->name_key, sizeof(p->name_key));
	random_bytes(p->seal_key, sizeof(p->seal_key));
	if (store_participant_each(o->store, load_one, p, e) < 0 ||
	    sip_control_follow(o->control, participants_changed, p, e) < 0) {
		participants_free(p);
		return NULL;
	}
	participants_need_revisions(p);
	return p;
}

void participants_free(struct participants *p)
{
	if (!p)
		return;
	while (!list_empty(&p->all))
		participant_free(
		    p, list_owner(p->all.next, struct participant, node));
	pthread_mutex_destroy(&p->lock);
	pthread_mutex_destroy(&p->changing);
	free(p);
}
