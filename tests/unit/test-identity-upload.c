/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"
#include "tests/lib/unit.h"
#include "tests/unit/identity_device.h"

/* What may come through the door of an upload. One device for all rows: a
 * refusal must leave it as it was. */

#define P256(n)  test_key("ecP256", n)
#define PASSWORD "correct horse"

static struct device dev;

static int setup(void)
{
	struct error e = ERROR_INIT;

	device_make(&dev);
	return identity_load(dev.id, &e);
}

static int teardown(void)
{
	device_close(&dev);
	return 0;
}

static const char *const kinds[] = { "rsa2048", "rsa3072", "ecP256", "ecP384" };

static const struct {
	const char *format, *cipher;
} forms[] = {
	{ "traditional", NULL },          { "traditional", "DES-EDE3-CBC" },
	{ "traditional", "AES-256-CBC" }, { "pkcs8", NULL },
	{ "pkcs8", "AES-256-CBC" },       { "pkcs8", "pbes1-3des" },
};

static void test_formats(void)
{
	struct error e = ERROR_INIT;
	struct identity_warnings w;

	for (size_t k = 0; k < sizeof(kinds) / sizeof(*kinds); k++) {
		struct test_key *key = test_key(kinds[k], 0);
		char *leaf = leaf_pem(key, "DNS:" HOST), *ca = ca_pem();
		char *chain = test_join(leaf, ca, NULL);

		for (size_t i = 0; i < sizeof(forms) / sizeof(*forms); i++) {
			const char *cipher = forms[i].cipher;
			const char *password = cipher ? PASSWORD : NULL;
			char *pem = test_key_pem(key, forms[i].format, cipher,
						 password);

			CHECK_OK(
			    device_upload(&dev, chain, pem, password, &w, &e),
			    &e);
			CU_ASSERT_EQUAL(w.count, 0);
			for (size_t n = 0; n < w.count; n++)
				unit_note("%s", w.text[n]);
			check_stored(&dev, key);
			free(pem);
		}
		/* Twice the same does not make a second key. */
		CU_ASSERT_EQUAL(count_keys(&dev), 2);
		free(leaf);
		free(ca);
		free(chain);
	}
	CHECK_OK(identity_delete(dev.id, &e), &e);
	CU_ASSERT_EQUAL(count_keys(&dev), 1);
}

/* --- refusals ---------------------------------------------------------------
 */

static char *make(const struct test_cert_options *o)
{
	return test_cert_pem(o);
}

struct refusal {
	char *certificates, *key;
	const char *password;
	enum error_kind kind;
	const char *words;
};

static void check_refusals(struct refusal *rows, size_t count)
{
	struct local_identity *before = identity_stored(dev.id);
	size_t keys = count_keys(&dev);

	for (size_t i = 0; i < count; i++) {
		struct identity_warnings w;
		struct error e = ERROR_INIT;
		struct cert_chain chain;
		struct local_identity *after;

		CHECK_FAILS(device_upload(&dev, rows[i].certificates,
					  rows[i].key, rows[i].password, &w,
					  &e),
			    &e, rows[i].kind, rows[i].words);
		error_clear(&e);
		CHECK_FAILS(identity_examine(dev.id,
					     view_str(rows[i].certificates),
					     view_str(rows[i].key),
					     view_str(rows[i].password),
					     time(NULL), &chain, &w, &e),
			    &e, rows[i].kind, rows[i].words);
		after = identity_stored(dev.id);
		CU_ASSERT_PTR_EQUAL(before, after);
		CU_ASSERT_EQUAL(count_keys(&dev), keys);
		local_identity_unref(after);
		free(rows[i].certificates);
		free(rows[i].key);
	}
	local_identity_unref(before);
}

