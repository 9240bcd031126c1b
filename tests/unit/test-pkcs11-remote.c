/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <dirent.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "pkcs11/keys.h"
#include "pkcs11/objects.h"
#include "tests/lib/test_token.h"
#include "tests/lib/unit.h"
#include "tests/unit/pkcs11_helpers.h"

/* The token in a process of its own: p11-kit server and p11-kit-client.so. */

/* A connection comes back after 30 s at most (its longest pause). */
enum { THREADS = 6, SERVER_WAIT_MS = 30000, SETTLE_WAIT_MS = 60000 };

static struct test_token place;
static struct token_options options;
static struct token *token;
static struct token_key *key;
static pid_t server;
static char socket_path[300];

static void nap_ms(long ms)
{
	struct timespec nap = { ms / 1000, ms % 1000 * 1000000L };

	nanosleep(&nap, NULL);
}

static int start_server(void)
{
	int64_t deadline = clock_monotonic_ms() + SERVER_WAIT_MS;

	unlink(socket_path);
	server = fork();
	if (server == 0) {
		setpgid(0, 0);
		execlp("p11-kit", "p11-kit", "server", "-f", "-n", socket_path,
		       "-p", TEST_TOKEN_MODULE, "pkcs11:token=sealbridge",
		       (char *)NULL);
		_exit(127);
	}
	while (access(socket_path, F_OK) != 0) {
		if (clock_monotonic_ms() > deadline)
			return -1;
		nap_ms(10);
	}
	return 0;
}

/* The server and every process it started for a connection. */
static void stop_server(void)
{
	if (server > 0) {
		kill(-server, SIGKILL);
		waitpid(server, NULL, 0);
	}
	server = 0;
}

/* Living processes whose parent is the server: one for each connection. */
static int server_children(pid_t *out, int cap)
{
	DIR *proc = opendir("/proc");
	struct dirent *entry;
	int n = 0;

	while (proc && (entry = readdir(proc)) != NULL) {
		int pid = atoi(entry->d_name), parent = 0;
		char path[64], state;
		FILE *f;

		if (pid <= 0)
			continue;
		snprintf(path, sizeof(path), "/proc/%d/stat", pid);
		f = fopen(path, "r");
		if (!f)
			continue;
		if (fscanf(f, "%*d (%*[^)]) %c %d", &state, &parent) == 2 &&
		    parent == server && state != 'Z' && n < cap)
			out[n++] = pid;
		fclose(f);
	}
	if (proc)
		closedir(proc);
	return n;
}

static int setup(void)
{
	char address[400];
	struct error e = ERROR_INIT;

	test_token_make(&place);
	snprintf(socket_path, sizeof(socket_path), "%s/p11", place.dir);
	snprintf(address, sizeof(address), "unix:path=%s", socket_path);
	setenv("P11_KIT_SERVER_ADDRESS", address, 1);
	if (start_server() < 0)
		return -1;
	options = test_token_options(&place);
	options.module = P11KIT_MODULE_DIR "/p11-kit-client.so";
	options.wait_ms = 15000;
	token = token_new(&options, &e);
	if (!token || token_start(token, &e) < 0) {
		fprintf(stderr, "%s\n", e.text);
		return -1;
	}
	return 0;
}

static int teardown(void)
{
	token_key_unref(key);
	token_free(token);
	stop_server();
	return 0;
}

static unsigned expected_connections(void)
{
	long cores = sysconf(_SC_NPROCESSORS_ONLN);

	return cores > 1 ? 4 : 2;
}

/* Processes come and go a little later than what they serve. */
static bool wait_for_children(int wanted)
{
	int64_t deadline = clock_monotonic_ms() + SETTLE_WAIT_MS;
	pid_t pids[32];
	int n;

	while ((n = server_children(pids, 32)) != wanted &&
	       clock_monotonic_ms() < deadline)
		nap_ms(20);
	if (n != wanted)
		unit_note("%d connections, not %d", n, wanted);
	return n == wanted;
}

/* Each connection is a process of its own at the server. */
static void test_connections(void)
{
	struct token_info info;

	token_get_info(token, &info);
	CU_ASSERT_EQUAL(info.state, TOKEN_READY);
	CU_ASSERT_EQUAL(info.sessions_open, 8);
	CU_ASSERT_EQUAL(info.generation, expected_connections());
	CU_ASSERT(wait_for_children((int)expected_connections()));
}

