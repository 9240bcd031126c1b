/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/secret.h"
#include "tests/unit/trust_device.h"

/* What may come through the door of a trust store, and what stays of it. */

static struct trust_device dev;
static char *missing; /* a path where no file is */

static int setup(void)
{
	struct error e = ERROR_INIT;

	trust_tests_in_memory();
	trust_device_make(&dev);
	missing = test_join(dev.files.dir, "/missing.pem", NULL);
	return trust_load(dev.trust, &e);
}

static int teardown(void)
{
	trust_device_close(&dev);
	free(missing);
	return 0;
}

static void test_names(void)
{
	enum trust_store_id id;

	for (int i = 0; i < TRUST_STORE_COUNT; i++) {
		CU_ASSERT_EQUAL(
		    trust_store_from_name(
			trust_store_name((enum trust_store_id)i), &id),
		    0);
		CU_ASSERT_EQUAL(id, i);
	}
	CU_ASSERT_EQUAL(trust_store_from_name("HTTPS", &id), -1);
	CU_ASSERT_EQUAL(trust_store_from_name("", &id), -1);
	CU_ASSERT_EQUAL(trust_store_from_name("callhome", &id), -1);
	CU_ASSERT_STRING_EQUAL(trust_store_title(TRUST_CALL_HOME),
			       "Call Home trust store");
	CU_ASSERT(trust_store_has_factory(TRUST_CALL_HOME));
	CU_ASSERT_FALSE(trust_store_has_factory(TRUST_SIP));
}

/* --- the factory content -------------------------------------------------- */

static void test_first_start(void)
{
	struct trust_snapshot *s;

	CU_ASSERT(trust_is_loaded(dev.trust));
	CU_ASSERT_EQUAL(store_source(&dev, TRUST_HTTPS), TRUST_NONE);
	CU_ASSERT_EQUAL(store_source(&dev, TRUST_SIP), TRUST_NONE);
	CU_ASSERT_EQUAL(store_count(&dev, TRUST_HTTPS), 0);
	s = trust_snapshot(dev.trust, TRUST_CALL_HOME);
	CU_ASSERT_PTR_NOT_NULL_FATAL(s);
	CU_ASSERT_EQUAL(s->source, TRUST_DEFAULT);
	CU_ASSERT_EQUAL_FATAL(s->certificates.count, 1);
	CU_ASSERT_STRING_EQUAL(cert_subject(s->certificates.items[0])->cn,
			       "IdenTrust Commercial Root CA 1");
	CU_ASSERT_STRING_EQUAL(s->problem, "");
	trust_snapshot_unref(s);
	/* It is written, once. */
	dev.factory_file = missing;
	trust_device_restart(&dev);
	CU_ASSERT_EQUAL(store_source(&dev, TRUST_CALL_HOME), TRUST_DEFAULT);
	CU_ASSERT_EQUAL(store_count(&dev, TRUST_CALL_HOME), 1);
	dev.factory_file = NULL;
	trust_device_restart(&dev);
}

static void test_delete_and_reset(void)
{
	struct error e = ERROR_INIT;
	size_t n = 0;

	CHECK_OK(trust_store_delete(dev.trust, TRUST_CALL_HOME, &n, &e), &e);
	CU_ASSERT_EQUAL(n, 1);
	CU_ASSERT_EQUAL(store_source(&dev, TRUST_CALL_HOME), TRUST_NONE);
	/* What was deleted stays deleted. */
	trust_device_restart(&dev);
	CU_ASSERT_EQUAL(store_source(&dev, TRUST_CALL_HOME), TRUST_NONE);
	CU_ASSERT_EQUAL(store_count(&dev, TRUST_CALL_HOME), 0);
	CHECK_FAILS(trust_store_delete(dev.trust, TRUST_CALL_HOME, &n, &e), &e,
		    ERR_TRUST_EMPTY, "Call Home trust store is empty");
	CHECK_OK(trust_store_reset(dev.trust, TRUST_CALL_HOME, &n, &e), &e);
	CU_ASSERT_EQUAL(n, 1);
	CU_ASSERT_EQUAL(store_source(&dev, TRUST_CALL_HOME), TRUST_DEFAULT);
	CHECK_OK(trust_upload(&dev, TRUST_CALL_HOME, authority(1), NULL, &e),
		 &e);
	CU_ASSERT_EQUAL(store_source(&dev, TRUST_CALL_HOME), TRUST_UPLOADED);
	trust_device_restart(&dev);
	CU_ASSERT(store_holds(&dev, TRUST_CALL_HOME, 1, 1));
	CU_ASSERT_EQUAL(store_source(&dev, TRUST_CALL_HOME), TRUST_UPLOADED);
	CHECK_OK(trust_store_reset(dev.trust, TRUST_CALL_HOME, &n, &e), &e);
	CHECK_FAILS(trust_store_reset(dev.trust, TRUST_HTTPS, &n, &e), &e,
		    ERR_UNSUPPORTED, "HTTPS trust store has no factory");
	CHECK_FAILS(trust_store_delete(dev.trust, TRUST_SIP, &n, &e), &e,
		    ERR_TRUST_EMPTY, "SIP trust store");
}

