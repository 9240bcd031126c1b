/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/key_pem.h"
#include "pkcs11/data.h"
#include "pkcs11/objects.h"
#include "tests/lib/unit.h"
#include "tests/unit/heads_fixture.h"

/* Heads are signed: when, with which key, and where they are kept. */

static struct audit_heads_info info_of(struct box *b)
{
	struct audit_heads_info info;
	struct error e = ERROR_INIT;

	CHECK_OK(audit_heads_info(b->heads, &info, &e), &e);
	return info;
}

static int take_bytes(void *arg, struct view value, struct error *e)
{
	struct buf *out = arg;

	return buf_add(out, value.ptr, value.len, e);
}

/* What the token holds, one behind the other. */
static void read_object(struct box *b, struct buf *out)
{
	struct error e = ERROR_INIT;

	buf_init(out, 10 * TOKEN_DATA_MAX);
	CHECK_OK(
	    token_data_each(b->token, AUDIT_HEAD_LABEL, take_bytes, out, &e),
	    &e);
}

static uint64_t counter_in_token(struct box *b)
{
	struct error e = ERROR_INIT;
	struct audit_head head;
	struct buf bytes;

	read_object(b, &bytes);
	CHECK_OK(audit_head_decode(buf_view(&bytes), &head, &e), &e);
	buf_free(&bytes);
	return head.counter;
}

/* --- when */

static void test_due(void)
{
	enum { MIN15 = AUDIT_HEAD_EVERY_MS, RETRY = AUDIT_HEAD_RETRY_MS };
	static const struct {
		const char *what;
		struct audit_head_plan plan;
		uint64_t last;
		int64_t now;
		bool due;
	} rows[] = {
		{ "at the start", { .record = 0 }, 0, 5, true },
		{ "at the start, with records", { .record = 0 }, 9, 5, true },
		{ "nothing new", { true, false, 9, 0, 0 }, 9, MIN15, false },
		{ "one new, too soon",
		  { true, false, 9, 0, 0 },
		  10,
		  MIN15 - 1,
		  false },
		{ "one new, in time",
		  { true, false, 9, 0, 0 },
		  10,
		  MIN15,
		  true },
		{ "999 new", { true, false, 9, 0, 0 }, 1008, 1, false },
		{ "1000 new", { true, false, 9, 0, 0 }, 1009, 1, true },
		{ "fewer than before", { true, false, 9, 0, 0 }, 8, 1, false },
		{ "fewer than before, in time",
		  { true, false, 9, 0, 0 },
		  8,
		  MIN15,
		  true },
		{ "failed just now", { true, true, 9, 0, 7 }, 2000, 8, false },
		{ "failed at the start",
		  { false, true, 0, 0, 7 },
		  2000,
		  RETRY + 6,
		  false },
		{ "tried again", { true, true, 9, 0, 7 }, 10, RETRY + 7, true },
		{ "tried again at the start",
		  { false, true, 0, 0, 7 },
		  1,
		  RETRY + 7,
		  true },
		{ "failed, but nothing is left to sign",
		  { true, true, 9, 0, 7 },
		  9,
		  RETRY + 7,
		  false },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		bool due =
		    audit_head_due(&rows[i].plan, rows[i].last, rows[i].now);

		if (due != rows[i].due)
			unit_note("%s", rows[i].what);
		CU_ASSERT_EQUAL(due, rows[i].due);
	}
}

/* --- signing */

