/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/utf8.h"
#include "calls/cdr.h"
#include "tests/lib/unit.h"
#include "tests/unit/tamper.h"

static const char *fresh_dir(void)
{
	static char paths[32][PATH_MAX];
	static unsigned n;
	char *path = paths[n];

	CU_ASSERT_FATAL(n < 32);
	snprintf(path, PATH_MAX, "%s/state%u", unit_temp_dir(), n++);
	return path;
}

struct place {
	const char *directory;
	struct store *store;
	struct cdr *cdr;
};

static void open_again(struct place *p)
{
	struct error e = ERROR_INIT;

	p->store = store_open(p->directory, &e);
	CHECK_OBJECT(p->store, &e);
	p->cdr = cdr_open(p->store, CDR_ALIVE_MS, &e);
	CHECK_OBJECT(p->cdr, &e);
}

static struct place opened(void)
{
	struct place p = { .directory = fresh_dir() };

	open_again(&p);
	return p;
}

static void closed(struct place *p)
{
	cdr_close(p->cdr);
	store_close(p->store);
}

static struct cdr_row row_named(enum cdr_kind kind, const char *name)
{
	struct cdr_row r = { .at = 1700000000, .kind = kind };

	snprintf(r.conference, sizeof(r.conference), "Echo");
	snprintf(r.participant, sizeof(r.participant), "%s", name);
	return r;
}

static void add(struct place *p, enum cdr_kind kind, const char *name)
{
	struct cdr_row r = row_named(kind, name);

	cdr_add(p->cdr, &r);
}

static struct cdr_batch read_batch(struct place *p, bool has_index,
				   int32_t index, unsigned kinds, size_t most)
{
	const struct cdr_query q = { has_index, index, kinds, most, false };
	struct error e = ERROR_INIT;
	struct cdr_batch b;

	CHECK_OK(cdr_read(p->cdr, &q, &b, &e), &e);
	return b;
}

static struct cdr_range range_of(struct place *p)
{
	struct error e = ERROR_INIT;
	struct cdr_range r;

	CHECK_OK(cdr_range(p->cdr, &r, &e), &e);
	return r;
}

/* --- records -------------------------------------------------------------- */

static struct sip_call_facts a_call(void)
{
	struct sip_call_facts f = {
		.id = 7,
		.incoming = true,
		.peer = "sip:ann@example.com",
		.link = { .known = true,
			  .transport = SIP_TLS,
			  .tls_version = "TLSv1.3",
			  .cipher = "TLS_AES_128_GCM_SHA256",
			  .peer_identity = "CN=ann",
			  .verified = true },
		.state = SIP_CALL_DISCONNECTED,
		.started = 1700000000,
		.connected = 1700000002,
		.ended = 1700000033,
		.connected_ms = 10000,
		.ended_ms = 41999,
		.end = SIP_END_REMOTE_TEARDOWN,
		.encryption = SIP_ENCRYPTED,
	};

	return f;
}

