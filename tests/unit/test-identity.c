/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "tests/lib/unit.h"
#include "tests/unit/identity_device.h"

/* The life of the local certificate in a real token: first start, restarts,
 * activation, deletion, keys that wait, keys of others, outages. */

#define P256(n) test_key("ecP256", n)

static void load(struct device *d)
{
	struct error e = ERROR_INIT;

	CHECK_OK(identity_load(d->id, &e), &e);
}

static int try_upload(struct device *d, const struct test_key *key,
		      struct error *e)
{
	char *leaf = leaf_pem(key, "DNS:" HOST), *ca = ca_pem();
	char *chain = test_join(leaf, ca, NULL);
	char *pem = test_key_pem(key, "pkcs8", NULL, NULL);

	int rc = device_upload(d, chain, pem, NULL, NULL, e);

	free(leaf);
	free(ca);
	free(chain);
	free(pem);
	return rc;
}

/* A custom pair is stored. */
static void upload(struct device *d, const struct test_key *key)
{
	struct error e = ERROR_INIT;

	CHECK_OK(try_upload(d, key, &e), &e);
}

static void test_first_start(void)
{
	struct error e = ERROR_INIT;
	struct local_identity *l;
	const struct cert *c;
	struct device d;
	uint8_t sha256[SHA256_SIZE];
	int64_t before;

	device_make(&d);
	CU_ASSERT_PTR_NULL(identity_in_service(d.id));
	CU_ASSERT_PTR_NULL(identity_stored(d.id));
	CU_ASSERT(!identity_restart_required(d.id));
	load(&d);
	check_stored(&d, NULL);
	check_in_service(&d, NULL);
	l = identity_in_service(d.id);
	c = l->chain.items[0];
	CU_ASSERT_STRING_EQUAL(cert_subject(c)->cn, HOST);
	CU_ASSERT_EQUAL_FATAL(cert_alt_name_count(c), 3);
	CU_ASSERT_STRING_EQUAL(cert_alt_name(c, 0), "DNS:" HOST);
	CU_ASSERT_STRING_EQUAL(cert_alt_name(c, 1), "IP:192.0.2.10");
	CU_ASSERT_STRING_EQUAL(cert_alt_name(c, 2), "IP:2001:db8::10");
	CU_ASSERT(cert_not_before(c) <= time(NULL));
	CU_ASSERT(cert_not_after(c) > time(NULL) + 3649L * 86400);
	CU_ASSERT(!cert_is_ca(c));
	memcpy(sha256, cert_sha256(c), sizeof(sha256));
	local_identity_unref(l);
	CU_ASSERT_EQUAL(test_run("pkcs11-tool --module %s --login --pin %s -O "
				 "2>/dev/null >%s/list",
				 TEST_TOKEN_MODULE, TEST_TOKEN_PIN,
				 d.files.dir),
			0);
	CU_ASSERT_EQUAL(
	    test_run("grep -q 'sealbridge local key' %s/list && "
		     "grep -q 'sealbridge local certificate' %s/list && "
		     "grep -q 'sealbridge manifest identity' %s/list",
		     d.files.dir, d.files.dir, d.files.dir),
	    0);
	/* Again: the same pair, nothing new in the token. */
	device_close(&d);
	d.token = test_token_open(&d.files);
	d.id = device_identity(d.token, 1);
	before = clock_monotonic_ms();
	CHECK_OK(identity_load(d.id, &e), &e);
	unit_note("loading what is there: %d ms",
		  (int)(clock_monotonic_ms() - before));
	l = identity_in_service(d.id);
	CU_ASSERT_EQUAL(
	    memcmp(sha256, cert_sha256(l->chain.items[0]), sizeof(sha256)), 0);
	local_identity_unref(l);
	CU_ASSERT_EQUAL(count_keys(&d), 1);
	CU_ASSERT_EQUAL(count_pending(&d), 0);
	device_close(&d);
}