static void with_factory(const char *text, enum error_kind kind,
			 const char *words)
{
	char *path = test_join(dev.files.dir, "/factory.pem", NULL);
	struct error e = ERROR_INIT;
	size_t n;

	if (text)
		test_write_file(path, text);
	dev.factory_file = text ? path : missing;
	trust_device_restart(&dev);
	CHECK_FAILS(trust_store_reset(dev.trust, TRUST_CALL_HOME, &n, &e), &e,
		    kind, words);
	CU_ASSERT_EQUAL(store_source(&dev, TRUST_CALL_HOME), TRUST_DEFAULT);
	dev.factory_file = NULL;
	free(path);
}

static void test_factory_refused(void)
{
	char *large = calloc(1, 70000);

	memset(large, 'x', 69999);
	with_factory(NULL, ERR_NOT_FOUND, "is not installed");
	with_factory("nonsense\n", ERR_CERTIFICATE, "factory.pem");
	with_factory(large, ERR_LIMIT, "larger than");
	free(large);
	trust_device_restart(&dev);
}

/* --- good bundles --------------------------------------------------------- */

/* With CR LF in place of LF. */
static char *with_crlf(const char *text)
{
	char *out = calloc(2, strlen(text) + 1), *to = out;

	for (; *text; text++) {
		if (*text == '\n')
			*to++ = '\r';
		*to++ = *text;
	}
	return out;
}

#define DUMP                                                          \
	"Certificate:\n    Data:\n        Version: 3 (0x2)\n        " \
	"Signature Algorithm: ecdsa-with-SHA256\n -- dashes -----\n\n"

static void test_good(void)
{
	char *crlf = with_crlf(authority(2));
	const struct {
		const char *name;
		char *text;
		size_t count;
	} rows[] = {
		{ "one", test_join(authority(1), NULL), 1 },
		{ "two", test_join(authority(1), authority(2), NULL), 2 },
		{ "comments",
		  test_join("# my CAs\n", authority(1), "\n\n; the other\n",
			    authority(2), "the end", NULL),
		  2 },
		{ "CRLF", test_join(crlf, "\r\n\r\n", crlf, NULL), 1 },
		{ "mixed ends", test_join(authority(1), crlf, NULL), 2 },
		{ "blank lines",
		  test_join("\n\n\n", authority(1), "\n \n\t\n", authority(2),
			    "\n\n", NULL),
		  2 },
		{ "text dumps",
		  test_join(DUMP, authority(1), DUMP, authority(2), DUMP, NULL),
		  2 },
		{ "duplicates",
		  test_join(authority(1), authority(2), authority(1),
			    authority(2), authority(1), NULL),
		  2 },
		{ "a CRL among them",
		  test_join(authority(1),
			    "-----BEGIN X509 CRL-----\nAAAA\n"
			    "-----END X509 CRL-----\n",
			    authority(2), NULL),
		  2 },
		{ "byte order mark",
		  test_join("\xef\xbb\xbf", authority(1), NULL), 1 },
	};
	struct error e = ERROR_INIT;

	free(crlf);
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		size_t count = 0;

		unit_note("%s", rows[i].name);
		CHECK_OK(
		    trust_upload(&dev, TRUST_SIP, rows[i].text, &count, &e),
		    &e);
		CU_ASSERT_EQUAL(count, rows[i].count);
		CU_ASSERT_EQUAL(store_count(&dev, TRUST_SIP), rows[i].count);
		CU_ASSERT_EQUAL(store_source(&dev, TRUST_SIP), TRUST_UPLOADED);
		free(rows[i].text);
	}
}