static void test_records_of_calls(void)
{
	struct place p = opened();
	struct sip_call_facts f = a_call();
	struct cdr_row r;
	struct cdr_batch b;

	cdr_of_call(&f, CDR_JOINED, "Echo", "ann", &r);
	cdr_add(p.cdr, &r);
	cdr_of_call(&f, CDR_LEFT, "Echo", "ann", &r);
	cdr_add(p.cdr, &r);
	f.connected = 0;
	f.link.known = false;
	f.incoming = false;
	f.end = SIP_END_DNS_FAILED;
	cdr_of_call(&f, CDR_LEFT, "Echo", "ann", &r);
	cdr_add(p.cdr, &r);
	b = read_batch(&p, false, 0, CDR_ALL_KINDS, 20);
	CU_ASSERT_EQUAL_FATAL(b.count, 3);
	CU_ASSERT_EQUAL(b.rows[0].number, 1);
	CU_ASSERT_EQUAL(b.rows[0].kind, CDR_JOINED);
	CU_ASSERT_EQUAL(b.rows[0].at, 1700000002);
	CU_ASSERT_EQUAL(b.rows[0].seconds, 0);
	CU_ASSERT_STRING_EQUAL(b.rows[0].reason, "");
	CU_ASSERT_EQUAL(b.rows[1].kind, CDR_LEFT);
	CU_ASSERT_EQUAL(b.rows[1].at, 1700000033);
	CU_ASSERT_EQUAL(b.rows[1].seconds, 31);
	CU_ASSERT_STRING_EQUAL(b.rows[1].reason, "remoteTeardown");
	CU_ASSERT_STRING_EQUAL(b.rows[1].conference, "Echo");
	CU_ASSERT_STRING_EQUAL(b.rows[1].participant, "ann");
	CU_ASSERT_STRING_EQUAL(b.rows[1].address, "sip:ann@example.com");
	CU_ASSERT_STRING_EQUAL(b.rows[1].transport, "TLS");
	CU_ASSERT_STRING_EQUAL(b.rows[1].tls_version, "TLSv1.3");
	CU_ASSERT_STRING_EQUAL(b.rows[1].cipher, "TLS_AES_128_GCM_SHA256");
	CU_ASSERT_STRING_EQUAL(b.rows[1].peer_identity, "CN=ann");
	CU_ASSERT_STRING_EQUAL(b.rows[1].encryption, "encrypted");
	CU_ASSERT(b.rows[1].verified && b.rows[1].incoming);
	CU_ASSERT_EQUAL(b.rows[2].seconds, 0);
	CU_ASSERT_STRING_EQUAL(b.rows[2].transport, "");
	CU_ASSERT_STRING_EQUAL(b.rows[2].reason, "dnsFailed");
	CU_ASSERT_FALSE(b.rows[2].incoming);
	closed(&p);
}

/* What strangers call themselves. */
static void test_hostile_texts(void)
{
	static const char *const texts[] = {
		"\xff\xfe\x80",           "a\nb\r\tc",
		"\xed\xa0\x80",           "\xc0\xaf",
		"'); DROP TABLE cdr; --", "\x1b[2J",
		"\xe2\x80\xa8",           "</event>&amp;",
	};
	enum { TEXTS = sizeof(texts) / sizeof(*texts) };
	struct place p = opened();
	struct cdr_batch b;
	struct cdr_row r;

	for (size_t i = 0; i < TEXTS; i++) {
		r = row_named(CDR_LEFT, texts[i]);
		memset(r.address, 0xe2, sizeof(r.address)); /* no end */
		memset(r.reason, 'x', sizeof(r.reason));
		snprintf(r.peer_identity, sizeof(r.peer_identity), "%s",
			 texts[i]);
		cdr_add(p.cdr, &r);
	}
	b = read_batch(&p, false, 0, CDR_ALL_KINDS, 20);
	CU_ASSERT_EQUAL_FATAL(b.count, TEXTS);
	for (size_t i = 0; i < TEXTS; i++) {
		const struct cdr_row *got = &b.rows[i];

		CU_ASSERT(utf8_is_plain(view_str(got->participant)));
		CU_ASSERT(utf8_is_plain(view_str(got->address)));
		CU_ASSERT(utf8_is_plain(view_str(got->peer_identity)));
		CU_ASSERT(strlen(got->participant) > 0);
		CU_ASSERT_EQUAL(strlen(got->address), CDR_TEXT_MAX - 1);
		CU_ASSERT_EQUAL(strlen(got->reason), CDR_WORD_MAX - 1);
	}
	CU_ASSERT_STRING_EQUAL(b.rows[1].participant, "a b  c");
	CU_ASSERT_STRING_EQUAL(b.rows[4].participant, texts[4]);
	closed(&p);
}

/* --- which are given ------------------------------------------------------ */

