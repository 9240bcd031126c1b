/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "audit/audit_heads_private.h"
#include "base/clock.h"
#include "base/log.h"
#include "pkcs11/data.h"

static const struct audit_actor system_actor = { "System", "", "", "" };

/* Beside the line in the log; that a record is lost is logged there. */
static void write_down(struct audit_heads *h, struct audit_what what)
{
	struct error e = ERROR_INIT;

	if (audit_append(h->audit, what, &system_actor, &e) < 0)
		log_trace("audit", "%s", e.text);
}

/* --- reading what there is */

bool head_of_row(const struct audit_head_row *row, struct audit_head *out)
{
	struct error ignored = ERROR_INIT;

	return audit_head_decode(view_of(row->bytes, row->len), out,
				 &ignored) == 0 &&
	       out->counter == row->counter && out->record == row->record;
}

int heads_known_key(struct store *s, struct public_key *out, bool *has_out,
		    struct error *e)
{
	struct error ignored = ERROR_INIT;
	uint8_t spki[STORE_AUDIT_KEY_MAX];
	size_t n;

	if (store_audit_key_get(s, spki, &n, e) < 0)
		return -1;
	*has_out =
	    n && public_key_from_spki(view_of(spki, n), out, &ignored) == 0;
	return 0;
}

struct newest_job {
	const struct public_key *key;
	struct audit_head *out;
};

static int take_newer(void *arg, struct view value, struct error *e)
{
	struct newest_job *job = arg;
	struct error ignored = ERROR_INIT;
	struct audit_head head;

	(void)e;
	if (audit_head_decode(value, &head, &ignored) == 0 &&
	    head.counter > job->out->counter &&
	    audit_head_check(&head, job->key, &ignored) == 0)
		*job->out = head;
	return 0;
}

int heads_read_token(struct audit_heads *h, const struct public_key *key,
		     struct audit_head *out, struct error *e)
{
	struct newest_job job = { key, out };

	memset(out, 0, sizeof(*out));
	return token_data_each(h->token, AUDIT_HEAD_LABEL, take_newer, &job, e);
}

/* --- the key */

static int note_key(struct audit_heads *h, const struct public_key *known,
		    bool has, struct error *e)
{
	const struct public_key *pub = token_key_public(h->key);
	char id[2 * SHA1_SIZE + 1], former[2 * SHA1_SIZE + 1];

	if (has && public_key_equal(known, pub))
		return 0;
	if (store_audit_key_put(h->store, view_of(pub->spki, pub->spki_len),
				e) < 0)
		return -1;
	hex_encode(pub->id, sizeof(pub->id), id);
	if (!has) {
		log_info("audit", "the audit key is %s", id);
		return 0;
	}
	log_warning("audit",
		    "the token holds another audit key than before, now %s: "
		    "heads signed so far cannot be checked with it",
		    id);
	hex_encode(known->id, sizeof(known->id), former);
	write_down(h, AUDIT(AUDIT_KEY_CHANGED, .keyId = id, .former = former));
	return 0;
}

int heads_token_key(struct audit_heads *h, struct error *e)
{
	struct public_key known;
	bool has;

	if (h->key)
		return 0;
	if (heads_known_key(h->store, &known, &has, e) < 0)
		return -1;
	h->key = token_audit_key(h->token, has ? known.id : NULL, e);
	if (!h->key)
		return error_prefix(e, "audit key");
	if (note_key(h, &known, has, e) == 0)
		return 0;
	token_key_unref(h->key);
	h->key = NULL;
	return -1;
}

/* --- signing; under h->lock */

static struct audit_head head_of_chain(const struct audit_chain *chain,
				       uint64_t counter,
				       const struct public_key *key)
{
	struct audit_head head = {
		.counter = counter,
		.record = chain->last,
		.first = chain->first,
		.at = clock_now(),
	};

	memcpy(head.hash, chain->last_hash, sizeof(head.hash));
	memcpy(head.anchor, chain->anchor, sizeof(head.anchor));
	memcpy(head.key_id, key->id, sizeof(head.key_id));
	return head;
}

/* What the token gave is checked before it counts. */
static int sign_head(struct audit_heads *h, struct audit_head *head,
		     struct error *e)
{
	uint8_t digest[SHA256_SIZE], sig[KEY_SIGNATURE_MAX];
	size_t n;

