/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <fcntl.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <openssl/evp.h>
#include <openssl/x509.h>

#include "base/clock.h"
#include "pkcs11/key_make.h"
#include "pkcs11/manifest.h"
#include "tests/lib/test_token.h"
#include "tests/lib/unit.h"
#include "tests/unit/pkcs11_helpers.h"

/* What of pkcs11/ works on files and bytes, without a login. */

static struct test_token place;
static char live[300], backup[600];
static uint8_t good[4096];
static size_t good_len;

static size_t read_file(const char *path, uint8_t *out, size_t cap)
{
	FILE *f = fopen(path, "r");
	size_t n = 0;

	if (f) {
		n = fread(out, 1, cap, f);
		fclose(f);
	}
	return n;
}

static void write_file(const char *path, const void *p, size_t n)
{
	FILE *f = fopen(path, "w");

	CU_ASSERT_PTR_NOT_NULL_FATAL(f);
	CU_ASSERT_EQUAL(fwrite(p, 1, n, f), n);
	fclose(f);
}

static bool holds(const char *path, const void *p, size_t n)
{
	uint8_t now[4096];

	return read_file(path, now, sizeof(now)) == n && !memcmp(now, p, n);
}

static int setup(void)
{
	char pattern[300];
	glob_t found;

	test_token_make(&place);
	snprintf(pattern, sizeof(pattern), "%s/tokens/*/token.object",
		 place.dir);
	if (glob(pattern, 0, NULL, &found) != 0 || found.gl_pathc != 1)
		return -1;
	snprintf(live, sizeof(live), "%s", found.gl_pathv[0]);
	globfree(&found);
	good_len = read_file(live, good, sizeof(good));
	*strrchr(live, '/') = '\0';
	snprintf(backup, sizeof(backup), "%s/softhsm/%s.token.object",
		 place.state, strrchr(live, '/') + 1);
	strcat(live, "/token.object");
	return good_len > 0 ? 0 : -1;
}

/* --- SoftHSM's token.object */

static void test_token_object_valid(void)
{
	uint8_t bytes[4096 + 64];

	CU_ASSERT(softhsm_token_object_valid(view_of(good, good_len)));
	for (size_t n = 0; n < good_len; n++)
		CU_ASSERT(!softhsm_token_object_valid(view_of(good, n)));
	memcpy(bytes, good, good_len);
	memset(bytes + good_len, 0, 64);
	for (size_t n = 1; n <= 24; n++)
		CU_ASSERT(
		    !softhsm_token_object_valid(view_of(bytes, good_len + n)));
	memset(bytes, 0, sizeof(bytes));
	CU_ASSERT(!softhsm_token_object_valid(view_of(bytes, good_len)));
	memset(bytes, 0xff, sizeof(bytes));
	CU_ASSERT(!softhsm_token_object_valid(view_of(bytes, good_len)));
}

/* A length that overflows, an unknown kind, flags without initialisation. */
static void test_token_object_hostile(void)
{
	static const struct {
		size_t at;
		uint8_t value;
	} changes[] = {
		{ 8 + 8, 0xff },      /* kind of the label, high byte */
		{ 8 + 8 + 7, 9 },     /* kind of the label */
		{ 8 + 16, 0xff },     /* its length, high byte */
		{ 8 + 16 + 7, 0x21 }, /* its length */
		{ 0x7e, 0x00 },       /* flags: not initialised */
	};
	uint8_t bytes[4096];

	for (size_t i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
		memcpy(bytes, good, good_len);
		bytes[changes[i].at] = changes[i].value;
		if (softhsm_token_object_valid(view_of(bytes, good_len)))
			unit_note("change %zu passed", i);
		CU_ASSERT(
		    !softhsm_token_object_valid(view_of(bytes, good_len)));
	}
}

static void test_guard_restores(void)
{
	struct stat st;

	CU_ASSERT_EQUAL(softhsm_guard_run(place.conf, place.state), 0);
	CU_ASSERT(holds(backup, good, good_len));
	CU_ASSERT_EQUAL(stat(backup, &st), 0);
	CU_ASSERT_EQUAL(st.st_mode & 0777, 0600);
	for (size_t n = 0; n < good_len; n += 37) {
		write_file(live, good, n);
		CU_ASSERT_EQUAL(softhsm_guard_run(place.conf, place.state), 0);
		CU_ASSERT(holds(live, good, good_len));
		CU_ASSERT(holds(backup, good, good_len));
	}
	unlink(live);
	CU_ASSERT_EQUAL(softhsm_guard_run(place.conf, place.state), 0);
	CU_ASSERT(holds(live, good, good_len));
}