/* Ten records: joined, left, joined ... The first four are deleted. */
static const struct {
	bool has_index;
	int32_t index;
	unsigned kinds;
	size_t most;
	uint64_t start, next;
	bool more;
	const char *got; /* their numbers */
} queries[] = {
	{ false, 0, CDR_ALL_KINDS, 20, 5, 11, false, "5 6 7 8 9 10 " },
	{ false, 0, CDR_ALL_KINDS, 2, 5, 7, true, "5 6 " },
	{ true, 7, CDR_ALL_KINDS, 2, 7, 9, true, "7 8 " },
	{ true, 9, CDR_ALL_KINDS, 2, 9, 11, false, "9 10 " },
	/* Before the oldest: what there still is. */
	{ true, 1, CDR_ALL_KINDS, 2, 5, 7, true, "5 6 " },
	{ true, 0, CDR_ALL_KINDS, 1, 5, 6, true, "5 " },
	{ true, -1, CDR_ALL_KINDS, 1, 5, 6, true, "5 " },
	{ true, INT32_MIN, CDR_ALL_KINDS, 1, 5, 6, true, "5 " },
	/* The next one to come; two above the newest, from the beginning. */
	{ true, 11, CDR_ALL_KINDS, 20, 11, 11, false, "" },
	{ true, 12, CDR_ALL_KINDS, 1, 5, 6, true, "5 " },
	{ true, INT32_MAX, CDR_ALL_KINDS, 1, 5, 6, true, "5 " },
	{ false, 0, 1 << CDR_JOINED, 2, 5, 9, true, "5 7 " },
	{ false, 0, 1 << CDR_JOINED, 3, 5, 11, false, "5 7 9 " },
	{ true, 9, 1 << CDR_LEFT, 20, 9, 11, false, "10 " },
	{ true, 10, 1 << CDR_JOINED, 20, 10, 11, false, "" },
	{ false, 0, 0, 20, 5, 11, false, "" },
	{ false, 0, CDR_ALL_KINDS, 99, 5, 11, false, "5 6 7 8 9 10 " },
};

static void check_query(struct place *p, size_t i)
{
	struct cdr_batch b =
	    read_batch(p, queries[i].has_index, queries[i].index,
		       queries[i].kinds, queries[i].most);
	char got[128] = "";

	for (size_t k = 0; k < b.count; k++)
		snprintf(got + strlen(got), sizeof(got) - strlen(got), "%u ",
			 (unsigned)b.rows[k].number);
	if (strcmp(got, queries[i].got) != 0 || b.start != queries[i].start ||
	    b.next != queries[i].next || b.more != queries[i].more)
		unit_note("row %zu: \"%s\" %u..%u", i, got, (unsigned)b.start,
			  (unsigned)b.next);
	CU_ASSERT_STRING_EQUAL(got, queries[i].got);
	CU_ASSERT_EQUAL(b.start, queries[i].start);
	CU_ASSERT_EQUAL(b.next, queries[i].next);
	CU_ASSERT_EQUAL(b.more, queries[i].more);
}

/* From the newest down. */
static const struct {
	bool has_index;
	int32_t index;
	unsigned kinds;
	size_t most;
	uint64_t start, next;
	bool more;
	const char *got;
} queries_down[] = {
	{ false, 0, CDR_ALL_KINDS, 20, 10, 0, false, "10 9 8 7 6 5 " },
	{ false, 0, CDR_ALL_KINDS, 2, 10, 8, true, "10 9 " },
	{ true, 8, CDR_ALL_KINDS, 2, 8, 6, true, "8 7 " },
	{ true, 6, CDR_ALL_KINDS, 2, 6, 0, false, "6 5 " },
	{ true, 99, CDR_ALL_KINDS, 1, 10, 9, true, "10 " },
	{ true, -1, CDR_ALL_KINDS, 1, 10, 9, true, "10 " },
	{ true, 4, CDR_ALL_KINDS, 2, 4, 0, false, "" },
	{ true, 0, CDR_ALL_KINDS, 2, 0, 0, false, "" },
	{ false, 0, 1 << CDR_LEFT, 2, 10, 6, true, "10 8 " },
};

