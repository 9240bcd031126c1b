/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/api_fixture.h"

/* The certificate.* methods on a real token, with files that openssl(1) made as
 * administrators make them: an own CA, an encrypted key, a signed request. */

enum { FILE_MAX_BYTES = 65536 };

static const char *dir;

static int openssl(const char *arguments)
{
	return test_run("cd %s && openssl %s >>openssl.log 2>&1", dir,
			arguments);
}

static int make_files(void)
{
	static const char *const lines[] = {
		"req -x509 -newkey rsa:2048 -nodes -keyout ca.key -out ca.pem "
		"-days 100 -subj '/C=DE/O=Test/CN=Test CA'",
		"genrsa -des3 -traditional -passout pass:secret -out a.key "
		"2048",
		"req -new -key a.key -passin pass:secret -out a.csr -subj "
		"'/C=DE/ST=Berlin/L=Berlin/O=Test/OU=Unit/"
		"CN=bridge.example.com'",
		"x509 -req -in a.csr -CA ca.pem -CAkey ca.key -CAcreateserial "
		"-days 50 -out a.pem",
		"ecparam -name prime256v1 -genkey -noout -out b.key",
		"req -x509 -key b.key -out b.pem -days 50 -subj /CN=other",
		"genrsa -out small.key 1024",
		"req -x509 -key small.key -out small.pem -days 50 -subj "
		"/CN=small",
	};

	dir = unit_temp_dir();
	for (size_t i = 0; i < sizeof(lines) / sizeof(*lines); i++)
		if (openssl(lines[i]) != 0) {
			fprintf(stderr, "openssl %s\n", lines[i]);
			return 1;
		}
	return 0;
}

static int set_up(void)
{
	return make_files() || api_device_open();
}

/* Files one after the other, NULL at the end. */
static struct value *file_value(const char *const *names)
{
	static char text[FILE_MAX_BYTES];
	char path[400];
	size_t n = 0;

	for (; *names; names++) {
		FILE *f;

		snprintf(path, sizeof(path), "%s/%s", dir, *names);
		f = fopen(path, "re");
		if (!f)
			abort();
		n += fread(text + n, 1, sizeof(text) - n - 1, f);
		fclose(f);
	}
	text[n] = '\0';
	return value_new_string(text);
}

static struct value *upload_of(const char *const *certificates, const char *key,
			       const char *password)
{
	const char *const keys[] = { key, NULL };
	struct value *s = value_new_struct();

	value_put(s, "certificate", file_value(certificates));
	if (key)
		value_put(s, "privateKey", file_value(keys));
	if (password)
		value_put_string(s, "privateKeyPassword", password);
	return s;
}

#define FILES(...) ((const char *const[]){ __VA_ARGS__, NULL })

static const struct value *member(const struct answer *a, const char *outer,
				  const char *inner)
{
	return value_member(value_member(a->response.result, outer), inner);
}

/* subject.cn of "local" or "active". */
static void check_names(const char *local, const char *active, bool restart)
{
	struct answer a;

	call_by(&door_local, "certificate.query", NULL, &a);
	CU_ASSERT_STRING_EQUAL(
	    value_string(value_member(member(&a, "local", "subject"), "cn")),
	    local);
	CU_ASSERT_STRING_EQUAL(
	    value_string(value_member(member(&a, "active", "subject"), "cn")),
	    active);
	CU_ASSERT_EQUAL(
	    value_boolean(value_member(a.response.result, "restartRequired")),
	    restart);
	CU_ASSERT_STRING_EQUAL(value_string(member(&a, "local", "keyStatus")),
			       "matches");
	answer_free(&a);
	call_by(&door_local, "device.query", NULL, &a);
	CU_ASSERT_EQUAL(
	    value_boolean(value_member(a.response.result, "rebootRequired")),
	    restart);
	answer_free(&a);
}

static void test_default(void)
{
	static const char *const texts[] = { "serialNumber",
					     "sha256Fingerprint", "keyType",
					     "pem" };
	struct answer a;

	call_by(&door_local, "certificate.query", NULL, &a);
	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++)
		CU_ASSERT_STRING_NOT_EQUAL(
		    value_string(member(&a, "local", texts[i])), "");
	CU_ASSERT_STRING_EQUAL(value_string(member(&a, "local", "source")),
			       "default");
	CU_ASSERT(value_count(member(&a, "local", "subjectAltNames")) >= 1);
	CU_ASSERT_EQUAL(value_count(member(&a, "local", "chain")), 1);
	CU_ASSERT(value_time(member(&a, "local", "expires")) >
		  value_time(member(&a, "local", "issued")));
	CU_ASSERT_EQUAL(
	    value_count(value_member(a.response.result, "pendingRequests")), 0);
	answer_free(&a);
	check_names("bridge.example.com", "bridge.example.com", false);
}

