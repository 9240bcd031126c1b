/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/secret.h"
#include "store/store.h"
#include "tests/unit/pkcs11_wrapper.h"
#include "tests/unit/trust_device.h"

/* Trust stores and their token: large ones, several at once, kills, tokens
 * without data objects, tokens that others have changed or that are not there.
 */

static struct trust_device dev;

static int setup(void)
{
	struct error e = ERROR_INIT;

	trust_device_make(&dev);
	return trust_load(dev.trust, &e);
}

static int teardown(void)
{
	trust_device_close(&dev);
	return 0;
}

/* --- a thousand ----------------------------------------------------------- */

/* The names of the token's files, sorted, into DIR/NAME. */
static void note_files(const char *name)
{
	CU_ASSERT_EQUAL(
	    test_run("find %s/tokens -name '*.object' | sort >%s/%s",
		     dev.files.dir, dev.files.dir, name),
	    0);
}

static void test_thousand(void)
{
	char *text = authorities(0, 1000), *other = authorities(20, 980);
	struct trust_difference d;
	struct error e = ERROR_INIT;
	size_t count = 0;

	CHECK_OK(trust_upload(&dev, TRUST_HTTPS, text, &count, &e), &e);
	CU_ASSERT_EQUAL(count, 1000);
	trust_device_restart(&dev);
	CU_ASSERT(store_holds(&dev, TRUST_HTTPS, 0, 1000));
	/* The same again writes a manifest and nothing else. */
	note_files("before");
	CHECK_OK(trust_upload(&dev, TRUST_HTTPS, text, &count, &e), &e);
	note_files("after");
	CU_ASSERT_EQUAL(test_run("cd %s && test $(comm -13 before after | "
				 "wc -l) = 1 && test $(comm -23 before after "
				 "| wc -l) = 1",
				 dev.files.dir),
			0);
	/* Some of them gone: the rest stays where it is. */
	CHECK_OK(trust_store_replace(dev.trust, TRUST_HTTPS, view_str(other),
				     &count, &d, &e),
		 &e);
	CU_ASSERT_EQUAL(d.kept, 980);
	CU_ASSERT_EQUAL(d.removed, 20);
	note_files("third");
	CU_ASSERT_EQUAL(test_run("cd %s && test $(comm -13 after third | "
				 "wc -l) = 1 && test $(comm -23 after third "
				 "| wc -l) = 21",
				 dev.files.dir),
			0);
	CU_ASSERT(store_holds(&dev, TRUST_HTTPS, 20, 980));
	free(text);
	free(other);
}

/* --- several at once ------------------------------------------------------ */

struct job {
	pthread_t thread;
	enum trust_store_id id;
	const char *text;
	int rc;
	struct error e;
};

static void *run_job(void *arg)
{
	struct job *j = arg;

	j->rc = trust_upload(&dev, j->id, j->text, NULL, &j->e);
	return NULL;
}

static void start_job(struct job *j, enum trust_store_id id, const char *text)
{
	*j = (struct job){ .id = id, .text = text };
	CU_ASSERT_EQUAL_FATAL(pthread_create(&j->thread, NULL, run_job, j), 0);
}

enum { LONG_UPLOAD = 200 };

