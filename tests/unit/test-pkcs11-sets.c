/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "pkcs11/set_scan.h"
#include "tests/unit/pkcs11_set_fixture.h"

static int tool(const char *arguments)
{
	return test_run("pkcs11-tool --module %s --login --pin %s %s "
			">/dev/null 2>&1",
			TEST_TOKEN_MODULE, TEST_TOKEN_PIN, arguments);
}

static void collect(size_t wanted)
{
	struct error e = ERROR_INIT;
	size_t removed = 0;

	CHECK_OK(object_collect_leftovers(token, &removed, &e), &e);
	CU_ASSERT_EQUAL(removed, wanted);
}

static void test_never_written(void)
{
	struct error e = ERROR_INIT;
	struct object_set set;

	CHECK_OK(object_set_read(token, "identity", &set, &e), &e);
	CU_ASSERT_EQUAL(set.generation, 0);
	CU_ASSERT_EQUAL(set.member_count, 0);
	object_set_free(&set);
}

static void test_replace_and_read(void)
{
	struct set_fact fact = { "source", "custom" };
	struct error e = ERROR_INIT;
	struct object_set set;
	size_t removed;

	make_member(&members[0], &rooms[0], "leaf",
		    "sealbridge local certificate", 1);
	make_member(&members[1], &rooms[1], "chain", "sealbridge local chain",
		    2);
	make_member(&members[2], &rooms[2], "key", "sealbridge local key", 3);
	for (unsigned round = 1; round <= 3; round++) {
		CHECK_OK(object_set_replace(token, "identity", members, 3,
					    &fact, 1, NULL, NULL, &e),
			 &e);
		CHECK_OK(object_set_read(token, "identity", &set, &e), &e);
		CU_ASSERT_EQUAL(set.generation, round);
		CU_ASSERT_EQUAL_FATAL(set.member_count, 3);
		for (int i = 0; i < 2; i++)
			CU_ASSERT(
			    view_equal(set.members[i].der, members[i].der));
		CU_ASSERT_EQUAL(set.members[2].der.len, 0);
		CU_ASSERT_STRING_EQUAL(set.members[1].label,
				       "sealbridge local chain");
		CU_ASSERT_STRING_EQUAL(object_set_fact(&set, "source"),
				       "custom");
		object_set_free(&set);
		CHECK_OK(object_collect_leftovers(token, &removed, &e), &e);
		CU_ASSERT_EQUAL(removed, 0);
	}
}

/* Other programs show all of it in plain words. */
static void test_seen_by_pkcs11_tool(void)
{
	char id[2 * SHA1_SIZE + 1], words[128];
	struct error e = ERROR_INIT;

	fill(1, TRUST, 10);
	CHECK_OK(replace(token, "trust https", 1, &e), &e);
	CU_ASSERT_EQUAL(listed("sealbridge local certificate"), 1);
	CU_ASSERT_EQUAL(listed("sealbridge local chain"), 1);
	CU_ASSERT_EQUAL(listed(TRUST), 1);
	CU_ASSERT_EQUAL(listed("sealbridge manifest identity"), 1);
	CU_ASSERT_EQUAL(listed("sealbridge manifest trust https"), 1);
	CU_ASSERT_EQUAL(listed("application: *'sealbridge'"), 2);
	hex_encode(members[0].id.bytes, SHA1_SIZE, id);
	snprintf(words, sizeof(words), "ID: *%s", id);
	CU_ASSERT_EQUAL(listed(words), 1);
}