/* Whatever the host is called, the first start succeeds. */
static void test_host_names(void)
{
	static const struct {
		const char *host, *cn, *alt;
	} rows[] = {
		{ "192.0.2.1", "192.0.2.1", "IP:192.0.2.1" },
		{ "", "sealbridge", NULL },
		{ "a b", "sealbridge", NULL },
		{ "x\ny", "sealbridge", NULL },
		{ "h.a23456789012345678901234567890123456789012345678901234567"
		  "890123.example",
		  "h",
		  "DNS:h.a2345678901234567890123456789012345678901234567890123"
		  "4567890123.example" },
		{ "a2345678901234567890123456789012345678901234567890123456789"
		  "01234",
		  "sealbridge", NULL },
	};
	static const char *const odd[] = { "fe80::1%eth0", "", "x", "192.0.2.1",
					   "192.0.2.1" };

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct error e = ERROR_INIT;
		struct identity_options o = { .host_name = rows[i].host,
					      .addresses = odd,
					      .address_count = 5,
					      .default_key = KEY_KIND_EC_P384 };
		struct local_identity *l;
		struct device d;

		device_make(&d);
		identity_free(d.id);
		o.token = d.token;
		d.id = identity_new(&o, &e);
		CHECK_OK(identity_load(d.id, &e), &e);
		l = identity_stored(d.id);
		CU_ASSERT_STRING_EQUAL(cert_subject(l->chain.items[0])->cn,
				       rows[i].cn);
		CU_ASSERT_STRING_EQUAL(cert_alt_name(l->chain.items[0], 0),
				       rows[i].alt ? rows[i].alt
						   : "IP:192.0.2.1");
		CU_ASSERT_STRING_EQUAL(cert_key_text(l->chain.items[0]),
				       "EC P-384");
		local_identity_unref(l);
		device_close(&d);
	}
}

static unsigned told;
static struct local_identity *told_of;

static bool refuse_check, refuse_present;

static int check(const struct local_identity *l, void *arg, struct error *e)
{
	CU_ASSERT_PTR_EQUAL(arg, &told);
	CU_ASSERT_PTR_NOT_NULL(l->key);
	return refuse_check ? error_set(e, ERR_CERTIFICATE, "not presentable")
			    : 0;
}

static int present(const struct local_identity *l, void *arg, struct error *e)
{
	CU_ASSERT_PTR_EQUAL(arg, &told);
	if (refuse_present)
		return error_set(e, ERR_TLS, "no context");
	told++;
	local_identity_unref(told_of);
	told_of = local_identity_ref(l);
	return 0;
}

static const struct identity_presenter presenter = { check, present, &told };

/* What cannot be presented is refused before it is stored; what turns out so
 * later leaves in service what was. */
static void test_not_presentable(void)
{
	struct error e = ERROR_INIT;
	struct local_identity *l;
	struct device d;

	device_make(&d);
	identity_set_presenter(d.id, &presenter);
	load(&d);
	refuse_check = true;
	CHECK_FAILS(try_upload(&d, P256(1), &e), &e, ERR_CERTIFICATE,
		    "not presentable");
	CU_ASSERT(!identity_restart_required(d.id));
	check_stored(&d, NULL);
	refuse_check = false;
	upload(&d, P256(1));
	refuse_present = true;
	CHECK_FAILS(identity_activate(d.id, &e), &e, ERR_TLS, "no context");
	check_in_service(&d, NULL);
	CU_ASSERT(identity_restart_required(d.id));
	refuse_present = false;
	CHECK_OK(identity_activate(d.id, &e), &e);
	check_in_service(&d, P256(1));
	/* At a start nothing is in service yet. */
	refuse_present = true;
	local_identity_unref(told_of);
	told_of = NULL;
	device_close(&d);
	d.token = test_token_open(&d.files);
	d.id = device_identity(d.token, 1);
	identity_set_presenter(d.id, &presenter);
	CHECK_FAILS(identity_load(d.id, &e), &e, ERR_TLS, "no context");
	l = identity_in_service(d.id);
	CU_ASSERT_PTR_NULL(l);
	refuse_present = false;
	CHECK_OK(identity_load(d.id, &e), &e);
	check_in_service(&d, P256(1));
	local_identity_unref(told_of);
	told_of = NULL;
	device_close(&d);
}

