/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <stdio.h>
#include <string.h>

#include "api/audit_xml_check.h"
#include "audit/audit_front.h"
#include "base/key_pem.h"
#include "tests/unit/api_fixture.h"

/* auditlog.export, verify and delete, on a token that signs. */

enum { FILLERS = 1200, DOCUMENT_MAX = 64 * 1024 * 1024 };

/* What strangers have put into them: U+FFFE and U+FFFF, which are UTF-8, and
 * which no XML can carry. */
static void add(int count)
{
	const struct audit_actor actor = { "Web", "alice", "192.0.2.5",
					   "session" };
	struct error e = ERROR_INIT;

	for (int i = 0; i < count; i++)
		CHECK_OK(audit_append(device.services.audit,
				      AUDIT(KEY_GENERATED,
					    .keyId = "<&>\xef\xbf\xbe|"
						     "\xef\xbf\xbf",
					    .keyType = AUDIT_NUMBER(i)),
				      &actor, &e),
			 &e);
}

static int32_t int_of(const struct answer *a, const char *name)
{
	return value_int(value_member(a->response.result, name));
}

static bool bool_of(const struct answer *a, const char *name)
{
	return value_boolean(value_member(a->response.result, name));
}

static struct value *with_int(const char *name, int32_t n)
{
	struct value *s = value_new_struct();

	value_put_int(s, name, n);
	return s;
}

/* The joined pieces, and how many there were. */
static int export_all(int32_t to, struct buf *out)
{
	struct error e = ERROR_INIT;
	int32_t next = 0, last = to;
	int pieces = 0;

	buf_init(out, DOCUMENT_MAX);
	do {
		struct value *s = value_new_struct();
		struct answer a;

		if (next)
			value_put_int(s, "from", next);
		if (last)
			value_put_int(s, "to", last);
		call_by(&door_local, "auditlog.export", s, &a);
		CU_ASSERT_EQUAL_FATAL(a.response.fault_code, 0);
		CHECK_OK(buf_adds(out, text_of(&a, "xml"), &e), &e);
		CU_ASSERT(int_of(&a, "next") == 0 || int_of(&a, "next") > next);
		next = int_of(&a, "next");
		last = int_of(&a, "last");
		answer_free(&a);
		pieces++;
	} while (next);
	return pieces;
}

static void public_key(struct public_key *out)
{
	struct error e = ERROR_INIT;
	struct answer a;

	call_by(&door_local, "auditlog.query", NULL, &a);
	CHECK_OK(
	    public_key_from_pem(view_str(text_of(&a, "publicKey")), out, &e),
	    &e);
	CU_ASSERT_EQUAL(strlen(text_of(&a, "keyId")), 2 * SHA1_SIZE);
	answer_free(&a);
}

static void check(const struct buf *text, const struct public_key *key,
		  struct audit_xml_verdict *v)
{
	FILE *in = fmemopen(text->ptr, text->len, "r");
	struct error e = ERROR_INIT;

	CU_ASSERT_PTR_NOT_NULL_FATAL(in);
	CHECK_OK(audit_xml_check(in, key, v, &e), &e);
	if (v->reason)
		unit_note("%s", v->problem);
	fclose(in);
}

static void test_export(void)
{
	struct audit_xml_verdict v;
	struct public_key key;
	struct buf text;

	add(FILLERS);
	CU_ASSERT_EQUAL(export_all(0, &text), FILLERS / 500 + 1);
	public_key(&key);
	check(&text, &key, &v);
	CU_ASSERT_EQUAL(v.reason, AUDIT_INTACT);
	CU_ASSERT(v.checked >= FILLERS && v.first == 1 && v.last == v.checked);
	CU_ASSERT(v.heads == 1 && v.uncovered == 0);
	CU_ASSERT(v.signed_up_to == v.last && !v.names_other_key);
	/* Without a key no head is looked at. */
	check(&text, NULL, &v);
	CU_ASSERT(v.reason == AUDIT_INTACT && v.heads == 0);
	key.spki[key.spki_len - 1] ^= 1;
	key.id[0] ^= 1;
	check(&text, &key, &v);
	CU_ASSERT_EQUAL(v.reason, AUDIT_BROKEN_HEAD_SIGNATURE);
	CU_ASSERT(v.names_other_key);
	buf_free(&text);
}

static void test_part(void)
{
	struct audit_xml_verdict v;
	struct public_key key;
	struct buf text;

	CU_ASSERT_EQUAL(export_all(7, &text), 1);
	public_key(&key);
	check(&text, NULL, &v);
	CU_ASSERT(v.reason == AUDIT_INTACT && v.checked == 7 && v.last == 7);
	check(&text, &key, &v);
	CU_ASSERT_EQUAL(v.reason, AUDIT_BROKEN_HEAD_SIGNATURE);
	buf_free(&text);
}

/* Every byte of a record counts. */
static void test_changed(void)
{
	struct audit_xml_verdict v;
	struct buf text;
	char *at;

	(void)export_all(0, &text);
	at = strstr((char *)text.ptr, "<userName>alice");
	CU_ASSERT_PTR_NOT_NULL_FATAL(at);
	at[10] = 'b';
	check(&text, NULL, &v);
	CU_ASSERT_EQUAL(v.reason, AUDIT_BROKEN_CHANGED);
	CU_ASSERT_EQUAL(v.broken, v.checked + 1);
	buf_free(&text);
}