/* Only what is missing is written, only what nobody lists is removed. */
static void test_shared_members(void)
{
	struct error e = ERROR_INIT;

	fill(5, TRUST, 100);
	CHECK_OK(replace(token, "trust https", 5, &e), &e);
	CU_ASSERT_EQUAL(listed(TRUST), 5);
	fill(5, TRUST, 102); /* three of them are there */
	CHECK_OK(replace(token, "trust https", 5, &e), &e);
	CU_ASSERT_EQUAL(listed(TRUST), 5);
	fill(5, "sealbridge trust sip", 102); /* same bytes, another set */
	CHECK_OK(replace(token, "trust sip", 5, &e), &e);
	CU_ASSERT_EQUAL(listed("sealbridge trust sip"), 5);
	fill(0, TRUST, 0);
	CHECK_OK(replace(token, "trust https", 0, &e), &e);
	CU_ASSERT_EQUAL(listed(TRUST), 0);
	CU_ASSERT_EQUAL(generation_of(token, "trust https", 0), 4);
	CU_ASSERT_EQUAL(generation_of(token, "trust sip", 5), 1);
	collect(0);
}

static void test_named_twice(void)
{
	struct error e = ERROR_INIT;

	fill(2, TRUST, 200);
	make_member(&members[2], &rooms[2], "anchor", TRUST, 200);
	CHECK_OK(replace(token, "twice", 3, &e), &e);
	CU_ASSERT_EQUAL(generation_of(token, "twice", 3), 1);
	CU_ASSERT_EQUAL(listed(TRUST), 2);
	CHECK_OK(replace(token, "twice", 0, &e), &e);
}

static void count_progress(size_t done, size_t total, void *arg)
{
	size_t *last = arg;

	CU_ASSERT_EQUAL(done, *last + 1);
	CU_ASSERT_EQUAL(total, MEMBERS_MAX);
	*last = done;
}

static void test_large_set(void)
{
	struct error e = ERROR_INIT;
	struct object_set set;
	size_t last = 0;

	fill(MEMBERS_MAX, TRUST, 1000);
	CHECK_OK(object_set_replace(token, "large", members, MEMBERS_MAX, NULL,
				    0, count_progress, &last, &e),
		 &e);
	CU_ASSERT_EQUAL(last, MEMBERS_MAX);
	CHECK_OK(object_set_read(token, "large", &set, &e), &e);
	CU_ASSERT_EQUAL_FATAL(set.member_count, MEMBERS_MAX);
	for (size_t i = 0; i < MEMBERS_MAX; i++)
		CU_ASSERT(view_equal(set.members[i].der, members[i].der));
	object_set_free(&set);
	CHECK_OK(replace(token, "large", 0, &e), &e);
}

static void test_refusals(void)
{
	static const char *const names[] = {
		"", "two\nlines", "0123456789012345678901234567890123456789"
	};
	struct error e = ERROR_INIT;
	struct object_set set;
	uint8_t *der;
	size_t n;

	fill(1, TRUST, 300);
	for (size_t i = 0; i < 3; i++)
		CHECK_FAILS(replace(token, names[i], 1, &e), &e, ERR_INPUT,
			    "name");
	members[0].label = "somebody's";
	CHECK_FAILS(replace(token, "x", 1, &e), &e, ERR_INPUT, "label");
	members[0].label = NULL;
	CHECK_FAILS(replace(token, "x", 1, &e), &e, ERR_INPUT, "label");
	fill(1, TRUST, 300);
	members[0].sha256[0] ^= 1;
	CHECK_FAILS(replace(token, "x", 1, &e), &e, ERR_INPUT, "hash");
	fill(1, TRUST, 300);
	members[0].der.len = 0;
	CHECK_FAILS(replace(token, "x", 1, &e), &e, ERR_NOT_FOUND,
		    "should hold");
	/* nothing of it stayed */
	CHECK_OK(object_set_read(token, "x", &set, &e), &e);
	CU_ASSERT_EQUAL(set.generation, 0);
	object_set_free(&set);
	collect(0);
	CHECK_FAILS(token_certificate_by_id(
			token, &(struct token_id){ { 1, 2 }, 2 }, &der, &n, &e),
		    &e, ERR_NOT_FOUND, "no certificate");
}