	audit_head_digest(head, digest);
	if (token_key_sign(h->key, SIGN_ECDSA, HASH_SHA256, digest, sig, &n,
			   e) < 0)
		return -1;
	if (n > sizeof(head->signature))
		return error_set(e, ERR_TOKEN,
				 "a signature of %zu bytes for P-256", n);
	memcpy(head->signature, sig, n);
	head->signature_len = n;
	return audit_head_check(head, token_key_public(h->key), e);
}

static int keep_head(struct audit_heads *h, const struct audit_head *head,
		     struct error *e)
{
	struct audit_head_row row = {
		.counter = head->counter,
		.record = head->record,
	};

	_Static_assert((int)AUDIT_HEAD_ENCODED_MAX <= STORE_AUDIT_HEAD_MAX,
		       "a head fits its row");
	row.len = audit_head_encode(head, row.bytes);
	return store_audit_head_add(h->store, &row, AUDIT_HEADS_KEPT, e);
}

/* The head counts without this; only an older database that is put back would
 * not show. */
static void put_in_token(struct audit_heads *h, const struct audit_head *head)
{
	uint8_t bytes[AUDIT_HEAD_ENCODED_MAX];
	struct error e = ERROR_INIT;
	size_t n = audit_head_encode(head, bytes);
	bool failed = token_data_replace(h->token, AUDIT_HEAD_LABEL,
					 view_of(bytes, n), &e) < 0;

	if (failed && !h->object_failed && e.kind != ERR_UNSUPPORTED) {
		error_prefix(&e, "the newest head of the audit log is not in "
				 "the token");
		log_failure(LOG_LEVEL_WARNING, "audit", &e);
	}
	h->object_failed = failed;
}

/* Told once: an attempt may fail afterwards and be made again. */
static void tell_of_rollback(struct audit_heads *h,
			     const struct audit_head *in_token,
			     uint64_t counter)
{
	if (h->rollback_told)
		return;
	h->rollback_told = true;
	log_error("audit",
		  "the token knows head %" PRIu64 " of the audit log (record "
		  "%" PRIu64 "), the database only head %" PRIu64
		  ": an older database was put back",
		  in_token->counter, in_token->record, counter);
	write_down(h, AUDIT(AUDIT_LOG_ROLLED_BACK,
			    .tokenHead = AUDIT_NUMBER(in_token->counter),
			    .tokenRecord = AUDIT_NUMBER(in_token->record),
			    .keptHead = AUDIT_NUMBER(counter)));
}

/* Does the store's newest head say all that a new one would? */
static bool attests(const struct audit_head *head,
		    const struct audit_chain *chain,
		    const struct public_key *key)
{
	struct error ignored = ERROR_INIT;

	return head->record == chain->last &&
	       !memcmp(head->hash, chain->last_hash, SHA256_SIZE) &&
	       audit_head_check(head, key, &ignored) == 0;
}

/* An older database that was put back shows for ever: the next head counts on
 * from the token's, so that those in between are missed. */
static int sign_next(struct audit_heads *h, const struct audit_chain *chain,
		     uint64_t counter, const struct audit_head *in_token,
		     struct error *e)
{
	struct audit_head head;

	if (in_token->counter > counter) {
		tell_of_rollback(h, in_token, counter);
		counter = in_token->counter;
	}
	if (counter >= INT64_MAX)
		return error_set(e, ERR_CONFLICT,
				 "the heads of the audit log are damaged: no "
				 "number is left for the next");
	head = head_of_chain(chain, counter + 1, token_key_public(h->key));
	if (sign_head(h, &head, e) < 0 || keep_head(h, &head, e) < 0)
		return -1;
	put_in_token(h, &head);
	return 0;
}

static int sign_chain(struct audit_heads *h, const struct audit_chain *chain,
		      struct error *e)
{
	struct audit_head newest, in_token;
	struct audit_head_row row;

	if (heads_token_key(h, e) < 0 ||
	    store_audit_head_newest(h->store, &row, e) < 0 ||
	    heads_read_token(h, token_key_public(h->key), &in_token, e) < 0)
		return -1;
	if (head_of_row(&row, &newest) && in_token.counter <= row.counter &&
	    attests(&newest, chain, token_key_public(h->key))) {
		if (in_token.counter < row.counter && !h->object_failed)
			put_in_token(h, &newest);
		return 0;
	}
	return sign_next(h, chain, row.counter, &in_token, e);
}

static void forget_key(struct audit_heads *h)
{
	token_key_unref(h->key);
	h->key = NULL;
}

