/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sip/sip_control.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "front/list.h"
#include "sip/sip_outbound.h"

/* A call, or a wish for one. */
struct entry {
	struct list node; /* of calls, later of ended */
	struct sip_call_facts facts;
	struct sip_dialled *to; /* to be placed; NULL: it is under way */
	bool end;               /* is wanted */
};

struct follower {
	void (*changed)(void *arg, const struct sip_call_facts *f);
	void *arg;
};

/* What is told to followers changes on the loop only, so it needs no lock
 * there; the tables do. */
struct sip_control {
	struct settings *settings;
	struct follower followers[SIP_FOLLOWERS_MAX];
	size_t follower_count;
	pthread_mutex_t lock;
	struct sip_control_ops ops;
	bool attached, register_now, password_changed;
	struct list calls, ended; /* the oldest first */
	size_t call_count, ended_count;
	struct sip_registration_facts registration;
};

/* --- the tables, under lock ----------------------------------------------- */

static struct entry *find_in(struct list *all, uint64_t id)
{
	for (struct list *l = all->prev; l != all; l = l->prev) {
		struct entry *n = list_owner(l, struct entry, node);

		if (n->facts.id == id)
			return n;
	}
	return NULL;
}

static struct entry *add(struct sip_control *c, const struct sip_call_facts *f,
			 struct error *e)
{
	struct entry *n = calloc(1, sizeof(*n));

	if (!n) {
		error_nomem(e);
		return NULL;
	}
	n->facts = *f;
	list_append(&c->calls, &n->node);
	c->call_count++;
	return n;
}

static void entry_free(struct entry *n)
{
	list_remove(&n->node);
	free(n->to);
	free(n);
}

/* From those under way to those that ended, of which the oldest goes. */
static void retire(struct sip_control *c, struct entry *n)
{
	list_remove(&n->node);
	list_append(&c->ended, &n->node);
	c->call_count--;
	free(n->to);
	n->to = NULL;
	if (++c->ended_count <= SIP_ENDED_KEPT)
		return;
	entry_free(list_owner(c->ended.next, struct entry, node));
	c->ended_count--;
}

static void wake(struct sip_control *c)
{
	if (c->attached)
		c->ops.wake(c->ops.arg);
}

/* --- any thread ----------------------------------------------------------- */

static int dial(struct sip_control *c, const struct sip_place *p,
		struct sip_dialled *out, struct error *e)
{
	const struct sip_dial what = { .text = p->address,
				       .has_transport = p->has_transport,
				       .transport = p->transport };
	struct sip_outbound_now now;

	if (sip_outbound_read(c->settings, &now, e) < 0)
		return -1;
	if (!p->use_registrar)
		now.rules.mode = SIP_CALL_DIRECT;
	return sip_dial(&what, &now.rules, out, e);
}

/* Locked. */
static int place(struct sip_control *c, struct sip_dialled *to,
		 uint64_t *id_out, struct error *e)
{
	struct sip_call_facts f = { .state = SIP_CALL_ALERTING,
				    .encryption = SIP_ENCRYPTION_UNKNOWN };
	struct entry *n;

	if (!c->attached)
		return error_set(e, ERR_CANCELLED,
				 "no calls can be placed now: the service "
				 "starts or stops");
	if (c->call_count >= SIP_CALLS_MAX)
		return error_set(e, ERR_LIMIT, "there are %d calls already",
				 SIP_CALLS_MAX);
	f.id = c->ops.new_id(c->ops.arg);
	f.started = clock_now();
	snprintf(f.peer, sizeof(f.peer), "%.*s", SIP_TEXT_MAX - 1, to->uri);
	n = add(c, &f, e);
	if (!n)
		return -1;
	n->to = to;
	*id_out = f.id;
	wake(c);
	return 0;
}

