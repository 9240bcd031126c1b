/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cert/key_file.h"
#include "tests/lib/test_certs.h"
#include "tests/lib/unit.h"

#define PASSWORD "correct horse"

static int parse(const char *pem, const char *password,
		 struct key_material *out, struct error *e)
{
	return key_file_parse(view_str(pem), view_str(password), out, e);
}

static int refused(const char *pem, const char *password, struct error *e)
{
	struct key_material m;

	error_clear(e);
	return parse(pem, password, &m, e);
}

static void check_is(const struct key_material *m, const struct test_key *k)
{
	struct public_key pub;

	test_key_public(k, &pub);
	CU_ASSERT(public_key_equal(&m->pub, &pub));
	CU_ASSERT_EQUAL(m->pub.bits, pub.bits);
	if (pub.type == KEY_RSA) {
		CU_ASSERT_EQUAL(m->n.len, pub.bits / 8);
		CU_ASSERT_EQUAL(m->p.len, pub.bits / 16);
		CU_ASSERT_EQUAL(m->q.len, pub.bits / 16);
		CU_ASSERT(m->d.len && m->dp.len && m->dq.len && m->qi.len);
		CU_ASSERT_EQUAL(m->e.len, 3);
	} else {
		CU_ASSERT_EQUAL(m->d.len, pub.bits / 8);
		CU_ASSERT_EQUAL(m->point.len, 1 + pub.bits / 4);
		CU_ASSERT_EQUAL(m->point.ptr[0], 4);
	}
}

static const char *const kinds[] = { "rsa2048", "rsa3072", "ecP256", "ecP384" };
enum { KINDS = sizeof(kinds) / sizeof(*kinds) };

/* Every way to write a key down. */
static const struct {
	const char *format, *cipher;
} forms[] = {
	{ "traditional", NULL },
	{ "traditional", "DES-EDE3-CBC" },
	{ "traditional", "AES-128-CBC" },
	{ "traditional", "AES-192-CBC" },
	{ "traditional", "AES-256-CBC" },
	{ "traditional", "CAMELLIA-128-CBC" },
	{ "pkcs8", NULL },
	{ "pkcs8", "DES-EDE3-CBC" },
	{ "pkcs8", "AES-128-CBC" },
	{ "pkcs8", "AES-256-CBC" },
	{ "pkcs8", "pbes1-3des" },
	{ "pkcs8", "scrypt" },
	{ "pkcs8", "100000" },
};

static void test_formats(void)
{
	struct error e = ERROR_INIT;
	struct key_material m;

	for (size_t k = 0; k < KINDS; k++) {
		struct test_key *key = test_key(kinds[k], 0);

		for (size_t i = 0; i < sizeof(forms) / sizeof(*forms); i++) {
			const char *cipher = forms[i].cipher;
			char *pem = test_key_pem(key, forms[i].format, cipher,
						 cipher ? PASSWORD : NULL);
			int rc = parse(pem, PASSWORD, &m, &e);

			if (rc < 0)
				unit_note("%s %s %s: %s", kinds[k],
					  forms[i].format,
					  cipher ? cipher : "-", e.text);
			CHECK_OK(rc, &e);
			check_is(&m, key);
			key_material_free(&m);
			if (!cipher) {
				/* A password too much is ignored. */
				CHECK_OK(parse(pem, "", &m, &e), &e);
				key_material_free(&m);
			} else {
				CHECK_FAILS(refused(pem, "", &e), &e,
					    ERR_KEY_PASSWORD, "is needed");
				CHECK_FAILS(refused(pem, "wrong horse", &e), &e,
					    ERR_KEY_PASSWORD, "is wrong");
			}
			free(pem);
		}
	}
}

static void test_large_rsa(void)
{
	struct error e = ERROR_INIT;
	struct key_material m;
	char *pem = test_key_pem(test_key("rsa4096", 0), "pkcs8", NULL, NULL);

	CHECK_OK(parse(pem, "", &m, &e), &e);
	check_is(&m, test_key("rsa4096", 0));
	key_material_free(&m);
	free(pem);
}