static void test_delete(void)
{
	struct audit_xml_verdict v;
	struct public_key key;
	struct buf text;
	struct answer a;

	call_by(&door_local, "auditlog.delete", with_int("deleteIndex", 1), &a);
	CU_ASSERT_EQUAL(int_of(&a, "deleted"), 0);
	answer_free(&a);
	call_by(&door_local, "auditlog.delete", with_int("deleteIndex", 1000),
		&a);
	CU_ASSERT_EQUAL(int_of(&a, "deleted"), 999);
	answer_free(&a);
	CU_ASSERT_EQUAL(count_audit("auditLogDeleted", "System", "local",
				    "deleted: 999; first: 1; last: 999"),
			1);
	call_by(&door_local, "auditlog.query", NULL, &a);
	CU_ASSERT_EQUAL(int_of(&a, "firstIndex"), 1000);
	CU_ASSERT_EQUAL(int_of(&a, "unsigned"), 0);
	CU_ASSERT(bool_of(&a, "writable") && !*text_of(&a, "problem"));
	answer_free(&a);
	call_by(&door_local, "auditlog.verify", NULL, &a);
	CU_ASSERT(bool_of(&a, "intact") && !*text_of(&a, "reason"));
	CU_ASSERT_STRING_EQUAL(text_of(&a, "rollback"), "ruledOut");
	answer_free(&a);
	CU_ASSERT_EQUAL(export_all(0, &text), 1);
	public_key(&key);
	check(&text, &key, &v);
	CU_ASSERT(v.reason == AUDIT_INTACT && v.first == 1000);
	buf_free(&text);
}

/* What others removed from the front is missing, however well it fits. */
static void test_front(void)
{
	struct audit_xml_verdict v;
	struct error e = ERROR_INIT;
	struct public_key key;
	uint64_t deleted;
	struct buf text;
	struct answer a;

	CHECK_OK(audit_delete(device.services.audit, 1010, &deleted, &e), &e);
	CU_ASSERT_EQUAL(deleted, 10);
	call_by(&door_local, "auditlog.verify", NULL, &a);
	CU_ASSERT_FALSE(bool_of(&a, "intact"));
	CU_ASSERT_STRING_EQUAL(text_of(&a, "reason"), "missing");
	CU_ASSERT_EQUAL(int_of(&a, "firstBroken"), 1000);
	answer_free(&a);
	(void)export_all(0, &text);
	public_key(&key);
	check(&text, &key, &v);
	CU_ASSERT_EQUAL(v.reason, AUDIT_BROKEN_MISSING);
	CU_ASSERT_EQUAL(v.broken, 1000);
	buf_free(&text);
}

/* What the document should go on with is gone. */
static void test_deleted_meanwhile(void)
{
	CU_ASSERT_EQUAL(fault_of(&door_local, "auditlog.export",
				 with_int("from", 2), "deleted meanwhile"),
			201);
}

static void test_refused(void)
{
	static const struct {
		const char *method, *member;
		int32_t n;
		int code;
	} rows[] = {
		{ "auditlog.delete", "index", 1, 101 },
		{ "auditlog.delete", "deleteIndex", -1, 102 },
		{ "auditlog.export", "from", 0, 102 },
		{ "auditlog.export", "from", -5, 102 },
		{ "auditlog.export", "to", 0, 102 },
	};
	struct value *s = value_new_struct();

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		CU_ASSERT_EQUAL(fault_of(&door_local, rows[i].method,
					 with_int(rows[i].member, rows[i].n),
					 NULL),
				rows[i].code);
	value_put_string(s, "deleteIndex", "5");
	CU_ASSERT_EQUAL(
	    fault_of(&door_local, "auditlog.delete", s, "deleteIndex"), 103);
}

static void test_fair_front(void)
{
	static const struct {
		uint64_t first, count, deleted;
		bool fair;
	} rows[] = {
		{ 1, 0, 0, true },
		{ 1, 5, 0, true },
		{ 2, 5, 0, false },
		{ 2, 5, 1, true },
		{ 3, 5, 1, false },
		{ 3, 5, 9, true },
		{ 77, AUDIT_RECORDS_MAX, 0, true },
		{ 77, AUDIT_RECORDS_MAX - 1, 0, false },
	};
	static const struct {
		const char *event, *fields;
		uint64_t deleted;
	} records[] = {
		{ "auditLogDeleted", "deleted=3\nfirst=1\nlast=3", 3 },
		{ "auditLogDeleted", "last=3", 3 },
		{ "auditLogDeleted", "deleted=3", 0 },
		{ "auditLogDeleted", "last=x", 0 },
		{ "auditLogDeleted", "last=-1", 0 },
		{ "auditLogDeleted", "last=9999999999999999999", 0 },
		{ "auditLogDeleted", "", 0 },
		{ "eventLogDeleted", "last=3", 0 },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		CU_ASSERT_EQUAL(audit_front_is_fair(rows[i].first,
						    rows[i].count,
						    rows[i].deleted),
				rows[i].fair);
	for (size_t i = 0; i < sizeof(records) / sizeof(*records); i++)
		CU_ASSERT_EQUAL(
		    audit_front_deleted(records[i].event, records[i].fields),
		    records[i].deleted);
}

int main(int argc, char **argv)
{
	static const struct unit_test tests[] = {
		{ "export", test_export },
		{ "a part of it", test_part },
		{ "changed", test_changed },
		{ "delete", test_delete },
		{ "front", test_front },
		{ "deleted meanwhile", test_deleted_meanwhile },
		{ "refused", test_refused },
		{ "fair fronts", test_fair_front },
		{ 0 },
	};

	return unit_main(argc, argv, "auditlog.export, verify, delete", tests,
			 api_device_open, api_device_close);
}