static void test_order_and_restart(void)
{
	struct error e = ERROR_INIT;
	char *ten = authorities(10, 10), *five = authorities(12, 5);

	CHECK_OK(trust_upload(&dev, TRUST_HTTPS, ten, NULL, &e), &e);
	CHECK_OK(trust_upload(&dev, TRUST_SIP, five, NULL, &e), &e);
	CU_ASSERT(store_holds(&dev, TRUST_HTTPS, 10, 10));
	trust_device_restart(&dev);
	CU_ASSERT(store_holds(&dev, TRUST_HTTPS, 10, 10));
	CU_ASSERT(store_holds(&dev, TRUST_SIP, 12, 5));
	/* One store's change leaves the others alone. */
	CHECK_OK(trust_upload(&dev, TRUST_HTTPS, five, NULL, &e), &e);
	trust_device_restart(&dev);
	CU_ASSERT(store_holds(&dev, TRUST_HTTPS, 12, 5));
	CU_ASSERT(store_holds(&dev, TRUST_SIP, 12, 5));
	CU_ASSERT_EQUAL(store_source(&dev, TRUST_CALL_HOME), TRUST_DEFAULT);
	free(ten);
	free(five);
}

/* --- refusals ------------------------------------------------------------- */

static char *bad_base64(const char *pem)
{
	char *text = test_join(pem, NULL);

	text[strlen(text) / 2] = '*';
	return text;
}

static char *without_end(const char *pem)
{
	char *text = test_join(pem, NULL);

	*strstr(text, "-----END") = '\0';
	return text;
}

static char *huge_text(void)
{
	size_t n = (size_t)BUNDLE_BYTES_MAX + 1;
	char *text = malloc(n + 1);

	memset(text, 'x', n);
	text[n] = '\0';
	return text;
}

static void test_refused(void)
{
	char *good = authorities(20, 3);
	char *torn = bad_base64(authority(1));
	char *open = without_end(authority(1));
	char *key = test_key_pem(test_key("ecP256", 1), "pkcs8", NULL, NULL);
	char *rsa = test_key_pem(test_key("rsa2048", 0), "pkcs1", "AES-256-CBC",
				 "secret");
	char *der = test_pem("CERTIFICATE", "\x30\x03\x02\x01\x01", 5);
	char *many = authorities(100, 1001);
	struct {
		const char *name;
		char *text;
		enum error_kind kind;
		const char *words;
	} rows[] = {
		{ "empty", test_join("", NULL), ERR_CERTIFICATE,
		  "holds no certificate" },
		{ "blank", test_join("\n \r\n", NULL), ERR_CERTIFICATE,
		  "holds no certificate" },
		{ "words", test_join("Dear Sir,\n", NULL), ERR_CERTIFICATE,
		  "holds no certificate" },
		{ "only a key", test_join(key, NULL), ERR_CERTIFICATE,
		  "private key" },
		{ "a key among them", test_join(authority(1), key, NULL),
		  ERR_CERTIFICATE, "private key" },
		{ "an encrypted key", test_join(authority(1), rsa, NULL),
		  ERR_CERTIFICATE, "private key" },
		{ "bad base64, second of two",
		  test_join(authority(2), torn, NULL), ERR_CERTIFICATE,
		  "certificate 2 of 2 (line " },
		{ "bad base64, first of three",
		  test_join("comment\n", torn, authority(2), authority(3),
			    NULL),
		  ERR_CERTIFICATE, "certificate 1 of 3 (line 2)" },
		{ "no certificate inside", test_join(authority(2), der, NULL),
		  ERR_CERTIFICATE, "certificate 2 of 2" },
		{ "cut", test_join(authority(2), open, NULL), ERR_CERTIFICATE,
		  "certificate 2 of 2" },
		{ "empty block",
		  test_join("-----BEGIN CERTIFICATE-----\n"
			    "-----END CERTIFICATE-----\n",
			    NULL),
		  ERR_CERTIFICATE, "certificate 1 of 1 (line 1)" },
		{ "too many", test_join(many, NULL), ERR_LIMIT,
		  "1001 certificates: at most 1000" },
		{ "huge", huge_text(), ERR_LIMIT, "at most" },
	};
	struct error e = ERROR_INIT;
	uint64_t generation;
	struct trust_snapshot *s;

	CHECK_OK(trust_upload(&dev, TRUST_HTTPS, good, NULL, &e), &e);
	s = trust_snapshot(dev.trust, TRUST_HTTPS);
	generation = s->generation;
	trust_snapshot_unref(s);
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		unit_note("%s", rows[i].name);
		CHECK_FAILS(
		    trust_upload(&dev, TRUST_HTTPS, rows[i].text, NULL, &e), &e,
		    rows[i].kind, rows[i].words);
		free(rows[i].text);
	}
	CU_ASSERT(store_holds(&dev, TRUST_HTTPS, 20, 3));
	s = trust_snapshot(dev.trust, TRUST_HTTPS);
	CU_ASSERT_EQUAL(s->generation, generation);
	trust_snapshot_unref(s);
	trust_device_restart(&dev);
	CU_ASSERT(store_holds(&dev, TRUST_HTTPS, 20, 3));
	free(good);
	free(torn);
	free(open);
	free(key);
	free(rsa);
	free(der);
	free(many);
}