static void test_activate(void)
{
	struct error e = ERROR_INIT;
	struct local_identity *l;
	struct device d;

	device_make(&d);
	told = 0;
	identity_set_presenter(d.id, &presenter);
	CHECK_FAILS(identity_activate(d.id, &e), &e, ERR_CONFLICT, "not read");
	load(&d);
	CU_ASSERT_EQUAL(told, 1);
	CHECK_FAILS(identity_activate(d.id, &e), &e, ERR_CONFLICT,
		    "in service");
	upload(&d, P256(1));
	CU_ASSERT_EQUAL(told, 1);
	CU_ASSERT(identity_restart_required(d.id));
	check_stored(&d, P256(1));
	check_in_service(&d, NULL);
	CHECK_OK(identity_activate(d.id, &e), &e);
	CU_ASSERT_EQUAL(told, 2);
	CU_ASSERT(!identity_restart_required(d.id));
	check_in_service(&d, P256(1));
	l = identity_in_service(d.id);
	CU_ASSERT_PTR_EQUAL(l, told_of);
	CU_ASSERT_EQUAL(l->chain.count, 2);
	local_identity_unref(l);
	CHECK_FAILS(identity_activate(d.id, &e), &e, ERR_CONFLICT, NULL);
	/* Loading again, as after an outage, changes nothing. */
	load(&d);
	CU_ASSERT_EQUAL(told, 2);
	check_in_service(&d, P256(1));
	local_identity_unref(told_of);
	told_of = NULL;
	device_close(&d);
}

/* Waits until the token has so many keys, at most a minute. */
static void wait_for_keys(struct device *d, size_t n)
{
	for (int i = 0; i < 600 && count_keys(d) != n; i++)
		usleep(100000);
	CU_ASSERT_EQUAL(count_keys(d), n);
}

static void test_replaced_keys_go(void)
{
	struct error e = ERROR_INIT;
	struct device d;

	device_make(&d);
	load(&d);
	upload(&d, P256(1));
	CU_ASSERT_EQUAL(count_keys(&d), 2);
	/* Never in service: goes at once. */
	upload(&d, P256(2));
	CU_ASSERT(!token_has(&d, P256(1)));
	CHECK_OK(identity_activate(d.id, &e), &e);
	/* In service: stays until the next one is in service. */
	upload(&d, P256(3));
	CU_ASSERT(token_has(&d, P256(2)));
	CHECK_OK(identity_activate(d.id, &e), &e);
	wait_for_keys(&d, 2);
	CU_ASSERT(!token_has(&d, P256(2)));
	/* The same over restarts. */
	upload(&d, P256(4));
	CU_ASSERT_EQUAL(count_keys(&d), 3);
	device_restart(&d);
	CU_ASSERT_EQUAL(count_keys(&d), 2);
	check_in_service(&d, P256(4));
	CU_ASSERT(!identity_restart_required(d.id));
	device_close(&d);
}

static void test_grace(void)
{
	struct error e = ERROR_INIT;
	struct device d;

	device_make(&d);
	identity_free(d.id);
	d.id = device_identity(d.token, 0);
	load(&d);
	upload(&d, P256(1));
	CHECK_OK(identity_activate(d.id, &e), &e);
	upload(&d, P256(2));
	CHECK_OK(identity_activate(d.id, &e), &e);
	/* Half a minute for handshakes that have begun. */
	usleep(300000);
	CU_ASSERT(token_has(&d, P256(1)));
	upload(&d, P256(3));
	CU_ASSERT(token_has(&d, P256(1)));
	/* A restart ends it. */
	device_restart(&d);
	CU_ASSERT(!token_has(&d, P256(1)));
	CU_ASSERT(!token_has(&d, P256(2)));
	device_close(&d);
}