static void check_query_down(struct place *p, size_t i)
{
	const struct cdr_query q = { queries_down[i].has_index,
				     queries_down[i].index,
				     queries_down[i].kinds,
				     queries_down[i].most, true };
	struct error e = ERROR_INIT;
	struct cdr_batch b;
	char got[128] = "";

	CHECK_OK(cdr_read(p->cdr, &q, &b, &e), &e);
	for (size_t k = 0; k < b.count; k++)
		snprintf(got + strlen(got), sizeof(got) - strlen(got), "%u ",
			 (unsigned)b.rows[k].number);
	CU_ASSERT_STRING_EQUAL(got, queries_down[i].got);
	CU_ASSERT_EQUAL(b.start, queries_down[i].start);
	CU_ASSERT_EQUAL(b.next, queries_down[i].next);
	CU_ASSERT_EQUAL(b.more, queries_down[i].more);
}

static void test_queries(void)
{
	struct place p = opened();
	struct error e = ERROR_INIT;
	struct cdr_range r = range_of(&p);
	uint64_t deleted = 99;
	struct cdr_batch b;

	CU_ASSERT_EQUAL(r.first, 1);
	CU_ASSERT_EQUAL(r.last, 0);
	CU_ASSERT_EQUAL(r.count, 0);
	b = read_batch(&p, true, 5, CDR_ALL_KINDS, 20);
	CU_ASSERT(b.count == 0 && b.start == 1 && b.next == 1 && !b.more);
	for (int i = 0; i < 10; i++)
		add(&p, i % 2 ? CDR_LEFT : CDR_JOINED, "ann");
	CHECK_OK(cdr_delete(p.cdr, 5, &deleted, &e), &e);
	CU_ASSERT_EQUAL(deleted, 4);
	CHECK_OK(cdr_delete(p.cdr, 5, &deleted, &e), &e);
	CU_ASSERT_EQUAL(deleted, 0);
	for (size_t i = 0; i < sizeof(queries) / sizeof(*queries); i++)
		check_query(&p, i);
	for (size_t i = 0; i < sizeof(queries_down) / sizeof(*queries_down);
	     i++)
		check_query_down(&p, i);
	CHECK_OK(cdr_delete(p.cdr, UINT64_MAX, &deleted, &e), &e);
	CU_ASSERT_EQUAL(deleted, 6);
	/* Numbers go on, also over a restart. */
	closed(&p);
	open_again(&p);
	r = range_of(&p);
	CU_ASSERT(r.first == 11 && r.last == 10 && r.count == 0);
	add(&p, CDR_JOINED, "ann");
	r = range_of(&p);
	CU_ASSERT(r.first == 11 && r.last == 11 && r.count == 1);
	closed(&p);
}

/* --- what lasts ----------------------------------------------------------- */

static void test_clean_end(void)
{
	struct place p = opened();

	for (int i = 0; i < 500; i++)
		add(&p, CDR_JOINED, "ann");
	closed(&p);
	open_again(&p);
	CU_ASSERT_EQUAL(range_of(&p).count, 500);
	CU_ASSERT_EQUAL(cdr_lost(p.cdr), 0);
	closed(&p);
}

static void test_killed(void)
{
	struct place p = { .directory = fresh_dir() };
	struct error e = ERROR_INIT;
	struct cdr_range r = { 0 };
	int status, ready[2];
	char byte;
	pid_t child;

	CU_ASSERT_EQUAL_FATAL(pipe(ready), 0);
	child = fork();
	if (child == 0) {
		p.store = store_open(p.directory, &e);
		p.cdr = p.store ? cdr_open(p.store, CDR_ALIVE_MS, &e) : NULL;
		if (!p.cdr)
			_exit(1);
		for (int i = 0; i < 300; i++)
			add(&p, CDR_LEFT, "ann");
		/* Nobody asks for it to be written. */
		while (r.count < 300)
			if (store_cdr_range(p.store, &r, &e) < 0)
				_exit(1);
		(void)!write(ready[1], "r", 1);
		for (;;)
			add(&p, CDR_LEFT, "bob");
	}
	CU_ASSERT_EQUAL(read(ready[0], &byte, 1), 1);
	kill(child, SIGKILL);
	waitpid(child, &status, 0);
	close(ready[0]);
	close(ready[1]);
	open_again(&p);
	CU_ASSERT(range_of(&p).count >= 300);
	closed(&p);
}

/* --- calls that were up at a kill ------------------------------------------
 */