static void test_unsupported(void)
{
	static const struct {
		const char *kind, *format, *words;
	} rows[] = {
		{ "rsa1024", "pkcs8", "RSA 1024 bits: at least 2048" },
		{ "rsa1024", "traditional", "RSA 1024 bits: at least 2048" },
		{ "ed25519", "pkcs8", "ED25519" },
		{ "dsa1024", "pkcs8", "DSA" },
		{ "dsa1024", "traditional", "DSA" },
		{ "rsapss2048", "pkcs8", "RSASSA-PSS" },
		{ "ecP521", "pkcs8", "secp521r1" },
		{ "ecP521", "traditional", "secp521r1" },
		{ "ecP256", "explicit", "named curve" },
		{ "ecP256", "explicit8", "named curve" },
		{ "multiprime2048", "traditional", "more than two primes" },
		{ "multiprime2048", "pkcs8", "more than two primes" },
	};
	struct error e = ERROR_INIT;

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		char *pem = test_key_pem(test_key(rows[i].kind, 0),
					 rows[i].format, NULL, NULL);

		CHECK_FAILS(refused(pem, "", &e), &e, ERR_KEY_UNSUPPORTED,
			    rows[i].words);
		free(pem);
	}
	CHECK_FAILS(refused("-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n"
			    "-----END OPENSSH PRIVATE KEY-----\n",
			    "", &e),
		    &e, ERR_KEY_UNSUPPORTED, "ssh-keygen");
}

static void test_no_key(void)
{
	static const struct {
		const char *text;
		const char *words;
	} rows[] = {
		{ "", "it is empty" },
		{ " \r\n\t", "it is empty" },
		{ "hello", "no BEGIN line" },
		{ "0\x82\x04\xa3 and so on", "binary (DER" },
		{ "\xff\xfe-\n", "UTF-16" },
		{ "-----BEGIN CERTIFICATE-----\nAAAA\n"
		  "-----END CERTIFICATE-----\n",
		  "but a CERTIFICATE" },
		{ "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----",
		  "but a PUBLIC KEY" },
		{ "-----BEGIN PRIVATE KEY-----\nAAAA\n", "truncated" },
		{ "-----BEGIN PRIVATE KEY---\nAAAA\n",
		  "BEGIN line is damaged" },
		{ "x\n-----END PRIVATE KEY-----\n", "line 2: END line" },
		{ "-----BEGIN PRIVATE KEY-----\n-----END PRIVATE KEY-----\n",
		  "not valid base64" },
		{ "-----BEGIN PRIVATE KEY-----\nAA!A\n"
		  "-----END PRIVATE KEY-----\n",
		  "not valid base64 at line 2" },
		{ "-----BEGIN PRIVATE KEY-----\nAAAA\n"
		  "-----END PRIVATE KEY-----\n",
		  "no PKCS#8" },
		{ "-----BEGIN RSA PRIVATE KEY-----\nMAAA\n"
		  "-----END RSA PRIVATE KEY-----\n",
		  "no RSAPrivateKey" },
		{ "-----BEGIN EC PRIVATE KEY-----\nMAMCAQI=\n"
		  "-----END EC PRIVATE KEY-----\n",
		  "no ECPrivateKey" },
		{ "-----BEGIN ENCRYPTED PRIVATE KEY-----\nMAMCAQI=\n"
		  "-----END ENCRYPTED PRIVATE KEY-----\n",
		  "EncryptedPrivateKeyInfo" },
		{ "-----BEGIN RSA PRIVATE KEY-----\n"
		  "Proc-Type: 4,ENCRYPTED\n\nAAAA\n"
		  "-----END RSA PRIVATE KEY-----\n",
		  "DEK-Info" },
		{ "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n"
		  "DEK-Info: AES-256-CBC,0011\n\nAAAA\n"
		  "-----END RSA PRIVATE KEY-----\n",
		  "DEK-Info" },
		{ "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n"
		  "DEK-Info: AES-256-CBC,0011223344556677\n\nAAAA\n"
		  "-----END RSA PRIVATE KEY-----\n",
		  "does not fit the cipher" },
		{ "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n"
		  "DEK-Info: DES-EDE3-CBC,0011223344556677\n\nAAAA\n"
		  "-----END RSA PRIVATE KEY-----\n",
		  "not that of encrypted data" },
	};
	struct error e = ERROR_INIT;

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		CHECK_FAILS(refused(rows[i].text, "x", &e), &e, ERR_KEY,
			    rows[i].words);
}

