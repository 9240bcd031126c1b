/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pkcs11/data.h"
#include "store/audit_head_rows.h"
#include "tests/lib/test_certs.h"
#include "tests/lib/unit.h"
#include "tests/unit/heads_fixture.h"

/* What the signed heads find: whatever the chain of hashes alone cannot. */

/* Heads 1, 2, 3 attest records 10, 20, 30; records 31 to 35 have none yet. */
static void box_make_full(struct box *b)
{
	box_make(b);
	for (int i = 0; i < 3; i++) {
		box_add(b, 10);
		box_sign(b);
	}
	box_add(b, 5);
	box_expect(b, "", 0, AUDIT_ROLLBACK_RULED_OUT);
}

struct search {
	const char *event;
	size_t count;
};

static int look(void *arg, const struct audit_record *r, struct error *e)
{
	struct search *s = arg;

	(void)e;
	s->count += !strcmp(r->event, s->event);
	return 0;
}

static size_t count_events(struct box *b, const char *event)
{
	struct search s = { event, 0 };
	struct error e = ERROR_INIT;

	CHECK_OK(audit_each(b->audit, 0, SIZE_MAX, look, &s, &e), &e);
	return s.count;
}

/* --- one table of what SQL can do to the heads */

static void test_tampering(void)
{
	static const struct {
		const char *sql, *reason;
		uint64_t first_broken;
		enum audit_rollback rollback;
	} rows[] = {
		{ "DELETE FROM audit_head WHERE counter = 2", "rolledBack", 11,
		  AUDIT_ROLLBACK_RULED_OUT },
		{ "DELETE FROM audit_head WHERE counter = 3", "rolledBack", 21,
		  AUDIT_ROLLBACK_DETECTED },
		{ "DELETE FROM audit_head", "rolledBack", 1,
		  AUDIT_ROLLBACK_DETECTED },
		/* The oldest goes when there are many: the next attests it. */
		{ "DELETE FROM audit_head WHERE counter = 1", "", 0,
		  AUDIT_ROLLBACK_RULED_OUT },
		{ "UPDATE audit_head SET value = zeroblob(200)"
		  " WHERE counter = 2",
		  "headSignature", 11, AUDIT_ROLLBACK_RULED_OUT },
		{ "UPDATE audit_head SET value = zeroblob(2000)"
		  " WHERE counter = 1",
		  "headSignature", 1, AUDIT_ROLLBACK_RULED_OUT },
		{ "UPDATE audit_head SET value = substr(value, 1, 141)"
		  " WHERE counter = 3",
		  "headSignature", 21, AUDIT_ROLLBACK_RULED_OUT },
		{ "UPDATE audit_head SET record = 19 WHERE counter = 2",
		  "headSignature", 11, AUDIT_ROLLBACK_RULED_OUT },
		/* the record moved, inside as well */
		{ "UPDATE audit_head SET record = 19, value ="
		  " CAST(substr(value, 1, 39) || x'13' || substr(value, 41)"
		  " AS BLOB) WHERE counter = 2",
		  "headSignature", 11, AUDIT_ROLLBACK_RULED_OUT },
		{ "UPDATE audit_head SET value = (SELECT value FROM audit_head"
		  " WHERE counter = 1) WHERE counter = 2",
		  "headSignature", 11, AUDIT_ROLLBACK_RULED_OUT },
		{ "UPDATE audit_head SET counter = 9 WHERE counter = 3",
		  "rolledBack", 21, AUDIT_ROLLBACK_RULED_OUT },
		{ "INSERT INTO audit_head SELECT 4, record, value"
		  " FROM audit_head WHERE counter = 3",
		  "headSignature", 31, AUDIT_ROLLBACK_RULED_OUT },
		/* No head of ours, and in nobody's way. */
		{ "INSERT INTO audit_head VALUES (-1, 0, x'')", "", 0,
		  AUDIT_ROLLBACK_RULED_OUT },
		/* Records, the end of the chain made to fit. */
		{ "DELETE FROM audit WHERE number > 25;"
		  "UPDATE audit_chain SET last_number = 25, last_hash ="
		  " (SELECT hash FROM audit WHERE number = 25)",
		  "end", 26, AUDIT_ROLLBACK_RULED_OUT },
		{ "DELETE FROM audit WHERE number = 20", "missing", 20,
		  AUDIT_ROLLBACK_RULED_OUT },
		{ "UPDATE audit SET hash = randomblob(32) WHERE number = 20",
		  "rewritten", 11, AUDIT_ROLLBACK_RULED_OUT },
		/* What no head attests yet is the chain's business. */
		{ "UPDATE audit SET hash = randomblob(32) WHERE number = 33",
		  "", 0, AUDIT_ROLLBACK_RULED_OUT },
		{ "DELETE FROM audit WHERE number <= 20;"
		  "UPDATE audit_chain SET first_number = 21,"
		  " anchor = randomblob(32)",
		  "rewritten", 21, AUDIT_ROLLBACK_RULED_OUT },
		/* Cut where no head reaches: nobody attests the beginning. */
		{ "DELETE FROM audit WHERE number <= 33;"
		  "UPDATE audit_chain SET first_number = 34,"
		  " anchor = randomblob(32)",
		  "rewritten", 34, AUDIT_ROLLBACK_RULED_OUT },
		{ "DELETE FROM audit; DELETE FROM audit_chain", "end", 1,
		  AUDIT_ROLLBACK_RULED_OUT },
		/* The token's key counts, not what the database says. */
		{ "DELETE FROM audit_key", "", 0, AUDIT_ROLLBACK_RULED_OUT },
		{ "UPDATE audit_key SET spki = randomblob(91)", "", 0,
		  AUDIT_ROLLBACK_RULED_OUT },
	};
	struct box b;

	box_make_full(&b);
	box_close(&b);
	box_save(&b);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		unit_note("%s", rows[i].sql);
		box_put_back(&b);
		box_open(&b);
		box_tamper(&b, rows[i].sql);
		box_expect(&b, rows[i].reason, rows[i].first_broken,
			   rows[i].rollback);
		box_close(&b);
	}
}