int sip_control_place(struct sip_control *c, const struct sip_place *p,
		      uint64_t *id_out, struct error *e)
{
	struct sip_dialled *to = malloc(sizeof(*to));
	int rc;

	if (!to)
		return error_nomem(e);
	if (dial(c, p, to, e) < 0) {
		free(to);
		return -1;
	}
	pthread_mutex_lock(&c->lock);
	rc = place(c, to, id_out, e);
	pthread_mutex_unlock(&c->lock);
	if (rc < 0)
		free(to);
	return rc;
}

int sip_control_end(struct sip_control *c, uint64_t id, struct error *e)
{
	struct entry *n;

	pthread_mutex_lock(&c->lock);
	n = find_in(&c->calls, id);
	if (n) {
		n->end = true;
		wake(c);
	}
	pthread_mutex_unlock(&c->lock);
	return n ? 0 : error_set(e, ERR_NOT_FOUND, "there is no such call");
}

size_t sip_control_calls(struct sip_control *c, struct sip_call_facts *out,
			 size_t max)
{
	size_t count = 0;

	pthread_mutex_lock(&c->lock);
	for (struct list *l = c->calls.next; l != &c->calls; l = l->next) {
		if (count < max)
			out[count] = list_owner(l, struct entry, node)->facts;
		count++;
	}
	pthread_mutex_unlock(&c->lock);
	return count;
}

bool sip_control_call(struct sip_control *c, uint64_t id,
		      struct sip_call_facts *out)
{
	struct entry *n;

	pthread_mutex_lock(&c->lock);
	n = find_in(&c->calls, id);
	if (!n)
		n = find_in(&c->ended, id);
	if (n)
		*out = n->facts;
	pthread_mutex_unlock(&c->lock);
	return n != NULL;
}

void sip_control_registration(struct sip_control *c,
			      struct sip_registration_facts *out)
{
	pthread_mutex_lock(&c->lock);
	*out = c->registration;
	pthread_mutex_unlock(&c->lock);
}

void sip_control_register_now(struct sip_control *c)
{
	pthread_mutex_lock(&c->lock);
	c->register_now = true;
	wake(c);
	pthread_mutex_unlock(&c->lock);
}

void sip_control_password_changed(struct sip_control *c)
{
	pthread_mutex_lock(&c->lock);
	c->password_changed = true;
	wake(c);
	pthread_mutex_unlock(&c->lock);
}

/* --- on the loop ---------------------------------------------------------- */

static void tell(struct sip_control *c, const struct sip_call_facts *f)
{
	for (size_t i = 0; i < c->follower_count; i++)
		c->followers[i].changed(c->followers[i].arg, f);
}

void sip_control_changed(struct sip_control *c, const struct sip_call_facts *f)
{
	struct error e = ERROR_INIT;
	struct entry *n;

	pthread_mutex_lock(&c->lock);
	n = find_in(&c->calls, f->id);
	if (n)
		n->facts = *f;
	else if (!find_in(&c->ended, f->id))
		n = add(c, f, &e);
	if (n && f->state == SIP_CALL_DISCONNECTED)
		retire(c, n);
	pthread_mutex_unlock(&c->lock);
	if (e.kind != ERR_NONE)
		log_failure(LOG_LEVEL_ERROR, "sip", &e);
	tell(c, f);
}

void sip_control_counted(struct sip_control *c, const struct sip_call_facts *f)
{
	struct entry *n;

	pthread_mutex_lock(&c->lock);
	n = find_in(&c->calls, f->id);
	if (n)
		n->facts = *f;
	pthread_mutex_unlock(&c->lock);
}

void sip_control_registered(struct sip_control *c,
			    const struct sip_registration_facts *f)
{
	pthread_mutex_lock(&c->lock);
	c->registration = *f;
	pthread_mutex_unlock(&c->lock);
}

/* Nobody can place or end it. */
static void give_up(struct sip_control *c, const struct sip_call_facts *was,
		    enum sip_end end, const char *text)
{
	struct sip_call_facts f = *was;

	f.state = SIP_CALL_DISCONNECTED;
	f.ended = clock_now();
	f.ended_ms = clock_monotonic_ms();
	f.end = end;
	snprintf(f.end_text, sizeof(f.end_text), "%s", text);
	sip_control_changed(c, &f);
}