static void test_binary(void)
{
	struct error e = ERROR_INIT;
	struct key_material m;
	uint8_t bytes[4096];

	for (int round = 0; round < 200; round++) {
		size_t n = (size_t)round * sizeof(bytes) / 200;

		random_bytes(bytes, n);
		CHECK_FAILS(
		    key_file_parse(view_of(bytes, n), view_str("x"), &m, &e),
		    &e, ERR_KEY, NULL);
	}
	bytes[0] = bytes[1] = 'a';
	bytes[2] = 0;
	CHECK_FAILS(key_file_parse(view_of(bytes, 3), view_str("x"), &m, &e),
		    &e, ERR_KEY, "binary");
}

static void test_size(void)
{
	struct error e = ERROR_INIT;
	char *pem = test_key_pem(test_key("ecP256", 0), "pkcs8", NULL, NULL);
	char *big = malloc(64 * 1024 + 2);
	struct key_material m;
	size_t n = strlen(pem);

	memset(big, '\n', 64 * 1024 + 1);
	memcpy(big + 64 * 1024 - n, pem, n);
	CHECK_OK(key_file_parse(view_of(big, 64 * 1024), view_str(""), &m, &e),
		 &e);
	key_material_free(&m);
	CHECK_FAILS(
	    key_file_parse(view_of(big, 64 * 1024 + 1), view_str(""), &m, &e),
	    &e, ERR_LIMIT, "at most 65536");
	free(big);
	free(pem);
}

static void test_several(void)
{
	struct error e = ERROR_INIT;
	struct key_material m;
	char *a = test_key_pem(test_key("ecP256", 0), "pkcs8", NULL, NULL);
	char *b = test_key_pem(test_key("ecP384", 0), "sec1", NULL, NULL);
	char *both = test_join(a, b, NULL);
	/* What openssl ecparam -genkey writes, and a certificate beside. */
	char *with = test_join("-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw=="
			       "\n-----END EC PARAMETERS-----\n",
			       b,
			       "-----BEGIN CERTIFICATE-----\nAAAA\n"
			       "-----END CERTIFICATE-----\n",
			       NULL);

	CHECK_FAILS(refused(both, "", &e), &e, ERR_KEY,
		    "several private keys (lines 1 and 6)");
	CHECK_OK(parse(with, "", &m, &e), &e);
	check_is(&m, test_key("ecP384", 0));
	key_material_free(&m);
	free(a);
	free(b);
	free(both);
	free(with);
}

/* What editors, mail programs and copy-and-paste do to a file. */
static void test_lax(void)
{
	struct error e = ERROR_INIT;
	struct test_key *k = test_key("rsa2048", 0);
	char *pem = test_key_pem(k, "traditional", "DES-EDE3-CBC", PASSWORD);
	char *out = calloc(1, 3 * strlen(pem) + 64), *to = out;
	struct key_material m;

	to += sprintf(to, "\xef\xbb\xbf"
			  "Bag Attributes\r\n    friendlyName: x\r\n");
	for (const char *p = pem; *p; p++) {
		if (*p == '\n')
			*to++ = '\r';
		*to++ = *p;
	}
	CHECK_OK(parse(out, PASSWORD, &m, &e), &e);
	check_is(&m, k);
	key_material_free(&m);
	/* No line end behind the last line. */
	pem[strlen(pem) - 1] = '\0';
	CHECK_OK(parse(pem, PASSWORD, &m, &e), &e);
	key_material_free(&m);
	free(out);
	free(pem);
}