static void test_meanwhile(void)
{
	char *text = authorities(0, LONG_UPLOAD), *few = authorities(0, 3);
	struct error e = ERROR_INIT;
	struct trust_progress p = { false, 0, 0 };
	struct job https, sip;
	size_t seen = 0, steps = 0, n;
	int64_t longest = 0;

	CHECK_OK(trust_upload(&dev, TRUST_HTTPS, few, NULL, &e), &e);
	start_job(&https, TRUST_HTTPS, text);
	while (!p.running || !p.done)
		trust_get_progress(dev.trust, TRUST_HTTPS, &p);
	CU_ASSERT_EQUAL(p.total, LONG_UPLOAD);
	/* One change of a store at a time; another store's waits its turn. */
	CHECK_FAILS(trust_upload(&dev, TRUST_HTTPS, few, NULL, &e), &e,
		    ERR_CONFLICT, "of 200 certificates");
	CHECK_FAILS(trust_store_delete(dev.trust, TRUST_HTTPS, &n, &e), &e,
		    ERR_CONFLICT, "under way");
	start_job(&sip, TRUST_SIP, few);
	/* Readers see the old store, at once, and how it goes on. */
	while (p.running) {
		int64_t before = clock_monotonic_ms();

		trust_get_progress(dev.trust, TRUST_HTTPS, &p);
		if (p.running && p.done < LONG_UPLOAD)
			CU_ASSERT(store_holds(&dev, TRUST_HTTPS, 0, 3));
		if (clock_monotonic_ms() - before > longest)
			longest = clock_monotonic_ms() - before;
		steps += p.done > seen;
		CU_ASSERT(!p.running || p.done >= seen);
		seen = p.running ? p.done : seen;
		usleep(200);
	}
	pthread_join(https.thread, NULL);
	pthread_join(sip.thread, NULL);
	CHECK_OK(https.rc, &https.e);
	CHECK_OK(sip.rc, &sip.e);
	unit_note("%zu steps seen, a reader waited %lld ms at most", steps,
		  (long long)longest);
	CU_ASSERT(steps >= 3);
	CU_ASSERT(store_holds(&dev, TRUST_HTTPS, 0, LONG_UPLOAD));
	CU_ASSERT(store_holds(&dev, TRUST_SIP, 0, 3));
	trust_get_progress(dev.trust, TRUST_HTTPS, &p);
	CU_ASSERT_FALSE(p.running);
	CHECK_OK(trust_store_delete(dev.trust, TRUST_HTTPS, &n, &e), &e);
	CU_ASSERT_EQUAL(n, LONG_UPLOAD);
	free(text);
	free(few);
}

/* --- in plain words ------------------------------------------------------- */

#define PKCS11_TOOL                               \
	"pkcs11-tool --module " TEST_TOKEN_MODULE \
	" --token-label sealbridge --login --pin " TEST_TOKEN_PIN " "

static void test_plain_words(void)
{
	static const char *const lines[] = {
		"label:.*sealbridge trust sip",
		"label:.*sealbridge trust callHome",
		"subject:.*CN=CA 1",
		"subject:.*IdenTrust Commercial Root CA 1",
		"sealbridge manifest trust sip",
		"application:.*sealbridge",
	};
	struct error e = ERROR_INIT;

	CHECK_OK(trust_upload(&dev, TRUST_SIP, authority(1), NULL, &e), &e);
	CU_ASSERT_EQUAL(test_run(PKCS11_TOOL "-O >%s/list 2>&1", dev.files.dir),
			0);
	for (size_t i = 0; i < sizeof(lines) / sizeof(*lines); i++) {
		int rc =
		    test_run("grep -q '%s' %s/list", lines[i], dev.files.dir);

		if (rc)
			unit_note("not listed: %s", lines[i]);
		CU_ASSERT_EQUAL(rc, 0);
	}
}

/* --- changed behind our back ---------------------------------------------- */

static void take_one_away(const char *label)
{
	CU_ASSERT_EQUAL(test_run(PKCS11_TOOL "--delete-object --type cert "
					     "--label '%s' >/dev/null 2>&1",
				 label),
			0);
}

static void check_damaged(enum trust_store_id id)
{
	struct trust_snapshot *s = trust_snapshot(dev.trust, id);

	CU_ASSERT_PTR_NOT_NULL_FATAL(s);
	CU_ASSERT_EQUAL(s->certificates.count, 0);
	CU_ASSERT_EQUAL(s->source, TRUST_NONE);
	CU_ASSERT(strstr(s->problem, trust_store_title(id)) != NULL);
	unit_note("%s", s->problem);
	trust_snapshot_unref(s);
}