static void test_refused(void)
{
	const struct {
		const char *const *certificates;
		const char *key, *password;
		int code;
	} rows[] = {
		{ FILES("a.pem"), "a.key", "wrong", 1003 },
		{ FILES("a.pem"), "a.key", NULL, 1003 },
		{ FILES("a.pem"), "b.key", NULL, 1004 },
		{ FILES("a.csr"), "a.key", "secret", 1001 },
		{ FILES("a.pem"), "a.pem", NULL, 1002 },
		{ FILES("small.pem"), "small.key", NULL, 1005 },
		{ FILES("openssl.log"), "b.key", NULL, 1001 },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		int code = fault_of(&door_local, "certificate.upload",
				    upload_of(rows[i].certificates, rows[i].key,
					      rows[i].password),
				    NULL);

		if (code != rows[i].code)
			unit_note("row %zu: %d", i, code);
		CU_ASSERT_EQUAL(code, rows[i].code);
		CU_ASSERT_EQUAL(
		    fault_of(&door_local, "certificate.examine",
			     upload_of(rows[i].certificates, rows[i].key,
				       rows[i].password),
			     NULL),
		    rows[i].code);
	}
	CU_ASSERT_EQUAL(count_audit("certificateChangeFailed", "System",
				    "local", "action: upload; reason: "),
			sizeof(rows) / sizeof(*rows));
	CU_ASSERT_EQUAL(fault_of(&door_local, "certificate.delete", NULL, NULL),
			201);
	CU_ASSERT_EQUAL(
	    fault_of(&door_local, "certificate.activate", NULL, NULL), 201);
	check_names("bridge.example.com", "bridge.example.com", false);
}

static void test_examine(void)
{
	struct answer a;

	call_by(&door_local, "certificate.examine",
		upload_of(FILES("b.pem", "ca.pem", "a.pem"), "a.key", "secret"),
		&a);
	CU_ASSERT_EQUAL(a.response.fault_code, 0);
	CU_ASSERT_EQUAL(value_count(value_member(a.response.result, "chain")),
			2);
	CU_ASSERT_EQUAL(value_count(value_member(a.response.result, "dropped")),
			1);
	CU_ASSERT(value_boolean(value_member(a.response.result, "reordered")));
	CU_ASSERT(value_count(value_member(a.response.result, "warnings")) >=
		  1);
	answer_free(&a);
	check_names("bridge.example.com", "bridge.example.com", false);
}

/* Upload, look, activate, delete, activate. */
static void test_walk(void)
{
	struct answer a;

	call_by(&door_local, "certificate.upload",
		upload_of(FILES("b.pem"), "b.key", NULL), &a);
	CU_ASSERT_EQUAL(a.response.fault_code, 0);
	CU_ASSERT_STRING_EQUAL(text_of(&a, "status"), "operation successful");
	CU_ASSERT(
	    value_is(value_member(a.response.result, "warnings"), VALUE_ARRAY));
	answer_free(&a);
	check_names("other", "bridge.example.com", true);
	CU_ASSERT_EQUAL(
	    fault_of(&door_local, "certificate.activate", NULL, NULL), 0);
	check_names("other", "other", false);
	CU_ASSERT_EQUAL(
	    fault_of(&door_local, "certificate.upload",
		     upload_of(FILES("a.pem", "ca.pem"), "a.key", "secret"),
		     NULL),
	    0);
	check_names("bridge.example.com", "other", true);
	CU_ASSERT_EQUAL(fault_of(&door_local, "certificate.delete", NULL, NULL),
			0);
	CU_ASSERT_EQUAL(
	    fault_of(&door_local, "certificate.activate", NULL, NULL), 0);
	check_names("bridge.example.com", "bridge.example.com", false);
	CU_ASSERT_EQUAL(count_audit("certificateUploaded", "System", "local",
				    "; subject: CN=other"),
			1);
	CU_ASSERT_EQUAL(
	    count_audit("certificateActivated", "System", "local", ""), 2);
	CU_ASSERT_EQUAL(
	    count_audit("certificateDeleted", "System", "local", ""), 1);
}

static char key_id[200];

static struct value *request_params(const char *id, const char *alt_name)
{
	struct value *s = value_new_struct();

	value_put_string(s, "keyId", id);
	value_put_string(value_put_struct(s, "subject"), "cn", "asked");
	value_add_string(value_put_array(s, "subjectAltNames"), alt_name);
	return s;
}