/* Every single damaged byte of the DER is noticed; whatever the fault says, it
 * is never accepted as another key. */
static void test_bit_flips(void)
{
	static const char *const formats[] = { "traditional", "pkcs8" };
	struct error e = ERROR_INIT;
	struct public_key pub;
	struct key_material m;
	unsigned accepted = 0;

	test_key_public(test_key("ecP256", 0), &pub);
	for (int f = 0; f < 2; f++) {
		char *pem =
		    test_key_pem(test_key("ecP256", 0), formats[f], NULL, NULL);
		char *start = strchr(pem, '\n') + 1;
		char *end = strstr(pem, "\n-----END");

		for (char *p = start; p < end; p++) {
			char was = *p;

			if (was == '\n' || was == '=')
				continue;
			*p = was == 'A' ? 'B' : 'A';
			if (parse(pem, "", &m, &e) == 0) {
				accepted++;
				CU_ASSERT(public_key_equal(&m.pub, &pub));
				key_material_free(&m);
			}
			*p = was;
		}
		free(pem);
	}
	/* Bits behind the padding, unused fields: hardly any. */
	CU_ASSERT(accepted <= 8);
}

static void test_rsa_damage(void)
{
	struct error e = ERROR_INIT;
	char *pem =
	    test_key_pem(test_key("rsa2048", 0), "traditional", NULL, NULL);
	char *start = strchr(pem, '\n') + 1;
	size_t n = (size_t)(strstr(pem, "\n-----END") - start);

	/* One character in each tenth of the file: modulus, exponents,
	 * primes, CRT numbers. */
	for (size_t i = 1; i < 20; i++) {
		char *p = start + n * i / 20;
		char was;

		while (*p == '\n')
			p++;
		was = *p;
		*p = was == 'A' ? 'B' : 'A';
		CHECK_FAILS(refused(pem, "", &e), &e, ERR_KEY, "damaged");
		*p = was;
	}
	free(pem);
}

static void test_truncated(void)
{
	struct error e = ERROR_INIT;
	char *pem = test_key_pem(test_key("ecP256", 0), "pkcs8", "AES-256-CBC",
				 PASSWORD);
	size_t n = strlen(pem);

	for (size_t len = 0; len < n - 2; len++) {
		struct key_material m;

		error_clear(&e);
		CU_ASSERT_EQUAL(key_file_parse(view_of(pem, len),
					       view_str(PASSWORD), &m, &e),
				-1);
		CU_ASSERT_EQUAL(e.kind, ERR_KEY);
	}
	free(pem);
}

/* Work that a file may ask for is bounded before it is done. */
static void test_iterations(void)
{
	struct error e = ERROR_INIT;
	char *pem =
	    test_key_pem(test_key("ecP256", 0), "pkcs8", "1000001", PASSWORD);

	CHECK_FAILS(refused(pem, PASSWORD, &e), &e, ERR_LIMIT, "iterations");
	free(pem);
}

static void test_odd_passwords(void)
{
	struct error e = ERROR_INIT;
	struct test_key *k = test_key("ecP256", 0);
	static const char *const passwords[] = {
		"p\xc3\xa4ss",
		" leading and trailing ",
		"\"'\\$`!",
	};
	char longest[1025], longer[1026];
	struct key_material m;

	for (size_t i = 0; i < 3; i++)
		for (int form = 0; form < 2; form++) {
			char *pem = test_key_pem(k, form ? "pkcs8" : "sec1",
						 "AES-256-CBC", passwords[i]);

			CHECK_OK(parse(pem, passwords[i], &m, &e), &e);
			key_material_free(&m);
			free(pem);
		}
	memset(longest, 'x', 1024);
	longest[1024] = '\0';
	memset(longer, 'x', 1025);
	longer[1025] = '\0';
	for (int form = 0; form < 2; form++) {
		char *pem = test_key_pem(k, form ? "pkcs8" : "sec1",
					 "AES-256-CBC", longest);

		CHECK_OK(parse(pem, longest, &m, &e), &e);
		key_material_free(&m);
		CHECK_FAILS(refused(pem, longer, &e), &e, ERR_KEY_PASSWORD,
			    "longer than 1024");
		free(pem);
	}
}

