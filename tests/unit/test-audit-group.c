/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "audit/audit.h"
#include "audit/audit_group.h"
#include "tests/lib/unit.h"

/* Appends of many threads at the same time. */

enum { THREADS = 200, STACK = 256 * 1024 };

static pthread_t spawn(void *(*run)(void *arg), void *arg)
{
	pthread_attr_t attributes;
	pthread_t thread;

	pthread_attr_init(&attributes);
	pthread_attr_setstacksize(&attributes, STACK);
	if (pthread_create(&thread, &attributes, run, arg) != 0)
		CU_FAIL_FATAL("no thread");
	pthread_attr_destroy(&attributes);
	return thread;
}

/* --- the group by itself --- */

/* A disk that waits at the gate with its first transaction. */
struct disk {
	struct audit_group group;
	pthread_mutex_t lock;
	pthread_cond_t opened;
	bool open;
	atomic_int inside;
	size_t fails; /* number of the transaction that does, from 1 */
	size_t sizes[THREADS + 1], transactions;
	int64_t order[THREADS + 1]; /* tags of the rows as written */
	size_t rows;
};

static int write_rows(void *arg, struct audit_row *const rows[], size_t count,
		      struct error *e)
{
	struct disk *d = arg;

	CU_ASSERT_EQUAL(atomic_fetch_add(&d->inside, 1), 0);
	pthread_mutex_lock(&d->lock);
	while (!d->open)
		pthread_cond_wait(&d->opened, &d->lock);
	pthread_mutex_unlock(&d->lock);
	d->sizes[d->transactions++] = count;
	for (size_t i = 0; i < count; i++)
		d->order[d->rows++] = rows[i]->format;
	atomic_fetch_sub(&d->inside, 1);
	return d->transactions == d->fails
		   ? error_set(e, ERR_FULL, "no room %zu", d->fails)
		   : 0;
}

struct member {
	struct disk *disk;
	struct audit_row row; /* format: a tag */
	struct error e;
	int rc;
};

static void *append(void *arg)
{
	struct member *m = arg;

	m->rc = audit_group_append(&m->disk->group, &m->row, &m->e);
	return NULL;
}

static size_t waiting(struct disk *d)
{
	size_t n;

	pthread_mutex_lock(&d->group.lock);
	n = d->group.waiting;
	pthread_mutex_unlock(&d->group.lock);
	return n;
}

static void open_gate(struct disk *d)
{
	pthread_mutex_lock(&d->lock);
	d->open = true;
	pthread_cond_broadcast(&d->opened);
	pthread_mutex_unlock(&d->lock);
}

/* One is being written while all the others come, one behind the other. */
static void gather(struct disk *d, struct member m[THREADS + 1])
{
	pthread_t threads[THREADS + 1];

	pthread_mutex_init(&d->lock, NULL);
	pthread_cond_init(&d->opened, NULL);
	audit_group_init(&d->group, write_rows, d);
	for (int i = 0; i <= THREADS; i++) {
		m[i] = (struct member){ .disk = d, .row = { .format = i } };
		threads[i] = spawn(append, &m[i]);
		while (i == 0 ? !atomic_load(&d->inside)
			      : waiting(d) != (size_t)i)
			usleep(100);
	}
	open_gate(d);
	for (int i = 0; i <= THREADS; i++)
		pthread_join(threads[i], NULL);
	audit_group_destroy(&d->group);
	pthread_cond_destroy(&d->opened);
	pthread_mutex_destroy(&d->lock);
}

static void test_gather(void)
{
	static struct member m[THREADS + 1];
	static struct disk d;

	gather(&d, m);
	CU_ASSERT_EQUAL(d.transactions, 3);
	CU_ASSERT(d.sizes[0] == 1 && d.sizes[1] == AUDIT_GROUP_MAX &&
		  d.sizes[2] == THREADS - AUDIT_GROUP_MAX);
	CU_ASSERT_EQUAL_FATAL(d.rows, THREADS + 1);
	for (int i = 0; i <= THREADS; i++) {
		CU_ASSERT_EQUAL(m[i].rc, 0);
		CU_ASSERT_EQUAL(d.order[i], i);
		CU_ASSERT(i == 0 || m[i].row.at >= m[i - 1].row.at);
	}
}