/* Bytes that mean nothing, and good ones with one bit turned: a refusal or a
 * store, never a crash, and never a mixture. */
static void test_noise(void)
{
	char *good = authorities(30, 2);
	size_t n = strlen(good);
	struct cert_list list;
	struct trust_difference d;

	for (int i = 0; i < 300; i++) {
		struct error e = ERROR_INIT;
		char *text = test_join(good, NULL);
		uint32_t r;

		random_bytes(&r, sizeof(r));
		text[r % n] ^= (char)(1 << (r >> 28) % 8);
		if (trust_store_examine(dev.trust, TRUST_SIP, view_of(text, n),
					&list, &d, &e) == 0) {
			CU_ASSERT(list.count >= 1 && list.count <= 2);
			cert_list_free(&list);
		} else {
			CU_ASSERT(e.text[0] != '\0');
		}
		free(text);
	}
	free(good);
}

/* --- what an upload would do ---------------------------------------------- */

static void check_difference(unsigned from, unsigned count, size_t added,
			     size_t removed, size_t kept)
{
	char *text = authorities(from, count);
	struct error e = ERROR_INIT;
	struct trust_difference d, done;
	struct cert_list list;
	size_t n;

	CHECK_OK(trust_store_examine(dev.trust, TRUST_SIP, view_str(text),
				     &list, &d, &e),
		 &e);
	CU_ASSERT_EQUAL(list.count, count);
	CU_ASSERT_EQUAL(d.added, added);
	CU_ASSERT_EQUAL(d.removed, removed);
	CU_ASSERT_EQUAL(d.kept, kept);
	cert_list_free(&list);
	CHECK_OK(trust_store_replace(dev.trust, TRUST_SIP, view_str(text), &n,
				     &done, &e),
		 &e);
	CU_ASSERT(!memcmp(&d, &done, sizeof(d)));
	CU_ASSERT(store_holds(&dev, TRUST_SIP, from, count));
	free(text);
}

static void test_difference(void)
{
	struct error e = ERROR_INIT;
	size_t n;

	CHECK_OK(trust_store_delete(dev.trust, TRUST_SIP, &n, &e), &e);
	check_difference(40, 4, 4, 0, 0);
	check_difference(40, 4, 0, 0, 4);
	check_difference(42, 4, 2, 2, 2);
	check_difference(60, 1, 1, 4, 0);
}

/* --- snapshots ------------------------------------------------------------ */

