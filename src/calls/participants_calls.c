/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "base/utf8.h"
#include "calls/participants_private.h"

/* --- whose call it is ----------------------------------------------------- */

static struct list *bucket_of(struct participants *p, uint64_t call)
{
	return &p->by_call[call % BUCKETS];
}

void participant_set_call(struct participants *p, struct participant *one,
			  const struct sip_call_facts *f)
{
	one->call = *f;
	one->joined = false;
	list_remove(&one->call_node);
	list_append(bucket_of(p, f->id), &one->call_node);
	participant_touch(p, one);
}

struct participant *participant_of_call(struct participants *p, uint64_t call)
{
	struct list *bucket = bucket_of(p, call);

	for (struct list *l = bucket->next; l != bucket; l = l->next) {
		struct participant *one =
		    list_owner(l, struct participant, call_node);

		if (one->call.id == call)
			return one;
	}
	return NULL;
}

bool participants_of_call(struct participants *p, uint64_t call,
			  struct participant_names *out)
{
	struct participant *one;

	pthread_mutex_lock(&p->lock);
	one = participant_of_call(p, call);
	if (one) {
		memcpy(out->conference, one->config.conference,
		       sizeof(out->conference));
		memcpy(out->name, one->config.name, sizeof(out->name));
	}
	pthread_mutex_unlock(&p->lock);
	return one != NULL;
}

/* --- who calls us --------------------------------------------------------- */

static bool is_taken(struct participants *p, const char *name)
{
	const struct participant_id id = { CALLERS_CONFERENCE, name, true };

	return participant_find(p, &id) != NULL;
}

/* The URI of the other side, with the number of the call behind it where there
 * is one of that name already. */
static void name_caller(struct participants *p, const struct sip_call_facts *f,
			struct participant_row *out)
{
	char uri[sizeof(out->name) - 48], more[40] = "";

	memset(out, 0, sizeof(*out));
	out->transport = -1;
	snprintf(out->conference, sizeof(out->conference), "%s",
		 CALLERS_CONFERENCE);
	utf8_line(view_str(f->peer), out->address, sizeof(out->address));
	utf8_line(view_str(f->peer[0] ? f->peer : "unknown"), uri, sizeof(uri));
	for (unsigned i = 0; i < UINT_MAX; i++) {
		snprintf(out->name, sizeof(out->name), "%s%s", uri, more);
		if (!is_taken(p, out->name))
			break;
		if (i == 0)
			snprintf(more, sizeof(more), " (%" PRIu64 ")", f->id);
		else
			snprintf(more, sizeof(more), " (%" PRIu64 ".%u)", f->id,
				 i);
	}
}

static struct participant *new_caller(struct participants *p,
				      const struct sip_call_facts *f)
{
	struct participant_row config;
	struct participant *one;

	name_caller(p, f, &config);
	one = participant_new(p, &config);
	if (!one)
		return NULL;
	one->ad_hoc = true;
	participant_set_call(p, one, f);
	return one;
}

/* --- changes -------------------------------------------------------------- */

static void write_record(struct participants *p, const struct participant *one,
			 enum cdr_kind kind)
{
	struct cdr_row row;

	cdr_of_call(&one->call, kind, one->config.conference, one->config.name,
		    &row);
	cdr_add(p->o.cdr, &row);
}

/* The oldest one that we called once goes when there are too many. */
static void forget_oldest(struct participants *p)
{
	if (p->ended <= PARTICIPANTS_ENDED_KEPT)
		return;
	for (struct list *l = p->all.next; l != &p->all; l = l->next) {
		struct participant *one =
		    list_owner(l, struct participant, node);

		if (!one->ad_hoc || !one->added || one->gone ||
		    participant_has_call(one))
			continue;
		p->ended--;
		participant_bury(p, one);
		return;
	}
}

static void call_has_ended(struct participants *p, struct participant *one)
{
	write_record(p, one, CDR_LEFT);
	list_remove(&one->call_node);
	if (one->removed || !one->added) {
		participant_bury(p, one);
	} else if (one->ad_hoc) {
		p->ended++;
		forget_oldest(p);
	}
}

static void change(struct participants *p, struct participant *one,
		   const struct sip_call_facts *f)
{
	one->call = *f;
	if (!one->removed)
		participant_touch(p, one);
	if (f->state == SIP_CALL_CONNECTED) {
		one->listed = !one->removed;
		if (!one->joined)
			write_record(p, one, CDR_JOINED);
		one->joined = true;
	} else if (f->state == SIP_CALL_DISCONNECTED) {
		call_has_ended(p, one);
	}
}

/* There is no room for it in the table: its end is recorded all the same. */
static void change_unknown(struct participants *p,
			   const struct sip_call_facts *f)
{
	struct cdr_row row;

	log_error("calls", "a call has no participant: out of memory");
	if (f->state != SIP_CALL_DISCONNECTED)
		return;
	cdr_of_call(f, CDR_LEFT, CALLERS_CONFERENCE, f->peer, &row);
	cdr_add(p->o.cdr, &row);
}

void participants_changed(void *arg, const struct sip_call_facts *f)
{
	struct participants *p = arg;
	struct participant *one;

	pthread_mutex_lock(&p->lock);
	one = participant_of_call(p, f->id);
	if (!one)
		one = new_caller(p, f);
	if (one)
		change(p, one, f);
	else
		change_unknown(p, f);
	pthread_mutex_unlock(&p->lock);
}