/* Whoever was in the transaction that failed hears of it, and nobody else. */
static void test_failure(void)
{
	static struct member m[THREADS + 1];
	static struct disk d;

	d.fails = 2;
	gather(&d, m);
	for (int i = 0; i <= THREADS; i++) {
		bool failed = i >= 1 && i <= AUDIT_GROUP_MAX;

		CU_ASSERT_EQUAL(m[i].rc, failed ? -1 : 0);
		CU_ASSERT_EQUAL(m[i].e.kind, failed ? ERR_FULL : ERR_NONE);
		CU_ASSERT_STRING_EQUAL(m[i].e.text, failed ? "no room 2" : "");
	}
}

/* --- a trail --- */

enum { WRITERS = 24, EACH = 40 };

struct writer {
	struct audit *audit;
	int id;
	int failed;
};

static void *write_on(void *arg)
{
	struct writer *w = arg;
	struct audit_actor actor = { "Web", "", "", "session" };
	struct error e = ERROR_INIT;
	char user[16], value[16];

	snprintf(user, sizeof(user), "%d", w->id);
	actor.user_name = user;
	for (int i = 0; i < EACH; i++) {
		snprintf(value, sizeof(value), "%d", i);
		w->failed +=
		    audit_append(w->audit, AUDIT(SETTING_CHANGED, .to = value),
				 &actor, &e) < 0;
	}
	return NULL;
}

struct seen {
	int next[WRITERS];
	uint64_t last;
	time_t time;
	bool wrong;
};

/* Each thread's records are in the order in which it appended them. */
static int see(void *arg, const struct audit_record *r, struct error *e)
{
	struct seen *s = arg;
	int writer, value;

	(void)e;
	if (sscanf(r->user_name, "%d", &writer) != 1 ||
	    sscanf(r->fields, "to=%d", &value) != 1 || writer < 0 ||
	    writer >= WRITERS || s->next[writer]++ != value ||
	    r->index != s->last + 1 || r->time < s->time)
		s->wrong = true;
	s->last = r->index;
	s->time = r->time;
	return 0;
}

static void test_trail(void)
{
	struct error e = ERROR_INIT;
	struct store *store = store_open(unit_temp_dir(), &e);
	struct audit *audit;
	struct audit_verdict v;
	struct writer writers[WRITERS];
	pthread_t threads[WRITERS];
	struct seen seen = { 0 };

	CHECK_OBJECT(store, &e);
	audit = audit_new(store, &e);
	CHECK_OBJECT(audit, &e);
	for (int i = 0; i < WRITERS; i++) {
		writers[i] = (struct writer){ .audit = audit, .id = i };
		threads[i] = spawn(write_on, &writers[i]);
	}
	for (int i = 0; i < WRITERS; i++) {
		pthread_join(threads[i], NULL);
		CU_ASSERT_EQUAL(writers[i].failed, 0);
	}
	CHECK_OK(audit_each(audit, 1, SIZE_MAX, see, &seen, &e), &e);
	CU_ASSERT_FALSE(seen.wrong);
	CU_ASSERT_EQUAL(seen.last, (uint64_t)WRITERS * EACH);
	CHECK_OK(audit_verify(audit, &v, &e), &e);
	CU_ASSERT(v.intact && v.checked == (uint64_t)WRITERS * EACH);
	audit_free(audit);
	store_close(store);
}

int main(int argc, char **argv)
{
	static const struct unit_test tests[] = {
		{ "those that wait go together", test_gather },
		{ "a failure is everybody's in it", test_failure },
		{ "a trail of many threads", test_trail },
		{ 0 },
	};

	return unit_main(argc, argv, "group commit", tests, NULL, NULL);
}