/* Bad content never becomes a backup, a damaged backup never a token. */
static void test_guard_verifies(void)
{
	uint8_t other[4096];

	CU_ASSERT_EQUAL(softhsm_guard_run(place.conf, place.state), 0);
	memcpy(other, good, good_len);
	other[good_len - 1] ^= 1; /* another user PIN */
	write_file(live, other, good_len);
	CU_ASSERT_EQUAL(softhsm_guard_run(place.conf, place.state), 0);
	CU_ASSERT(holds(backup, other, good_len));
	write_file(live, good, good_len);
	CU_ASSERT_EQUAL(softhsm_guard_run(place.conf, place.state), 0);
	CU_ASSERT(holds(backup, good, good_len));

	write_file(backup, good, good_len / 2);
	write_file(live, good, 0);
	CU_ASSERT_EQUAL(softhsm_guard_run(place.conf, place.state), 1);
	CU_ASSERT(holds(live, good, 0));
	unlink(backup);
	CU_ASSERT_EQUAL(softhsm_guard_run(place.conf, place.state), 1);
	write_file(live, good, good_len);
	CU_ASSERT_EQUAL(softhsm_guard_run(place.conf, place.state), 0);
}

static void test_guard_cannot(void)
{
	char conf[300];

	CU_ASSERT_EQUAL(softhsm_guard_run(NULL, place.state), 0);
	CU_ASSERT_EQUAL(softhsm_guard_run("/nonexistent", place.state), 0);
	snprintf(conf, sizeof(conf), "%s/other.conf", place.dir);
	write_file(conf, "log.level = ERROR\n", 18);
	CU_ASSERT_EQUAL(softhsm_guard_run(conf, place.state), 0);
	write_file(conf, "directories.tokendir = /nonexistent\n", 36);
	CU_ASSERT_EQUAL(softhsm_guard_run(conf, place.state), 0);
}

/* --- the mark of a refused PIN */

static bool mark_fits(const struct pin_mark *m, const char *token,
		      const char *pin)
{
	struct error e = ERROR_INIT;
	bool fits = false;

	CHECK_OK(pin_mark_fits(m, token, view_str(pin), &fits, &e), &e);
	return fits;
}

static void test_pin_mark(void)
{
	struct pin_mark first, second, got;
	struct error e = ERROR_INIT;
	uint8_t text[1024];
	struct stat st;
	char path[400];
	size_t n;

	snprintf(path, sizeof(path), "%s/pin-refused", place.state);
	CU_ASSERT(!pin_mark_read(place.state, &got));
	CHECK_OK(pin_mark_make("1/a", view_str("86420975"), &first, &e), &e);
	CHECK_OK(pin_mark_make("1/a", view_str("86420975"), &second, &e), &e);
	CU_ASSERT(!secret_equal(first.salt, second.salt, HASH_SALT_SIZE));
	CU_ASSERT(!secret_equal(first.digest, second.digest, SHA256_SIZE));
	CHECK_OK(pin_mark_write(place.state, &first, &e), &e);
	CU_ASSERT_FATAL(pin_mark_read(place.state, &got));
	CU_ASSERT(mark_fits(&got, "1/a", "86420975"));
	CU_ASSERT(!mark_fits(&got, "2/a", "86420975"));
	CU_ASSERT(!mark_fits(&got, "1/a", "86420976"));
	CU_ASSERT(!mark_fits(&got, "1/a", "8642097"));
	CU_ASSERT(!mark_fits(&got, "1/a", ""));
	CU_ASSERT_EQUAL(stat(path, &st), 0);
	CU_ASSERT_EQUAL(st.st_mode & 0777, 0600);
	n = read_file(path, text, sizeof(text));
	CU_ASSERT_PTR_NULL(memmem(text, n, "86420975", 8));
	/* a mark that was cut is none, wherever */
	while (n--) {
		CU_ASSERT_EQUAL(truncate(path, (off_t)n), 0);
		CU_ASSERT(!pin_mark_read(place.state, &got));
	}
	pin_mark_remove(place.state);
	CU_ASSERT_NOT_EQUAL(access(path, F_OK), 0);
	CHECK_FAILS(pin_mark_write("/nonexistent", &first, &e), &e, ERR_IO,
		    "nonexistent");
}