static void test_request(void)
{
	struct value *s = value_new_struct();
	char path[400];
	struct answer a;
	FILE *f;

	value_put_string(s, "keyType", "ecP384");
	call_by(&door_local, "certificate.generateKey", s, &a);
	CU_ASSERT_EQUAL(a.response.fault_code, 0);
	snprintf(key_id, sizeof(key_id), "%s", text_of(&a, "keyId"));
	CU_ASSERT_EQUAL(strlen(key_id), 40);
	answer_free(&a);
	call_by(&door_local, "certificate.createRequest",
		request_params(key_id, "DNS:asked.example.com"), &a);
	CU_ASSERT_EQUAL_FATAL(a.response.fault_code, 0);
	snprintf(path, sizeof(path), "%s/c.csr", dir);
	f = fopen(path, "we");
	CU_ASSERT_PTR_NOT_NULL_FATAL(f);
	fputs(text_of(&a, "request"), f);
	fclose(f);
	answer_free(&a);
	CU_ASSERT_EQUAL(openssl("req -in c.csr -verify -noout"), 0);
	call_by(&door_local, "certificate.query", NULL, &a);
	CU_ASSERT_EQUAL(
	    value_count(value_member(a.response.result, "pendingRequests")), 1);
	answer_free(&a);
	/* Signed elsewhere, it is uploaded without a key. */
	CU_ASSERT_EQUAL(openssl("x509 -req -in c.csr -CA ca.pem -CAkey ca.key "
				"-CAcreateserial -days 50 -out c.pem"),
			0);
	CU_ASSERT_EQUAL(fault_of(&door_local, "certificate.upload",
				 upload_of(FILES("c.pem"), NULL, NULL), NULL),
			0);
	check_names("asked", "bridge.example.com", true);
}

static void test_request_refused(void)
{
	static const struct {
		const char *id, *name;
		int code;
	} rows[] = {
		{ "", "DNS:a", 102 },          { "xyz", "DNS:a", 102 },
		{ "00", "DNS:a", 102 },        { NULL, "nonsense", 102 },
		{ NULL, "IP:999.1.1.1", 102 },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		CU_ASSERT_EQUAL(
		    fault_of(&door_local, "certificate.createRequest",
			     request_params(rows[i].id ? rows[i].id : key_id,
					    rows[i].name),
			     NULL),
		    rows[i].code);
}

static size_t pending_count(void)
{
	struct answer a;
	size_t n;

	call_by(&door_local, "certificate.query", NULL, &a);
	n = value_count(value_member(a.response.result, "pendingRequests"));
	answer_free(&a);
	return n;
}

static int delete_key(const char *id, const char *words)
{
	struct value *s = value_new_struct();

	if (id)
		value_put_string(s, "keyId", id);
	return fault_of(&door_local, "certificate.deleteKey", s, words);
}

/* A key that was never used goes, no other one. */
static void test_delete_key(void)
{
	struct value *s = value_new_struct();
	char id[sizeof(key_id)];
	struct answer a;

	value_put_string(s, "keyType", "ecP256");
	call_by(&door_local, "certificate.generateKey", s, &a);
	snprintf(id, sizeof(id), "%s", text_of(&a, "keyId"));
	answer_free(&a);
	CU_ASSERT_EQUAL(pending_count(), 1);
	CU_ASSERT_EQUAL(delete_key("zz", "keyId"), 102);
	CU_ASSERT_EQUAL(delete_key("00", "no such key"), 102);
	CU_ASSERT_EQUAL(delete_key("", "keyId"), 102);
	CU_ASSERT_EQUAL(delete_key(NULL, "keyId"), 101);
	/* stored, not yet in service */
	CU_ASSERT_EQUAL(delete_key(key_id, "local certificate"), 201);
	CU_ASSERT_EQUAL(count_audit("keyDeleted", "System", "local", ""), 0);
	CU_ASSERT_EQUAL(pending_count(), 1);
	CU_ASSERT_EQUAL(delete_key(id, NULL), 0);
	CU_ASSERT_EQUAL(pending_count(), 0);
	CU_ASSERT_EQUAL(delete_key(id, "no such key"), 102);
	CU_ASSERT_EQUAL(count_audit("keyDeleted", "System", "local", id), 1);
	CU_ASSERT_EQUAL(
	    fault_of(&door_local, "certificate.activate", NULL, NULL), 0);
	CU_ASSERT_EQUAL(delete_key(key_id, "local certificate"), 201);
	check_names("asked", "asked", false);
}

/* A key that a provisioner put there is not ours to remove. */
static void test_delete_foreign_key(void)
{
	CU_ASSERT_EQUAL(
	    test_run("pkcs11-tool --module " TEST_TOKEN_MODULE
		     " --token-label sealbridge --login --pin " TEST_TOKEN_PIN
		     " --keypairgen --key-type "
		     "EC:prime256v1 --id 7777 --label foreign "
		     ">/dev/null 2>&1"),
	    0);
	CU_ASSERT_EQUAL(pending_count(), 1);
	CU_ASSERT_EQUAL(delete_key("7777", "pkcs11-tool"), 201);
	CU_ASSERT_EQUAL(pending_count(), 1);
}

int main(int argc, char **argv)
{
	static const struct unit_test tests[] = {
		{ "default certificate", test_default },
		{ "uploads refused", test_refused },
		{ "examined without change", test_examine },
		{ "upload, activate, delete", test_walk },
		{ "key and request", test_request },
		{ "requests refused", test_request_refused },
		{ "an unused key goes", test_delete_key },
		{ "a foreign key stays", test_delete_foreign_key },
		{ 0 },
	};

	return unit_main(argc, argv, "certificate methods", tests, set_up,
			 api_device_close);
}