static void test_sign(void)
{
	struct audit_heads_info info;
	struct error e = ERROR_INIT;
	struct box b;

	box_make(&b);
	/* No record: nothing to sign, and no key is made. */
	box_sign(&b);
	info = info_of(&b);
	CU_ASSERT_EQUAL(info.newest.counter, 0);
	CU_ASSERT(!info.has_key);
	box_add(&b, 5);
	CU_ASSERT_EQUAL(info_of(&b).unattested, 5);
	box_sign(&b);
	info = info_of(&b);
	CU_ASSERT_EQUAL(info.newest.counter, 1);
	CU_ASSERT_EQUAL(info.newest.record, 5);
	CU_ASSERT_EQUAL(info.newest.first, 1);
	CU_ASSERT_EQUAL(info.unattested, 0);
	CU_ASSERT_FATAL(info.has_key);
	CHECK_OK(audit_head_check(&info.newest, &info.key, &e), &e);
	CU_ASSERT_EQUAL(counter_in_token(&b), 1);
	/* Nothing new: the same head. */
	box_sign(&b);
	CU_ASSERT_EQUAL(info_of(&b).newest.counter, 1);
	box_add(&b, 1);
	box_sign(&b);
	CU_ASSERT_EQUAL(info_of(&b).newest.counter, 2);
	CU_ASSERT_EQUAL(counter_in_token(&b), 2);
	box_expect(&b, "", 0, AUDIT_ROLLBACK_RULED_OUT);
	box_close(&b);
}

static void test_thread(void)
{
	struct error e = ERROR_INIT;
	struct box b;

	box_make(&b);
	box_add(&b, 3);
	CHECK_OK(audit_heads_start(b.heads, &e), &e);
	box_add(&b, 2);
	audit_heads_stop(b.heads);
	/* The end attests all. */
	CU_ASSERT_EQUAL(info_of(&b).newest.record, 5);
	CU_ASSERT_EQUAL(info_of(&b).unattested, 0);
	box_close(&b);
}

/* --- the key */

static void test_key_survives(void)
{
	struct audit_heads_info first, again;
	struct token_key_info k;
	struct token_key *key;
	struct error e = ERROR_INIT;
	struct box b;

	box_make(&b);
	box_add(&b, 1);
	box_sign(&b);
	first = info_of(&b);
	box_close(&b);
	for (int i = 0; i < 2; i++) {
		box_open(&b);
		box_add(&b, 1);
		box_sign(&b);
		again = info_of(&b);
		CU_ASSERT(public_key_equal(&first.key, &again.key));
		box_expect(&b, "", 0, AUDIT_ROLLBACK_RULED_OUT);
		box_close(&b);
	}
	box_open(&b);
	key = token_audit_key(b.token, NULL, &e);
	CHECK_OBJECT(key, &e);
	CHECK_OK(token_key_get_info(key, &k, &e), &e);
	CU_ASSERT_STRING_EQUAL(k.label, TOKEN_AUDIT_KEY_LABEL);
	CU_ASSERT(k.sensitive && k.always_sensitive && k.local);
	CU_ASSERT(!k.extractable && k.never_extractable);
	CU_ASSERT_EQUAL(k.pub.type, KEY_EC);
	CU_ASSERT_EQUAL(k.pub.bits, 256);
	token_key_unref(key);
	box_close(&b);
	CU_ASSERT_EQUAL(box_count_objects(&b, "privkey", TOKEN_AUDIT_KEY_LABEL),
			1);
	CU_ASSERT_EQUAL(box_count_objects(&b, "pubkey", TOKEN_AUDIT_KEY_LABEL),
			1);
	CU_ASSERT_EQUAL(box_count_objects(&b, "data", AUDIT_HEAD_LABEL), 1);
}

/* Nobody else comes to use it, and nothing sweeps it away. */
static void test_key_is_hidden(void)
{
	struct audit_heads_info info, again;
	struct token_key_info list[4];
	struct error e = ERROR_INIT;
	struct box b;
	size_t count, removed;

	box_make(&b);
	box_add(&b, 1);
	box_sign(&b);
	info = info_of(&b);
	CHECK_OK(token_key_list(b.token, list, 4, &count, &e), &e);
	CU_ASSERT_EQUAL(count, 0);
	CU_ASSERT_PTR_NULL(token_key_find(b.token, &info.key, &e));
	unit_check_error(&e, ERR_NOT_FOUND, "audit log", __FILE__, __LINE__);
	token_key_unref(make_key(b.token));
	CHECK_OK(token_key_list(b.token, list, 4, &count, &e), &e);
	CU_ASSERT_EQUAL(count, 1);
	CU_ASSERT_STRING_EQUAL(list[0].label, "sealbridge local key");
	CHECK_OK(object_collect_leftovers(b.token, &removed, &e), &e);
	CU_ASSERT_EQUAL(removed, 0);
	box_add(&b, 1);
	box_sign(&b);
	again = info_of(&b);
	CU_ASSERT(public_key_equal(&info.key, &again.key));
	box_expect(&b, "", 0, AUDIT_ROLLBACK_RULED_OUT);
	box_close(&b);
}