/* Of a call that is connected for so long. */
static void add_call(struct place *p, enum cdr_kind kind, uint64_t call,
		     int64_t seconds)
{
	struct cdr_row r = row_named(kind, "");

	snprintf(r.participant, sizeof(r.participant), "n%u", (unsigned)call);
	snprintf(r.address, sizeof(r.address), "sip:n\xff@x");
	snprintf(r.transport, sizeof(r.transport), "TLS");
	snprintf(r.cipher, sizeof(r.cipher), "A_CIPHER");
	snprintf(r.peer_identity, sizeof(r.peer_identity), "CN=n");
	snprintf(r.encryption, sizeof(r.encryption), "encrypted");
	r.incoming = r.verified = true;
	r.call = call;
	r.since_ms = clock_monotonic_ms() - seconds * 1000;
	if (kind == CDR_LEFT)
		snprintf(r.reason, sizeof(r.reason), "remoteTeardown");
	cdr_add(p->cdr, &r);
}

/* A run with calls, killed when their records are kept. */
static void kill_a_run(const char *directory)
{
	struct place p = { .directory = directory };
	struct error e = ERROR_INIT;
	int status;
	pid_t child = fork();

	if (child == 0) {
		p.store = store_open(directory, &e);
		p.cdr = p.store ? cdr_open(p.store, CDR_ALIVE_MS, &e) : NULL;
		if (!p.cdr)
			_exit(1);
		add_call(&p, CDR_JOINED, 1, 65);
		add_call(&p, CDR_JOINED, 2, 0);
		add_call(&p, CDR_JOINED, 3, -5000);
		add_call(&p, CDR_LEFT, 2, 0);
		add_call(&p, CDR_LEFT, 0, 0); /* was never connected */
		cdr_flush(p.cdr);
		kill(getpid(), SIGKILL);
	}
	waitpid(child, &status, 0);
	CU_ASSERT(WIFSIGNALED(status));
}

static const char *ends_of(const struct cdr_batch *b)
{
	static char text[1024];

	text[0] = '\0';
	for (size_t i = 0; i < b->count; i++)
		snprintf(text + strlen(text), sizeof(text) - strlen(text),
			 "%s:%s/%d ", b->rows[i].participant, b->rows[i].reason,
			 (int)b->rows[i].seconds);
	return text;
}

static void test_calls_at_a_kill(void)
{
	struct place p = { .directory = fresh_dir() };
	const struct cdr_row *r;
	struct cdr_batch b;

	kill_a_run(p.directory);
	open_again(&p);
	b = read_batch(&p, true, 6, CDR_ALL_KINDS, 20);
	CU_ASSERT_STRING_EQUAL(ends_of(&b), "n1:serviceInterrupted/65 "
					    "n3:serviceInterrupted/0 ");
	CU_ASSERT_EQUAL_FATAL(b.count, 2);
	r = &b.rows[0];
	CU_ASSERT_EQUAL(r->kind, CDR_LEFT);
	CU_ASSERT(r->at > 1700000000 && r->at <= clock_now());
	CU_ASSERT_STRING_EQUAL(r->conference, "Echo");
	CU_ASSERT(utf8_is_plain(view_str(r->address)));
	CU_ASSERT_EQUAL(strncmp(r->address, "sip:n", 5), 0);
	CU_ASSERT_STRING_EQUAL(r->transport, "TLS");
	CU_ASSERT_STRING_EQUAL(r->cipher, "A_CIPHER");
	CU_ASSERT_STRING_EQUAL(r->peer_identity, "CN=n");
	CU_ASSERT_STRING_EQUAL(r->encryption, "encrypted");
	CU_ASSERT(r->incoming && r->verified);
	/* Once; and the numbers of calls begin again. */
	closed(&p);
	kill_a_run(p.directory);
	open_again(&p);
	CU_ASSERT_EQUAL(range_of(&p).last, 2 * 7);
	closed(&p);
	open_again(&p);
	CU_ASSERT_EQUAL(range_of(&p).last, 2 * 7);
	closed(&p);
}

/* The record of the beginning may be deleted meanwhile; and what is noted of
 * calls that stand. */