static void test_member_removed(void)
{
	char *text = authorities(0, 3);
	struct error e = ERROR_INIT;
	size_t n;

	CHECK_OK(trust_upload(&dev, TRUST_SIP, text, NULL, &e), &e);
	CHECK_OK(trust_upload(&dev, TRUST_HTTPS, text, NULL, &e), &e);
	take_one_away("sealbridge trust sip");
	CHECK_OK(trust_load(dev.trust, &e), &e);
	check_damaged(TRUST_SIP);
	CU_ASSERT(store_holds(&dev, TRUST_HTTPS, 0, 3));
	trust_device_restart(&dev);
	check_damaged(TRUST_SIP);
	/* Each change mends it. */
	CHECK_OK(trust_store_delete(dev.trust, TRUST_SIP, &n, &e), &e);
	trust_device_restart(&dev);
	CU_ASSERT_EQUAL(store_source(&dev, TRUST_SIP), TRUST_NONE);
	CHECK_OK(trust_upload(&dev, TRUST_SIP, text, NULL, &e), &e);
	take_one_away("sealbridge trust sip");
	CHECK_OK(trust_upload(&dev, TRUST_SIP, text, NULL, &e), &e);
	trust_device_restart(&dev);
	CU_ASSERT(store_holds(&dev, TRUST_SIP, 0, 3));
	/* The factory content is no secret back door. */
	take_one_away("sealbridge trust callHome");
	trust_device_restart(&dev);
	check_damaged(TRUST_CALL_HOME);
	CHECK_OK(trust_store_reset(dev.trust, TRUST_CALL_HOME, &n, &e), &e);
	CU_ASSERT_EQUAL(store_source(&dev, TRUST_CALL_HOME), TRUST_DEFAULT);
	free(text);
}

/* --- a token that is not there -------------------------------------------- */

static void test_no_token(void)
{
	struct token_options o = test_token_options(&dev.files);
	struct trust_options to = { NULL, NULL };
	struct error e = ERROR_INIT;
	struct token *token;
	struct trust *t;
	size_t n;

	trust_device_close(&dev);
	o.uri = "pkcs11:token=another";
	token = token_new(&o, &e);
	CHECK_OBJECT(token, &e);
	CHECK_FAILS(token_start(token, &e), &e, ERR_TOKEN, "");
	to.token = token;
	t = trust_new(&to, &e);
	CHECK_OBJECT(t, &e);
	error_clear(&e);
	CHECK_FAILS(trust_load(t, &e), &e, ERR_TOKEN, "trust store");
	CU_ASSERT_FALSE(trust_is_loaded(t));
	CU_ASSERT_PTR_NULL(trust_snapshot(t, TRUST_HTTPS));
	CU_ASSERT_PTR_NULL(trust_snapshot(t, TRUST_CALL_HOME));
	CHECK_FAILS(trust_store_replace(t, TRUST_SIP, view_str(authority(1)),
					&n, NULL, &e),
		    &e, ERR_TOKEN, "");
	CHECK_FAILS(trust_store_delete(t, TRUST_SIP, &n, &e), &e, ERR_TOKEN,
		    "");
	CU_ASSERT_PTR_NULL(trust_snapshot(t, TRUST_SIP));
	trust_free(t);
	token_free(token);
	trust_device_open(&dev);
	CHECK_OK(trust_load(dev.trust, &e), &e);
}

/* --- no data objects ------------------------------------------------------ */

static int put(void *arg, const char *name, struct view value, struct error *e)
{
	return store_manifest_put(arg, name, value, e);
}

static int list(void *arg, const char *name,
		int (*each)(void *, struct view, struct error *),
		void *each_arg, struct error *e)
{
	return store_manifest_list(arg, name, each, each_arg, e);
}

static int prune(void *arg, const char *name, struct view keep, struct error *e)
{
	return store_manifest_prune(arg, name, keep, e);
}

static void open_poor(struct trust_device *d, struct store *s)
{
	struct token_options o = test_token_options(&d->files);
	struct trust_options to = { NULL, NULL };
	struct error e = ERROR_INIT;

	o.module = wrapper_path();
	if (s)
		o.fallback = (struct manifest_fallback){ put, list, prune, s };
	d->token = token_new(&o, &e);
	CHECK_OBJECT(d->token, &e);
	CHECK_OK(token_start(d->token, &e), &e);
	to.token = d->token;
	d->trust = trust_new(&to, &e);
	CHECK_OBJECT(d->trust, &e);
	CHECK_OK(trust_load(d->trust, &e), &e);
}