static void test_pin_identity(void)
{
	struct pin_identity id, other;
	struct error e = ERROR_INIT;

	CHECK_OK(pin_identity_of(place.pin_file, &id, &e), &e);
	CHECK_OK(pin_identity_of(place.pin_file, &other, &e), &e);
	CU_ASSERT(pin_identity_equal(&id, &other));
	write_file(place.pin_file, TEST_TOKEN_PIN "\n", 5);
	CHECK_OK(pin_identity_of(place.pin_file, &other, &e), &e);
	CU_ASSERT(!pin_identity_equal(&id, &other));
	CHECK_FAILS(pin_identity_of("/nonexistent", &id, &e), &e, ERR_IO,
		    "nonexistent");
}

/* --- the lock */

static void test_lock_excludes(void)
{
	struct error e = ERROR_INIT;
	int64_t before;
	int first, second;

	CHECK_OK(file_lock_take(place.lock_file, 0, &first, &e), &e);
	before = clock_monotonic_ms();
	CHECK_FAILS(file_lock_take(place.lock_file, 100, &second, &e), &e,
		    ERR_TIMEOUT, "held by another process");
	CU_ASSERT(clock_monotonic_ms() - before >= 100);
	file_lock_release(first);
	CHECK_OK(file_lock_take(place.lock_file, 0, &second, &e), &e);
	file_lock_release(second);
	CHECK_OK(file_lock_take(NULL, 0, &first, &e), &e);
	CU_ASSERT_EQUAL(first, -1);
	CHECK_FAILS(file_lock_take("/nonexistent/x", 0, &first, &e), &e, ERR_IO,
		    "/nonexistent/x");
}

/* A holder that is killed leaves no lock behind. */
static void test_lock_dies_with_holder(void)
{
	struct error e = ERROR_INIT;
	int ready[2], fd;
	char byte;
	pid_t pid;

	CU_ASSERT_EQUAL_FATAL(pipe(ready), 0);
	pid = fork();
	if (pid == 0) {
		if (file_lock_take(place.lock_file, 0, &fd, &e) == 0 &&
		    write(ready[1], "x", 1) == 1)
			pause();
		_exit(1);
	}
	CU_ASSERT_EQUAL(read(ready[0], &byte, 1), 1);
	CHECK_FAILS(file_lock_take(place.lock_file, 0, &fd, &e), &e,
		    ERR_TIMEOUT, NULL);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	CHECK_OK(file_lock_take(place.lock_file, 1000, &fd, &e), &e);
	file_lock_release(fd);
	close(ready[0]);
	close(ready[1]);
}

/* --- manifests */

#define LABEL "sealbridge trust https"

static void sum_up(struct buf *b)
{
	struct error e = ERROR_INIT;
	uint8_t sum[SHA256_SIZE];
	char hex[2 * SHA256_SIZE + 1];

	sha256_of(buf_view(b), sum);
	hex_encode(sum, sizeof(sum), hex);
	CHECK_OK(buf_addf(b, &e, "sum %s\n", hex), &e);
}

static void test_manifest_round_trip(void)
{
	struct fake_certificate rooms[2];
	struct set_fact facts[] = { { "source", "custom" },
				    { "by", "admin from 192.0.2.1" } };
	struct error e = ERROR_INIT;
	struct set_member m[2];
	struct manifest got;
	struct buf text;

	make_member(&m[0], &rooms[0], "anchor", LABEL, 1);
	make_member(&m[1], &rooms[1], "key", "sealbridge local key", 2);
	m[1].id.len = 0;
	buf_init(&text, MANIFEST_TEXT_MAX);
	CHECK_OK(manifest_format("trust https", "0123", 7, m, 2, facts, 2,
				 &text, &e),
		 &e);
	CHECK_OK(manifest_parse(buf_view(&text), &got, &e), &e);
	CU_ASSERT_STRING_EQUAL(got.name, "trust https");
	CU_ASSERT_STRING_EQUAL(got.serial, "0123");
	CU_ASSERT_EQUAL(got.generation, 7);
	CU_ASSERT_EQUAL(got.member_count, 2);
	CU_ASSERT_EQUAL(got.fact_count, 2);
	CU_ASSERT_STRING_EQUAL(got.facts[1].value, "admin from 192.0.2.1");
	CU_ASSERT_STRING_EQUAL(got.members[0].label, LABEL);
	CU_ASSERT_STRING_EQUAL(got.members[0].role, "anchor");
	CU_ASSERT_EQUAL(memcmp(got.members[0].sha256, m[0].sha256, 32), 0);
	CU_ASSERT_EQUAL(got.members[0].id.len, SHA1_SIZE);
	CU_ASSERT_EQUAL(got.members[1].id.len, 0);
	manifest_free(&got);
	/* any cut, any changed bit: no manifest */
	for (size_t n = 0; n < text.len; n++)
		CU_ASSERT_EQUAL(manifest_parse(view_of(text.ptr, n), &got, &e),
				-1);
	for (size_t n = 0; n < text.len; n++) {
		text.ptr[n] ^= 1;
		CU_ASSERT_EQUAL(manifest_parse(buf_view(&text), &got, &e), -1);
		text.ptr[n] ^= 1;
	}
	buf_free(&text);
}

