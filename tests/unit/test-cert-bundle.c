/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cert/bundle.h"
#include "tests/lib/test_certs.h"
#include "tests/lib/unit.h"

/* A small world: root, two intermediates, leaf, and foreigners. Names of the
 * foreign issuer equal those of the real one, its key differs. */
enum who {
	LEAF,
	INTER2,
	INTER1,
	ROOT,
	STRANGER,  /* self-signed */
	IMPOSTOR,  /* named as INTER2, other key */
	OLD_LEAF,  /* same key as LEAF, older */
	SELF_LEAF, /* same key as LEAF, self-signed, newest */
	OTHER_CA,  /* self-signed CA */
	WHO_COUNT
};

static char *pem[WHO_COUNT];

#define KEY(n) test_key("ecP256", n)

static int make_world(void)
{
	time_t now = time(NULL);
	const struct test_cert_options rows[WHO_COUNT] = {
		[LEAF] = { .subject = "/CN=device",
			   .key = KEY(0),
			   .issuer = "/CN=Inter 2",
			   .issuer_key = KEY(2) },
		[INTER2] = { .subject = "/CN=Inter 2",
			     .key = KEY(2),
			     .issuer = "/CN=Inter 1",
			     .issuer_key = KEY(1),
			     .ca = true },
		[INTER1] = { .subject = "/CN=Inter 1",
			     .key = KEY(1),
			     .issuer = "/CN=Root",
			     .issuer_key = KEY(3),
			     .ca = true },
		[ROOT] = { .subject = "/CN=Root", .key = KEY(3), .ca = true },
		[STRANGER] = { .subject = "/CN=Stranger", .key = KEY(4) },
		[IMPOSTOR] = { .subject = "/CN=Inter 2",
			       .key = KEY(5),
			       .issuer = "/CN=Inter 1",
			       .issuer_key = KEY(5),
			       .ca = true },
		[OLD_LEAF] = { .subject = "/CN=device",
			       .key = KEY(0),
			       .issuer = "/CN=Inter 2",
			       .issuer_key = KEY(2),
			       .not_before = now - 900000 },
		[SELF_LEAF] = { .subject = "/CN=device",
				.key = KEY(0),
				.not_before = now - 1 },
		[OTHER_CA] = { .subject = "/CN=Other CA",
			       .key = KEY(6),
			       .ca = true },
	};

	for (int i = 0; i < WHO_COUNT; i++)
		pem[i] = test_cert_pem(&rows[i]);
	return 0;
}

static int free_world(void)
{
	for (int i = 0; i < WHO_COUNT; i++)
		free(pem[i]);
	return 0;
}

static int fails(const char *text, struct error *e)
{
	struct cert_list list;

	error_clear(e);
	return cert_bundle_parse(view_str(text), &list, e);
}

static void test_plain(void)
{
	struct error e = ERROR_INIT;
	struct cert_list list;
	char *text = test_join("# leaf\n", pem[LEAF], "\n\n  subject=CN = x\n",
			       pem[INTER2], pem[LEAF], "tail", NULL);

	CHECK_OK(cert_bundle_parse(view_str(text), &list, &e), &e);
	CU_ASSERT_EQUAL(list.count, 2);
	CU_ASSERT_STRING_EQUAL(cert_subject(list.items[0])->cn, "device");
	CU_ASSERT_STRING_EQUAL(cert_subject(list.items[1])->cn, "Inter 2");
	cert_list_free(&list);
	free(text);
}

/* s with every occurrence of a replaced by b. */
static char *replace(const char *s, const char *a, const char *b)
{
	char *out = calloc(1, (strlen(s) + 1) * (strlen(b) + 1)), *to = out;

	while (*s) {
		if (!strncmp(s, a, strlen(a))) {
			to += sprintf(to, "%s", b);
			s += strlen(a);
		} else {
			*to++ = *s++;
		}
	}
	return out;
}

