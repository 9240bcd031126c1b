/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "audit/audit_heads_private.h"
#include "base/clock.h"

enum { PAGE_HEADS = 500 };

/* What the walk over the heads knows. */
struct walk {
	struct audit_heads_verdict *out;
	const struct key_check *key; /* NULL: none is known */
	struct audit_chain chain;    /* as of the page in hand */
	size_t in_page;
	uint64_t counter;      /* of the head before, 0: none */
	bool attests_start;    /* a good head covers where the trail begins */
	struct audit_head was; /* the store's head of the token's counter */
	uint64_t wanted;       /* that counter, 0: none */
};

/* The first fault found stands. */
__attribute__((format(printf, 4, 5))) static void fault(
    struct audit_heads_verdict *out, const char *reason, uint64_t first_broken,
    const char *fmt, ...)
{
	va_list ap;

	if (out->reason[0])
		return;
	out->reason = reason;
	out->first_broken = first_broken;
	va_start(ap, fmt);
	vsnprintf(out->problem, sizeof(out->problem), fmt, ap);
	va_end(ap);
}

/* --- one head */

/* The first record that no good head before has attested. */
static uint64_t in_doubt(const struct walk *w)
{
	return w->out->attested_upto >= w->chain.first
		   ? w->out->attested_upto + 1
		   : w->chain.first;
}

static bool check_signature(struct walk *w, const struct audit_head_found *f,
			    struct audit_head *head)
{
	struct error e = ERROR_INIT;

	if (!head_of_row(&f->row, head))
		fault(w->out, "headSignature", in_doubt(w),
		      "head %" PRIu64 " is not as it was written",
		      f->row.counter);
	else if (!w->key)
		fault(w->out, "headSignature", in_doubt(w),
		      "head %" PRIu64 " cannot be checked: the audit key is "
		      "not known while the token is away",
		      head->counter);
	else if (memcmp(head->key_id, key_check_key(w->key)->id, SHA1_SIZE) !=
		 0)
		fault(w->out, "headSignature", in_doubt(w),
		      "head %" PRIu64 " is signed by another key than the "
		      "audit key of the token: the token was replaced, or "
		      "somebody else signed",
		      head->counter);
	else if (audit_head_check_with(head, w->key, &e) < 0)
		fault(w->out, "headSignature", in_doubt(w),
		      "the signature of head %" PRIu64 " does not fit",
		      head->counter);
	else
		return true;
	return false;
}

static void not_as_signed(struct walk *w, const struct audit_head *head)
{
	char when[CLOCK_ISO8601_SIZE];

	clock_format_rfc3339((time_t)head->at, when);
	fault(w->out, "rewritten", in_doubt(w),
	      "records %" PRIu64 " to %" PRIu64 " are not those that were "
	      "signed on %s (head %" PRIu64 ")",
	      in_doubt(w), head->record, when, head->counter);
}

/* Does the head, whose signature is good, fit the records? */
static bool check_record(struct walk *w, const struct audit_head_found *f,
			 const struct audit_head *head)
{
	const struct audit_chain *chain = &w->chain;
	const uint8_t *hash = NULL;

	if (head->record > chain->last)
		fault(w->out, "end", chain->last + 1,
		      "the records after %" PRIu64 " are missing: head %" PRIu64
		      " attests up to %" PRIu64,
		      chain->last, head->counter, head->record);
	else if (head->record >= chain->first && !f->has_record)
		fault(w->out, "missing", head->record,
		      "record %" PRIu64 ", which head %" PRIu64
		      " attests, is missing",
		      head->record, head->counter);
	else if (head->record >= chain->first)
		hash = f->hash;
	else if (head->record + 1 == chain->first)
		hash = chain->anchor;
	else
		return true; /* attests what was deleted since */
	if (!hash)
		return false;
	if (memcmp(hash, head->hash, SHA256_SIZE) != 0) {
		not_as_signed(w, head);
		return false;
	}
	w->attests_start = true;
	return true;
}

static int check_head(void *arg, const struct audit_head_found *f,
		      struct error *e)
{
	struct walk *w = arg;
	struct audit_head head;

	(void)e;
	w->in_page++;
	if (w->counter && f->row.counter != w->counter + 1)
		fault(w->out, "rolledBack", in_doubt(w),
		      "heads %" PRIu64 " to %" PRIu64 " are missing: an older "
		      "database was put back, or somebody removed them",
		      w->counter + 1, f->row.counter - 1);
	w->counter = f->row.counter;
	if (w->out->reason[0] || !check_signature(w, f, &head) ||
	    !check_record(w, f, &head))
		return 0;
	w->out->checked++;
	w->out->attested_upto = head.record;
	if (head.counter == w->wanted)
		w->was = head;
	return 0;
}