static void test_delete(void)
{
	struct error e = ERROR_INIT;
	struct local_identity *before, *after;
	struct device d;

	device_make(&d);
	load(&d);
	before = identity_stored(d.id);
	CHECK_FAILS(identity_delete(d.id, &e), &e, ERR_CONFLICT, "own");
	upload(&d, P256(1));
	CHECK_OK(identity_delete(d.id, &e), &e);
	check_stored(&d, NULL);
	after = identity_stored(d.id);
	CU_ASSERT(cert_equal(before->chain.items[0], after->chain.items[0]));
	local_identity_unref(before);
	local_identity_unref(after);
	CU_ASSERT(!identity_restart_required(d.id));
	CU_ASSERT_EQUAL(count_keys(&d), 1);
	/* While it is in service it stays. */
	upload(&d, P256(2));
	CHECK_OK(identity_activate(d.id, &e), &e);
	CHECK_OK(identity_delete(d.id, &e), &e);
	CU_ASSERT(identity_restart_required(d.id));
	check_in_service(&d, P256(2));
	CHECK_OK(identity_activate(d.id, &e), &e);
	wait_for_keys(&d, 1);
	check_in_service(&d, NULL);
	device_restart(&d);
	check_stored(&d, NULL);
	device_close(&d);
}

static char *request_and_sign(struct device *d, const struct token_id *id)
{
	static const char *const names[] = { "DNS:" HOST, "IP:192.0.2.10" };
	const struct subject_parts subject = { .o = "Example", .cn = HOST };
	struct error e = ERROR_INIT;
	const char *dir = d->files.dir;
	char *ca_key = test_key_pem(P256(90), "pkcs8", NULL, NULL);
	char *ca = ca_pem(), path[400], *leaf;
	struct buf pem;

	buf_init(&pem, 65536);
	CHECK_OK(
	    identity_create_request(d->id, id, &subject, names, 2, &pem, &e),
	    &e);
	snprintf(path, sizeof(path), "%s/r.csr", dir);
	test_write_file(path, buf_cstr(&pem));
	snprintf(path, sizeof(path), "%s/ca.key", dir);
	test_write_file(path, ca_key);
	snprintf(path, sizeof(path), "%s/ca.cer", dir);
	test_write_file(path, ca);
	test_openssl("x509 -req -in %s/r.csr -CA %s/ca.cer -CAkey %s/ca.key "
		     "-set_serial 7 -days 90 -copy_extensions copy "
		     "-out %s/r.cer",
		     dir, dir, dir, dir);
	snprintf(path, sizeof(path), "%s/r.cer", dir);
	leaf = test_read_file(path);
	buf_free(&pem);
	free(ca_key);
	free(ca);
	return leaf;
}

static void test_request(void)
{
	static const enum key_kind kinds[] = { KEY_KIND_RSA2048,
					       KEY_KIND_EC_P256,
					       KEY_KIND_EC_P384 };
	struct error e = ERROR_INIT;
	struct identity_warnings w;
	struct token_id id, wrong = { .bytes = { 1 }, .len = 1 };
	struct local_identity *l;
	struct buf pem;
	struct device d;

	device_make(&d);
	load(&d);
	for (int i = 0; i < 3; i++) {
		char *leaf;

		CHECK_OK(identity_generate_key(d.id, kinds[i], &id, &e), &e);
		CU_ASSERT_EQUAL(id.len, SHA1_SIZE);
		CU_ASSERT_EQUAL(count_pending(&d), 1);
		device_restart(&d);
		CU_ASSERT_EQUAL(count_pending(&d), 1);
		leaf = request_and_sign(&d, &id);
		CHECK_OK(device_upload(&d, leaf, NULL, NULL, &w, &e), &e);
		CU_ASSERT_EQUAL(count_pending(&d), 0);
		l = identity_stored(d.id);
		CU_ASSERT_EQUAL(cert_alt_name_count(l->chain.items[0]), 2);
		check_whole(&d, l);
		local_identity_unref(l);
		free(leaf);
	}
	/* The replaced ones have gone, the used one goes with its
	 * certificate. */
	device_restart(&d);
	CU_ASSERT_EQUAL(count_keys(&d), 2);
	CHECK_OK(identity_delete(d.id, &e), &e);
	device_restart(&d);
	CU_ASSERT_EQUAL(count_keys(&d), 1);
	buf_init(&pem, 1000);
	CHECK_FAILS(identity_create_request(
			d.id, &wrong, &(struct subject_parts){ .cn = "x" },
			NULL, 0, &pem, &e),
		    &e, ERR_NOT_FOUND, "no such key");
	CHECK_FAILS(
	    identity_create_request(d.id, &(struct token_id){ .len = 0 },
				    &(struct subject_parts){ .cn = "x" }, NULL,
				    0, &pem, &e),
	    &e, ERR_NOT_FOUND, "no such key");
	device_close(&d);
}