static void test_calls_that_stand(void)
{
	struct place p = opened();
	struct error e = ERROR_INIT;
	uint64_t n = 99;
	struct cdr_batch b;

	CHECK_OK(store_cdr_alive(p.store, 1, &n, &e), &e);
	CU_ASSERT_EQUAL(n, 0);
	add_call(&p, CDR_JOINED, 1, 0);
	add_call(&p, CDR_JOINED, 1, 0); /* told twice */
	add_call(&p, CDR_JOINED, UINT64_MAX, 0);
	CHECK_OK(cdr_delete(p.cdr, UINT64_MAX, &n, &e), &e);
	CU_ASSERT_EQUAL(n, 3);
	CHECK_OK(store_cdr_alive(p.store, clock_monotonic_ms() + 7500, &n, &e),
		 &e);
	CU_ASSERT_EQUAL(n, 2);
	/* As if it ended here. */
	CHECK_OK(store_cdr_end_open(p.store, 5, "x'y", &n, &e), &e);
	CU_ASSERT_EQUAL(n, 2);
	CHECK_OK(store_cdr_end_open(p.store, 5, "x'y", &n, &e), &e);
	CU_ASSERT_EQUAL(n, 0);
	b = read_batch(&p, false, 0, CDR_ALL_KINDS, 20);
	CU_ASSERT_EQUAL_FATAL(b.count, 2);
	CU_ASSERT(b.rows[0].seconds >= 7 && b.rows[0].seconds < 600);
	CU_ASSERT_STRING_EQUAL(b.rows[0].reason, "x'y");
	CU_ASSERT_EQUAL(b.rows[0].at, 5);
	closed(&p);
}

/* When it was last known that calls are up; 0: never. */
static int64_t alive_of(const struct place *p)
{
	char path[PATH_MAX];
	sqlite3_stmt *s = NULL;
	sqlite3 *db = NULL;
	int64_t ms = 0;

	snprintf(path, sizeof(path), "%s/sealbridge.db", p->directory);
	if (sqlite3_open(path, &db) == SQLITE_OK &&
	    sqlite3_busy_timeout(db, 60000) == SQLITE_OK &&
	    sqlite3_prepare_v2(db, "SELECT ms FROM cdr_alive", -1, &s, NULL) ==
		SQLITE_OK &&
	    sqlite3_step(s) == SQLITE_ROW)
		ms = sqlite3_column_int64(s, 0);
	sqlite3_finalize(s);
	sqlite3_close(db);
	return ms;
}

/* Again and again, and without a record. */
static void test_calls_that_stand_are_noted(void)
{
	struct place p = { .directory = fresh_dir() };
	int64_t deadline = clock_monotonic_ms() + 60000, before, now;
	struct error e = ERROR_INIT;

	p.store = store_open(p.directory, &e);
	CHECK_OBJECT(p.store, &e);
	p.cdr = cdr_open(p.store, 10, &e);
	CHECK_OBJECT(p.cdr, &e);
	add_call(&p, CDR_JOINED, 1, 0);
	cdr_flush(p.cdr);
	now = alive_of(&p);
	CU_ASSERT(now > 0);
	for (int i = 0; i < 3; i++) {
		before = now;
		do {
			usleep(1000);
			now = alive_of(&p);
		} while (now <= before && clock_monotonic_ms() < deadline);
		CU_ASSERT(now > before);
	}
	CU_ASSERT_EQUAL(range_of(&p).count, 1);
	closed(&p);
}

/* There is no room at the start: it is made up for, and nothing is before it.
 */
static int settle_late(const char *directory)
{
	struct rlimit none = { 4096, 200 << 20 },
		      room = { 200 << 20, 200 << 20 };
	struct place p = { .directory = directory };
	struct error e = ERROR_INIT;
	struct cdr_range r;

	signal(SIGXFSZ, SIG_IGN);
	p.store = store_open(directory, &e);
	if (!p.store || setrlimit(RLIMIT_FSIZE, &none) < 0)
		return 1;
	p.cdr = cdr_open(p.store, CDR_ALIVE_MS, &e);
	if (!p.cdr)
		return 1;
	add_call(&p, CDR_JOINED, 1, 0);
	if (cdr_range(p.cdr, &r, &e) < 0 || r.last != 5)
		return 2;
	if (setrlimit(RLIMIT_FSIZE, &room) < 0)
		return 1;
	if (cdr_range(p.cdr, &r, &e) < 0 || r.last != 8)
		return 3;
	cdr_close(p.cdr);
	store_close(p.store);
	return 0;
}