static void *make_audit_key(void *arg)
{
	struct error e = ERROR_INIT;

	return token_audit_key(arg, NULL, &e);
}

static void test_one_key_only(void)
{
	enum { STARTS = 6 };
	pthread_t threads[STARTS];
	struct token_key *keys[STARTS];
	struct box b;

	box_make(&b);
	for (int i = 0; i < STARTS; i++)
		CU_ASSERT_EQUAL_FATAL(
		    pthread_create(&threads[i], NULL, make_audit_key, b.token),
		    0);
	for (int i = 0; i < STARTS; i++) {
		void *key;

		pthread_join(threads[i], &key);
		keys[i] = key;
		CU_ASSERT_PTR_NOT_NULL_FATAL(keys[i]);
		CU_ASSERT_PTR_EQUAL(keys[i], keys[0]);
	}
	for (int i = 0; i < STARTS; i++)
		token_key_unref(keys[i]);
	box_close(&b);
	CU_ASSERT_EQUAL(box_count_objects(&b, "privkey", TOKEN_AUDIT_KEY_LABEL),
			1);
}

/* Of several the one in use stays in use; a start without memory takes the
 * smallest. */
static void test_several_keys(void)
{
	struct token_key *a, *c, *got;
	const struct public_key *small, *large;
	struct error e = ERROR_INIT;
	struct box b;

	box_make(&b);
	a = token_key_generate(b.token, KEY_KIND_EC_P256, TOKEN_AUDIT_KEY_LABEL,
			       &e);
	CHECK_OBJECT(a, &e);
	c = token_key_generate(b.token, KEY_KIND_EC_P256, TOKEN_AUDIT_KEY_LABEL,
			       &e);
	CHECK_OBJECT(c, &e);
	small = token_key_public(a);
	large = token_key_public(c);
	if (memcmp(small->id, large->id, SHA1_SIZE) > 0) {
		small = token_key_public(c);
		large = token_key_public(a);
	}
	got = token_audit_key(b.token, NULL, &e);
	CU_ASSERT(public_key_equal(token_key_public(got), small));
	token_key_unref(got);
	got = token_audit_key(b.token, large->id, &e);
	CU_ASSERT(public_key_equal(token_key_public(got), large));
	token_key_unref(got);
	token_key_unref(a);
	token_key_unref(c);
	/* Another kind of key with that label does not count. */
	a = token_key_generate(b.token, KEY_KIND_RSA2048, TOKEN_AUDIT_KEY_LABEL,
			       &e);
	CHECK_OBJECT(a, &e);
	token_key_unref(a);
	got = token_audit_key(b.token, NULL, &e);
	CU_ASSERT(token_key_public(got)->type == KEY_EC);
	token_key_unref(got);
	box_close(&b);
}

/* Somebody with the PIN takes the key away while the service runs: it goes on
 * with another, and that shows. */
static void test_key_removed(void)
{
	struct audit_heads_info before, after;
	struct error e = ERROR_INIT;
	struct box b;

	box_make(&b);
	box_add(&b, 1);
	box_sign(&b);
	before = info_of(&b);
	CHECK_OK(token_key_delete(b.token, &before.key, &e), &e);
	box_add(&b, 1);
	box_sign(&b);
	after = info_of(&b);
	CU_ASSERT(!public_key_equal(&before.key, &after.key));
	CU_ASSERT_EQUAL(after.newest.counter, 2);
	CHECK_OK(audit_head_check(&after.newest, &after.key, &e), &e);
	box_expect(&b, "headSignature", 1, AUDIT_ROLLBACK_RULED_OUT);
	box_close(&b);
}