static void test_waiting_keys_limit(void)
{
	struct error e = ERROR_INIT;
	struct token_id id;
	struct device d;

	device_make(&d);
	load(&d);
	for (int i = 0; i < 48; i++)
		CHECK_OK(identity_generate_key(d.id, KEY_KIND_EC_P256, &id, &e),
			 &e);
	CHECK_FAILS(identity_generate_key(d.id, KEY_KIND_EC_P256, &id, &e), &e,
		    ERR_LIMIT, "48 keys wait");
	CU_ASSERT_EQUAL(count_pending(&d), 48);
	/* Uploads go on, and none of them is removed. */
	upload(&d, P256(1));
	upload(&d, P256(2));
	device_restart(&d);
	CU_ASSERT_EQUAL(count_pending(&d), 48);
	CU_ASSERT_EQUAL(count_keys(&d), 50);
	device_close(&d);
}

/* A key that somebody made with pkcs11-tool, whatever its label, is used and
 * outlives its certificate. */
static void test_provisioned(void)
{
	static const char *const labels[] = { "provisioned",
					      "sealbridge local key" };
	struct token_key_info info;
	struct error e = ERROR_INIT;
	struct device d;
	size_t n;

	for (int i = 0; i < 2; i++) {
		char *leaf;

		device_make(&d);
		load(&d);
		device_close(&d);
		CU_ASSERT_EQUAL_FATAL(
		    test_run("pkcs11-tool --module %s --login --pin %s "
			     "--keypairgen --key-type EC:prime256v1 --id 4711 "
			     "--label '%s' >/dev/null 2>&1",
			     TEST_TOKEN_MODULE, TEST_TOKEN_PIN, labels[i]),
		    0);
		device_restart(&d);
		CHECK_OK(identity_pending_keys(d.id, &info, 1, &n, &e), &e);
		CU_ASSERT_EQUAL_FATAL(n, 1);
		CU_ASSERT_EQUAL(info.id.len, 2);
		CU_ASSERT_STRING_EQUAL(info.label, labels[i]);
		leaf = request_and_sign(&d, &info.id);
		CHECK_OK(device_upload(&d, leaf, NULL, NULL, NULL, &e), &e);
		CHECK_OK(identity_activate(d.id, &e), &e);
		CU_ASSERT_EQUAL(count_pending(&d), 0);
		/* The certificate has the CKA_ID of the key. */
		CU_ASSERT_EQUAL(
		    test_run("pkcs11-tool --module %s -O --type cert "
			     "2>/dev/null | grep -q 'ID: *4711'",
			     TEST_TOKEN_MODULE),
		    0);
		CHECK_OK(identity_delete(d.id, &e), &e);
		device_restart(&d);
		CU_ASSERT_EQUAL(count_keys(&d), 2);
		CU_ASSERT_EQUAL(count_pending(&d), 1);
		free(leaf);
		device_close(&d);
	}
}

static void remove_key(struct device *d, const struct public_key *pub)
{
	struct error e = ERROR_INIT;

	CHECK_OK(token_key_delete(d->token, pub, &e), &e);
}