static void test_refusals(void)
{
	time_t now = time(NULL);
	struct test_key *rsa = test_key("rsa2048", 0);
	struct refusal rows[] = {
		{ strdup(""), NULL, NULL, ERR_CERTIFICATE, "no certificate" },
		{ strdup("-----BEGIN CERTIFICATE-----\nAA\n"
			 "-----END CERTIFICATE-----\n"),
		  NULL, NULL, ERR_CERTIFICATE, "certificate 1 of 1 (line 1)" },
		{ test_key_pem(P256(1), "pkcs8", NULL, NULL),
		  test_key_pem(P256(1), "pkcs8", NULL, NULL), NULL,
		  ERR_CERTIFICATE, "own field" },
		{ leaf_pem(P256(1), NULL), leaf_pem(P256(1), NULL), NULL,
		  ERR_KEY, "no private key but a CERTIFICATE" },
		{ leaf_pem(P256(1), NULL), strdup("rubbish"), NULL, ERR_KEY,
		  "no BEGIN line" },
		{ leaf_pem(P256(1), NULL),
		  test_key_pem(P256(1), "pkcs8", "AES-256-CBC", PASSWORD), NULL,
		  ERR_KEY_PASSWORD, "is needed" },
		{ leaf_pem(P256(1), NULL),
		  test_key_pem(P256(1), "sec1", "DES-EDE3-CBC", PASSWORD),
		  "wrong", ERR_KEY_PASSWORD, "is wrong" },
		{ leaf_pem(P256(1), NULL),
		  test_key_pem(P256(2), "pkcs8", NULL, NULL), NULL,
		  ERR_KEY_MISMATCH, "another key" },
		{ leaf_pem(P256(1), NULL),
		  test_key_pem(rsa, "pkcs8", NULL, NULL), NULL,
		  ERR_KEY_MISMATCH, "RSA 2048" },
		{ leaf_pem(test_key("rsa1024", 0), NULL),
		  test_key_pem(test_key("rsa1024", 0), "pkcs8", NULL, NULL),
		  NULL, ERR_KEY_UNSUPPORTED, "at least 2048" },
		{ leaf_pem(test_key("rsa1024", 0), NULL), NULL, NULL,
		  ERR_KEY_UNSUPPORTED, "the certificate's key: RSA 1024" },
		{ leaf_pem(test_key("ed25519", 0), NULL), NULL, NULL,
		  ERR_KEY_UNSUPPORTED, "ED25519" },
		{ leaf_pem(test_key("ed25519", 0), NULL),
		  test_key_pem(test_key("ed25519", 0), "pkcs8", NULL, NULL),
		  NULL, ERR_KEY_UNSUPPORTED, "ED25519" },
		{ leaf_pem(test_key("ecP521", 0), NULL),
		  test_key_pem(test_key("ecP521", 0), "pkcs8", NULL, NULL),
		  NULL, ERR_KEY_UNSUPPORTED, "P-256 and P-384" },
		{ make(&(struct test_cert_options){ .subject = "/CN=" HOST,
						    .key = P256(1),
						    .not_before = now - 200,
						    .not_after = now - 100 }),
		  test_key_pem(P256(1), "pkcs8", NULL, NULL), NULL,
		  ERR_CERTIFICATE, "expired on 20" },
		{ make(&(struct test_cert_options){ .subject = "/CN=" HOST,
						    .key = P256(1),
						    .issuer = "/CN=Old CA",
						    .issuer_key = rsa,
						    .digest = "MD5" }),
		  test_key_pem(P256(1), "pkcs8", NULL, NULL), NULL,
		  ERR_CERTIFICATE, "md5WithRSAEncryption" },
	};

	check_refusals(rows, sizeof(rows) / sizeof(*rows));
}

static void test_huge(void)
{
	struct error e = ERROR_INIT;
	struct identity_warnings w;
	size_t n = BUNDLE_BYTES_MAX + 1;
	char *leaf = leaf_pem(P256(1), NULL), *big = malloc(n);

	memset(big, 'A', n);
	CHECK_FAILS(identity_upload(dev.id, view_of(big, n), view_str(""),
				    view_str(""), time(NULL), &w, &e),
		    &e, ERR_LIMIT, "at most");
	CHECK_FAILS(identity_upload(dev.id, view_str(leaf), view_of(big, n),
				    view_str(""), time(NULL), &w, &e),
		    &e, ERR_LIMIT, "at most 65536");
	random_bytes(big, n - 1);
	CU_ASSERT_EQUAL(identity_upload(dev.id, view_of(big, n - 1),
					view_of(big, 60000), view_of(big, 20),
					time(NULL), &w, &e),
			-1);
	free(leaf);
	free(big);
}