/* One thing that is wanted, with what is needed for it. */
struct wish {
	struct sip_dialled *to; /* to place; taken over */
	bool end;
	struct sip_call_facts facts;
};

/* False: nothing is wanted of calls. */
static bool next_wish(struct sip_control *c, struct wish *out)
{
	bool found = false;

	pthread_mutex_lock(&c->lock);
	for (struct list *l = c->calls.next; l != &c->calls && !found;
	     l = l->next) {
		struct entry *n = list_owner(l, struct entry, node);

		found = n->to || n->end;
		if (!found)
			continue;
		*out = (struct wish){ n->to, n->end, n->facts };
		n->to = NULL;
		n->end = false;
	}
	pthread_mutex_unlock(&c->lock);
	return found;
}

static void carry_out(struct sip_control *c, struct wish *w)
{
	const struct sip_control_ops *ops = &c->ops;

	if (w->to && w->end)
		give_up(c, &w->facts, SIP_END_DISCONNECT_ALL,
			"ended before it was placed");
	else if (w->to && ops->place)
		ops->place(ops->arg, w->facts.id, w->to);
	else if (w->to)
		give_up(c, &w->facts, SIP_END_SERVICE_UNAVAILABLE,
			"calls cannot be placed here");
	else if (ops->end)
		ops->end(ops->arg, w->facts.id);
	free(w->to);
}

static bool take(struct sip_control *c, bool *wish)
{
	bool wanted;

	pthread_mutex_lock(&c->lock);
	wanted = *wish;
	*wish = false;
	pthread_mutex_unlock(&c->lock);
	return wanted;
}

void sip_control_run(struct sip_control *c)
{
	struct wish w;

	if (!c->attached)
		return;
	while (next_wish(c, &w))
		carry_out(c, &w);
	if (take(c, &c->password_changed) && c->ops.password_changed)
		c->ops.password_changed(c->ops.arg);
	if (take(c, &c->register_now) && c->ops.register_now)
		c->ops.register_now(c->ops.arg);
}

void sip_control_attach(struct sip_control *c,
			const struct sip_control_ops *ops)
{
	struct wish w;

	pthread_mutex_lock(&c->lock);
	c->attached = ops != NULL;
	c->ops = ops ? *ops : (struct sip_control_ops){ 0 };
	pthread_mutex_unlock(&c->lock);
	/* What was wanted last is not forgotten without a word. */
	while (!ops && next_wish(c, &w)) {
		if (w.to)
			give_up(c, &w.facts, SIP_END_DISCONNECT_ALL,
				"the service is stopping");
		free(w.to);
	}
}

/* --- life ----------------------------------------------------------------- */

int sip_control_follow(struct sip_control *c,
		       void (*changed)(void *arg,
				       const struct sip_call_facts *f),
		       void *arg, struct error *e)
{
	if (c->follower_count >= SIP_FOLLOWERS_MAX)
		return error_set(e, ERR_LIMIT, "more than %d follow the calls",
				 SIP_FOLLOWERS_MAX);
	c->followers[c->follower_count++] = (struct follower){ changed, arg };
	return 0;
}

struct sip_control *sip_control_new(const struct sip_control_options *o,
				    struct error *e)
{
	struct sip_control *c = calloc(1, sizeof(*c));

	if (!c) {
		error_nomem(e);
		return NULL;
	}
	c->settings = o->settings;
	list_init(&c->calls);
	list_init(&c->ended);
	pthread_mutex_init(&c->lock, NULL);
	return c;
}

static void free_all(struct list *all)
{
	while (!list_empty(all))
		entry_free(list_owner(all->next, struct entry, node));
}

void sip_control_free(struct sip_control *c)
{
	if (!c)
		return;
	free_all(&c->calls);
	free_all(&c->ended);
	pthread_mutex_destroy(&c->lock);
	free(c);
}