/* --- the token away */

static void test_away_and_back(void)
{
	struct audit_heads_verdict v;
	struct error e = ERROR_INIT;
	struct box b;

	box_make(&b);
	box_add(&b, 2);
	box_sign(&b);
	box_close(&b);
	box_open_without_token(&b);
	box_add(&b, 2);
	CHECK_FAILS(audit_heads_sign(b.heads, &e), &e, ERR_TOKEN, "");
	CU_ASSERT_EQUAL(info_of(&b).unattested, 2);
	/* By the key last known. */
	box_expect(&b, "", 0, AUDIT_ROLLBACK_TOKEN_UNAVAILABLE);
	CHECK_OK(audit_heads_check(b.heads, &v, &e), &e);
	CU_ASSERT_EQUAL(v.checked, 1);
	CU_ASSERT_EQUAL(v.attested_upto, 2);
	/* The end does not wait for it either. */
	CHECK_OK(audit_heads_start(b.heads, &e), &e);
	box_close(&b);
	box_open(&b);
	box_sign(&b);
	CU_ASSERT_EQUAL(info_of(&b).unattested, 0);
	box_expect(&b, "", 0, AUDIT_ROLLBACK_RULED_OUT);
	box_close(&b);
}

/* A signature that takes its time keeps no record waiting. */
static void test_slow_token(void)
{
	struct error e = ERROR_INIT;
	struct box b;

	box_make(&b);
	box_add(&b, 1);
	atomic_store(&knobs->sign_delay_ms, 3000);
	CHECK_OK(audit_heads_start(b.heads, &e), &e);
	for (int i = 0; i < 200 && !atomic_load(&knobs->signing); i++)
		CU_ASSERT_EQUAL_FATAL(test_run("sleep 0.05"), 0);
	box_add(&b, 5);
	CU_ASSERT_EQUAL(info_of(&b).unattested, 6);
	CU_ASSERT_EQUAL(atomic_load(&knobs->signing), 1);
	atomic_store(&knobs->sign_delay_ms, 0);
	box_close(&b);
	box_open(&b);
	CU_ASSERT_EQUAL(info_of(&b).unattested, 0);
	box_close(&b);
}

static void test_lost_while_running(void)
{
	struct error e = ERROR_INIT;
	struct box b;

	box_make(&b);
	box_add(&b, 2);
	box_sign(&b);
	box_add(&b, 1);
	atomic_store(&knobs->fail_with, 0x30 /* CKR_DEVICE_ERROR */);
	atomic_store(&knobs->fail_signs, 100);
	CU_ASSERT_EQUAL(audit_heads_sign(b.heads, &e), -1);
	CU_ASSERT_EQUAL(info_of(&b).newest.counter, 1);
	atomic_store(&knobs->fail_signs, 0);
	for (int i = 0; i < 200 && audit_heads_sign(b.heads, &e) < 0; i++)
		CU_ASSERT_EQUAL_FATAL(test_run("sleep 0.1"), 0);
	CU_ASSERT_EQUAL(info_of(&b).newest.counter, 2);
	box_close(&b);
}

static void test_no_data_objects(void)
{
	struct error e = ERROR_INIT;
	struct audit_head head;
	struct buf bytes;
	struct box b;

	box_make(&b);
	box_close(&b);
	atomic_store(&knobs->refuse_data, 1);
	box_open(&b);
	box_add(&b, 2);
	box_sign(&b);
	box_add(&b, 2);
	box_sign(&b);
	CU_ASSERT_EQUAL(info_of(&b).newest.counter, 2);
	box_expect(&b, "", 0, AUDIT_ROLLBACK_NOT_SUPPORTED);
	/* What changes the records shows all the same. */
	box_rewrite(&b, 2);
	box_expect(&b, "rewritten", 1, AUDIT_ROLLBACK_NOT_SUPPORTED);
	read_object(&b, &bytes);
	CU_ASSERT_EQUAL(audit_head_decode(buf_view(&bytes), &head, &e), -1);
	buf_free(&bytes);
	box_close(&b);
}