/* Refused when uploaded; a warning when only looked at, since the key file may
 * be chosen later. */
static void test_no_key(void)
{
	struct error e = ERROR_INIT;
	struct identity_warnings w;
	struct cert_chain chain;
	char *leaf = leaf_pem(P256(1), NULL);
	size_t keys = count_keys(&dev);

	CHECK_FAILS(device_upload(&dev, leaf, NULL, NULL, &w, &e), &e,
		    ERR_KEY_MISMATCH, "no private key was uploaded");
	error_clear(&e);
	CHECK_OK(identity_examine(dev.id, view_str(leaf), view_str(NULL),
				  view_str(NULL), time(NULL), &chain, &w, &e),
		 &e);
	CU_ASSERT_EQUAL(chain.chain.count, 1);
	cert_chain_free(&chain);
	CU_ASSERT_FATAL(w.count > 0);
	CU_ASSERT_PTR_NOT_NULL(
	    strstr(w.text[w.count - 1], "does not hold the private key"));
	CU_ASSERT_EQUAL(count_keys(&dev), keys);
	free(leaf);
}

/* --- warnings ---------------------------------------------------------------
 */

static void check_warned(char *certificates, const struct test_key *key,
			 const char *words)
{
	struct error e = ERROR_INIT;
	struct identity_warnings w, same;
	struct cert_chain chain;
	char *pem = test_key_pem(key, "pkcs8", NULL, NULL);
	bool found = false;

	CHECK_OK(identity_examine(dev.id, view_str(certificates), view_str(pem),
				  view_str(""), time(NULL), &chain, &same, &e),
		 &e);
	cert_chain_free(&chain);
	CHECK_OK(device_upload(&dev, certificates, pem, NULL, &w, &e), &e);
	CU_ASSERT_EQUAL(memcmp(&w, &same, sizeof(w)), 0);
	for (size_t i = 0; i < w.count; i++)
		found |= strstr(w.text[i], words) != NULL;
	if (!found)
		unit_note("no warning \"%s\"", words);
	CU_ASSERT(found);
	check_stored(&dev, key);
	free(certificates);
	free(pem);
}

/* A leaf as good as any but for the fields given. */
#define LEAF(...)                                                              \
	test_cert_pem(                                                         \
	    &(struct test_cert_options){ .key = P256(1),                       \
					 .issuer = "/O=Example/CN=Example CA", \
					 .issuer_key = P256(90),               \
					 __VA_ARGS__ })
#define NAMED .subject = "/CN=" HOST, .alt_names = "DNS:" HOST

static void test_warnings(void)
{
	time_t now = time(NULL);
	char *leaf = leaf_pem(P256(1), "DNS:" HOST), *ca = ca_pem();
	char *stranger = test_cert_pem(&(struct test_cert_options){
	    .subject = "/CN=Stranger", .key = P256(5) });
	char *old_ca = test_cert_pem(
	    &(struct test_cert_options){ .subject = "/O=Example/CN=Example CA",
					 .key = P256(90),
					 .ca = true,
					 .not_before = now - 1000,
					 .not_after = now - 500 });

	check_warned(LEAF(NAMED, .not_before = now + 5000), P256(1),
		     "is not valid before 20");
	check_warned(LEAF(NAMED, .not_after = now + 86400), P256(1),
		     "expires soon");
	check_warned(LEAF(.subject = "/CN=" HOST), P256(1),
		     "no subjectAltName");
	check_warned(
	    LEAF(.subject = "/CN=" HOST, .alt_names = "DNS:other.example"),
	    P256(1), "names neither the host name " HOST);
	check_warned(LEAF(NAMED, .extended_usage = "clientAuth"), P256(1),
		     "TLS server");
	check_warned(LEAF(NAMED, .extended_usage = "serverAuth"), P256(1),
		     "TLS client");
	check_warned(LEAF(NAMED, .ca = true), P256(1),
		     "certification authority");
	check_warned(LEAF(NAMED, .digest = "SHA1"), P256(1), "ecdsa-with-SHA1");
	check_warned(strdup(leaf), P256(1), "no issuer's certificate");
	check_warned(test_join(ca, leaf, NULL), P256(1), "put in order");
	check_warned(test_join(leaf, stranger, ca, NULL), P256(1),
		     "left out, since it is not in the chain: CN=Stranger");
	check_warned(test_join(leaf, old_ca, NULL), P256(1),
		     "issuer's certificate CN=Example CA,O=Example expired");
	free(leaf);
	free(ca);
	free(stranger);
	free(old_ca);
}