#define HASH "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"
#define HEAD "sealbridge manifest 1\nset x\ngeneration 1\n"

static void test_manifest_refusals(void)
{
	static const char *const good_ones[] = {
		HEAD,
		HEAD "member leaf " HASH " - label with words\n",
		HEAD "fact a b\n",
	};
	static const char *const bad_ones[] = {
		"",
		"\n",
		"sealbridge manifest 2\nset x\ngeneration 1\n",
		"sealbridge manifest 1\n",
		"sealbridge manifest 1\nset x\n",
		"sealbridge manifest 1\ngeneration 1\n",
		"sealbridge manifest 1\nset \ngeneration 1\n",
		"sealbridge manifest 1\nset x\ngeneration 0\n",
		"sealbridge manifest 1\nset x\ngeneration -1\n",
		"sealbridge manifest 1\nset x\ngeneration 1x\n",
		"sealbridge manifest 1\nset x\ngeneration "
		"99999999999999999999999\n",
		"sealbridge manifest 1\n"
		"set 01234567890123456789012345678901234567890\n"
		"generation 1\n",
		HEAD "unknown line\n",
		HEAD "member\n",
		HEAD "member leaf\n",
		HEAD "member leaf " HASH "\n",
		HEAD "member leaf " HASH " -\n",
		HEAD "member leaf " HASH " - \n",
		HEAD "member leaf " HASH " xyz label\n",
		HEAD "member leaf 0011 - label\n",
		HEAD "member leaf " HASH "00 - label\n",
		HEAD "member le-af " HASH " - label\n",
		HEAD "member abcdefghijklmnopqrstuvwxyz " HASH " - label\n",
		HEAD "member leaf " HASH " - la\tbel\n",
		HEAD "fact a\n",
		HEAD "fact a \n",
		HEAD "fact 1 b\n",
		HEAD "generation 2", /* no line end */
	};
	struct error e = ERROR_INIT;
	struct manifest got;
	struct buf b;

	for (size_t i = 0; i < sizeof(good_ones) / sizeof(char *); i++) {
		buf_init(&b, 4096);
		CHECK_OK(buf_adds(&b, good_ones[i], &e), &e);
		sum_up(&b);
		CHECK_OK(manifest_parse(buf_view(&b), &got, &e), &e);
		manifest_free(&got);
		buf_free(&b);
	}
	for (size_t i = 0; i < sizeof(bad_ones) / sizeof(char *); i++) {
		buf_init(&b, 4096);
		CHECK_OK(buf_adds(&b, bad_ones[i], &e), &e);
		sum_up(&b);
		if (manifest_parse(buf_view(&b), &got, &e) == 0)
			unit_note("accepted: %s", bad_ones[i]);
		CHECK_FAILS(manifest_parse(buf_view(&b), &got, &e), &e,
			    ERR_INPUT, "manifest: bad");
		buf_free(&b);
	}
}

static void test_manifest_too_much(void)
{
	struct error e = ERROR_INIT;
	struct manifest got;
	struct buf b;

	buf_init(&b, 2 * MANIFEST_TEXT_MAX);
	CHECK_OK(buf_adds(&b, HEAD, &e), &e);
	for (int i = 0; i <= SET_MEMBERS_MAX; i++)
		CHECK_OK(buf_adds(&b, "member leaf " HASH " - label\n", &e),
			 &e);
	sum_up(&b);
	CHECK_FAILS(manifest_parse(buf_view(&b), &got, &e), &e, ERR_INPUT,
		    "number of");
	buf_clear(&b);
	CHECK_OK(buf_adds(&b, HEAD, &e), &e);
	for (int i = 0; i <= SET_FACTS_MAX; i++)
		CHECK_OK(buf_adds(&b, "fact a b\n", &e), &e);
	sum_up(&b);
	CHECK_FAILS(manifest_parse(buf_view(&b), &got, &e), &e, ERR_INPUT,
		    "number of facts");
	while (b.len <= MANIFEST_TEXT_MAX)
		CHECK_OK(buf_adds(&b, "fact a b\n", &e), &e);
	sum_up(&b);
	CHECK_FAILS(manifest_parse(buf_view(&b), &got, &e), &e, ERR_INPUT,
		    "end");
	buf_free(&b);
}