static void test_calls_at_a_kill_full_disk(void)
{
	struct place p = { .directory = fresh_dir() };
	struct cdr_batch b;
	int status;
	pid_t child;

	kill_a_run(p.directory);
	child = fork();
	if (child == 0)
		_exit(settle_late(p.directory));
	waitpid(child, &status, 0);
	CU_ASSERT(WIFEXITED(status));
	CU_ASSERT_EQUAL(WEXITSTATUS(status), 0);
	open_again(&p);
	b = read_batch(&p, true, 6, CDR_ALL_KINDS, 20);
	CU_ASSERT_STRING_EQUAL(ends_of(&b), "n1:serviceInterrupted/65 "
					    "n3:serviceInterrupted/0 n1:/0 "
					    "n1:serviceInterrupted/0 ");
	closed(&p);
}

/* --- a full disk ---------------------------------------------------------- */

/* Nothing can grow: records wait, then are lost, and nobody waits for them. */
static int fill_disk(const char *directory)
{
	struct rlimit none = { 4096, 200 << 20 },
		      room = { 200 << 20, 200 << 20 };
	struct place p = { .directory = directory };
	struct error e = ERROR_INIT;
	struct cdr_range r;

	signal(SIGXFSZ, SIG_IGN);
	p.store = store_open(directory, &e);
	p.cdr = p.store ? cdr_open(p.store, CDR_ALIVE_MS, &e) : NULL;
	if (!p.cdr || setrlimit(RLIMIT_FSIZE, &none) < 0)
		return 1;
	for (int i = 0; i < CDR_QUEUE; i++)
		add(&p, CDR_LEFT, "waits");
	cdr_flush(p.cdr);
	if (cdr_lost(p.cdr) != 0)
		return 2;
	for (int i = 0; i < 50; i++)
		add(&p, CDR_LEFT, "lost");
	if (cdr_lost(p.cdr) != 50)
		return 3;
	/* There is room for the end of a call, and none for a beginning. */
	for (uint64_t call = 1; call <= CDR_ENDS; call++)
		add_call(&p, CDR_LEFT, call, 0);
	add_call(&p, CDR_JOINED, 1, 0);
	if (cdr_lost(p.cdr) != 51)
		return 5;
	add_call(&p, CDR_LEFT, 1, 0);
	if (cdr_lost(p.cdr) != 52)
		return 6;
	if (setrlimit(RLIMIT_FSIZE, &room) < 0)
		return 1;
	for (int i = 0; i < 100; i++)
		cdr_flush(p.cdr);
	add(&p, CDR_LEFT, "again");
	if (cdr_range(p.cdr, &r, &e) < 0 || r.count != CDR_QUEUE + CDR_ENDS + 1)
		return 4;
	/* And full again at the end, which does not wait for it. */
	if (setrlimit(RLIMIT_FSIZE, &none) < 0)
		return 1;
	add(&p, CDR_LEFT, "too late");
	cdr_close(p.cdr);
	store_close(p.store);
	return 0;
}

static void test_full_disk(void)
{
	struct place p = { .directory = fresh_dir() };
	int status;
	pid_t child = fork();

	if (child == 0) {
		status = fill_disk(p.directory);
		_exit(status);
	}
	waitpid(child, &status, 0);
	CU_ASSERT(WIFEXITED(status));
	CU_ASSERT_EQUAL(WEXITSTATUS(status), 0);
	open_again(&p);
	CU_ASSERT_EQUAL(range_of(&p).count, CDR_QUEUE + CDR_ENDS + 1);
	closed(&p);
}

/* --- how many ------------------------------------------------------------- */

