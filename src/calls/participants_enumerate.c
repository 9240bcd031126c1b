/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <string.h>

#include "base/hash.h"
#include "calls/participants_private.h"

/* --- where to go on ------------------------------------------------------- */

/* An ID: the number of the last one that was given, and a seal of it. */
enum { NUMBER_SIZE = 8, SEAL_SIZE = 16, TOKEN_SIZE = NUMBER_SIZE + SEAL_SIZE };

_Static_assert(ENUMERATE_ID_SIZE == 2 * TOKEN_SIZE + 1,
	       "in hexadecimal digits");

/* What is hashed has one length, and half of the hash is not told: it cannot be
 * continued. */
static void seal(const struct participants *p, const uint8_t *number,
		 uint8_t out[SEAL_SIZE])
{
	uint8_t text[SEAL_KEY_SIZE + NUMBER_SIZE], hash[SHA256_SIZE];

	memcpy(text, p->seal_key, SEAL_KEY_SIZE);
	memcpy(text + SEAL_KEY_SIZE, number, NUMBER_SIZE);
	sha256_of(view_of(text, sizeof(text)), hash);
	memcpy(out, hash, SEAL_SIZE);
}

static void write_id(const struct participants *p, uint64_t number,
		     char out[ENUMERATE_ID_SIZE])
{
	uint8_t token[TOKEN_SIZE];

	for (int i = 0; i < NUMBER_SIZE; i++)
		token[i] = (uint8_t)(number >> (56 - 8 * i));
	seal(p, token, token + NUMBER_SIZE);
	hex_encode(token, sizeof(token), out);
}

static int read_id(const struct participants *p, const char *id, uint64_t *out,
		   struct error *e)
{
	uint8_t token[TOKEN_SIZE], right[SEAL_SIZE];
	uint8_t differs = 0;

	*out = 0;
	if (!*id)
		return 0;
	if (hex_decode(id, token, sizeof(token)) != TOKEN_SIZE)
		return error_set(e, ERR_NOT_FOUND, "it was not given here");
	seal(p, token, right);
	for (int i = 0; i < SEAL_SIZE; i++)
		differs |= (uint8_t)(right[i] ^ token[NUMBER_SIZE + i]);
	if (differs)
		return error_set(e, ERR_NOT_FOUND, "it was not given here");
	for (int i = 0; i < NUMBER_SIZE; i++)
		*out = *out << 8 | token[i];
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

/* A revision that is still to come was given before a restart. */
static bool is_wanted(const struct participants *p, const struct wanted *w,
		      const struct participant *one)
{
	return one->listed &&
	       (!w->q->configured_only || one->config.key != 0) &&
	       (w->q->last_revision > p->revision ||
		one->revision > w->q->last_revision) &&
	       w->states[participant_state(one)];
}

/* Under the lock. */
static void fill(struct participants *p, const struct wanted *w, uint64_t after,
		 struct participants_batch *out)
{
	uint64_t last = after;

	for (struct list *l = p->all.next; l != &p->all; l = l->next) {
		struct participant *one =
		    list_owner(l, struct participant, node);

		if (one->number <= after || !is_wanted(p, w, one))
			continue;
		if (out->count == PARTICIPANTS_PAGE) {
			write_id(p, last, out->enumerate_id);
			break;
		}
		participant_view(one, &out->views[out->count++]);
		last = one->number;
	}
}

int participants_enumerate(struct participants *p,
			   const struct participants_query *q,
			   struct participants_batch *out, struct error *e)
{
	struct wanted w = { .q = q };
	uint64_t after;

	memset(out, 0, sizeof(*out));
	if (read_id(p, q->enumerate_id, &after, e) < 0 ||
	    read_filter(q->filter, &w, e) < 0)
		return -1;
	pthread_mutex_lock(&p->lock);
	fill(p, &w, after, out);
	if (p->revision < INT32_MAX)
		p->revision++;
	out->revision = p->revision;
	pthread_mutex_unlock(&p->lock);
	return 0;
}
