/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "ctl/audit_verify.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "api/audit_xml_check.h"
#include "base/key_pem.h"
#include "ctl/arguments.h"
#include "ctl/commands.h"
#include "ctl/print.h"

enum { UNREADABLE = 2 };

const char *audit_rollback_words(const char *rollback)
{
	static const struct {
		const char *name, *words;
	} rows[] = {
		{ "ruledOut", "ruled out by the head in the token" },
		{ "tokenUnavailable",
		  "not known, since the token cannot be asked" },
		{ "notSupported", "not known, since the token keeps no head" },
		{ "detected", "yes, the head in the token is newer" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		if (!strcmp(rows[i].name, rollback))
			return rows[i].words;
	return rollback;
}

static int read_key(const char *path, struct public_key *out, struct error *e)
{
	struct buf pem;
	int rc;

	buf_init(&pem, ARGUMENT_FILE_MAX);
	rc = argument_read_file(path, &pem, e);
	/* The exported document holds a key, too: whoever changed the one may
	 * have put the other there. */
	if (rc == 0 && strchr(buf_cstr(&pem), '<'))
		rc = error_set(e, ERR_INPUT,
			       "%s: not a PEM file; the key in an exported "
			       "document does not count",
			       path);
	else if (rc == 0 &&
		 public_key_from_pem(view_str(buf_cstr(&pem)), out, e) < 0)
		rc = error_prefix(e, "%s", path);
	buf_free(&pem);
	return rc;
}

static int check_file(const char *path, const struct public_key *key,
		      struct audit_xml_verdict *v, struct error *e)
{
	FILE *in = fopen(path, "r");
	int rc;

	if (!in)
		return error_errno(e, "%s", path);
	rc = audit_xml_check(in, key, v, e);
	fclose(in);
	return rc < 0 ? error_prefix(e, "%s", path) : 0;
}

static void print_as_json(const struct audit_xml_verdict *v, bool has_key)
{
	struct value *s = value_new_struct();

	value_put_boolean(s, "intact", v->reason == AUDIT_INTACT);
	value_put_int(s, "checked", (int32_t)v->checked);
	value_put_int(s, "firstBroken", audit_int(v->broken));
	value_put_string(s, "reason", audit_reason_name(v->reason));
	value_put_string(s, "problem", v->problem);
	value_put_string(s, "hostName", v->host_name);
	value_put_time(s, "exported", (time_t)v->exported);
	value_put_boolean(s, "signaturesChecked", has_key);
	if (has_key) {
		value_put_int(s, "heads", (int32_t)v->heads);
		value_put_int(s, "headCounter", (int32_t)v->head_counter);
		value_put_int(s, "signedUpTo", (int32_t)v->signed_up_to);
		value_put_int(s, "unsigned", (int32_t)v->uncovered);
		value_put_boolean(s, "namesOtherKey", v->names_other_key);
	}
	print_json(stdout, s);
	value_free(s);
}

static void print_signatures(const struct audit_xml_verdict *v)
{
	printf("%" PRIu64 " signed heads are good", v->heads);
	if (v->heads)
		printf("; the last is number %" PRIu64
		       " and attests records up to %" PRIu64,
		       v->head_counter, v->signed_up_to);
	putchar('\n');
	if (v->uncovered)
		printf("%" PRIu64 " records at the end are attested by no "
		       "head\n",
		       v->uncovered);
	if (v->names_other_key)
		puts("The file names another key than the one given; the one "
		     "given was used");
}

static void print_in_words(const struct audit_xml_verdict *v, bool has_key)
{
	if (v->reason == AUDIT_INTACT) {
		printf("Intact: %" PRIu64 " records of ", v->checked);
		print_line(stdout, v->host_name);
	} else {
		printf("Broken at record %" PRIu64 ": ", v->broken);
		print_line(stdout, v->problem);
	}
	putchar('\n');
	if (has_key)
		print_signatures(v);
	else
		puts("Only the chain was checked: without --key nothing tells "
		     "who wrote the file");
}

int audit_verify_file(const char *path, const char *key_path, bool json)
{
	struct error e = ERROR_INIT;
	struct audit_xml_verdict v;
	struct public_key key;

	if ((key_path && read_key(key_path, &key, &e) < 0) ||
	    check_file(path, key_path ? &key : NULL, &v, &e) < 0) {
		(void)command_failed(&e);
		return UNREADABLE;
	}
	if (json)
		print_as_json(&v, key_path != NULL);
	else
		print_in_words(&v, key_path != NULL);
	return v.reason == AUDIT_INTACT ? CTL_OK : CTL_FAILED;
}