static void test_lax(void)
{
	static const char *const variants[][2] = {
		{ "\n", "\r\n" },
		{ "\n", "\r" },
		{ "\n", " \n" },
		{ "\n", "\n\n" },
		{ "\n", "" },
		{ "-----END CERTIFICATE-----\n", "-----END CERTIFICATE-----" },
		{ "-----BEGIN", "\xef\xbb\xbf-----BEGIN" },
		{ "-----BEGIN", "  \t-----BEGIN" },
		{ " CERTIFICATE", " X509 CERTIFICATE" },
		{ " CERTIFICATE", " TRUSTED CERTIFICATE" },
		{ "-----BEGIN", "-----BEGIN X509 CRL-----\nAAAA\n"
				"-----END X509 CRL-----\n-----BEGIN" },
	};
	struct error e = ERROR_INIT;
	struct cert_list list;
	char *plain = test_join(pem[LEAF], pem[INTER2], pem[ROOT], NULL);

	for (size_t i = 0; i < sizeof(variants) / sizeof(*variants); i++) {
		char *text = replace(plain, variants[i][0], variants[i][1]);
		int rc = cert_bundle_parse(view_str(text), &list, &e);

		if (rc < 0)
			unit_note("variant %zu: %s", i, e.text);
		CHECK_OK(rc, &e);
		CU_ASSERT_EQUAL(list.count, 3);
		cert_list_free(&list);
		free(text);
	}
	free(plain);
}

/* openssl x509 -text and -trustout in front of and behind the block. */
static void test_openssl_text(void)
{
	struct error e = ERROR_INIT;
	struct cert_list list;
	const char *dir = unit_temp_dir();
	char path[300];
	static const char *const options[] = { "-text", "-trustout -text",
					       "-trustout -addtrust serverAuth",
					       "-fingerprint -subject" };

	snprintf(path, sizeof(path), "%s/a.cer", dir);
	test_write_file(path, pem[LEAF]);
	for (int i = 0; i < 4; i++) {
		char *text;

		test_openssl("x509 -in %s -out %s.txt %s", path, path,
			     options[i]);
		snprintf(path, sizeof(path), "%s/a.cer.txt", dir);
		text = test_read_file(path);
		CHECK_OK(cert_bundle_parse(view_str(text), &list, &e), &e);
		CU_ASSERT_EQUAL(list.count, 1);
		cert_list_free(&list);
		free(text);
		snprintf(path, sizeof(path), "%s/a.cer", dir);
	}
}

static void test_faults(void)
{
	static const char bad64[] = "-----BEGIN CERTIFICATE-----\nMII*\n"
				    "-----END CERTIFICATE-----\n";
	static const char bad_der[] = "-----BEGIN CERTIFICATE-----\nMIIB\n"
				      "-----END CERTIFICATE-----\n";
	static const char bad_end[] = "-----BEGIN CERTIFICATE-----\nMIIB\n"
				      "-----END CERT-----\n";
	static const char empty[] = "-----BEGIN CERTIFICATE-----\n"
				    "-----END CERTIFICATE-----\n";
	static const char cut[] = "-----BEGIN CERTIFICATE-----\nMIIB\n";
	static const char end[] = "-----END CERTIFICATE-----\n";
	static const char colon[] = "-----BEGIN CERTIFICATE-----\nMI:B\nAAAA\n"
				    "-----END CERTIFICATE-----\n";
	/* @ stands for the line behind the first certificate, + for the next
	 * one. */
	static const struct {
		const char *middle, *words;
	} rows[] = {
		{ bad64, "certificate 2 of 3 (line @): not valid base64 at "
			 "line +" },
		{ bad_der, "certificate 2 of 3 (line @): not a certificate" },
		{ bad_end, "certificate 2 of 3 (line @): BEGIN and END" },
		{ empty, "certificate 2 of 3 (line @): not valid base64" },
		{ cut, "certificate 2 of 3 (line @): no END line before" },
		{ colon, "certificate 2 of 3 (line @): not valid base64" },
		{ end, "line @: END line without" },
		{ "-----BEGIN CERTIFICATE---\nAAAA\n",
		  "line @: the BEGIN line is damaged" },
	};
	struct error e = ERROR_INIT;
	char line[12], next[12];
	unsigned count = 1;

	for (const char *p = pem[ROOT]; *p; p++)
		count += *p == '\n';
	snprintf(line, sizeof(line), "%u", count);
	snprintf(next, sizeof(next), "%u", count + 1);
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		char *text =
		    test_join(pem[ROOT], rows[i].middle, pem[LEAF], NULL);
		char *first = replace(rows[i].words, "@", line);
		char *words = replace(first, "+", next);

		CHECK_FAILS(fails(text, &e), &e, ERR_CERTIFICATE, words);
		free(words);
		free(first);
		free(text);
	}
}