static void test_no_data_objects(void)
{
	char *text = authorities(0, 5), *conf = strdup(getenv("SOFTHSM2_CONF"));
	struct wrapper_knobs *knobs;
	struct error e = ERROR_INIT;
	struct trust_device poor;
	struct store *s;
	size_t n;

	trust_device_close(&dev);
	memset(&poor, 0, sizeof(poor));
	test_token_make(&poor.files);
	s = store_open(poor.files.state, &e);
	CHECK_OBJECT(s, &e);
	knobs = wrapper_load();
	atomic_store(&knobs->refuse_data, 1);
	open_poor(&poor, s);
	CU_ASSERT_EQUAL(store_source(&poor, TRUST_CALL_HOME), TRUST_DEFAULT);
	CHECK_OK(trust_upload(&poor, TRUST_HTTPS, text, NULL, &e), &e);
	CHECK_OK(trust_upload(&poor, TRUST_SIP, authority(7), NULL, &e), &e);
	CHECK_OK(trust_upload(&poor, TRUST_SIP, authority(8), NULL, &e), &e);
	CHECK_OK(trust_store_delete(poor.trust, TRUST_CALL_HOME, &n, &e), &e);
	/* A restart finds all of it in the store and the token. */
	trust_device_close(&poor);
	open_poor(&poor, s);
	CU_ASSERT(store_holds(&poor, TRUST_HTTPS, 0, 5));
	CU_ASSERT(store_holds(&poor, TRUST_SIP, 8, 1));
	CU_ASSERT_EQUAL(store_source(&poor, TRUST_CALL_HOME), TRUST_NONE);
	CU_ASSERT_EQUAL(test_run(PKCS11_TOOL "-O | grep -c 'Certificate "
					     "Object' | grep -qx 6"),
			0);
	CU_ASSERT_EQUAL(test_run(PKCS11_TOOL "-O | grep -q 'Data object'"), 1);
	trust_device_close(&poor);
	store_close(s);
	/* Without the rows there is no manifest, and nowhere to put one. */
	open_poor(&poor, NULL);
	CU_ASSERT_EQUAL(store_source(&poor, TRUST_HTTPS), TRUST_NONE);
	CHECK_FAILS(trust_upload(&poor, TRUST_HTTPS, text, NULL, &e), &e,
		    ERR_UNSUPPORTED, "no data objects");
	CU_ASSERT_EQUAL(store_source(&poor, TRUST_HTTPS), TRUST_NONE);
	trust_device_close(&poor);
	setenv("SOFTHSM2_CONF", conf, 1);
	free(conf);
	free(text);
	trust_device_open(&dev);
	CHECK_OK(trust_load(dev.trust, &e), &e);
}

/* --- kills ---------------------------------------------------------------- */

enum { KILL_ROUNDS = 12, KILL_CERTS = 40 };

static struct trust_device killed;

/* The child: says that it has loaded, then replaces one store by the other
 * content, on and on, until it is killed. */
static int change_for_ever(const char *dir)
{
	struct error e = ERROR_INIT;
	struct trust_device d;
	char path[2][400], *text[2];

	memset(&d, 0, sizeof(d));
	d.files.dir = dir;
	snprintf(d.files.conf, sizeof(d.files.conf), "%s/softhsm2.conf", dir);
	snprintf(d.files.pin_file, sizeof(d.files.pin_file), "%s/pin", dir);
	snprintf(d.files.state, sizeof(d.files.state), "%s/state", dir);
	snprintf(d.files.lock_file, sizeof(d.files.lock_file), "%s/token.lock",
		 dir);
	for (int i = 0; i < 2; i++) {
		snprintf(path[i], sizeof(path[i]), "%s/%c.pem", dir, 'a' + i);
		text[i] = test_read_file(path[i]);
	}
	trust_device_open(&d);
	if (trust_load(d.trust, &e) < 0 || write(STDOUT_FILENO, "!", 1) != 1)
		return 1;
	for (unsigned i = 0;; i++)
		if (trust_upload(&d, TRUST_HTTPS, text[i % 2], NULL, &e) < 0)
			return 2;
}

static void put_bundle(const char *name, char *text)
{
	char *path = test_join(killed.files.dir, name, NULL);

	test_write_file(path, text);
	free(path);
	free(text);
}

static void run_and_kill(int64_t delay_ms)
{
	int status, said[2];
	pid_t child;
	char byte;

	CU_ASSERT_EQUAL_FATAL(pipe(said), 0);
	child = fork();
	if (child == 0) {
		dup2(said[1], STDOUT_FILENO);
		execl("/proc/self/exe", "test-trust-token", "--change",
		      killed.files.dir, (char *)NULL);
		_exit(99);
	}
	close(said[1]);
	CU_ASSERT_EQUAL(read(said[0], &byte, 1), 1);
	usleep((useconds_t)delay_ms * 1000);
	kill(child, SIGKILL);
	waitpid(child, &status, 0);
	close(said[0]);
	if (!WIFSIGNALED(status))
		unit_note("the child ended with %d", WEXITSTATUS(status));
	CU_ASSERT(WIFSIGNALED(status));
}