/* --- records and all hashes behind them made anew */

static void test_rewritten(void)
{
	static const struct {
		uint64_t from, first_broken;
	} rows[] = {
		{ 1, 1 }, { 10, 1 }, { 11, 11 }, { 20, 11 }, { 30, 21 },
	};
	struct box b;

	box_make_full(&b);
	box_close(&b);
	box_save(&b);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		box_put_back(&b);
		box_open(&b);
		box_rewrite(&b, rows[i].from);
		/* From the second on the copy is older than the token. */
		box_expect(&b, "rewritten", rows[i].first_broken,
			   i ? AUDIT_ROLLBACK_DETECTED
			     : AUDIT_ROLLBACK_RULED_OUT);
		/* The heads that come later do not hide it. */
		box_add(&b, 3);
		box_sign(&b);
		box_expect(&b, "rewritten", rows[i].first_broken,
			   AUDIT_ROLLBACK_RULED_OUT);
		box_close(&b);
	}
}

/* --- heads of another key */

static void add_head(struct box *b, const struct signer *s, uint64_t counter)
{
	uint8_t digest[SHA256_SIZE], sig[KEY_SIGNATURE_MAX];
	struct error e = ERROR_INIT;
	struct audit_head_row row;
	struct audit_head head;
	struct audit_chain chain;

	CHECK_OK(store_audit_chain(b->store, &chain, &e), &e);
	head = (struct audit_head){ .counter = counter,
				    .record = chain.last,
				    .first = chain.first };
	memcpy(head.hash, chain.last_hash, sizeof(head.hash));
	memcpy(head.key_id, s->pub.id, sizeof(head.key_id));
	audit_head_digest(&head, digest);
	CHECK_OK(s->sign(s->arg, SIGN_ECDSA, HASH_SHA256, digest, sig,
			 &head.signature_len, &e),
		 &e);
	memcpy(head.signature, sig, head.signature_len);
	row = (struct audit_head_row){ .counter = counter,
				       .record = head.record };
	row.len = audit_head_encode(&head, row.bytes);
	CHECK_OK(store_audit_head_add(b->store, &row, AUDIT_HEADS_KEPT, &e),
		 &e);
}

static void forge_head(struct box *b, uint64_t counter)
{
	struct signer s = test_key_signer(test_key("ecP256", 7));
	struct error e = ERROR_INIT;

	add_head(b, &s, counter);
	CHECK_OK(store_audit_key_put(b->store,
				     view_of(s.pub.spki, s.pub.spki_len), &e),
		 &e);
}

/* Who has the database, and signs with a key of his own that he writes down as
 * the audit key. */
static void test_forged(void)
{
	struct box b;

	box_make_full(&b);
	forge_head(&b, 4);
	box_expect(&b, "headSignature", 31, AUDIT_ROLLBACK_RULED_OUT);
	box_close(&b);
	/* A start believes the token, too. */
	box_open(&b);
	box_expect(&b, "headSignature", 31, AUDIT_ROLLBACK_RULED_OUT);
	box_close(&b);
	/* Without the token the former heads give the key away. */
	box_open(&b);
	forge_head(&b, 5);
	box_close(&b);
	box_open_without_token(&b);
	box_expect(&b, "headSignature", 1, AUDIT_ROLLBACK_TOKEN_UNAVAILABLE);
	box_close(&b);
}