static void test_missing_keys(void)
{
	struct error e = ERROR_INIT;
	enum identity_key_status status;
	struct local_identity *l;
	struct public_key pub;
	struct device d;

	device_make(&d);
	load(&d);
	upload(&d, P256(1));
	test_key_public(P256(1), &pub);
	remove_key(&d, &pub);
	CHECK_FAILS(identity_activate(d.id, &e), &e, ERR_NOT_FOUND, NULL);
	device_restart(&d);
	/* The page still shows it, the wire has the default one. */
	l = identity_stored(d.id);
	CU_ASSERT_EQUAL(l->source, IDENTITY_CUSTOM);
	CU_ASSERT_PTR_NULL(l->key);
	CHECK_OK(identity_key_status(d.id, l, &status, &e), &e);
	CU_ASSERT_EQUAL(status, IDENTITY_KEY_MISSING);
	CU_ASSERT_STRING_EQUAL(identity_key_status_name(status), "missing");
	local_identity_unref(l);
	check_in_service(&d, NULL);
	CU_ASSERT(identity_restart_required(d.id));
	CHECK_FAILS(identity_activate(d.id, &e), &e, ERR_KEY_MISMATCH,
		    "not in the token");
	/* Uploading it again mends it. */
	upload(&d, P256(1));
	check_stored(&d, P256(1));
	CHECK_OK(identity_delete(d.id, &e), &e);
	/* Without its own key the device makes a new pair. */
	l = identity_stored(d.id);
	pub = *token_key_public(l->key);
	local_identity_unref(l);
	remove_key(&d, &pub);
	device_restart(&d);
	check_in_service(&d, NULL);
	CU_ASSERT_EQUAL(count_keys(&d), 1);
	device_close(&d);
}

static void test_damaged_set(void)
{
	struct error e = ERROR_INIT;
	struct device d;

	for (int i = 0; i < 2; i++) {
		device_make(&d);
		load(&d);
		upload(&d, P256(1));
		device_close(&d);
		CU_ASSERT_EQUAL_FATAL(
		    test_run("pkcs11-tool --module %s --login --pin %s "
			     "--delete-object --type cert "
			     "--label 'sealbridge local certificate' "
			     ">/dev/null 2>&1",
			     TEST_TOKEN_MODULE, TEST_TOKEN_PIN),
		    0);
		d.token = test_token_open(&d.files);
		d.id = device_identity(d.token, 1);
		CHECK_FAILS(identity_load(d.id, &e), &e, ERR_CONFLICT,
			    "damaged");
		CU_ASSERT_PTR_NULL(identity_in_service(d.id));
		error_clear(&e);
		if (i)
			upload(&d, P256(2));
		else
			CHECK_OK(identity_delete(d.id, &e), &e);
		check_in_service(&d, i ? P256(2) : NULL);
		device_restart(&d);
		check_in_service(&d, i ? P256(2) : NULL);
		device_close(&d);
	}
}

static void test_outage(void)
{
	struct error e = ERROR_INIT;
	struct identity_warnings w;
	struct device d;
	struct token_options o;

	memset(&d, 0, sizeof(d));
	test_token_make(&d.files);
	CU_ASSERT_EQUAL_FATAL(test_run("mv %s/tokens %s/away && "
				       "mkdir %s/tokens",
				       d.files.dir, d.files.dir, d.files.dir),
			      0);
	o = test_token_options(&d.files);
	d.token = token_new(&o, &e);
	CHECK_OBJECT(d.token, &e);
	CU_ASSERT_EQUAL(token_start(d.token, &e), -1);
	d.id = device_identity(d.token, 1);
	CHECK_FAILS(identity_load(d.id, &e), &e, ERR_TOKEN, NULL);
	CHECK_FAILS(identity_delete(d.id, &e), &e, ERR_TOKEN, NULL);
	CU_ASSERT_PTR_NULL(identity_in_service(d.id));
	{
		char *leaf = leaf_pem(P256(1), NULL);
		char *key = test_key_pem(P256(1), "sec1", NULL, NULL);

		CHECK_FAILS(device_upload(&d, leaf, key, NULL, &w, &e), &e,
			    ERR_TOKEN, NULL);
		free(leaf);
		free(key);
	}
	CU_ASSERT_EQUAL_FATAL(test_run("rmdir %s/tokens && mv %s/away "
				       "%s/tokens",
				       d.files.dir, d.files.dir, d.files.dir),
			      0);
	for (int i = 0; i < 300; i++) {
		error_clear(&e);
		if (identity_load(d.id, &e) == 0)
			break;
		usleep(100000);
	}
	check_in_service(&d, NULL);
	upload(&d, P256(1));
	device_restart(&d);
	check_in_service(&d, P256(1));
	device_close(&d);
}

