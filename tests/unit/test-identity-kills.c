/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/log.h"
#include "tests/lib/unit.h"
#include "tests/unit/identity_device.h"

/* A service that is killed while it changes its identity, or makes its first.
 */

enum { KILL_ROUNDS = 20, KILL_CHANGES = 5, KILL_SPREAD_MS = 400 };
enum { FIRST_ROUNDS = 10, FIRST_SPREAD_MS = 150 };

static struct device killed;

static char *part(const char *dir, const char *name)
{
	char path[400];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	return test_read_file(path);
}

static void child_device(const char *dir, struct device *d)
{
	memset(d, 0, sizeof(*d));
	d->files.dir = dir;
	snprintf(d->files.conf, sizeof(d->files.conf), "%s/softhsm2.conf", dir);
	snprintf(d->files.pin_file, sizeof(d->files.pin_file), "%s/pin", dir);
	snprintf(d->files.state, sizeof(d->files.state), "%s/state", dir);
	snprintf(d->files.lock_file, sizeof(d->files.lock_file),
		 "%s/token.lock", dir);
	d->token = test_token_open(&d->files);
	d->id = device_identity(d->token, 1);
}

/* The child of a first start. */
static int start_first(const char *dir)
{
	struct error e = ERROR_INIT;
	struct device d;

	child_device(dir, &d);
	if (write(STDOUT_FILENO, "!", 1) != 1 || identity_load(d.id, &e) < 0)
		return 1;
	for (;;)
		pause();
}

/* The child: makes one change after the other until it is killed, and says so
 * after loading and after each. */
static int change_for_ever(const char *dir)
{
	struct error e = ERROR_INIT;
	struct device d;
	char *cert[2] = { part(dir, "a.cer"), part(dir, "b.cer") };
	char *key[2] = { part(dir, "a.key"), part(dir, "b.key") };

	child_device(dir, &d);
	if (identity_load(d.id, &e) < 0 || write(STDOUT_FILENO, "!", 1) != 1)
		return 1;
	for (unsigned i = 0;; i++) {
		if (device_upload(&d, cert[i % 2], key[i % 2], NULL, NULL, &e) <
		    0)
			return 2;
		if (i % 3 == 2 && identity_activate(d.id, &e) < 0 &&
		    e.kind != ERR_CONFLICT)
			return 3;
		if (i % 5 == 4 && identity_delete(d.id, &e) < 0)
			return 4;
		if (write(STDOUT_FILENO, "!", 1) != 1)
			return 5;
	}
}

static void put(const char *name, char *text)
{
	char path[400];

	snprintf(path, sizeof(path), "%s/%s", killed.files.dir, name);
	test_write_file(path, text);
	free(text);
}

static unsigned below(unsigned n)
{
	uint32_t noise;

	random_bytes(&noise, sizeof(noise));
	return noise % n;
}

/* Kill it so long after it has spoken so many times. */
static void run_and_kill(const char *what, unsigned words, unsigned delay_ms)
{
	int status, said[2];
	pid_t child;
	char byte;

	CU_ASSERT_EQUAL_FATAL(pipe(said), 0);
	child = fork();
	if (child == 0) {
		dup2(said[1], STDOUT_FILENO);
		execl("/proc/self/exe", "test-identity-kills", what,
		      killed.files.dir, (char *)NULL);
		_exit(99);
	}
	close(said[1]);
	while (words--)
		CU_ASSERT_EQUAL(read(said[0], &byte, 1), 1);
	usleep(delay_ms * 1000);
	kill(child, SIGKILL);
	waitpid(child, &status, 0);
	close(said[0]);
	if (!WIFSIGNALED(status))
		unit_note("the child ended with %d", WEXITSTATUS(status));
	CU_ASSERT(WIFSIGNALED(status));
}

static size_t usable_keys(struct device *d)
{
	static struct token_key_info infos[64];
	struct error e = ERROR_INIT;
	size_t n = 0, usable = 0;

	CHECK_OK(token_key_list(d->token, infos, 64, &n, &e), &e);
	for (size_t i = 0; i < n && i < 64; i++)
		usable += infos[i].supported;
	return usable;
}

/* Old or new, whole, and nothing of ours beside it. */
static void check_survivor(unsigned seen[3])
{
	struct error e = ERROR_INIT;
	struct local_identity *l;

	killed.token = test_token_open(&killed.files);
	killed.id = device_identity(killed.token, 1);
	CHECK_OK(identity_load(killed.id, &e), &e);
	l = identity_in_service(killed.id);
	check_whole(&killed, l);
	if (l->source == IDENTITY_DEFAULT) {
		CU_ASSERT_EQUAL(l->chain.count, 1);
		seen[0]++;
	} else {
		CU_ASSERT_EQUAL(l->chain.count, 2);
		seen[l->chain.count && cert_public_key(l->chain.items[0], &e)
					       ->type == KEY_RSA
			 ? 2
			 : 1]++;
	}
	CU_ASSERT_EQUAL(usable_keys(&killed),
			l->source == IDENTITY_CUSTOM ? 2 : 1);
	CU_ASSERT_EQUAL(count_pending(&killed), 0);
	local_identity_unref(l);
	device_close(&killed);
}

static void test_kills(void)
{
	unsigned seen[3] = { 0 };
	char *ca = ca_pem();
	char *a = leaf_pem(test_key("ecP256", 1), NULL);
	char *b = leaf_pem(test_key("rsa2048", 0), NULL);

	device_make(&killed);
	put("a.cer", test_join(a, ca, NULL));
	put("b.cer", test_join(ca, b, NULL));
	put("a.key", test_key_pem(test_key("ecP256", 1), "pkcs8", NULL, NULL));
	put("b.key", test_key_pem(test_key("rsa2048", 0), "pkcs8", NULL, NULL));
	device_close(&killed);
	for (int i = 0; i < KILL_ROUNDS; i++) {
		run_and_kill("--change", 1 + below(KILL_CHANGES),
			     below(KILL_SPREAD_MS));
		check_survivor(seen);
	}
	unit_note("after %d kills: default %u, first %u, second %u",
		  (int)KILL_ROUNDS, seen[0], seen[1], seen[2]);
	/* The kills came while something was going on. */
	CU_ASSERT(seen[1] + seen[2] > 0);
	free(a);
	free(b);
	free(ca);
}

/* Whenever the first start ends, the next one finds or makes one own pair. */
static void test_killed_first_start(void)
{
	unsigned seen[3] = { 0 };

	for (int i = 0; i < FIRST_ROUNDS; i++) {
		device_make(&killed);
		device_close(&killed);
		run_and_kill("--first", 1, below(FIRST_SPREAD_MS));
		check_survivor(seen);
		check_survivor(seen);
	}
	CU_ASSERT_EQUAL(seen[0], 2 * FIRST_ROUNDS);
}

int main(int argc, char **argv)
{
	static const struct unit_test tests[] = {
		{ "killed at any point", test_kills },
		{ "killed at the first start", test_killed_first_start },
		{ NULL, NULL },
	};

	log_set_level(LOG_LEVEL_ERROR);
	if (argc == 3 && !strcmp(argv[1], "--change"))
		return change_for_ever(argv[2]);
	if (argc == 3 && !strcmp(argv[1], "--first"))
		return start_first(argv[2]);
	return unit_main(argc, argv, "identity-kills", tests, NULL, NULL);
}