static void test_keys(void)
{
	static const struct {
		enum key_type type;
		unsigned bits;
	} imports[] = { { KEY_RSA, 2048 },
			{ KEY_RSA, 3072 },
			{ KEY_EC, 256 },
			{ KEY_EC, 384 } };

	for (size_t i = 0; i < 4; i++) {
		struct error e = ERROR_INIT;
		bool ec = imports[i].type == KEY_EC;
		struct key_material m;
		struct token_key *k;

		make_material(&m, imports[i].type, imports[i].bits);
		k = token_key_import(token, &m, "sealbridge local key", NULL,
				     &e);
		CHECK_OBJECT(k, &e);
		/* often enough for every connection to have its turn */
		for (int n = 0; n < 6; n++)
			CHECK_OK(sign_and_verify(k,
						 ec ? SIGN_ECDSA : SIGN_RSA_PSS,
						 HASH_SHA384, &e),
				 &e);
		if (!ec)
			CHECK_OK(
			    sign_and_verify(k, SIGN_RSA_PKCS1, HASH_SHA256, &e),
			    &e);
		token_key_unref(k);
		CHECK_OK(token_key_delete(token, &m.pub, &e), &e);
		CU_ASSERT_PTR_NULL(token_key_find(token, &m.pub, &e));
		CU_ASSERT_EQUAL(e.kind, ERR_NOT_FOUND);
		key_material_free(&m);
	}
}

static void test_generate(void)
{
	struct error e = ERROR_INIT;
	struct token_key_info info;

	key = token_key_generate(token, KEY_KIND_EC_P256,
				 "sealbridge local key", &e);
	CHECK_OBJECT(key, &e);
	CHECK_OK(token_key_get_info(key, &info, &e), &e);
	CU_ASSERT(info.sensitive && info.always_sensitive);
	CU_ASSERT(!info.extractable && info.never_extractable);
	CU_ASSERT(info.local && info.supported);
}

/* --- load */

static atomic_bool stop;

struct signing {
	int done, failures;
	struct error e;
};

static void *sign_on(void *arg)
{
	struct signing *s = arg;

	while (!atomic_load(&stop)) {
		if (sign_and_verify(key, SIGN_ECDSA, HASH_SHA256, &s->e) < 0)
			s->failures++;
		s->done++;
	}
	return NULL;
}

static pthread_t ids[THREADS];
static struct signing signing[THREADS];

static void start_load(void)
{
	atomic_store(&stop, false);
	memset(signing, 0, sizeof(signing));
	for (int i = 0; i < THREADS; i++)
		CU_ASSERT_EQUAL_FATAL(
		    pthread_create(&ids[i], NULL, sign_on, &signing[i]), 0);
}

static int end_load(void)
{
	int failures = 0;

	atomic_store(&stop, true);
	for (int i = 0; i < THREADS; i++) {
		pthread_join(ids[i], NULL);
		failures += signing[i].failures;
		if (signing[i].failures)
			unit_note("thread %d: %d of %d failed: %s", i,
				  signing[i].failures, signing[i].done,
				  signing[i].e.text);
		CU_ASSERT(signing[i].done > 0);
	}
	return failures;
}

/* The process of one connection is killed again and again: nobody notices. */
static void test_killed_connection(void)
{
	struct token_info before, after;
	pid_t pids[16];

	token_get_info(token, &before);
	start_load();
	for (int round = 0; round < 6; round++) {
		nap_ms(100);
		CU_ASSERT_FATAL(server_children(pids, 16) > 0);
		kill(pids[0], SIGKILL);
	}
	nap_ms(300);
	CU_ASSERT_EQUAL(end_load(), 0);
	CU_ASSERT(wait_for_state(token, TOKEN_READY));
	token_get_info(token, &after);
	CU_ASSERT(after.generation > before.generation);
}

/* All of them at once. */
static void test_killed_connections(void)
{
	struct token_info before, after;
	pid_t pids[16];
	int n;

	/* What the test before has killed may still be coming back. */
	CU_ASSERT(wait_for_children((int)expected_connections()));
	token_get_info(token, &before);
	start_load();
	nap_ms(100);
	n = server_children(pids, 16);
	CU_ASSERT_EQUAL(n, expected_connections());
	for (int i = 0; i < n; i++)
		kill(pids[i], SIGKILL);
	nap_ms(500);
	CU_ASSERT_EQUAL(end_load(), 0);
	CU_ASSERT(wait_for_state(token, TOKEN_READY));
	token_get_info(token, &after);
	CU_ASSERT(after.generation > before.generation);
	CU_ASSERT(wait_for_children((int)expected_connections()));
}

/* The server goes and comes back. */
static void test_server_restart(void)
{
	struct error e = ERROR_INIT;
	struct token_info info;

	start_load();
	nap_ms(50);
	stop_server();
	CU_ASSERT(wait_for_state(token, TOKEN_UNAVAILABLE));
	nap_ms(300);
	token_get_info(token, &info);
	CU_ASSERT_EQUAL(info.state, TOKEN_UNAVAILABLE);
	CU_ASSERT_STRING_NOT_EQUAL(info.reason, "");
	CU_ASSERT_STRING_EQUAL(info.label, "sealbridge");
	CU_ASSERT_EQUAL(info.sessions_open, 0);
	CU_ASSERT(end_load() > 0);
	CHECK_FAILS(sign_and_verify(key, SIGN_ECDSA, HASH_SHA256, &e), &e,
		    ERR_TOKEN, "token unavailable");
	CU_ASSERT_EQUAL_FATAL(start_server(), 0);
	CU_ASSERT(wait_for_state(token, TOKEN_READY));
	CHECK_OK(sign_and_verify(key, SIGN_ECDSA, HASH_SHA256, &e), &e);
}