/* One content or the other, whole; after the collection nothing with our labels
 * is in the token beside what the stores list. (SoftHSM can leave an object
 * that has no label yet; whose it is nobody can tell.) */
static void check_survivor(unsigned seen[2])
{
	struct trust_snapshot *s;
	struct error e = ERROR_INIT;
	unsigned which;

	trust_device_open(&killed);
	CHECK_OK(trust_load(killed.trust, &e), &e);
	CHECK_OK(object_collect_leftovers(killed.token, NULL, &e), &e);
	s = trust_snapshot(killed.trust, TRUST_HTTPS);
	CU_ASSERT_EQUAL_FATAL(s->certificates.count, KILL_CERTS);
	CU_ASSERT_STRING_EQUAL(s->problem, "");
	which = strcmp(cert_subject(s->certificates.items[0])->cn, "CA 0") != 0;
	trust_snapshot_unref(s);
	CU_ASSERT(
	    store_holds(&killed, TRUST_HTTPS, which ? 200 : 0, KILL_CERTS));
	CU_ASSERT_EQUAL(store_source(&killed, TRUST_CALL_HOME), TRUST_DEFAULT);
	seen[which]++;
	trust_device_close(&killed);
	CU_ASSERT_EQUAL(test_run(PKCS11_TOOL "-O 2>/dev/null | grep -c "
					     "'label:.*sealbridge trust' | "
					     "grep -qx %d",
				 KILL_CERTS + 1),
			0);
}

static void test_kills(void)
{
	char *conf = strdup(getenv("SOFTHSM2_CONF"));
	char *first = authorities(0, KILL_CERTS);
	struct error e = ERROR_INIT;
	unsigned seen[2] = { 0, 0 };
	int64_t spread_ms;

	trust_device_close(&dev);
	trust_device_make(&killed);
	CHECK_OK(trust_load(killed.trust, &e), &e);
	/* The kills are spread over two and a half changes. */
	spread_ms = clock_monotonic_ms();
	CHECK_OK(trust_upload(&killed, TRUST_HTTPS, first, NULL, &e), &e);
	spread_ms = (clock_monotonic_ms() - spread_ms) * 5 / 2 + 1;
	put_bundle("/a.pem", authorities(200, KILL_CERTS));
	put_bundle("/b.pem", first);
	trust_device_close(&killed);
	for (int i = 0; i < KILL_ROUNDS || (!seen[1] && i < 4 * KILL_ROUNDS);
	     i++) {
		uint16_t noise;

		/* On a busy machine a change takes longer than the first one
		 * did: none was through before its kill. */
		if (i && i % KILL_ROUNDS == 0)
			spread_ms *= 3;
		random_bytes(&noise, sizeof(noise));
		run_and_kill(noise * spread_ms / UINT16_MAX);
		check_survivor(seen);
	}
	unit_note("after %u kills within %lld ms: %u and %u", seen[0] + seen[1],
		  (long long)spread_ms, seen[0], seen[1]);
	/* The kills came while something was going on. */
	CU_ASSERT(seen[1] > 0);
	setenv("SOFTHSM2_CONF", conf, 1);
	free(conf);
	trust_device_open(&dev);
	CHECK_OK(trust_load(dev.trust, &e), &e);
}

int main(int argc, char **argv)
{
	static const struct unit_test tests[] = {
		{ "a thousand certificates", test_thousand },
		{ "reads and other changes meanwhile", test_meanwhile },
		{ "pkcs11-tool lists them in plain words", test_plain_words },
		{ "a member removed by somebody else", test_member_removed },
		{ "a token that is not there", test_no_token },
		{ "a token without data objects", test_no_data_objects },
		{ "killed at any point", test_kills },
		{ NULL, NULL },
	};

	if (argc == 3 && !strcmp(argv[1], "--change"))
		return change_for_ever(argv[2]);
	trust_tests_in_memory();
	return unit_main(argc, argv, "trust-token", tests, setup, teardown);
}