static int sign_now(struct audit_heads *h, struct error *e)
{
	struct audit_chain chain;
	bool had_key = h->key != NULL;
	int rc;

	if (store_audit_chain(h->store, &chain, e) < 0)
		return -1;
	if (chain.damaged)
		return error_set(e, ERR_CONFLICT,
				 "the end of the audit trail is damaged");
	if (!chain.last)
		return 0;
	rc = sign_chain(h, &chain, e);
	if (rc < 0 && e->kind == ERR_NOT_FOUND && had_key) {
		/* The token was replaced, or somebody took the key away. */
		forget_key(h);
		rc = sign_chain(h, &chain, e);
	}
	if (rc == 0)
		h->plan.record = chain.last;
	return rc;
}

/* Says once that signing is put off, and once that it goes on. */
static void note_outcome(struct audit_heads *h, int rc, const struct error *e)
{
	struct audit_head_plan *p = &h->plan;

	p->attempt_at_ms = clock_monotonic_ms();
	if (rc == 0) {
		if (p->failing)
			log_info("audit", "heads of the audit log are signed "
					  "again");
		p->signed_once = true;
		p->signed_at_ms = p->attempt_at_ms;
	} else if (!p->failing) {
		struct error why = *e;

		error_prefix(&why, "signing the audit log is put off until "
				   "the token can");
		log_failure(LOG_LEVEL_WARNING, "audit", &why);
	}
	p->failing = rc < 0;
}

int audit_heads_sign(struct audit_heads *h, struct error *e)
{
	int rc;

	pthread_mutex_lock(&h->lock);
	rc = sign_now(h, e);
	note_outcome(h, rc, e);
	pthread_mutex_unlock(&h->lock);
	return rc;
}

/* --- questions */

int audit_heads_info(struct audit_heads *h, struct audit_heads_info *out,
		     struct error *e)
{
	struct audit_head_row row;
	struct audit_chain chain;

	memset(out, 0, sizeof(*out));
	if (store_audit_head_newest(h->store, &row, e) < 0 ||
	    store_audit_chain(h->store, &chain, e) < 0 ||
	    heads_known_key(h->store, &out->key, &out->has_key, e) < 0)
		return -1;
	if (!head_of_row(&row, &out->newest))
		memset(&out->newest, 0, sizeof(out->newest));
	if (chain.last > out->newest.record)
		out->unattested = chain.last - out->newest.record;
	return 0;
}

struct each_call {
	uint64_t from, to, after;
	size_t seen;
	int (*each)(void *arg, const struct audit_head *head, struct error *e);
	void *arg;
};

static int hand_out(void *arg, const struct audit_head_found *found,
		    struct error *e)
{
	struct each_call *call = arg;
	struct audit_head head;

	call->after = found->row.counter;
	call->seen++;
	if (!head_of_row(&found->row, &head) || head.record < call->from ||
	    head.record > call->to)
		return 0;
	return call->each(call->arg, &head, e);
}

int audit_heads_each(struct audit_heads *h, uint64_t from, uint64_t to,
		     int (*each)(void *arg, const struct audit_head *head,
				 struct error *e),
		     void *arg, struct error *e)
{
	enum { PAGE_HEADS = 500 };
	struct each_call call = { from, to, 0, 0, each, arg };
	struct audit_chain chain;

	do {
		call.seen = 0;
		if (store_audit_head_page(h->store, call.after, PAGE_HEADS,
					  &chain, hand_out, &call, e) < 0)
			return -1;
	} while (call.seen == PAGE_HEADS);
	return 0;
}

/* --- the object */

struct audit_heads *audit_heads_new(struct store *s, struct audit *a,
				    struct token *t, struct error *e)
{
	struct audit_heads *h = calloc(1, sizeof(*h));
	pthread_condattr_t attr;

	if (!h) {
		error_nomem(e);
		return NULL;
	}
	h->store = s;
	h->audit = a;
	h->token = t;
	pthread_mutex_init(&h->lock, NULL);
	pthread_mutex_init(&h->wake_lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&h->wake, &attr);
	pthread_condattr_destroy(&attr);
	return h;
}

void audit_heads_free(struct audit_heads *h)
{
	if (!h)
		return;
	token_key_unref(h->key);
	pthread_cond_destroy(&h->wake);
	pthread_mutex_destroy(&h->wake_lock);
	pthread_mutex_destroy(&h->lock);
	free(h);
}