static void test_manifest_format_refuses(void)
{
	static const char *const bad[] = { "", "a\nb", "a\tb", "\x7f" };
	struct fake_certificate room;
	struct error e = ERROR_INIT;
	struct set_fact fact;
	struct set_member m;
	struct buf b;

	make_member(&m, &room, "leaf", LABEL, 1);
	buf_init(&b, MANIFEST_TEXT_MAX);
	for (size_t i = 0; i < 4; i++) {
		CHECK_FAILS(
		    manifest_format(bad[i], "", 1, &m, 1, NULL, 0, &b, &e), &e,
		    ERR_INPUT, "name");
		m.label = bad[i];
		CHECK_FAILS(manifest_format("x", "", 1, &m, 1, NULL, 0, &b, &e),
			    &e, ERR_INPUT, "label");
		m.label = LABEL;
		snprintf(m.role, sizeof(m.role), "%s", bad[i]);
		CHECK_FAILS(manifest_format("x", "", 1, &m, 1, NULL, 0, &b, &e),
			    &e, ERR_INPUT, "role");
		snprintf(m.role, sizeof(m.role), "leaf");
		snprintf(fact.name, sizeof(fact.name), "a");
		snprintf(fact.value, sizeof(fact.value), "%s", bad[i]);
		CHECK_FAILS(
		    manifest_format("x", "", 1, &m, 1, &fact, 1, &b, &e), &e,
		    ERR_INPUT, "fact");
	}
	CHECK_FAILS(manifest_format("x", "", 1, &m, SET_MEMBERS_MAX + 1, NULL,
				    0, &b, &e),
		    &e, ERR_LIMIT, "2000");
	buf_free(&b);
}

/* --- PKCS#8 for unwrapping, read by libcrypto */

static void test_pkcs8(void)
{
	static const struct {
		enum key_type type;
		unsigned bits;
	} rows[] = { { KEY_RSA, 2048 }, { KEY_EC, 256 }, { KEY_EC, 384 } };

	for (size_t i = 0; i < 3; i++) {
		struct secret der = { 0 };
		struct error e = ERROR_INIT;
		unsigned char *spki = NULL;
		const unsigned char *p;
		struct key_material m;
		EVP_PKEY *pkey;
		int n;

		make_material(&m, rows[i].type, rows[i].bits);
		CHECK_OK(pkcs8_encode(&m, &der, &e), &e);
		p = der.ptr;
		pkey = d2i_AutoPrivateKey(NULL, &p, (long)der.len);
		CU_ASSERT_PTR_NOT_NULL_FATAL(pkey);
		CU_ASSERT_EQUAL(p - der.ptr, (long)der.len);
		n = i2d_PUBKEY(pkey, &spki);
		CU_ASSERT(view_equal(view_of(spki, (size_t)n),
				     view_of(m.pub.spki, m.pub.spki_len)));
		OPENSSL_free(spki);
		EVP_PKEY_free(pkey);
		secret_free(&der);
		key_material_free(&m);
	}
}

int main(int argc, char **argv)
{
	static const struct unit_test tests[] = {
		{ "token-object-valid", test_token_object_valid },
		{ "token-object-hostile", test_token_object_hostile },
		{ "guard-restores", test_guard_restores },
		{ "guard-verifies", test_guard_verifies },
		{ "guard-cannot", test_guard_cannot },
		{ "pin-mark", test_pin_mark },
		{ "pin-identity", test_pin_identity },
		{ "lock-excludes", test_lock_excludes },
		{ "lock-dies-with-holder", test_lock_dies_with_holder },
		{ "manifest-round-trip", test_manifest_round_trip },
		{ "manifest-refusals", test_manifest_refusals },
		{ "manifest-too-much", test_manifest_too_much },
		{ "manifest-format-refuses", test_manifest_format_refuses },
		{ "pkcs8", test_pkcs8 },
		{ NULL, NULL },
	};

	return unit_main(argc, argv, "pkcs11-files", tests, setup, NULL);
}