/* --- a kill in between */

static void test_crash_points(void)
{
	struct error e = ERROR_INIT;
	struct buf older, newer;
	struct box b;

	box_make(&b);
	box_add(&b, 1);
	box_sign(&b);
	read_object(&b, &older);
	box_add(&b, 1);
	box_sign(&b);
	read_object(&b, &newer);
	/* Killed between the row and the object: the older head is there. */
	CHECK_OK(
	    token_data_replace(b.token, AUDIT_HEAD_LABEL, buf_view(&older), &e),
	    &e);
	box_expect(&b, "", 0, AUDIT_ROLLBACK_RULED_OUT);
	/* What is missing there is made up for. */
	box_sign(&b);
	CU_ASSERT_EQUAL(counter_in_token(&b), 2);
	CU_ASSERT_EQUAL(info_of(&b).newest.counter, 2);
	buf_free(&older);
	buf_free(&newer);
	box_close(&b);
}

/* Killed between the new object and the removal of the old: the newer counts,
 * and the next head leaves one. */
static void test_two_objects(void)
{
	struct error e = ERROR_INIT;
	struct buf older, both;
	struct box b;

	box_make(&b);
	box_add(&b, 1);
	box_sign(&b);
	read_object(&b, &older);
	box_close(&b);
	CU_ASSERT_EQUAL_FATAL(
	    test_run("cd %s && pkcs11-tool --module " TEST_TOKEN_MODULE
		     " --token-label sealbridge --login --pin " TEST_TOKEN_PIN
		     " --type data --label '" AUDIT_HEAD_LABEL
		     "' --read-object -o head.bin >/dev/null 2>&1",
		     b.place.dir),
	    0);
	box_open(&b);
	box_add(&b, 1);
	box_sign(&b);
	box_close(&b);
	CU_ASSERT_EQUAL_FATAL(
	    test_run("cd %s && pkcs11-tool --module " TEST_TOKEN_MODULE
		     " --token-label sealbridge --login --pin " TEST_TOKEN_PIN
		     " --type data --label '" AUDIT_HEAD_LABEL
		     "' --application-label sealbridge --private"
		     " --write-object head.bin >/dev/null 2>&1",
		     b.place.dir),
	    0);
	CU_ASSERT_EQUAL(box_count_objects(&b, "data", AUDIT_HEAD_LABEL), 2);
	box_open(&b);
	read_object(&b, &both);
	CU_ASSERT(both.len > older.len + 140);
	box_expect(&b, "", 0, AUDIT_ROLLBACK_RULED_OUT);
	box_add(&b, 1);
	box_sign(&b);
	CU_ASSERT_EQUAL(counter_in_token(&b), 3);
	CHECK_FAILS(token_data_replace(b.token, AUDIT_HEAD_LABEL,
				       view_of(knobs, TOKEN_DATA_MAX + 1), &e),
		    &e, ERR_LIMIT, "bytes");
	buf_free(&older);
	buf_free(&both);
	box_close(&b);
}

int main(int argc, char **argv)
{
	static const struct unit_test tests[] = {
		{ "when a head is due", test_due },
		{ "a head is signed and kept twice", test_sign },
		{ "the thread signs at the start and at the end", test_thread },
		{ "the key survives restarts and cannot leave",
		  test_key_survives },
		{ "nobody else sees the key", test_key_is_hidden },
		{ "many starts make one key", test_one_key_only },
		{ "of several keys the known one", test_several_keys },
		{ "the key removed while running", test_key_removed },
		{ "the token away and back", test_away_and_back },
		{ "a slow token keeps no record waiting", test_slow_token },
		{ "the token lost while running", test_lost_while_running },
		{ "a token without data objects", test_no_data_objects },
		{ "killed between store and token", test_crash_points },
		{ "killed between two objects", test_two_objects },
		{ NULL, NULL }
	};

	return unit_main(argc, argv, "audit heads", tests, place_setup, NULL);
}