static int walk_heads(struct walk *w, struct store *s, struct error *e)
{
	do {
		w->in_page = 0;
		if (store_audit_head_page(s, w->counter, PAGE_HEADS, &w->chain,
					  check_head, w, e) < 0)
			return -1;
	} while (w->in_page == PAGE_HEADS && !w->out->reason[0]);
	/* Where no head was ever signed, nothing can be said. */
	if (w->counter && !w->attests_start)
		fault(w->out, "rewritten", w->chain.first,
		      "no head attests where the records begin now, at %" PRIu64
		      "; one will once the token signs again",
		      w->chain.first);
	return 0;
}

/* --- the token's head */

static bool is_same_head(const struct audit_head *a, const struct audit_head *b)
{
	uint8_t x[AUDIT_HEAD_SIGNED_SIZE], y[AUDIT_HEAD_SIGNED_SIZE];

	audit_head_signed_bytes(a, x);
	audit_head_signed_bytes(b, y);
	return !memcmp(x, y, sizeof(x));
}

static void rolled_back(struct walk *w, const struct audit_head *in_token)
{
	char when[CLOCK_ISO8601_SIZE];

	clock_format_rfc3339((time_t)in_token->at, when);
	w->out->rollback = AUDIT_ROLLBACK_DETECTED;
	fault(w->out, "rolledBack", in_doubt(w),
	      "the database is older than the token's head %" PRIu64
	      " of %s, which attests up to record %" PRIu64
	      ": an older copy was put back",
	      in_token->counter, when, in_token->record);
}

/* A crash may come between the row in the store and the object in the token:
 * the token's head may be older, and missing as long as there was only one. */
static void check_token_head(struct walk *w, const struct audit_head *in_token)
{
	if (in_token->counter > w->counter) {
		rolled_back(w, in_token);
	} else if (!in_token->counter && w->counter > 1) {
		w->out->rollback = AUDIT_ROLLBACK_DETECTED;
		fault(w->out, "rolledBack", in_doubt(w),
		      "the token holds no head although %" PRIu64 " were "
		      "signed: it was replaced, or somebody removed it",
		      w->counter);
	} else if (w->was.counter && !is_same_head(&w->was, in_token)) {
		rolled_back(w, in_token);
	}
}

/* --- the whole */

/* Which failures of the token are an answer and no failure of the check. */
static bool token_cannot(const struct error *e, enum audit_rollback *state)
{
	switch (e->kind) {
	case ERR_TOKEN:
	case ERR_TOKEN_PIN:
	case ERR_TIMEOUT:
	case ERR_NOT_FOUND:
	case ERR_FULL: /* a key that was made just now cannot be noted */
		*state = AUDIT_ROLLBACK_TOKEN_UNAVAILABLE;
		return true;
	case ERR_KEY_UNSUPPORTED:
		*state = AUDIT_ROLLBACK_NOT_SUPPORTED;
		return true;
	default: return false;
	}
}

static int read_newest(struct audit_heads *h, const struct public_key *key,
		       struct token_heads *out, struct error *e)
{
	struct token_info info;

	if (heads_read_token(h, key, &out->newest, e) < 0)
		return token_cannot(e, &out->state) ? 0 : -1;
	token_get_info(h->token, &info);
	if (!info.data_objects || (h->object_failed && !out->newest.counter))
		out->state = AUDIT_ROLLBACK_NOT_SUPPORTED;
	return 0;
}

/* The token is asked before the store, which is never behind it. *key_out: by
 * which heads are checked, NULL: none is known. */
static int ask_token(struct audit_heads *h, struct key_check **key_out,
		     struct token_heads *out, struct error *e)
{
	struct public_key key;
	bool has_key = true;

	memset(out, 0, sizeof(*out));
	if (heads_token_key(h, e) == 0) {
		key = *token_key_public(h->key);
		if (read_newest(h, &key, out, e) < 0)
			return -1;
	} else if (!token_cannot(e, &out->state) ||
		   heads_known_key(h->store, &key, &has_key, e) < 0) {
		return -1;
	}
	*key_out = has_key ? key_check_new(&key, e) : NULL;
	return has_key && !*key_out ? -1 : 0;
}

int audit_heads_check(struct audit_heads *h, struct audit_heads_verdict *out,
		      struct error *e)
{
	struct walk w = { .out = out };
	struct token_heads in_token;
	struct key_check *key = NULL;
	int rc;

	memset(out, 0, sizeof(*out));
	out->reason = "";
	pthread_mutex_lock(&h->lock);
	rc = ask_token(h, &key, &in_token, e);
	if (rc == 0) {
		out->rollback = in_token.state;
		w.key = key;
		w.wanted = in_token.newest.counter;
		rc = walk_heads(&w, h->store, e);
	}
	pthread_mutex_unlock(&h->lock);
	key_check_free(key);
	if (rc == 0 && in_token.state == AUDIT_ROLLBACK_RULED_OUT)
		check_token_head(&w, &in_token.newest);
	return rc < 0 ? error_prefix(e, "heads of the audit log") : 0;
}