static void test_token_replaced(void)
{
	struct token_options o;
	struct test_token place;
	struct box b;

	box_make_full(&b);
	box_close(&b);
	o = wrapped(&place);
	b.options = o;
	box_open(&b);
	box_expect(&b, "headSignature", 1, AUDIT_ROLLBACK_DETECTED);
	box_sign(&b);
	/* It goes on with the new key; what was before cannot be checked. */
	CU_ASSERT_EQUAL(count_events(&b, "auditKeyChanged"), 1);
	box_expect(&b, "headSignature", 1, AUDIT_ROLLBACK_RULED_OUT);
	box_close(&b);
}

/* --- older copies of the database */

static void test_rolled_back(void)
{
	struct audit_heads_verdict v;
	struct error e = ERROR_INIT;
	struct box b;

	box_make_full(&b);
	box_close(&b);
	box_save(&b);
	box_open(&b);
	box_add(&b, 10);
	box_sign(&b);
	box_add(&b, 1);
	box_sign(&b);
	box_close(&b);
	box_put_back(&b);
	/* While the token is away it cannot be told, and that is said. */
	box_open_without_token(&b);
	box_expect(&b, "", 0, AUDIT_ROLLBACK_TOKEN_UNAVAILABLE);
	box_close(&b);
	box_open(&b);
	box_expect(&b, "rolledBack", 31, AUDIT_ROLLBACK_DETECTED);
	CHECK_OK(audit_heads_check(b.heads, &v, &e), &e);
	CU_ASSERT_PTR_NOT_NULL(strstr(v.problem, "head 5"));
	CU_ASSERT_PTR_NOT_NULL(strstr(v.problem, "record 46"));
	/* As many records as there were do not make up for it ... */
	box_add(&b, 11);
	box_expect(&b, "rolledBack", 31, AUDIT_ROLLBACK_DETECTED);
	/* ... nor do the heads signed afterwards. */
	for (int i = 0; i < 3; i++) {
		box_sign(&b);
		box_expect(&b, "rolledBack", 31, AUDIT_ROLLBACK_RULED_OUT);
		box_add(&b, 4);
		CU_ASSERT_EQUAL(count_events(&b, "auditLogRolledBack"), 1);
	}
	box_close(&b);
}

/* Without a head since, an older copy is the same. */
static void test_same_copy(void)
{
	struct box b;

	box_make_full(&b);
	box_close(&b);
	box_save(&b);
	box_put_back(&b);
	box_open(&b);
	box_expect(&b, "", 0, AUDIT_ROLLBACK_RULED_OUT);
	box_close(&b);
}

/* A database that begins anew on a token that knows better. */
static void test_new_database(void)
{
	struct box b;

	box_make_full(&b);
	box_close(&b);
	b.dir = unit_temp_dir();
	box_open(&b);
	box_expect(&b, "rolledBack", 1, AUDIT_ROLLBACK_DETECTED);
	box_add(&b, 2);
	box_expect(&b, "rolledBack", 1, AUDIT_ROLLBACK_DETECTED);
	box_close(&b);
}

/* --- the token's head gone */

static int remove_object(struct box *b)
{
	return test_run(
	    "pkcs11-tool --module " TEST_TOKEN_MODULE
	    " --token-label sealbridge --login --pin " TEST_TOKEN_PIN
	    " --type data --label '" AUDIT_HEAD_LABEL
	    "' --application-label sealbridge --delete-object"
	    " >/dev/null 2>%s/delete.log",
	    b->place.dir);
}

static void test_object_removed(void)
{
	struct box b;

	box_make(&b);
	box_add(&b, 1);
	box_sign(&b);
	box_close(&b);
	CU_ASSERT_EQUAL_FATAL(remove_object(&b), 0);
	/* The first: killed before the token got it. */
	box_open(&b);
	box_expect(&b, "", 0, AUDIT_ROLLBACK_RULED_OUT);
	box_add(&b, 1);
	box_sign(&b);
	box_expect(&b, "", 0, AUDIT_ROLLBACK_RULED_OUT);
	box_close(&b);
	CU_ASSERT_EQUAL_FATAL(remove_object(&b), 0);
	box_open(&b);
	box_expect(&b, "rolledBack", 3, AUDIT_ROLLBACK_DETECTED);
	box_close(&b);
}

/* Bytes that are no head, or one of another key, are as none. */
static void test_object_replaced(void)
{
	uint8_t rubbish[300];
	struct error e = ERROR_INIT;
	struct box b;

	box_make_full(&b);
	memset(rubbish, 0x5a, sizeof(rubbish));
	CHECK_OK(token_data_replace(b.token, AUDIT_HEAD_LABEL,
				    view_of(rubbish, sizeof(rubbish)), &e),
		 &e);
	box_expect(&b, "rolledBack", 31, AUDIT_ROLLBACK_DETECTED);
	box_sign(&b);
	box_expect(&b, "", 0, AUDIT_ROLLBACK_RULED_OUT);
	box_close(&b);
}