/* --- sets through the server */

static void test_large_set(void)
{
	enum { MEMBERS = 120 };
	struct fake_certificate *rooms = calloc(MEMBERS, sizeof(*rooms));
	struct set_member *m = calloc(MEMBERS, sizeof(*m));
	struct error e = ERROR_INIT;
	struct object_set set;

	CU_ASSERT_FATAL(rooms && m);
	for (unsigned i = 0; i < MEMBERS; i++)
		make_member(&m[i], &rooms[i], "anchor",
			    "sealbridge trust https", i);
	CHECK_OK(object_set_replace(token, "trust https", m, MEMBERS, NULL, 0,
				    NULL, NULL, &e),
		 &e);
	CHECK_OK(object_set_read(token, "trust https", &set, &e), &e);
	CU_ASSERT_EQUAL_FATAL(set.member_count, MEMBERS);
	for (unsigned i = 0; i < MEMBERS; i++)
		CU_ASSERT(view_equal(set.members[i].der, m[i].der));
	object_set_free(&set);
	CHECK_OK(object_set_replace(token, "trust https", m, 1, NULL, 0, NULL,
				    NULL, &e),
		 &e);
	CHECK_OK(object_set_read(token, "trust https", &set, &e), &e);
	CU_ASSERT_EQUAL(set.member_count, 1);
	object_set_free(&set);
	free(rooms);
	free(m);
}

/* The process at the other end dies in the middle of a change: it is done once
 * more, or fails; the set is whole either way. */
static void *kill_soon(void *arg)
{
	pid_t pids[16];
	int n;

	nap_ms(*(long *)arg);
	n = server_children(pids, 16);
	for (int i = 0; i < n; i++)
		kill(pids[i], SIGKILL);
	return NULL;
}

static void test_killed_in_change(void)
{
	enum { MEMBERS = 6, ROUNDS = 12 };
	struct fake_certificate rooms[MEMBERS];
	struct set_member m[MEMBERS];
	uint64_t generation = 0;

	for (long round = 0; round < ROUNDS; round++) {
		struct error e = ERROR_INIT;
		struct object_set set;
		long delay = round * 6;
		pthread_t killer;
		int rc;

		for (unsigned i = 0; i < MEMBERS; i++)
			make_member(&m[i], &rooms[i], "anchor",
				    "sealbridge trust sip",
				    (unsigned)round * 100 + i);
		pthread_create(&killer, NULL, kill_soon, &delay);
		rc = object_set_replace(token, "trust sip", m, MEMBERS, NULL, 0,
					NULL, NULL, &e);
		pthread_join(killer, NULL);
		if (rc < 0)
			unit_note("round %ld: %s", round, e.text);
		CU_ASSERT(wait_for_state(token, TOKEN_READY));
		if (object_set_read(token, "trust sip", &set, &e) < 0)
			CHECK_OK(object_set_read(token, "trust sip", &set, &e),
				 &e);
		if (rc == 0) {
			CU_ASSERT(set.generation > generation);
			CU_ASSERT_EQUAL_FATAL(set.member_count, MEMBERS);
			CU_ASSERT(view_equal(set.members[0].der, m[0].der));
		} else {
			CU_ASSERT(set.member_count == 0 ||
				  set.member_count == MEMBERS);
		}
		generation = set.generation;
		object_set_free(&set);
	}
}

/* A second token object beside the first, with connections of its own. */
static void test_second_token(void)
{
	struct error e = ERROR_INIT;
	struct token *other = token_new(&options, &e);
	struct token_key *k;

	CU_ASSERT(wait_for_children((int)expected_connections()));
	CHECK_OBJECT(other, &e);
	CHECK_OK(token_start(other, &e), &e);
	CU_ASSERT(wait_for_children(2 * (int)expected_connections()));
	k = token_key_find(other, token_key_public(key), &e);
	CHECK_OBJECT(k, &e);
	CHECK_OK(sign_and_verify(k, SIGN_ECDSA, HASH_SHA256, &e), &e);
	token_key_unref(k);
	token_free(other);
	CHECK_OK(sign_and_verify(key, SIGN_ECDSA, HASH_SHA256, &e), &e);
}

int main(int argc, char **argv)
{
	static const struct unit_test tests[] = {
		{ "connections", test_connections },
		{ "keys", test_keys },
		{ "generate", test_generate },
		{ "killed-connection", test_killed_connection },
		{ "killed-connections", test_killed_connections },
		{ "server-restart", test_server_restart },
		{ "large-set", test_large_set },
		{ "killed-in-change", test_killed_in_change },
		{ "second-token", test_second_token },
		{ NULL, NULL },
	};

	return unit_main(argc, argv, "pkcs11-remote", tests, setup, teardown);
}