static void test_none(void)
{
	static const struct {
		const char *text, *words;
	} rows[] = {
		{ "", "no certificate: it is empty" },
		{ "\n\n ", "it is empty" },
		{ "hello\n", "no BEGIN line" },
		{ "0\x82\x03\x01", "binary (DER" },
		{ "\xfe\xff", "UTF-16" },
		{ "-----BEGIN CERTIFICATE REQUEST-----\nAAAA\n"
		  "-----END CERTIFICATE REQUEST-----\n",
		  "no certificate but a CERTIFICATE REQUEST" },
		{ "-----BEGIN PRIVATE KEY-----\nAAAA\n"
		  "-----END PRIVATE KEY-----\n",
		  "line 1: a private key" },
		{ "\n-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n"
		  "-----END ENCRYPTED PRIVATE KEY-----\n",
		  "line 2: a private key" },
		{ "-----BEGIN RSA PRIVATE KEY-----\nAAAA\n"
		  "-----END RSA PRIVATE KEY-----\n",
		  "a private key" },
		{ "-----BEGIN CERTIFICATE-----\nAAAA",
		  "certificate 1 of 1 (line 1): no END line: truncated" },
	};
	struct error e = ERROR_INIT;

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		CHECK_FAILS(fails(rows[i].text, &e), &e, ERR_CERTIFICATE,
			    rows[i].words);
}

static void test_limits(void)
{
	struct error e = ERROR_INIT;
	struct cert_list list;
	size_t one = strlen(pem[LEAF]), n = BUNDLE_BYTES_MAX + 1;
	char *big = malloc(n), *p;
	uint8_t *der = calloc(1, 200000);
	char *huge;

	memset(big, '\n', n);
	CHECK_FAILS(cert_bundle_parse(view_of(big, n), &list, &e), &e,
		    ERR_LIMIT, "at most 4194304");
	/* The limit itself. */
	memcpy(big, pem[LEAF], one);
	CHECK_OK(cert_bundle_parse(view_of(big, n - 1), &list, &e), &e);
	cert_list_free(&list);
	for (p = big; p < big + 1001 * one; p += one)
		memcpy(p, pem[LEAF], one);
	CHECK_FAILS(
	    cert_bundle_parse(view_of(big, (size_t)(p - big)), &list, &e), &e,
	    ERR_LIMIT, "1001 certificates: at most 1000");
	der[0] = 0x30;
	huge = test_pem("CERTIFICATE", der, 200000);
	CHECK_FAILS(fails(huge, &e), &e, ERR_LIMIT, "certificate 1 of 1");
	free(huge);
	huge = test_pem("CERTIFICATE", der, 70000);
	CHECK_FAILS(fails(huge, &e), &e, ERR_LIMIT, "at most 65536");
	free(huge);
	free(der);
	free(big);
}

static void test_thousand(void)
{
	struct error e = ERROR_INIT;
	struct cert_list list;
	struct cert_chain chain;
	char *text = calloc(1000, 2048), *to = text;

	for (int i = 0; i < 998; i++) {
		/* All of one name: only signatures tell them apart. */
		char *one = test_cert_pem(&(struct test_cert_options){
		    .subject = "/CN=Inter 2", .key = KEY(5), .ca = true });

		to += sprintf(to, "%s", one);
		free(one);
	}
	to += sprintf(to, "%s%s", pem[INTER2], pem[LEAF]);
	CHECK_OK(cert_bundle_parse(view_str(text), &list, &e), &e);
	CU_ASSERT_EQUAL(list.count, 1000);
	{
		struct public_key key;

		test_key_public(KEY(0), &key);
		CHECK_OK(cert_chain_build(&list, &key, &chain, &e), &e);
		CU_ASSERT_EQUAL(chain.chain.count, 2);
		CU_ASSERT_EQUAL(chain.dropped.count, 998);
		cert_chain_free(&chain);
	}
	/* Without a key each would have to be tried with each. */
	CHECK_FAILS(cert_chain_build(&list, NULL, &chain, &e), &e, ERR_LIMIT,
		    "of one name");
	cert_list_free(&list);
	free(text);
}

static void test_random(void)
{
	struct error e = ERROR_INIT;
	struct cert_list list;
	char *text = test_join(pem[LEAF], pem[INTER2], NULL);
	size_t n = strlen(text);
	uint8_t noise[2];

	/* Damage anywhere: never a crash, never more than there was. */
	for (int i = 0; i < 1000; i++) {
		char was;

		random_bytes(noise, 2);
		was = text[(size_t)i % n];
		text[(size_t)i % n] = (char)noise[0];
		if (cert_bundle_parse(view_of(text, n), &list, &e) == 0) {
			CU_ASSERT(list.count <= 2);
			cert_list_free(&list);
		}
		text[(size_t)i % n] = was;
	}
	for (size_t len = 0; len < n; len += 7)
		if (cert_bundle_parse(view_of(text, len), &list, &e) == 0) {
			CU_ASSERT(list.count <= 1);
			cert_list_free(&list);
		}
	free(text);
}