static void test_bounded(void)
{
	struct place p = opened();
	struct error e = ERROR_INIT;
	struct cdr_range r;
	enum { AT_ONCE = 500 };
	struct cdr_row *rows = calloc(AT_ONCE, sizeof(*rows));

	CU_ASSERT_PTR_NOT_NULL_FATAL(rows);
	/* As if so many had been there and gone. */
	tamper(p.directory,
	       "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n"
	       " WHERE i < 100000) INSERT INTO cdr SELECT i, 0, 0, '', '', '',"
	       " 0, '', '', '', '', '', 0, 0, '' FROM n");
	r = range_of(&p);
	CU_ASSERT_EQUAL(r.count, CDR_KEPT);
	for (int i = 0; i < 4; i++)
		CHECK_OK(store_cdr_add(p.store, rows, AT_ONCE, &e), &e);
	r = range_of(&p);
	CU_ASSERT_EQUAL(r.last, CDR_KEPT + 4 * AT_ONCE);
	CU_ASSERT(r.count >= CDR_KEPT);
	CU_ASSERT(r.count < CDR_KEPT + CDR_CUT_EVERY);
	CHECK_OK(store_cdr_add(p.store, rows, 1, &e), &e);
	CU_ASSERT_EQUAL(range_of(&p).last, r.last + 1);
	free(rows);
	closed(&p);
}

/* A database of the release before. */
static void test_older_database(void)
{
	struct place p = opened();
	struct error e = ERROR_INIT;

	CHECK_OK(store_setting_put(p.store, "a", "kept", &e), &e);
	closed(&p);
	tamper(p.directory, "DROP TABLE cdr; DROP TABLE participant;"
			    " DROP TABLE cdr_open; DROP TABLE cdr_alive;"
			    " DROP TABLE participant_revision;"
			    " UPDATE schema_version SET version = 7");
	open_again(&p);
	add(&p, CDR_JOINED, "ann");
	CU_ASSERT_EQUAL(range_of(&p).count, 1);
	closed(&p);
}

/* Somebody has written in it. */
static void test_damaged_rows(void)
{
	struct place p = opened();
	const struct cdr_query q = { .kinds = CDR_ALL_KINDS, .most = 20 };
	struct error e = ERROR_INIT;
	struct cdr_batch b;

	add(&p, CDR_JOINED, "ann");
	cdr_flush(p.cdr);
	tamper(p.directory, "UPDATE cdr SET peer_identity ="
			    " printf('%.1000c', 'x')");
	CHECK_FAILS(cdr_read(p.cdr, &q, &b, &e), &e, ERR_IO, "");
	closed(&p);
}

static void *add_some(void *arg)
{
	for (int i = 0; i < 200; i++)
		add(arg, CDR_JOINED, "ann");
	return NULL;
}

static void test_threads(void)
{
	struct place p = opened();
	pthread_t threads[4];

	for (int i = 0; i < 4; i++)
		CU_ASSERT_EQUAL_FATAL(
		    pthread_create(&threads[i], NULL, add_some, &p), 0);
	for (int i = 0; i < 50; i++)
		read_batch(&p, false, 0, CDR_ALL_KINDS, 20);
	for (int i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
	CU_ASSERT_EQUAL(range_of(&p).count + cdr_lost(p.cdr), 800);
	closed(&p);
}

int main(int argc, char **argv)
{
	static const struct unit_test tests[] = {
		{ "records of calls", test_records_of_calls },
		{ "what strangers call themselves", test_hostile_texts },
		{ "which records are given", test_queries },
		{ "all of them after an orderly end", test_clean_end },
		{ "but the last second after a kill", test_killed },
		{ "calls that were up at a kill", test_calls_at_a_kill },
		{ "calls that stand", test_calls_that_stand },
		{ "calls that stand are noted",
		  test_calls_that_stand_are_noted },
		{ "calls at a kill, then a full disk",
		  test_calls_at_a_kill_full_disk },
		{ "a full disk", test_full_disk },
		{ "no more than so many are kept", test_bounded },
		{ "a database without them", test_older_database },
		{ "damaged rows", test_damaged_rows },
		{ "threads", test_threads },
		{ NULL, NULL },
	};

	return unit_main(argc, argv, "cdr", tests, NULL, NULL);
}