/* An address of the device, or a CN where there is no other name, is a name,
 * too. */
static void test_no_warning(void)
{
	static const char *const alt[] = { "IP:192.0.2.10", "IP:2001:db8::10",
					   "DNS:BOX.example" };
	struct error e = ERROR_INIT;
	char *ca = ca_pem(), *key = test_key_pem(P256(1), "pkcs8", NULL, NULL);

	for (int i = 0; i < 3; i++) {
		struct identity_warnings w;
		char *leaf = LEAF(.alt_names = alt[i], .subject = "/CN=x");
		char *chain = test_join(leaf, ca, NULL);

		CHECK_OK(device_upload(&dev, chain, key, NULL, &w, &e), &e);
		CU_ASSERT_EQUAL(w.count, 0);
		free(leaf);
		free(chain);
	}
	free(ca);
	free(key);
}

/* More than there is room for does no harm. */
static void test_many_warnings(void)
{
	struct error e = ERROR_INIT;
	struct identity_warnings w;
	char *leaf = LEAF(.digest = "SHA1", .ca = true, .subject = "/CN=x",
			  .usage = "cRLSign", .not_before = time(NULL) + 5000);
	char *text = strdup(leaf);
	char *key = test_key_pem(P256(1), "pkcs8", NULL, NULL);

	for (unsigned i = 0; i < 6; i++) {
		char *other = test_cert_pem(&(struct test_cert_options){
		    .subject = "/CN=Stranger", .key = P256(10 + i) });
		char *more = test_join(text, other, NULL);

		free(other);
		free(text);
		text = more;
	}
	CHECK_OK(device_upload(&dev, text, key, NULL, &w, &e), &e);
	CU_ASSERT_EQUAL(w.count, IDENTITY_WARNINGS_MAX);
	free(leaf);
	free(text);
	free(key);
}

/* --- the same again
 * ----------------------------------------------------------- */

static void test_again(void)
{
	struct error e = ERROR_INIT;
	struct local_identity *own, *l;
	char *leaf = leaf_pem(P256(3), NULL);
	char *key = test_key_pem(P256(3), "sec1", NULL, NULL);
	struct buf pem;

	CHECK_OK(identity_delete(dev.id, &e), &e);
	own = identity_stored(dev.id);
	CHECK_OK(device_upload(&dev, leaf, key, NULL, NULL, &e), &e);
	CHECK_OK(device_upload(&dev, leaf, key, NULL, NULL, &e), &e);
	/* The token has the key already. */
	CHECK_OK(device_upload(&dev, leaf, NULL, NULL, NULL, &e), &e);
	check_stored(&dev, P256(3));
	CU_ASSERT_EQUAL(count_keys(&dev), 2);
	/* The device's own certificate, from its page. */
	buf_init(&pem, 65536);
	CHECK_OK(cert_to_pem(own->chain.items[0], &pem, &e), &e);
	CHECK_OK(device_upload(&dev, buf_cstr(&pem), NULL, NULL, NULL, &e), &e);
	check_stored(&dev, NULL);
	l = identity_stored(dev.id);
	CU_ASSERT(cert_equal(l->chain.items[0], own->chain.items[0]));
	local_identity_unref(l);
	local_identity_unref(own);
	CU_ASSERT_EQUAL(count_keys(&dev), 1);
	buf_free(&pem);
	free(leaf);
	free(key);
}