/* --- chains ------------------------------------------------------------- */

struct row {
	const char *name;
	int in[8];   /* ends with -1 */
	int want[8]; /* the chain */
	size_t dropped;
	bool reordered;
};

static void add(struct cert_list *list, enum who who)
{
	struct error e = ERROR_INIT;
	struct cert_list one;

	CHECK_OK(cert_bundle_parse(view_str(pem[who]), &one, &e), &e);
	CHECK_OK(cert_list_add(list, one.items[0], &e), &e);
	cert_list_free(&one);
}

static void check_row(const struct row *r, const struct public_key *key)
{
	struct error e = ERROR_INIT;
	struct cert_list in = { 0 }, want = { 0 };
	struct cert_chain chain;

	for (int i = 0; r->in[i] >= 0; i++)
		add(&in, (enum who)r->in[i]);
	for (int i = 0; r->want[i] >= 0; i++)
		add(&want, (enum who)r->want[i]);
	unit_note("%s, %s key", r->name, key ? "with" : "without");
	CHECK_OK(cert_chain_build(&in, key, &chain, &e), &e);
	CU_ASSERT_EQUAL_FATAL(chain.chain.count, want.count);
	for (size_t i = 0; i < want.count; i++)
		CU_ASSERT(cert_equal(chain.chain.items[i], want.items[i]));
	CU_ASSERT_EQUAL(chain.dropped.count, r->dropped);
	CU_ASSERT_EQUAL(chain.reordered, r->reordered);
	cert_chain_free(&chain);
	cert_list_free(&in);
	cert_list_free(&want);
}

/* These hold with the key and without. */
static const struct row both_rows[] = {
	{ "leaf alone", { LEAF, -1 }, { LEAF, -1 }, 0, false },
	{ "in order",
	  { LEAF, INTER2, INTER1, ROOT, -1 },
	  { LEAF, INTER2, INTER1, ROOT, -1 },
	  0,
	  false },
	{ "backwards",
	  { ROOT, INTER1, INTER2, LEAF, -1 },
	  { LEAF, INTER2, INTER1, ROOT, -1 },
	  0,
	  true },
	{ "mixed",
	  { INTER1, LEAF, ROOT, INTER2, -1 },
	  { LEAF, INTER2, INTER1, ROOT, -1 },
	  0,
	  true },
	{ "a link is missing",
	  { LEAF, INTER1, ROOT, OTHER_CA, -1 },
	  { LEAF, -1 },
	  3,
	  false },
	{ "root missing",
	  { LEAF, INTER2, INTER1, -1 },
	  { LEAF, INTER2, INTER1, -1 },
	  0,
	  false },
	{ "a foreign CA among them",
	  { OTHER_CA, LEAF, INTER2, -1 },
	  { LEAF, INTER2, -1 },
	  1,
	  false },
	{ "an issuer's name without its key",
	  { LEAF, IMPOSTOR, INTER2, INTER1, -1 },
	  { LEAF, INTER2, INTER1, -1 },
	  1,
	  false },
};

static const struct row key_rows[] = {
	{ "a foreign end entity",
	  { STRANGER, INTER2, LEAF, -1 },
	  { LEAF, INTER2, -1 },
	  1,
	  true },
	{ "the newer of two",
	  { OLD_LEAF, LEAF, INTER2, -1 },
	  { LEAF, INTER2, -1 },
	  1,
	  false },
	{ "rather a signed one",
	  { SELF_LEAF, OLD_LEAF, INTER2, -1 },
	  { OLD_LEAF, INTER2, -1 },
	  1,
	  false },
	{ "self-signed alone", { SELF_LEAF, -1 }, { SELF_LEAF, -1 }, 0, false },
};

static void test_chains(void)
{
	struct public_key key;

	test_key_public(KEY(0), &key);
	for (size_t i = 0; i < sizeof(both_rows) / sizeof(*both_rows); i++) {
		check_row(&both_rows[i], &key);
		check_row(&both_rows[i], NULL);
	}
	for (size_t i = 0; i < sizeof(key_rows) / sizeof(*key_rows); i++)
		check_row(&key_rows[i], &key);
}

static int build(const char *text, const struct public_key *key,
		 struct error *e)
{
	struct cert_list in;
	struct cert_chain chain;
	int rc;