/* A member that the token holds need not be brought along. */
static void test_member_without_der(void)
{
	struct error e = ERROR_INIT;
	struct set_fact fact = { "source", "default" };
	struct object_set set;

	fill(2, TRUST, 400);
	CHECK_OK(replace(token, "x", 2, &e), &e);
	members[0].der.len = members[1].der.len = 0;
	CHECK_OK(object_set_replace(token, "x", members, 2, &fact, 1, NULL,
				    NULL, &e),
		 &e);
	CHECK_OK(object_set_read(token, "x", &set, &e), &e);
	CU_ASSERT_EQUAL(set.generation, 2);
	CU_ASSERT_EQUAL(set.members[1].der.len, FAKE_DER_SIZE);
	CU_ASSERT_STRING_EQUAL(object_set_fact(&set, "source"), "default");
	CU_ASSERT_PTR_NULL(object_set_fact(&set, "other"));
	object_set_free(&set);
	CHECK_OK(replace(token, "x", 0, &e), &e);
}

/* --- readers beside a change */

static atomic_bool reading_ends;

static void *read_for_ever(void *arg)
{
	int *failures = arg;

	while (!atomic_load(&reading_ends)) {
		struct error e = ERROR_INIT;
		struct object_set set;

		if (object_set_read(token, "busy", &set, &e) < 0) {
			unit_note("%s", e.text);
			(*failures)++;
			continue;
		}
		if (set.member_count != (set.generation ? 3 : 0))
			(*failures)++;
		object_set_free(&set);
	}
	return NULL;
}

static void test_read_while_changing(void)
{
	struct error e = ERROR_INIT;
	int failures[2] = { 0, 0 };
	pthread_t ids[2];

	atomic_store(&reading_ends, false);
	for (int i = 0; i < 2; i++)
		pthread_create(&ids[i], NULL, read_for_ever, &failures[i]);
	for (unsigned n = 0; n < 12; n++) {
		fill(3, TRUST, 5000 + n * 3);
		CHECK_OK(replace(token, "busy", 3, &e), &e);
	}
	atomic_store(&reading_ends, true);
	for (int i = 0; i < 2; i++) {
		pthread_join(ids[i], NULL);
		CU_ASSERT_EQUAL(failures[i], 0);
	}
	CHECK_OK(replace(token, "busy", 0, &e), &e);
}

/* --- leftovers */

/* A certificate that no manifest lists, as an interrupted change leaves it. */
static void leave_certificate(const char *label, unsigned seed)
{
	static const CK_OBJECT_CLASS class = CKO_CERTIFICATE;
	static const CK_CERTIFICATE_TYPE type = CKC_X_509;
	struct fake_certificate room;
	struct error e = ERROR_INIT;
	struct set_member m;
	CK_OBJECT_HANDLE o;
	struct session s;

	make_member(&m, &room, "anchor", label, seed);
	CHECK_OK(pool_take(token, &s, &e), &e);
	{
		CK_ATTRIBUTE a[] = {
			attr_bytes(CKA_CLASS, &class, sizeof(class)),
			attr_bytes(CKA_CERTIFICATE_TYPE, &type, sizeof(type)),
			attr_bytes(CKA_TOKEN, &attr_true, 1),
			attr_bytes(CKA_LABEL, label, strlen(label)),
			attr_bytes(CKA_SUBJECT, "0", 1),
			attr_bytes(CKA_VALUE, m.der.ptr, m.der.len),
		};

		CU_ASSERT_EQUAL(CALL(s.c, C_CreateObject, s.h, a, 6, &o),
				CKR_OK);
	}
	pool_give(token, &s);
}