/* Files of the openssl program itself; step 6 of TAA_KB_157 first. */
static void test_openssl_files(void)
{
	static const struct {
		const char *command;
		unsigned bits;
	} rows[] = {
		{ "genrsa -des3 -passout pass:secret -out %s 2048", 2048 },
		{ "genrsa -des3 -traditional -passout pass:secret -out %s 2048",
		  2048 },
		{ "genrsa -aes256 -passout pass:secret -out %s 3072", 3072 },
		{ "genrsa -out %s 2048", 2048 },
		{ "ecparam -name prime256v1 -genkey -out %s", 256 },
		{ "ecparam -name secp384r1 -genkey -noout -out %s", 384 },
		{ "genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-384 "
		  "-aes-128-cbc -pass pass:secret -out %s",
		  384 },
	};
	struct error e = ERROR_INIT;
	char path[300], command[600];
	struct key_material m;

	snprintf(path, sizeof(path), "%s/MCU.key", unit_temp_dir());
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		char *pem;

		snprintf(command, sizeof(command), rows[i].command, path);
		test_openssl("%s", command);
		pem = test_read_file(path);
		CHECK_OK(parse(pem, "secret", &m, &e), &e);
		CU_ASSERT_EQUAL(m.pub.bits, rows[i].bits);
		key_material_free(&m);
		free(pem);
	}
}

/* SEC1 without the optional public point. */
static void test_ec_without_point(void)
{
	struct error e = ERROR_INIT;
	struct test_key *k = test_key("ecP256", 0);
	char path[300];
	char *pem = test_key_pem(k, "pkcs8", NULL, NULL);
	struct key_material m;

	snprintf(path, sizeof(path), "%s/ec.key", unit_temp_dir());
	test_write_file(path, pem);
	free(pem);
	test_openssl("ec -in %s -no_public -out %s.n", path, path);
	strcat(path, ".n");
	pem = test_read_file(path);
	CHECK_OK(parse(pem, "", &m, &e), &e);
	check_is(&m, k);
	key_material_free(&m);
	free(pem);
}

/* --- what stays behind ---------------------------------------------------- */

enum { TRACE = 24 };
/* The shadow of the address sanitizer is larger, and holds no data. */
#define LARGEST_MAPPING (256UL << 20)

/* In one window; the last bytes of it are looked at with the next one. */
static unsigned count_in(const uint8_t *p, size_t len,
			 const uint8_t inverted[TRACE])
{
	const uint8_t *end = p + len - TRACE;
	unsigned found = 0;

	while (p < end &&
	       (p = memchr(p, inverted[0] ^ 0xff, (size_t)(end - p))) != NULL) {
		size_t n = 1;

		while (n < TRACE && (p[n] ^ inverted[n]) == 0xff)
			n++;
		found += n == TRACE;
		p++;
	}
	return found;
}

/* Occurrences of the bytes, given inverted so that the search does not find
 * what it searches with, in everything this process can write to. */