static void test_listener(void)
{
	struct error e = ERROR_INIT;
	struct trust_snapshot *before;
	uint64_t generation;

	CHECK_OK(trust_upload(&dev, TRUST_SIP, authority(1), NULL, &e), &e);
	before = trust_snapshot(dev.trust, TRUST_SIP);
	generation = before->generation;
	dev.changes = 0;
	/* The same again is no change for those who work with it. */
	CHECK_OK(trust_upload(&dev, TRUST_SIP, authority(1), NULL, &e), &e);
	CHECK_OK(trust_load(dev.trust, &e), &e);
	CU_ASSERT_EQUAL(dev.changes, 0);
	CHECK_OK(trust_upload(&dev, TRUST_SIP, authority(2), NULL, &e), &e);
	CU_ASSERT_EQUAL(dev.changes, 1);
	CU_ASSERT_EQUAL(dev.last_changed, TRUST_SIP);
	CU_ASSERT(dev.last_generation > generation);
	CHECK_FAILS(trust_upload(&dev, TRUST_SIP, "", NULL, &e), &e,
		    ERR_CERTIFICATE, "");
	CU_ASSERT_EQUAL(dev.changes, 1);
	/* Who took a snapshot keeps it. */
	CU_ASSERT_STRING_EQUAL(cert_subject(before->certificates.items[0])->cn,
			       "CA 1");
	trust_snapshot_unref(before);
}

/* --- marks ---------------------------------------------------------------- */

enum { HOUR = 3600 };

#define BIT(m) (1u << TRUST_MARK_##m)

static void test_marks(void)
{
	const time_t now = time(NULL);
	const struct test_key *ec = test_key("ecP256", 1);
	const struct {
		struct test_cert_options o;
		unsigned marks;
	} rows[] = {
		{ { .key = ec, .ca = true }, 0 },
		{ { .key = test_key("rsa2048", 0), .ca = true }, 0 },
		{ { .key = test_key("ed25519", 0), .ca = true, .digest = "" },
		  0 },
		{ { .key = test_key("ecP521", 0), .ca = true }, 0 },
		{ { .key = ec }, BIT(NO_AUTHORITY) },
		{ { .key = test_key("rsa1024", 0), .ca = true },
		  BIT(WEAK_KEY) },
		{ { .key = test_key("dsa1024", 0), .ca = true },
		  BIT(WEAK_KEY) },
		{ { .key = ec,
		    .ca = true,
		    .not_before = now - 2 * HOUR,
		    .not_after = now - HOUR },
		  BIT(EXPIRED) },
		{ { .key = ec,
		    .ca = true,
		    .not_before = now + HOUR,
		    .not_after = now + 2 * HOUR },
		  BIT(NOT_YET_VALID) },
		{ { .key = ec, .ca = true, .digest = "SHA1" }, 0 },
		{ { .key = ec,
		    .ca = true,
		    .digest = "SHA1",
		    .issuer = "/CN=root",
		    .issuer_key = ec },
		  BIT(WEAK_SIGNATURE) },
		{ { .key = test_key("rsa1024", 0),
		    .digest = "MD5",
		    .issuer = "/CN=root",
		    .issuer_key = test_key("rsa2048", 0) },
		  BIT(WEAK_SIGNATURE) | BIT(WEAK_KEY) | BIT(NO_AUTHORITY) },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct test_cert_options o = rows[i].o;
		struct error e = ERROR_INIT;
		struct cert_list list;
		char *pem;

		o.subject = "/CN=marked";
		pem = test_cert_pem(&o);
		CHECK_OK(cert_bundle_parse(view_str(pem), &list, &e), &e);
		if (trust_marks(list.items[0], now) != rows[i].marks)
			unit_note("row %zu: %x", i,
				  trust_marks(list.items[0], now));
		CU_ASSERT_EQUAL(trust_marks(list.items[0], now), rows[i].marks);
		cert_list_free(&list);
		free(pem);
	}
}

int main(int argc, char **argv)
{
	static const struct unit_test tests[] = {
		{ "names", test_names },
		{ "first start", test_first_start },
		{ "delete and reset", test_delete_and_reset },
		{ "factory content that cannot be used", test_factory_refused },
		{ "good bundles", test_good },
		{ "order, restart, other stores", test_order_and_restart },
		{ "refused, and the old store stays", test_refused },
		{ "noise", test_noise },
		{ "what an upload would do", test_difference },
		{ "listener and snapshots", test_listener },
		{ "marks", test_marks },
		{ NULL, NULL },
	};

	return unit_main(argc, argv, "trust", tests, setup, teardown);
}