static void leave_data(const char *label, const char *application, bool private,
		       const char *value)
{
	static const CK_OBJECT_CLASS class = CKO_DATA;
	struct error e = ERROR_INIT;
	CK_OBJECT_HANDLE o;
	struct session s;

	CHECK_OK(pool_take(token, &s, &e), &e);
	{
		CK_ATTRIBUTE a[] = {
			attr_bytes(CKA_CLASS, &class, sizeof(class)),
			attr_bytes(CKA_TOKEN, &attr_true, 1),
			attr_bytes(CKA_PRIVATE,
				   private ? &attr_true : &attr_false, 1),
			attr_bytes(CKA_LABEL, label, strlen(label)),
			attr_bytes(CKA_APPLICATION, application,
				   strlen(application)),
			attr_bytes(CKA_VALUE, value, strlen(value)),
		};

		CU_ASSERT_EQUAL(CALL(s.c, C_CreateObject, s.h, a, 6, &o),
				CKR_OK);
	}
	pool_give(token, &s);
}

static void test_leftovers(void)
{
	struct error e = ERROR_INIT;

	fill(3, TRUST, 500);
	CHECK_OK(replace(token, "trust https", 3, &e), &e);
	leave_certificate(TRUST, 550);
	leave_certificate("sealbridge local certificate", 551);
	leave_certificate("of somebody else", 552);
	leave_data("sealbridge manifest trust https", "sealbridge", true,
		   "cut in the mid");
	leave_data("somebody's data", "sealbridge", true, "x");
	collect(3);
	collect(0);
	CU_ASSERT_EQUAL(listed("of somebody else"), 1);
	CU_ASSERT_EQUAL(listed("somebody's data"), 1);
	CU_ASSERT_EQUAL(listed(TRUST), 3);
	generation_of(token, "trust https", 3);
}

/* A public data object can be made without the PIN: it is no manifest. */
static void test_forged_manifest(void)
{
	struct error e = ERROR_INIT;
	struct buf text;
	uint64_t before;

	fill(1, TRUST, 600);
	CHECK_OK(replace(token, "trust https", 1, &e), &e);
	before = generation_of(token, "trust https", 1);
	buf_init(&text, MANIFEST_TEXT_MAX);
	CHECK_OK(manifest_format("trust https", "", before + 10, NULL, 0, NULL,
				 0, &text, &e),
		 &e);
	leave_data("sealbridge manifest trust https", "sealbridge", false,
		   buf_cstr(&text));
	CU_ASSERT_EQUAL(generation_of(token, "trust https", 1), before);
	collect(1);
	buf_free(&text);
}

/* Somebody removed a member: not whole, said so, and nothing else is lost. */
static void test_damaged_set(void)
{
	char id[2 * SHA1_SIZE + 1], arguments[200];
	struct error e = ERROR_INIT;
	struct object_set set;

	fill(3, TRUST, 700);
	CHECK_OK(replace(token, "trust https", 3, &e), &e);
	hex_encode(members[1].id.bytes, SHA1_SIZE, id);
	snprintf(arguments, sizeof(arguments),
		 "--delete-object --type cert --id %s", id);
	CU_ASSERT_EQUAL_FATAL(tool(arguments), 0);
	CHECK_FAILS(object_set_read(token, "trust https", &set, &e), &e,
		    ERR_CONFLICT, "no longer in the token");
	collect(0);
	CU_ASSERT_EQUAL(listed(TRUST), 2);
	CHECK_OK(replace(token, "trust https", 3, &e), &e);
	generation_of(token, "trust https", 3);
}

/* --- a kill in the middle */

/* Replaces the set for ever, each time by another one of that many members. */
static void change_for_ever(unsigned round, int ready)
{
	struct error e = ERROR_INIT;
	struct token *t = token_new(&options, &e);

	if (!t || token_start(t, &e) < 0) {
		fprintf(stderr, "# child: %s\n", e.text);
		_exit(1);
	}
	if (write(ready, "x", 1) != 1)
		_exit(1);
	for (unsigned n = 0;; n++) {
		fill(4, TRUST, 100000 + round * 1000 + n * 4);
		if (replace(t, "killed", 4, &e) < 0) {
			fprintf(stderr, "# child: %s\n", e.text);
			_exit(1);
		}
	}
}