static unsigned count_traces(const uint8_t inverted[TRACE])
{
	static uint8_t window[65536 + TRACE];
	FILE *maps = fopen("/proc/self/maps", "re");
	int mem = open("/proc/self/mem", O_RDONLY | O_CLOEXEC);
	uintptr_t own = (uintptr_t)window;
	unsigned long from, to;
	char line[512], mode[8];
	unsigned found = 0;

	while (fgets(line, sizeof(line), maps)) {
		if (sscanf(line, "%lx-%lx %7s", &from, &to, mode) != 3 ||
		    strncmp(mode, "rw", 2) || to - from > LARGEST_MAPPING)
			continue;
		for (; from < to; from += sizeof(window) - TRACE) {
			ssize_t n;

			if (from + sizeof(window) > own &&
			    from < own + sizeof(window))
				continue;
			n = pread(mem, window, sizeof(window), (off_t)from);
			if (n > TRACE)
				found += count_in(window, (size_t)n, inverted);
		}
	}
	fclose(maps);
	close(mem);
	secret_wipe(window, sizeof(window));
	return found;
}

static void invert(const uint8_t *from, size_t n, bool backwards,
		   uint8_t out[TRACE])
{
	size_t middle = (n - TRACE) / 2;

	for (size_t i = 0; i < TRACE; i++)
		out[i] =
		    (uint8_t)~from[backwards ? n - 1 - middle - i : middle + i];
}

/* A fresh key each: those of test_key() live on in this process. */
static void test_nothing_left(void)
{
	static const char *const commands[] = {
		"genrsa -des3 -passout pass:secret -out %s 2048",
		"genrsa -des3 -traditional -passout pass:secret -out %s 2048",
		"genrsa -traditional -out %s 2048",
		"genrsa -out %s 2048",
		"genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 "
		"-aes-256-cbc -pass pass:secret -out %s",
	};
	char path[300], command[600];
	struct error e = ERROR_INIT;

	snprintf(path, sizeof(path), "%s/k", unit_temp_dir());
	for (size_t i = 0; i < sizeof(commands) / sizeof(*commands); i++) {
		uint8_t wanted[2][3][TRACE];
		struct key_material m;
		char *pem;
		size_t parts;

		snprintf(command, sizeof(command), commands[i], path);
		test_openssl("%s", command);
		pem = test_read_file(path);
		CHECK_OK(parse(pem, "secret", &m, &e), &e);
		parts = m.p.len ? 3 : 1;
		for (int back = 0; back < 2; back++) {
			invert(m.d.ptr, m.d.len, back, wanted[back][0]);
			if (parts == 1)
				continue;
			invert(m.p.ptr, m.p.len, back, wanted[back][1]);
			invert(m.qi.ptr, m.qi.len, back, wanted[back][2]);
		}
		/* The search can find. */
		CU_ASSERT(count_traces(wanted[0][0]) > 0);
		key_material_free(&m);
		secret_wipe(pem, strlen(pem));
		free(pem);
		for (int back = 0; back < 2; back++)
			for (size_t k = 0; k < parts; k++) {
				unsigned n = count_traces(wanted[back][k]);

				if (n)
					unit_note(
					    "%s: part %zu, %s: %u", commands[i],
					    k, back ? "backwards" : "forwards",
					    n);
				CU_ASSERT_EQUAL(n, 0);
			}
	}
}

static const struct unit_test tests[] = {
	{ "every format, key and cipher; missing and wrong password",
	  test_formats },
	{ "RSA 4096", test_large_rsa },
	{ "keys that are not supported are named", test_unsupported },
	{ "what is no key is named", test_no_key },
	{ "random bytes", test_binary },
	{ "size limit", test_size },
	{ "several keys; other blocks beside one", test_several },
	{ "BOM, CRLF, attributes, missing line end", test_lax },
	{ "each damaged character of an EC key", test_bit_flips },
	{ "RSA numbers that do not belong together", test_rsa_damage },
	{ "each truncation", test_truncated },
	{ "iteration limit", test_iterations },
	{ "passwords of all kinds", test_odd_passwords },
	{ "files of the openssl program", test_openssl_files },
	{ "EC key without its public point", test_ec_without_point },
	{ "nothing of a key stays in memory", test_nothing_left },
	{ NULL, NULL },
};

int main(int argc, char **argv)
{
	return unit_main(argc, argv, "cert-key", tests, NULL, NULL);
}
