/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <string.h>

#include "base/hash.h"
#include "calls/participants_private.h"

/* --- where to go on ------------------------------------------------------- */

/* An ID: the number of the last one that was given, the revision since which
 * changes are told (0: all are), and a seal of both. */
enum {
	NUMBER_SIZE = 8,
	PLACE_SIZE = NUMBER_SIZE + 4,
	SEAL_SIZE = 16,
	TOKEN_SIZE = PLACE_SIZE + SEAL_SIZE
};
struct place {
	uint64_t after;
	int32_t since;
};

_Static_assert(ENUMERATE_ID_SIZE == 2 * TOKEN_SIZE + 1,
	       "in hexadecimal digits");

/* What is hashed has one length, and half of the hash is not told: it cannot be
 * continued. */
static void seal(const struct participants *p, const uint8_t *place,
		 uint8_t out[SEAL_SIZE])
{
	uint8_t text[SEAL_KEY_SIZE + PLACE_SIZE], hash[SHA256_SIZE];

	memcpy(text, p->seal_key, SEAL_KEY_SIZE);
	memcpy(text + SEAL_KEY_SIZE, place, PLACE_SIZE);
	sha256_of(view_of(text, sizeof(text)), hash);
	memcpy(out, hash, SEAL_SIZE);
}

static void write_id(const struct participants *p, const struct place *at,
		     char out[ENUMERATE_ID_SIZE])
{
	uint8_t token[TOKEN_SIZE];

	for (int i = 0; i < NUMBER_SIZE; i++)
		token[i] = (uint8_t)(at->after >> (56 - 8 * i));
	for (int i = NUMBER_SIZE; i < PLACE_SIZE; i++)
		token[i] = (uint8_t)((uint32_t)at->since >>
				     (8 * (PLACE_SIZE - 1 - i)));
	seal(p, token, token + PLACE_SIZE);
	hex_encode(token, sizeof(token), out);
}

static int read_id(const struct participants *p, const char *id,
		   struct place *out, struct error *e)
{
	uint8_t token[TOKEN_SIZE], right[SEAL_SIZE];
	uint8_t differs = 0;
	uint32_t since = 0;

	if (hex_decode(id, token, sizeof(token)) != TOKEN_SIZE)
		return error_set(e, ERR_NOT_FOUND, "it was not given here");
	seal(p, token, right);
	for (int i = 0; i < SEAL_SIZE; i++)
		differs |= (uint8_t)(right[i] ^ token[PLACE_SIZE + i]);
	if (differs)
		return error_set(e, ERR_NOT_FOUND, "it was not given here");
	out->after = 0;
	for (int i = 0; i < NUMBER_SIZE; i++)
		out->after = out->after << 8 | token[i];
	for (int i = NUMBER_SIZE; i < PLACE_SIZE; i++)
		since = since << 8 | token[i];
	out->since = (int32_t)since;
	return 0;
}

/* --- who is wanted -------------------------------------------------------- */

/* What the filter says of each state, found out before the lock is taken: a
 * long one takes its time. */
struct wanted {
	const struct participants_query *q;
	bool states[PARTICIPANT_STATE_COUNT];
};

static int read_filter(const char *filter, struct wanted *out, struct error *e)
{
	int64_t value;

	for (int i = 0; i < PARTICIPANT_STATE_COUNT; i++) {
		const struct filter_atom atoms[] = {
			{ "connected", i == PARTICIPANT_CONNECTED },
			{ "disconnected", i == PARTICIPANT_DISCONNECTED },
			{ NULL, 0 },
		};

		value = 1;
		if (*filter && filter_evaluate(filter, atoms, &value, e) < 0)
			return error_prefix(e, "enumerateFilter");
		out->states[i] = value != 0;
	}
	return 0;
}

/* Somebody else may have its name by now. */
static bool is_there_again(struct participants *p,
			   const struct participant *one)
{
	const struct participant_id id = { one->config.conference,
					   one->config.name, one->ad_hoc };
	const struct participant *other = participant_find(p, &id);

	return other && other->listed;
}

static bool is_wanted(struct participants *p, const struct wanted *w,
		      const struct place *at, const struct participant *one)
{
	if ((w->q->configured_only && !one->configured) ||
	    (at->since != 0 && one->revision <= at->since))
		return false;
	if (one->gone || one->removed)
		return at->since != 0 && !is_there_again(p, one);
	return one->listed && w->states[participant_state(one)];
}

/* Under the lock. */
static void fill(struct participants *p, const struct wanted *w,
		 struct place *at, struct participants_batch *out)
{
	const uint64_t after = at->after;

	for (struct list *l = p->all.next; l != &p->all; l = l->next) {
		struct participant *one =
		    list_owner(l, struct participant, node);

		if (one->number <= after || !is_wanted(p, w, at, one))
			continue;
		if (out->count == PARTICIPANTS_PAGE) {
			write_id(p, at, out->enumerate_id);
			break;
		}
		participant_view(one, &out->views[out->count++]);
		at->after = one->number;
	}
	out->all = at->since == 0;
	out->revision = participants_next_revision(p);
}

/* Under the lock: since when changes are told. */
static int find_since(struct participants *p,
		      const struct participants_query *q, struct place *at,
		      struct error *e)
{
	if (*q->enumerate_id) {
		if (at->since == 0 || participants_know_since(p, at->since))
			return 0;
		return error_set(e, ERR_NOT_FOUND,
				 "too much has changed meanwhile");
	}
	at->since =
	    participants_know_since(p, q->last_revision) ? q->last_revision : 0;
	return 0;
}

int participants_enumerate(struct participants *p,
			   const struct participants_query *q,
			   struct participants_batch *out, struct error *e)
{
	struct place at = { 0, 0 };
	struct wanted w = { .q = q };
	int rc;

	memset(out, 0, sizeof(*out));
	if ((*q->enumerate_id && read_id(p, q->enumerate_id, &at, e) < 0) ||
	    read_filter(q->filter, &w, e) < 0)
		return -1;
	participants_need_revisions(p);
	pthread_mutex_lock(&p->lock);
	rc = find_since(p, q, &at, e);
	if (rc == 0)
		fill(p, &w, &at, out);
	pthread_mutex_unlock(&p->lock);
	return rc;
}