static void test_killed_in_change(void)
{
	enum { ROUNDS = 25 };
	struct error e = ERROR_INIT;
	int64_t change_ms;
	uint64_t last = 0;
	size_t all = 0;
	int ready[2];
	char byte;

	/* the kills spread over two changes, however slow the disk is */
	change_ms = clock_monotonic_ms();
	fill(4, TRUST, 90000);
	CHECK_OK(replace(token, "killed", 4, &e), &e);
	change_ms = clock_monotonic_ms() - change_ms + 10;
	options.module = TEST_TOKEN_MODULE;
	token_free(token);
	fflush(stdout);
	CU_ASSERT_EQUAL_FATAL(pipe(ready), 0);
	for (unsigned round = 0; round < ROUNDS; round++) {
		int64_t wait_us = change_ms * 2000 * round / ROUNDS;
		struct timespec nap = { wait_us / 1000000,
					wait_us % 1000000 * 1000 };
		struct object_set set;
		size_t removed;
		pid_t pid = fork();

		if (pid == 0)
			change_for_ever(round, ready[1]);
		CU_ASSERT_EQUAL(read(ready[0], &byte, 1), 1);
		nanosleep(&nap, NULL);
		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
		token = token_new(&options, &e);
		CHECK_OBJECT(token, &e);
		CHECK_OK(token_start(token, &e), &e);
		CHECK_OK(object_set_read(token, "killed", &set, &e), &e);
		CU_ASSERT(set.generation >= last);
		CU_ASSERT_EQUAL(set.member_count, set.generation ? 4 : 0);
		last = set.generation;
		object_set_free(&set);
		CHECK_OK(object_collect_leftovers(token, &removed, &e), &e);
		all += removed;
		CHECK_OK(object_set_read(token, "killed", &set, &e), &e);
		CU_ASSERT_EQUAL(set.generation, last);
		CU_ASSERT_EQUAL(set.member_count, set.generation ? 4 : 0);
		object_set_free(&set);
		collect(0);
		token_free(token);
	}
	close(ready[0]);
	close(ready[1]);
	unit_note("%u changes, %zu leftovers collected", (unsigned)last, all);
	CU_ASSERT(last > 1);
	options.module = wrapper_path();
	token = token_new(&options, &e);
	CHECK_OBJECT(token, &e);
	CHECK_OK(token_start(token, &e), &e);
}

/* --- certificates of others */

static void test_certificate_by_id(void)
{
	struct error e = ERROR_INIT;
	uint8_t *der = NULL;
	size_t n = 0;

	fill(1, TRUST, 950);
	CHECK_OK(replace(token, "by id", 1, &e), &e);
	CHECK_OK(token_certificate_by_id(token, &members[0].id, &der, &n, &e),
		 &e);
	CU_ASSERT(view_equal(view_of(der, n), members[0].der));
	free(der);
	CHECK_OK(replace(token, "by id", 0, &e), &e);
}

int main(int argc, char **argv)
{
	static const struct unit_test tests[] = {
		{ "never-written", test_never_written },
		{ "replace-and-read", test_replace_and_read },
		{ "seen-by-pkcs11-tool", test_seen_by_pkcs11_tool },
		{ "shared-members", test_shared_members },
		{ "named-twice", test_named_twice },
		{ "large-set", test_large_set },
		{ "refusals", test_refusals },
		{ "member-without-der", test_member_without_der },
		{ "read-while-changing", test_read_while_changing },
		{ "leftovers", test_leftovers },
		{ "forged-manifest", test_forged_manifest },
		{ "damaged-set", test_damaged_set },
		{ "killed-in-change", test_killed_in_change },
		{ "certificate-by-id", test_certificate_by_id },
		{ NULL, NULL },
	};

	return unit_main(argc, argv, "pkcs11-sets", tests, set_setup,
			 set_teardown);
}
