/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/unit/heads_fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "audit/audit_record.h"
#include "tests/lib/test_certs.h"
#include "tests/lib/unit.h"
#include "tests/unit/tamper.h"

static const struct audit_actor admin = { "Web", "admin", "192.0.2.1",
					  "session" };

static void open_store(struct box *b)
{
	struct error e = ERROR_INIT;

	b->store = store_open(b->dir, &e);
	CHECK_OBJECT(b->store, &e);
	b->audit = audit_new(b->store, &e);
	CHECK_OBJECT(b->audit, &e);
	b->heads = audit_heads_new(b->store, b->audit, b->token, &e);
	CHECK_OBJECT(b->heads, &e);
}

void box_open(struct box *b)
{
	b->token = open_with(&b->options);
	open_store(b);
}

void box_open_without_token(struct box *b)
{
	struct token_options o = b->options;
	struct error e = ERROR_INIT;

	o.uri = "pkcs11:token=away";
	b->token = token_new(&o, &e);
	CHECK_OBJECT(b->token, &e);
	CHECK_FAILS(token_start(b->token, &e), &e, ERR_TOKEN, "no token fits");
	open_store(b);
}

void box_close(struct box *b)
{
	audit_heads_stop(b->heads);
	audit_heads_free(b->heads);
	audit_free(b->audit);
	store_close(b->store);
	token_free(b->token);
	memset(&b->token, 0, sizeof(*b) - offsetof(struct box, token));
}

void box_make(struct box *b)
{
	memset(b, 0, sizeof(*b));
	b->options = wrapped(&b->place);
	b->dir = unit_temp_dir();
	box_open(b);
}

void box_add(struct box *b, int records)
{
	struct error e = ERROR_INIT;

	for (int i = 0; i < records; i++)
		CHECK_OK(audit_append(b->audit,
				      AUDIT(SETTING_CHANGED, .setting = "a.b",
					    .to = AUDIT_NUMBER(i)),
				      &admin, &e),
			 &e);
}

void box_sign(struct box *b)
{
	struct error e = ERROR_INIT;

	CHECK_OK(audit_heads_sign(b->heads, &e), &e);
}

void box_tamper(struct box *b, const char *sql)
{
	tamper(b->dir, sql);
}

/* --- rewriting */

struct rewrite {
	struct box *box;
	struct store *store;
	uint64_t from;
	uint8_t previous[SHA256_SIZE];
};

static int rewrite_row(void *arg, const struct audit_row *row, struct error *e)
{
	struct rewrite *w = arg;
	struct audit_row r = *row;
	char hex[2 * SHA256_SIZE + 1], sql[512];

	(void)e;
	if (r.number >= w->from) {
		r.user_name = "nobody";
		CU_ASSERT_FATAL(audit_record_hash(&r, w->previous, r.hash));
		hex_encode(r.hash, sizeof(r.hash), hex);
		snprintf(sql, sizeof(sql),
			 "UPDATE audit SET user_name = 'nobody', hash = x'%s'"
			 " WHERE number = %llu;"
			 "UPDATE audit_chain SET last_hash = x'%s'",
			 hex, (unsigned long long)r.number, hex);
		box_tamper(w->box, sql);
	}
	memcpy(w->previous, r.hash, SHA256_SIZE);
	return 0;
}

void box_rewrite(struct box *b, uint64_t from)
{
	const struct audit_page all = AUDIT_PAGE_ALL;
	struct rewrite w = { .box = b, .from = from };
	struct audit_chain chain;
	struct audit_verdict v;
	struct error e = ERROR_INIT;

	CHECK_OK(store_audit_page(b->store, &all, &chain, rewrite_row, &w, &e),
		 &e);
	/* Done well: the chain alone does not tell. */
	CHECK_OK(audit_verify(b->audit, &v, &e), &e);
	CU_ASSERT(v.intact);
}

/* --- older copies */

void box_save(struct box *b)
{
	CU_ASSERT_EQUAL_FATAL(test_run("cd %s && rm -rf saved && "
				       "cp -a %s saved",
				       b->place.dir, b->dir),
			      0);
}

void box_put_back(struct box *b)
{
	CU_ASSERT_EQUAL_FATAL(test_run("cd %s && rm -rf %s && cp -a saved %s",
				       b->place.dir, b->dir, b->dir),
			      0);
}

/* --- looking */

void box_expect(struct box *b, const char *reason, uint64_t first_broken,
		enum audit_rollback rollback)
{
	struct audit_verdict chain, whole;
	struct audit_heads_verdict v;
	struct error e = ERROR_INIT;

	CHECK_OK(audit_heads_check(b->heads, &v, &e), &e);
	if (strcmp(v.reason, reason) != 0 || v.first_broken != first_broken ||
	    v.rollback != rollback)
		unit_note("\"%s\", record %llu, %s: %s", v.reason,
			  (unsigned long long)v.first_broken,
			  audit_rollback_name(v.rollback), v.problem);
	CU_ASSERT_STRING_EQUAL(v.reason, reason);
	CU_ASSERT_EQUAL(v.first_broken, first_broken);
	CU_ASSERT_EQUAL(v.rollback, rollback);
	CU_ASSERT_EQUAL(v.problem[0] == '\0', reason[0] == '\0');
	/* The whole verdict is the chain's, else that of the heads. */
	CHECK_OK(audit_verify(b->audit, &chain, &e), &e);
	CHECK_OK(audit_heads_verify(b->heads, b->audit, &whole, &e), &e);
	CU_ASSERT_STRING_EQUAL(audit_reason_name(whole.reason),
			       chain.intact ? reason
					    : audit_reason_name(chain.reason));
	CU_ASSERT_EQUAL(whole.intact, chain.intact && !reason[0]);
	CU_ASSERT_EQUAL(whole.rollback, rollback);
	CU_ASSERT_EQUAL(whole.heads, v.checked);
	CU_ASSERT_EQUAL(whole.signed_up_to, v.attested_upto);
}

int box_count_objects(struct box *b, const char *type, const char *label)
{
	char path[400], *text;
	int count = 0;

	CU_ASSERT_PTR_NULL(b->token);
	snprintf(path, sizeof(path), "%s/objects", b->place.dir);
	CU_ASSERT_EQUAL_FATAL(
	    test_run("pkcs11-tool --module " TEST_TOKEN_MODULE
		     " --token-label sealbridge --login --pin " TEST_TOKEN_PIN
		     " --list-objects --type %s >%s 2>/dev/null",
		     type, path),
	    0);
	CU_ASSERT_EQUAL_FATAL(test_run("grep -c \"'*%s'*$\" %s >%s.count; true",
				       label, path, path),
			      0);
	strcat(path, ".count");
	text = test_read_file(path);
	count = atoi(text);
	free(text);
	return count;
}