/* --- deleting records */

static void delete_before(struct box *b, uint64_t number)
{
	struct error e = ERROR_INIT;
	uint64_t deleted;

	CHECK_OK(store_audit_delete_before(b->store, number, &deleted, &e), &e);
	CU_ASSERT(deleted > 0);
}

static int count_head(void *arg, const struct audit_head *head, struct error *e)
{
	(void)e;
	*(uint64_t *)arg = 100 * *(uint64_t *)arg + head->counter;
	return 0;
}

static uint64_t counters(struct box *b, uint64_t from, uint64_t to)
{
	struct error e = ERROR_INIT;
	uint64_t seen = 0;

	CHECK_OK(audit_heads_each(b->heads, from, to, count_head, &seen, &e),
		 &e);
	return seen;
}

static void test_deletion(void)
{
	struct box b;

	box_make_full(&b);
	CU_ASSERT_EQUAL(counters(&b, 0, UINT64_MAX), 10203);
	CU_ASSERT_EQUAL(counters(&b, 11, 29), 2);
	box_sign(&b);
	delete_before(&b, 15);
	box_expect(&b, "", 0, AUDIT_ROLLBACK_RULED_OUT);
	/* A head that attests nothing which is kept goes with the next. */
	box_add(&b, 1);
	box_sign(&b);
	CU_ASSERT_EQUAL(counters(&b, 0, UINT64_MAX), 2030405);
	box_expect(&b, "", 0, AUDIT_ROLLBACK_RULED_OUT);
	/* What is left begins right behind a head. */
	delete_before(&b, 31);
	box_expect(&b, "", 0, AUDIT_ROLLBACK_RULED_OUT);
	box_tamper(&b, "UPDATE audit_chain SET anchor = randomblob(32)");
	box_expect(&b, "rewritten", 31, AUDIT_ROLLBACK_RULED_OUT);
	box_close(&b);
}

/* Everything goes; the head signed before attests where it goes on. */
static void test_all_deleted(void)
{
	struct box b;

	box_make_full(&b);
	box_sign(&b);
	delete_before(&b, 36);
	box_expect(&b, "", 0, AUDIT_ROLLBACK_RULED_OUT);
	box_add(&b, 1);
	box_expect(&b, "", 0, AUDIT_ROLLBACK_RULED_OUT);
	box_close(&b);
}

/* More heads than are read at once, and more than are kept. */
static void test_many(void)
{
	struct audit_heads_verdict v;
	struct error e = ERROR_INIT;
	struct audit_head_row row;
	struct token_key *key;
	struct signer s;
	struct box b;

	box_make(&b);
	key = token_audit_key(b.token, NULL, &e);
	CHECK_OBJECT(key, &e);
	s = token_key_signer(key);
	box_add(&b, 1);
	for (uint64_t counter = 1; counter < 520; counter++)
		add_head(&b, &s, counter);
	token_key_unref(key);
	box_add(&b, 1);
	box_sign(&b);
	CHECK_OK(audit_heads_check(b.heads, &v, &e), &e);
	CU_ASSERT_STRING_EQUAL(v.reason, "");
	CU_ASSERT_EQUAL(v.checked, 520);
	CU_ASSERT_EQUAL(v.attested_upto, 2);
	CHECK_OK(store_audit_head_newest(b.store, &row, &e), &e);
	row.counter++;
	CHECK_OK(store_audit_head_add(b.store, &row, 7, &e), &e);
	CHECK_FAILS(store_audit_head_add(b.store, &row, 7, &e), &e, ERR_EXISTS,
		    "");
	CHECK_OK(audit_heads_check(b.heads, &v, &e), &e);
	CU_ASSERT_EQUAL(v.checked, 6);
	CU_ASSERT_STRING_EQUAL(v.reason, "headSignature");
	row.len = sizeof(row.bytes) + 1;
	row.counter++;
	CHECK_FAILS(store_audit_head_add(b.store, &row, 7, &e), &e, ERR_LIMIT,
		    "bytes");
	box_close(&b);
}

int main(int argc, char **argv)
{
	static const struct unit_test tests[] = {
		{ "what SQL can do to heads and records", test_tampering },
		{ "records and hashes made anew", test_rewritten },
		{ "heads of another key", test_forged },
		{ "another token", test_token_replaced },
		{ "an older database put back", test_rolled_back },
		{ "the newest database put back", test_same_copy },
		{ "a new database on a used token", test_new_database },
		{ "the token's head removed", test_object_removed },
		{ "the token's head replaced", test_object_replaced },
		{ "records deleted in front", test_deletion },
		{ "all records deleted", test_all_deleted },
		{ "many heads", test_many },
		{ NULL, NULL }
	};

	return unit_main(argc, argv, "audit heads check", tests, place_setup,
			 NULL);
}
