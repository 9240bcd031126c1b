/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <glob.h>
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tests/lib/unit.h"
#include "tests/unit/pkcs11_helpers.h"
#include "tests/unit/pkcs11_place.h"

/* Several processes at one token, and a token.object that a kill has emptied.
 * Each test has a token of its own. */

/* --- other processes */

static int second_process(const struct token_options *o)
{
	struct error e = ERROR_INIT;
	struct token *t = token_new(o, &e);
	struct token_key *k = NULL;
	int rc = 1;

	if (t && token_start(t, &e) == 0)
		k = token_key_generate(t, KEY_KIND_EC_P256, "second", &e);
	if (k && sign_and_verify(k, SIGN_ECDSA, HASH_SHA256, &e) == 0)
		rc = 0;
	if (rc)
		fprintf(stderr, "# second process: %s\n", e.text);
	token_key_unref(k);
	token_free(t);
	return rc;
}

/* Several at once: the lock keeps their logins apart. */
static void test_other_processes(void)
{
	enum { PROCESSES = 4 };
	struct test_token place;
	struct token_options o;
	struct error e = ERROR_INIT;
	struct token_key *k;
	struct token *t;
	pid_t pids[PROCESSES];

	test_token_make(&place);
	o = test_token_options(&place);
	fflush(stdout);
	for (int i = 0; i < PROCESSES; i++) {
		pids[i] = fork();
		if (pids[i] == 0)
			_exit(second_process(&o));
	}
	t = open_with(&o);
	k = make_key(t);
	for (int i = 0; i < PROCESSES; i++) {
		int status = -1;

		waitpid(pids[i], &status, 0);
		CU_ASSERT_EQUAL(status, 0);
		CHECK_OK(sign_and_verify(k, SIGN_ECDSA, HASH_SHA256, &e), &e);
	}
	token_key_unref(k);
	token_free(t);
}

static void test_lock_held_elsewhere(void)
{
	struct error e = ERROR_INIT;
	struct test_token place;
	struct token_options o = wrapped(&place);
	struct token *t;
	int said[2];
	pid_t pid;
	char byte;

	CU_ASSERT_EQUAL_FATAL(pipe(said), 0);
	pid = fork();
	if (pid == 0) {
		dup2(said[1], STDOUT_FILENO);
		execlp("flock", "flock", place.lock_file, "sh", "-c",
		       "echo; exec sleep 5", (char *)NULL);
		_exit(127);
	}
	close(said[1]);
	/* It has the lock. */
	CU_ASSERT_EQUAL_FATAL(read(said[0], &byte, 1), 1);
	close(said[0]);
	t = token_new(&o, &e);
	CHECK_OBJECT(t, &e);
	CHECK_OK(token_start(t, &e), &e); /* after five seconds */
	CU_ASSERT_EQUAL(atomic_load(&knobs->logins), 1);
	token_free(t);
	waitpid(pid, NULL, 0);
}

/* --- the guarded token.object */

static void damage(const struct test_token *place, off_t size)
{
	char pattern[300];
	glob_t found;

	snprintf(pattern, sizeof(pattern), "%s/tokens/*/token.object",
		 place->dir);
	CU_ASSERT_EQUAL_FATAL(glob(pattern, 0, NULL, &found), 0);
	CU_ASSERT_EQUAL(truncate(found.gl_pathv[0], size), 0);
	globfree(&found);
}

static void test_emptied_token_object(void)
{
	static const off_t sizes[] = { 0, 1, 8, 100, 200, 319 };
	struct error e = ERROR_INIT;
	struct test_token place;
	struct token_options o = wrapped(&place);
	struct token *t = open_with(&o);
	struct token_key *k = make_key(t);
	struct public_key pub = *token_key_public(k);

	token_key_unref(k);
	token_free(t);
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		damage(&place, sizes[i]);
		t = open_with(&o);
		k = token_key_find(t, &pub, &e);
		CHECK_OBJECT(k, &e);
		CHECK_OK(sign_and_verify(k, SIGN_ECDSA, HASH_SHA256, &e), &e);
		token_key_unref(k);
		token_free(t);
	}
	/* without the guard it is lost: the test can fail */
	damage(&place, 0);
	o.softhsm_conf = NULL;
	t = token_new(&o, &e);
	CHECK_OBJECT(t, &e);
	CHECK_FAILS(token_start(t, &e), &e, ERR_TOKEN, "no token");
	token_free(t);
}

/* Killed while logging in, again and again: the token is there afterwards. */
static void test_killed_in_login(void)
{
	enum { ROUNDS = 25 };
	struct test_token place;
	struct token_options o;
	unsigned emptied = 0;

	test_token_make(&place);
	o = test_token_options(&place);
	token_free(open_with(&o));
	fflush(stdout);
	for (int i = 0; i < ROUNDS; i++) {
		struct timespec nap = { 0, (i * 700 + 500) * 1000L };
		pid_t pid = fork();

		if (pid == 0)
			for (;;) {
				struct error e = ERROR_INIT;
				struct token *t = token_new(&o, &e);

				if (!t || token_start(t, &e) < 0)
					_exit(1);
				token_free(t);
			}
		nanosleep(&nap, NULL);
		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
		emptied += test_run("find %s/tokens -name token.object "
				    "-size 0 | grep -q .",
				    place.dir) == 0;
		token_free(open_with(&o));
	}
	unit_note("token.object emptied in %u of %d rounds", emptied, ROUNDS);
}

int main(int argc, char **argv)
{
	static const struct unit_test tests[] = {
		{ "other-processes", test_other_processes },
		{ "lock-held-elsewhere", test_lock_held_elsewhere },
		{ "emptied-token-object", test_emptied_token_object },
		{ "killed-in-login", test_killed_in_login },
		{ NULL, NULL },
	};

	return unit_main(argc, argv, "pkcs11-processes", tests, place_setup,
			 NULL);
}