/* A renewed certificate for the key that is there. */
static void test_renewal(void)
{
	struct error e = ERROR_INIT;
	char *first = leaf_pem(P256(4), "DNS:" HOST);
	char *second = leaf_pem(P256(4), "DNS:" HOST);
	char *key = test_key_pem(P256(4), "sec1", NULL, NULL);

	CHECK_OK(device_upload(&dev, first, key, NULL, NULL, &e), &e);
	CHECK_OK(identity_activate(dev.id, &e), &e);
	CHECK_OK(device_upload(&dev, second, NULL, NULL, NULL, &e), &e);
	CU_ASSERT(identity_restart_required(dev.id));
	CHECK_OK(identity_activate(dev.id, &e), &e);
	usleep(50000);
	check_in_service(&dev, P256(4));
	CU_ASSERT(token_has(&dev, P256(4)));
	CHECK_OK(identity_delete(dev.id, &e), &e);
	CHECK_OK(identity_activate(dev.id, &e), &e);
	free(first);
	free(second);
	free(key);
}

/* --- TAA_KB_157, step by step
 * -------------------------------------------------- */

static void kb157(const char *genrsa)
{
	struct error e = ERROR_INIT;
	struct identity_warnings w;
	const char *d = unit_temp_dir();
	char path[300], *certificate, *key;
	struct local_identity *l;

	test_openssl("genrsa -des3 %s -passout pass:secret -out %s/MCU.key "
		     "2048",
		     genrsa, d);
	test_openssl("req -new -key %s/MCU.key -passin pass:secret "
		     "-subj '/C=GB/ST=Berkshire/O=Example/CN=" HOST "' "
		     "-out %s/MCU.csr",
		     d, d);
	test_openssl("genrsa -des3 %s -passout pass:other -out %s/CA.key 2048",
		     genrsa, d);
	test_openssl("req -new -x509 -key %s/CA.key -passin pass:other "
		     "-subj '/C=GB/O=Example/CN=Own CA' -out %s/CA.cer "
		     "-days 365",
		     d, d);
	test_openssl("x509 -req -in %s/MCU.csr -CA %s/CA.cer -CAkey %s/CA.key "
		     "-passin pass:other -set_serial 01 -out %s/MCU.cer",
		     d, d, d, d);
	snprintf(path, sizeof(path), "%s/MCU.cer", d);
	certificate = test_read_file(path);
	snprintf(path, sizeof(path), "%s/MCU.key", d);
	key = test_read_file(path);
	CHECK_FAILS(device_upload(&dev, certificate, key, NULL, &w, &e), &e,
		    ERR_KEY_PASSWORD, "is needed");
	CHECK_FAILS(device_upload(&dev, certificate, key, "Secret", &w, &e), &e,
		    ERR_KEY_PASSWORD, "is wrong");
	error_clear(&e);
	CHECK_OK(device_upload(&dev, certificate, key, "secret", &w, &e), &e);
	l = identity_stored(dev.id);
	CU_ASSERT_STRING_EQUAL(cert_subject(l->chain.items[0])->cn, HOST);
	CU_ASSERT_STRING_EQUAL(cert_issuer(l->chain.items[0])->cn, "Own CA");
	CU_ASSERT_STRING_EQUAL(cert_serial_text(l->chain.items[0]), "01");
	check_whole(&dev, l);
	local_identity_unref(l);
	free(certificate);
	free(key);
}

static void test_kb157(void)
{
	kb157("");
	kb157("-traditional");
}

static const struct unit_test tests[] = {
	{ "every format of every key", test_formats },
	{ "refusals leave everything as it was", test_refusals },
	{ "no key given and none in the token", test_no_key },
	{ "huge and random input", test_huge },
	{ "warnings", test_warnings },
	{ "no warning", test_no_warning },
	{ "too many warnings", test_many_warnings },
	{ "the same again; the own certificate", test_again },
	{ "renewal for the same key", test_renewal },
	{ "the steps of TAA_KB_157", test_kb157 },
	{ NULL, NULL },
};

int main(int argc, char **argv)
{
	log_set_level(LOG_LEVEL_ERROR);
	return unit_main(argc, argv, "identity-upload", tests, setup, teardown);
}