static void test_expired_meanwhile(void)
{
	struct error e = ERROR_INIT;
	struct identity_warnings w;
	time_t past = time(NULL) - 1000000;
	char *key = test_key_pem(P256(1), "sec1", NULL, NULL);
	char *leaf = test_cert_pem(
	    &(struct test_cert_options){ .subject = "/CN=" HOST,
					 .key = P256(1),
					 .not_before = past - 100,
					 .not_after = past + 100 });
	struct device d;

	device_make(&d);
	load(&d);
	CHECK_FAILS(device_upload(&d, leaf, key, NULL, &w, &e), &e,
		    ERR_CERTIFICATE, "expired on");
	CHECK_OK(identity_upload(d.id, view_str(leaf), view_str(key),
				 view_str(""), past, &w, &e),
		 &e);
	device_restart(&d);
	check_in_service(&d, P256(1));
	free(key);
	free(leaf);
	device_close(&d);
}

/* An interrupted first start leaves a key; the next one takes it. */
static void test_abandoned_first_key(void)
{
	struct error e = ERROR_INIT;
	struct token_key *k;
	struct device d;

	device_make(&d);
	k = token_key_generate(d.token, KEY_KIND_EC_P256,
			       "sealbridge local key", &e);
	CHECK_OBJECT(k, &e);
	token_key_unref(k);
	load(&d);
	CU_ASSERT_EQUAL(count_keys(&d), 1);
	check_in_service(&d, NULL);
	device_close(&d);
}

static atomic_bool reading;

static void *read_snapshots(void *arg)
{
	struct device *d = arg;

	while (atomic_load(&reading)) {
		struct local_identity *a = identity_in_service(d->id);
		struct local_identity *b = identity_stored(d->id);

		if (!a || !b || !a->chain.count || !b->chain.count)
			abort();
		(void)identity_restart_required(d->id);
		local_identity_unref(a);
		local_identity_unref(b);
	}
	return NULL;
}

static void *change(void *arg)
{
	struct device *d = arg;
	struct error e = ERROR_INIT;

	for (int i = 0; i < 10; i++) {
		error_clear(&e);
		if (identity_activate(d->id, &e) < 0 && e.kind != ERR_CONFLICT)
			abort();
		usleep(1000);
	}
	return NULL;
}

static void test_threads(void)
{
	struct error e = ERROR_INIT;
	pthread_t readers[3], changer;
	struct device d;

	device_make(&d);
	load(&d);
	atomic_store(&reading, true);
	for (int i = 0; i < 3; i++)
		pthread_create(&readers[i], NULL, read_snapshots, &d);
	pthread_create(&changer, NULL, change, &d);
	for (int i = 0; i < 6; i++)
		upload(&d, P256((unsigned)i % 2));
	pthread_join(changer, NULL);
	atomic_store(&reading, false);
	for (int i = 0; i < 3; i++)
		pthread_join(readers[i], NULL);
	if (identity_restart_required(d.id))
		CHECK_OK(identity_activate(d.id, &e), &e);
	check_in_service(&d, P256(1));
	device_close(&d);
}

static const struct unit_test tests[] = {
	{ "first start and the next ones", test_first_start },
	{ "odd host names and addresses", test_host_names },
	{ "stored, in service, activation", test_activate },
	{ "not presentable", test_not_presentable },
	{ "replaced keys go", test_replaced_keys_go },
	{ "a key that leaves service stays a while", test_grace },
	{ "deletion returns to the own pair", test_delete },
	{ "key, request, certificate", test_request },
	{ "limit of waiting keys", test_waiting_keys_limit },
	{ "keys of a provisioner", test_provisioned },
	{ "keys that somebody removed", test_missing_keys },
	{ "certificates that somebody removed", test_damaged_set },
	{ "token lost and back", test_outage },
	{ "expired meanwhile", test_expired_meanwhile },
	{ "key of an interrupted first start", test_abandoned_first_key },
	{ "readers and changers at once", test_threads },
	{ NULL, NULL },
};

int main(int argc, char **argv)
{
	log_set_level(LOG_LEVEL_ERROR);
	return unit_main(argc, argv, "identity", tests, NULL, NULL);
}