	CHECK_OK(cert_bundle_parse(view_str(text), &in, e), e);
	rc = cert_chain_build(&in, key, &chain, e);
	cert_list_free(&in);
	return rc;
}

static void test_chain_faults(void)
{
	struct error e = ERROR_INIT;
	struct cert_chain chain;
	struct public_key rsa, ec;
	char *two = test_join(pem[LEAF], pem[STRANGER], NULL);
	char *ed = test_cert_pem(&(struct test_cert_options){
	    .subject = "/CN=ed", .key = test_key("ed25519", 0) });

	test_key_public(test_key("rsa2048", 0), &rsa);
	test_key_public(KEY(7), &ec);
	CHECK_FAILS(build(pem[LEAF], &rsa, &e), &e, ERR_KEY_MISMATCH,
		    "another key (EC P-256, ");
	CHECK_FAILS(build(pem[LEAF], &rsa, &e), &e, ERR_KEY_MISMATCH,
		    "private key (RSA 2048, ");
	CHECK_FAILS(build(pem[LEAF], &ec, &e), &e, ERR_KEY_MISMATCH,
		    "private key (EC P-256, ");
	CHECK_FAILS(build(two, &ec, &e), &e, ERR_KEY_MISMATCH,
		    "none of the 2 certificates");
	CHECK_FAILS(build(ed, &ec, &e), &e, ERR_KEY_MISMATCH, "(Ed25519)");
	CHECK_FAILS(build(two, NULL, &e), &e, ERR_CERTIFICATE,
		    "2 of the 2 certificates");
	CHECK_FAILS(
	    cert_chain_build(&(struct cert_list){ 0 }, NULL, &chain, &e), &e,
	    ERR_CERTIFICATE, "no certificate");
	free(two);
	free(ed);
}

/* Two CAs that certify each other must not be followed round and round, and a
 * very long chain ends. */
static void test_endless(void)
{
	struct error e = ERROR_INIT;
	struct cert_list in;
	struct cert_chain chain;
	struct public_key key;
	char *a =
	    test_cert_pem(&(struct test_cert_options){ .subject = "/CN=A",
						       .key = KEY(1),
						       .issuer = "/CN=B",
						       .issuer_key = KEY(2),
						       .ca = true });
	char *b =
	    test_cert_pem(&(struct test_cert_options){ .subject = "/CN=B",
						       .key = KEY(2),
						       .issuer = "/CN=A",
						       .issuer_key = KEY(1),
						       .ca = true });
	char *leaf =
	    test_cert_pem(&(struct test_cert_options){ .subject = "/CN=L",
						       .key = KEY(0),
						       .issuer = "/CN=A",
						       .issuer_key = KEY(1) });
	char *text = test_join(leaf, a, b, NULL);

	test_key_public(KEY(0), &key);
	CHECK_OK(cert_bundle_parse(view_str(text), &in, &e), &e);
	CHECK_OK(cert_chain_build(&in, &key, &chain, &e), &e);
	CU_ASSERT_EQUAL(chain.chain.count, 3);
	cert_chain_free(&chain);
	cert_list_free(&in);
	free(text);
	text = strdup(leaf);
	for (int i = 0; i < 20; i++) {
		char subject[32], issuer[32];
		char *one, *more;

		snprintf(subject, sizeof(subject), i ? "/CN=%d" : "/CN=A", i);
		snprintf(issuer, sizeof(issuer), "/CN=%d", i + 1);
		one = test_cert_pem(
		    &(struct test_cert_options){ .subject = subject,
						 .key = KEY(1),
						 .issuer = issuer,
						 .issuer_key = KEY(1),
						 .ca = true });
		more = test_join(text, one, NULL);
		free(one);
		free(text);
		text = more;
	}
	CHECK_FAILS(build(text, &key, &e), &e, ERR_LIMIT, "more than 16");
	free(text);
	free(a);
	free(b);
	free(leaf);
}

static const struct unit_test tests[] = {
	{ "comments, order, duplicates", test_plain },
	{ "line ends, blanks, other labels", test_lax },
	{ "text and trust of the openssl program", test_openssl_text },
	{ "faults name certificate and line", test_faults },
	{ "no certificate, a private key", test_none },
	{ "limits", test_limits },
	{ "a thousand certificates", test_thousand },
	{ "damage anywhere", test_random },
	{ "chains in any order", test_chains },
	{ "no chain", test_chain_faults },
	{ "loops and long chains", test_endless },
	{ NULL, NULL },
};

int main(int argc, char **argv)
{
	return unit_main(argc, argv, "cert-bundle", tests, make_world,
			 free_world);
}
