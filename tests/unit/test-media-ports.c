/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <arpa/inet.h>
#include <sys/resource.h>
#include <unistd.h>

#include "media/media.h"
#include "tests/lib/unit.h"

/* Ports and other things of which there are only so many. */

/* Of this process alone, while others run the same test. */
static uint16_t base(void)
{
	return (uint16_t)(30000 + (unsigned)getpid() % 340 * 8);
}

static struct media *engine(uint16_t first, uint16_t last, unsigned streams,
			    unsigned rate, struct error *e)
{
	const struct media_options o = { .first_port = first,
					 .last_port = last,
					 .streams = streams,
					 .packets_per_second = rate };

	return media_new(&o, e);
}

static void test_ranges(void)
{
	static const struct {
		uint16_t first, last;
		unsigned streams, rate;
		bool ok;
	} rows[] = {
		{ 22000, 22001, 1, 1, true },
		{ 21999, 22001, 1, 1, true },
		{ 1, 65535, MEDIA_STREAMS_MAX, 1, true },
		{ 65534, 65535, 1, 1, true },
		{ 22000, 22000, 1, 1, false },
		{ 22001, 22002, 1, 1, false },
		{ 22002, 22000, 1, 1, false },
		{ 65535, 65535, 1, 1, false },
		{ 0, 65535, 1, 1, false },
		{ 22000, 22001, 0, 1, false },
		{ 22000, 22001, MEDIA_STREAMS_MAX + 1, 1, false },
		{ 22000, 22001, 1, 0, false },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct error e = ERROR_INIT;
		struct media *m = engine(rows[i].first, rows[i].last,
					 rows[i].streams, rows[i].rate, &e);

		if ((m != NULL) != rows[i].ok)
			unit_note("range %zu: %s", i, e.text);
		CU_ASSERT_EQUAL(m != NULL, rows[i].ok);
		if (!m)
			CU_ASSERT_EQUAL(e.kind, ERR_INPUT);
		media_free(m);
	}
	media_free(NULL);
}

static void occupy(int *fd, uint16_t port)
{
	struct sockaddr_in a = { .sin_family = AF_INET,
				 .sin_port = htons(port),
				 .sin_addr = { htonl(INADDR_LOOPBACK) } };

	*fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	CU_ASSERT_FATAL(*fd >= 0);
	CU_ASSERT_EQUAL_FATAL(bind(*fd, (struct sockaddr *)&a, sizeof(a)), 0);
}

/* Three pairs, one of which has only its RTCP port taken by another program. */
static void test_exhaustion(void)
{
	const struct media_stream_options o = { .address = "127.0.0.1" };
	struct error e = ERROR_INIT;
	struct media *m = engine(base(), base() + 5, 10, 100, &e);
	struct media_local a, b, c;
	int other;

	CHECK_OBJECT(m, &e);
	occupy(&other, base() + 3);
	CHECK_OK(media_open(m, &o, &a, &e), &e);
	CHECK_OK(media_open(m, &o, &b, &e), &e);
	CU_ASSERT_EQUAL(a.port, base());
	CU_ASSERT_EQUAL(b.port, base() + 4);
	CHECK_FAILS(media_open(m, &o, &c, &e), &e, ERR_LIMIT, "pair");
	CU_ASSERT_EQUAL(media_count(m), 2);
	media_close(m, a.id);
	CHECK_OK(media_open(m, &o, &c, &e), &e);
	CU_ASSERT_EQUAL(c.port, base());
	CU_ASSERT_NOT_EQUAL(c.id, a.id);
	media_close(m, a.id); /* hits nobody else */
	CU_ASSERT_EQUAL(media_count(m), 2);
	close(other);
	CHECK_OK(media_open(m, &o, &a, &e), &e);
	CU_ASSERT_EQUAL(a.port, base() + 2);
	media_free(m);
}

static void test_open_refused(void)
{
	static const struct {
		const char *address;
		enum error_kind kind;
	} rows[] = {
		{ "", ERR_INPUT },          { "localhost", ERR_INPUT },
		{ "0.0.0.0", ERR_INPUT },   { "::", ERR_INPUT },
		{ "224.0.0.1", ERR_INPUT }, { "192.0.2.77", ERR_IO },
		{ "2001:db8::77", ERR_IO },
	};
	struct media_stream_options o = { .address = "127.0.0.1" };
	struct error e = ERROR_INIT;
	struct media *m = engine(base(), base() + 7, 2, 100, &e);
	struct media_local l;

	CHECK_OBJECT(m, &e);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		o.address = rows[i].address;
		CHECK_FAILS(media_open(m, &o, &l, &e), &e, rows[i].kind, "");
	}
	CU_ASSERT_EQUAL(media_count(m), 0);
	o.address = "::1";
	CHECK_OK(media_open(m, &o, &l, &e), &e);
	CHECK_OK(media_open(m, &o, &l, &e), &e);
	CHECK_FAILS(media_open(m, &o, &l, &e), &e, ERR_LIMIT, "2 media");
	media_free(m);
}

/* No descriptor left, or only one: nothing stays behind. */
static void test_descriptors(void)
{
	const struct media_stream_options o = { .address = "127.0.0.1" };
	struct error e = ERROR_INIT;
	struct media *m = engine(base(), base() + 1, 2, 100, &e);
	struct rlimit before, few;
	struct media_local l;

	CHECK_OBJECT(m, &e);
	CU_ASSERT_EQUAL_FATAL(getrlimit(RLIMIT_NOFILE, &before), 0);
	for (rlim_t more = 0; more < 2; more++) {
		int next = dup(0);

		CU_ASSERT_FATAL(next >= 0);
		close(next);
		few = before;
		few.rlim_cur = (rlim_t)next + more;
		CU_ASSERT_EQUAL_FATAL(setrlimit(RLIMIT_NOFILE, &few), 0);
		CHECK_FAILS(media_open(m, &o, &l, &e), &e, ERR_IO, "socket");
		CU_ASSERT_EQUAL_FATAL(setrlimit(RLIMIT_NOFILE, &before), 0);
	}
	CU_ASSERT_EQUAL(media_count(m), 0);
	CHECK_OK(media_open(m, &o, &l, &e), &e);
	media_free(m);
}

static const struct unit_test tests[] = {
	{ "ranges of ports", test_ranges },
	{ "no port left", test_exhaustion },
	{ "refused addresses", test_open_refused },
	{ "no descriptor left", test_descriptors },
	{ NULL, NULL },
};

int main(int argc, char **argv)
{
	return unit_main(argc, argv, "media-ports", tests, NULL, NULL);
}
