/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "sip/resolver.h"
#include "tests/lib/unit.h"
#include "tests/unit/dns_fixture.h"

/* Destinations are looked up at servers that behave and servers that do not. */

enum {
	TICKETS_MAX = 2048,
	TEXT_MAX = 1600,
	GIVE_UP_S = 60, /* a test hangs */
	PATIENT_MS = 20000,
	SHORT_MS = 60
};

/* --- what comes of it ----------------------------------------------------- */

struct result {
	int times;
	enum error_kind kind;
	char text[TEXT_MAX]; /* targets, "transport:address:port ..." */
};

static struct {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	struct result of[TICKETS_MAX];
	uint64_t next;
} results = { .lock = PTHREAD_MUTEX_INITIALIZER,
	      .changed = PTHREAD_COND_INITIALIZER };

static void on_resolved(void *arg, uint64_t ticket,
			const struct sip_target *targets, size_t count,
			const struct error *why)
{
	static const char *const names[] = {
		[SIP_UDP] = "udp", [SIP_TCP] = "tcp", [SIP_TLS] = "tls"
	};
	struct result *r = &results.of[ticket];
	size_t n = 0;

	(void)arg;
	pthread_mutex_lock(&results.lock);
	r->times++;
	r->kind = why->kind;
	r->text[0] = '\0';
	for (size_t i = 0; i < count; i++)
		n += (size_t)snprintf(r->text + n, TEXT_MAX - n, "%s%s:%s:%u",
				      i ? " " : "", names[targets[i].transport],
				      targets[i].address, targets[i].port);
	pthread_cond_broadcast(&results.changed);
	pthread_mutex_unlock(&results.lock);
}

static uint64_t new_ticket(void)
{
	CU_ASSERT_FATAL(results.next < TICKETS_MAX);
	return results.next++;
}

static struct result wait_for(uint64_t ticket)
{
	struct timespec until;
	struct result r;
	int rc = 0;

	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += GIVE_UP_S;
	pthread_mutex_lock(&results.lock);
	while (!results.of[ticket].times && rc == 0)
		rc = pthread_cond_timedwait(&results.changed, &results.lock,
					    &until);
	r = results.of[ticket];
	pthread_mutex_unlock(&results.lock);
	CU_ASSERT_EQUAL_FATAL(rc, 0);
	return r;
}

/* --- the place ------------------------------------------------------------ */

static const struct dns_row zone[] = {
	{ "full.example", DNS_NAPTR,
	  "10 10 s SIPS+D2T - _sips._tcp.full.example", 60 },
	{ "full.example", DNS_NAPTR, "20 10 s SIP+D2U - _sip._udp.full.example",
	  60 },
	{ "_sips._tcp.full.example", DNS_SRV, "10 0 5061 a.full.example", 60 },
	{ "_sips._tcp.full.example", DNS_SRV, "20 0 5071 b.full.example", 60 },
	{ "_sip._udp.full.example", DNS_SRV, "10 0 5060 c.full.example", 60 },
	{ "a.full.example", DNS_A, "192.0.2.1", 60 },
	{ "a.full.example", DNS_AAAA, "2001:db8::1", 60 },
	{ "b.full.example", DNS_CNAME, "b2.full.example", 60 },
	{ "b2.full.example", DNS_A, "192.0.2.2", 60 },
	{ "c.full.example", DNS_AAAA, "2001:db8::3", 60 },
	{ "plain.example", DNS_A, "192.0.2.10", 60 },
	{ "brief.example", DNS_A, "192.0.2.11", 0 },
	{ "loop.example", DNS_CNAME, "loop2.example", 60 },
	{ "loop2.example", DNS_CNAME, "loop.example", 60 },
	{ "_sip._udp.odd.example", DNS_SRV,
	  "1 1 5060 o\x01"
	  "dd.example",
	  60 },
	{ "_sip._udp.odd.example", DNS_SRV, "2 1 5062 plain.example", 60 },
	{ "late.example", DNS_A, "192.0.2.20", 60 },
	{ "cut.example", DNS_A, "192.0.2.21", 60 },
	{ "cuttwice.example", DNS_A, "192.0.2.22", 60 },
	{ "garbage.example", DNS_A, "192.0.2.23", 60 },
	{ "broken.example", DNS_A, "192.0.2.24", 60 },
	{ "short.example", DNS_A, "192.0.2.25", 60 },
	{ "wrongid.example", DNS_A, "192.0.2.26", 60 },
	{ "othername.example", DNS_A, "192.0.2.27", 60 },
	{ "fails.example", DNS_A, "192.0.2.28", 60 },
	{ "refuses.example", DNS_A, "192.0.2.29", 60 },
	{ "many.example", DNS_A, "192.0.2.30", 60 },
	{ "half.example", DNS_A, "192.0.2.31", 60 },
	{ "never.example", DNS_A, "192.0.2.32", 60 },
	{ "hosts.example", DNS_A, "192.0.2.33", 60 },
	{ "nosrv.example", DNS_A, "192.0.2.34", 60 },
	{ NULL, 0, NULL, 0 },
};

static const struct dns_manner manners[] = {
	{ "late.example", 0, DNS_LATE },
	{ "cut.example", 0, DNS_CUT },
	{ "cuttwice.example", 0, DNS_CUT_TWICE },
	{ "garbage.example", 0, DNS_GARBAGE },
	{ "broken.example", 0, DNS_BROKEN },
	{ "short.example", 0, DNS_SHORT },
	{ "wrongid.example", 0, DNS_WRONG_ID },
	{ "othername.example", 0, DNS_OTHER_NAME },
	{ "fails.example", 0, DNS_FAILS },
	{ "refuses.example", 0, DNS_REFUSES },
	{ "many.example", 0, DNS_MANY },
	{ "silent.example", 0, DNS_NEVER },
	{ "*.silent.example", 0, DNS_NEVER },
	{ "half.example", DNS_AAAA, DNS_FAILS },
	{ "never.example", 0, DNS_NEVER },
	{ "nosrv.example", DNS_NAPTR, DNS_FAILS },
	{ "_sips._tcp.nosrv.example", 0, DNS_FAILS },
	{ "_sip._tcp.nosrv.example", 0, DNS_REFUSES },
	{ "_sip._udp.nosrv.example", 0, DNS_BROKEN },
	{ NULL, 0, 0 },
};

static struct dns_server *server;
static char hosts[300];

static int open_suite(void)
{
	FILE *f;

	server = dns_server_start(zone, manners);
	snprintf(hosts, sizeof(hosts), "%s/hosts", unit_temp_dir());
	f = fopen(hosts, "w");
	if (!f)
		return -1;
	fputs("198.51.100.1 hosts.example\n2001:db8::99 hosts.example\n", f);
	return fclose(f);
}

static int close_suite(void)
{
	dns_server_stop(server);
	return 0;
}

static struct sip_resolver *resolver_of(struct sip_resolver_options o)
{
	struct error e = ERROR_INIT;
	struct sip_resolver *r;
	char servers[32];

	snprintf(servers, sizeof(servers), "127.0.0.1:%u",
		 dns_server_port(server));
	if (!o.servers && !o.resolv_conf)
		o.servers = servers;
	o.hosts = hosts;
	r = sip_resolver_new(&o, on_resolved, NULL, &e);
	CHECK_OBJECT(r, &e);
	return r;
}

/* Waits as long as it takes, IPv4 first. */
static struct sip_resolver *patient(void)
{
	return resolver_of(
	    (struct sip_resolver_options){ .timeout_ms = PATIENT_MS,
					   .tries = 1,
					   .deadline_ms = PATIENT_MS,
					   .family = RESOLVER_FAMILY_4_FIRST });
}

static uint64_t start(struct sip_resolver *r, const char *host, uint16_t port)
{
	const struct sip_destination d = { .host = host, .port = port };
	struct error e = ERROR_INIT;
	uint64_t ticket = new_ticket();

	CHECK_OK(sip_resolver_start(r, &d, ticket, &e), &e);
	return ticket;
}

static void check(struct sip_resolver *r, const char *host, uint16_t port,
		  const char *wanted)
{
	struct result got = wait_for(start(r, host, port));

	if (strcmp(got.text, wanted) != 0)
		unit_note("%s: \"%s\", not \"%s\"", host, got.text, wanted);
	CU_ASSERT_STRING_EQUAL(got.text, wanted);
	CU_ASSERT_EQUAL(got.kind == ERR_NONE, *wanted != '\0');
}

static void check_fails(struct sip_resolver *r, const char *host,
			enum error_kind kind)
{
	struct result got = wait_for(start(r, host, 5060));

	if (got.kind != kind)
		unit_note("%s: %s (%s)", host, error_kind_name(got.kind),
			  got.text);
	CU_ASSERT_EQUAL(got.kind, kind);
	CU_ASSERT_STRING_EQUAL(got.text, "");
}

/* --- tests ---------------------------------------------------------------- */

static void follows_all_records(void)
{
	struct sip_resolver *r = patient();

	check(r, "192.0.2.200", 0, "udp:192.0.2.200:5060");
	check(r, "full.example", 0,
	      "tls:192.0.2.1:5061 tls:2001:db8::1:5061 tls:192.0.2.2:5071 "
	      "udp:2001:db8::3:5060");
	check(r, "plain.example", 0, "udp:192.0.2.10:5060");
	check(r, "Plain.Example.", 5090, "udp:192.0.2.10:5090");
	check(r, "b.full.example", 5060, "udp:192.0.2.2:5060");
	check_fails(r, "nothing.example", ERR_NOT_FOUND);
	sip_resolver_free(r);
}

static void orders_families(void)
{
	static const struct {
		enum resolver_family family;
		const char *wanted;
	} rows[] = {
		{ RESOLVER_FAMILY_4_FIRST,
		  "udp:192.0.2.1:5060 udp:2001:db8::1:5060" },
		{ RESOLVER_FAMILY_6_FIRST,
		  "udp:2001:db8::1:5060 udp:192.0.2.1:5060" },
	};

	for (size_t i = 0; i < 2; i++) {
		struct sip_resolver *r = resolver_of(
		    (struct sip_resolver_options){ .timeout_ms = PATIENT_MS,
						   .deadline_ms = PATIENT_MS,
						   .family = rows[i].family });

		check(r, "a.full.example", 5060, rows[i].wanted);
		sip_resolver_free(r);
	}
	/* Whatever this host has, both are there. */
	struct sip_resolver *r = resolver_of((struct sip_resolver_options){
	    .timeout_ms = PATIENT_MS, .deadline_ms = PATIENT_MS });
	struct result got = wait_for(start(r, "a.full.example", 5060));

	CU_ASSERT_PTR_NOT_NULL(strstr(got.text, "192.0.2.1"));
	CU_ASSERT_PTR_NOT_NULL(strstr(got.text, "2001:db8::1"));
	sip_resolver_free(r);
}

static void asks_the_hosts_file_first(void)
{
	struct sip_resolver *r = patient();

	check(r, "hosts.example", 5060,
	      "udp:198.51.100.1:5060 udp:2001:db8::99:5060");
	CU_ASSERT_EQUAL(dns_server_asked(server, "hosts.example", 0), 0);
	sip_resolver_free(r);
}

static void remembers(void)
{
	struct sip_resolver *r = patient();
	size_t before[3];

	check(r, "plain.example", 5060, "udp:192.0.2.10:5060");
	check_fails(r, "gone.example", ERR_NOT_FOUND);
	check(r, "brief.example", 5060, "udp:192.0.2.11:5060");
	before[0] = dns_server_asked(server, "plain.example", 0);
	before[1] = dns_server_asked(server, "gone.example", 0);
	before[2] = dns_server_asked(server, "brief.example", DNS_A);
	check(r, "plain.example", 5070, "udp:192.0.2.10:5070");
	check_fails(r, "GONE.example", ERR_NOT_FOUND);
	check(r, "brief.example", 5060, "udp:192.0.2.11:5060");
	CU_ASSERT_EQUAL(dns_server_asked(server, "plain.example", 0),
			before[0]);
	CU_ASSERT_EQUAL(dns_server_asked(server, "gone.example", 0), before[1]);
	CU_ASSERT_EQUAL(dns_server_asked(server, "brief.example", DNS_A),
			before[2] + 1);
	sip_resolver_free(r);
}

static void survives_hostile_answers(void)
{
	struct sip_resolver *r = patient();

	check(r, "cut.example", 5060, "udp:192.0.2.21:5060");
	check(r, "wrongid.example", 5060, "udp:192.0.2.26:5060");
	check(r, "othername.example", 5060, "udp:192.0.2.27:5060");
	check(r, "odd.example", 0, "udp:192.0.2.10:5062");
	check(r, "half.example", 5060, "udp:192.0.2.31:5060");
	check(r, "many.example", 5060,
	      "udp:192.0.2.77:5060 udp:192.0.2.77:5060 udp:192.0.2.77:5060 "
	      "udp:192.0.2.77:5060 udp:192.0.2.77:5060 udp:192.0.2.77:5060 "
	      "udp:192.0.2.77:5060 udp:192.0.2.77:5060 udp:192.0.2.77:5060 "
	      "udp:192.0.2.77:5060 udp:192.0.2.77:5060 udp:192.0.2.77:5060 "
	      "udp:192.0.2.77:5060 udp:192.0.2.77:5060 udp:192.0.2.77:5060 "
	      "udp:192.0.2.77:5060");
	check_fails(r, "loop.example", ERR_IO);
	check_fails(r, "broken.example", ERR_IO);
	check_fails(r, "fails.example", ERR_IO);
	check_fails(r, "refuses.example", ERR_IO);
	/* NAPTR and SRV fail in every way, the address does not. */
	check(r, "nosrv.example", 0, "udp:192.0.2.34:5060");
	CU_ASSERT(dns_server_asked(server, "cut.example", DNS_A) >= 2);
	sip_resolver_free(r);
}

/* What cannot be matched to a question is as good as silence. */
static void gives_up_on_silence(void)
{
	struct sip_resolver *r = resolver_of((struct sip_resolver_options){
	    .timeout_ms = SHORT_MS, .tries = 2, .deadline_ms = PATIENT_MS });
	static const char *const names[] = { "never.example", "garbage.example",
					     "short.example",
					     "cuttwice.example" };

	check_fails(r, names[0], ERR_TIMEOUT);
	/* The last one may still be on its way. */
	while (dns_server_asked(server, names[0], DNS_A) < 2)
		sched_yield();
	CU_ASSERT_EQUAL(dns_server_asked(server, names[0], DNS_A), 2);
	for (size_t i = 1; i < sizeof(names) / sizeof(names[0]); i++) {
		struct result got = wait_for(start(r, names[i], 5060));

		/* Nothing, or an address by another way than the lie's. */
		CU_ASSERT_PTR_NULL(strstr(got.text, "203.0.113"));
		CU_ASSERT_EQUAL(got.times, 1);
	}
	sip_resolver_free(r);
}

static void asks_again(void)
{
	struct sip_resolver *r = resolver_of((struct sip_resolver_options){
	    .timeout_ms = SHORT_MS, .tries = 8, .deadline_ms = PATIENT_MS });

	check(r, "late.example", 5060, "udp:192.0.2.20:5060");
	sip_resolver_free(r);
}

/* The next server is asked when the first one has nobody listening. */
static void asks_the_next_server(void)
{
	char servers[64];
	struct sip_resolver *r;

	snprintf(servers, sizeof(servers), "127.0.0.1:1,127.0.0.1:%u",
		 dns_server_port(server));
	r = resolver_of(
	    (struct sip_resolver_options){ .servers = servers,
					   .timeout_ms = SHORT_MS,
					   .tries = 8,
					   .deadline_ms = PATIENT_MS });
	check(r, "plain.example", 5060, "udp:192.0.2.10:5060");
	sip_resolver_free(r);
}

/* Also of those that have to wait until there is room. */
static void has_a_deadline(void)
{
	struct sip_resolver *r = resolver_of((struct sip_resolver_options){
	    .timeout_ms = PATIENT_MS, .tries = 4, .deadline_ms = SHORT_MS });
	uint64_t tickets[RESOLVER_ACTIVE_MAX + 4];

	for (size_t i = 0; i < RESOLVER_ACTIVE_MAX + 4; i++)
		tickets[i] = start(r, "never.example", 5060);
	for (size_t i = 0; i < RESOLVER_ACTIVE_MAX + 4; i++)
		CU_ASSERT_EQUAL(wait_for(tickets[i]).kind, ERR_TIMEOUT);
	sip_resolver_free(r);
}

/* Questions that nobody waits for any more count until their end: what has to
 * be asked has to wait, what is known has not. */
static void bounds_its_questions(void)
{
	struct sip_resolver *r = patient();
	uint64_t tickets[RESOLVER_QUERIES_MAX / 2];
	uint64_t waiting;
	char name[64];

	check(r, "plain.example", 5060, "udp:192.0.2.10:5060");
	for (size_t i = 0; i < RESOLVER_QUERIES_MAX / 2; i++) {
		snprintf(name, sizeof(name), "n%zu.silent.example", i);
		tickets[i] = start(r, name, 5060);
	}
	for (size_t i = 0; i < RESOLVER_QUERIES_MAX / 2; i++) {
		snprintf(name, sizeof(name), "n%zu.silent.example", i);
		while (!dns_server_asked(server, name, DNS_A) ||
		       !dns_server_asked(server, name, DNS_AAAA))
			sched_yield();
		CU_ASSERT_TRUE(sip_resolver_cancel(r, tickets[i]));
	}
	waiting = start(r, "more.silent.example", 5060);
	check(r, "plain.example", 5060, "udp:192.0.2.10:5060");
	CU_ASSERT_EQUAL(dns_server_asked(server, "more.silent.example", 0), 0);
	CU_ASSERT_TRUE(sip_resolver_cancel(r, waiting));
	sip_resolver_free(r);
}

static void write_file(const char *path, const char *text)
{
	char other[320];
	FILE *f;

	/* In one step, as network managers do. */
	snprintf(other, sizeof(other), "%s.new", path);
	f = fopen(other, "w");
	CU_ASSERT_PTR_NOT_NULL_FATAL(f);
	fputs(text, f);
	fclose(f);
	CU_ASSERT_EQUAL_FATAL(rename(other, path), 0);
}

/* The system's servers change while the service runs. */
static void reads_resolv_conf_again(void)
{
	char path[300];
	struct sip_resolver *r;

	snprintf(path, sizeof(path), "%s/resolv.conf", unit_temp_dir());
	/* Nobody there: who asks it waits for ever. */
	write_file(path, "nameserver 127.0.0.77\n");
	r = resolver_of(
	    (struct sip_resolver_options){ .resolv_conf = path,
					   .port = dns_server_port(server),
					   .timeout_ms = PATIENT_MS,
					   .tries = 1,
					   .deadline_ms = PATIENT_MS });
	check(r, "192.0.2.200", 0, "udp:192.0.2.200:5060");
	write_file(path, "search elsewhere.example\n"
			 "nameserver 127.0.0.1\nnameserver 127.0.0.1\n"
			 "nameserver 127.0.0.1\nnameserver 127.0.0.1\n"
			 "nameserver 127.0.0.1\nnameserver 127.0.0.1\n");
	check(r, "plain.example", 5060, "udp:192.0.2.10:5060");
	sip_resolver_free(r);
}

static void cancels(void)
{
	struct sip_resolver *r = patient();
	uint64_t ticket = start(r, "never.example", 5060);
	uint64_t waiting[RESOLVER_ACTIVE_MAX + 4];

	CU_ASSERT_FALSE(sip_resolver_cancel(r, 999999));
	CU_ASSERT_TRUE(sip_resolver_cancel(r, ticket));
	CU_ASSERT_FALSE(sip_resolver_cancel(r, ticket));
	for (size_t i = 0; i < RESOLVER_ACTIVE_MAX + 4; i++)
		waiting[i] = start(r, "never.example", 5060);
	for (size_t i = 0; i < RESOLVER_ACTIVE_MAX + 4; i++)
		CU_ASSERT_TRUE(sip_resolver_cancel(r, waiting[i]));
	sip_resolver_free(r);
	CU_ASSERT_EQUAL(results.of[ticket].times, 0);
	for (size_t i = 0; i < RESOLVER_ACTIVE_MAX + 4; i++)
		CU_ASSERT_EQUAL(results.of[waiting[i]].times, 0);
}

static void tells_nobody_after_its_end(void)
{
	struct sip_resolver *r = patient();
	uint64_t tickets[5];

	for (size_t i = 0; i < 5; i++)
		tickets[i] = start(r, "never.example", 5060);
	sip_resolver_free(r);
	sip_resolver_free(NULL);
	for (size_t i = 0; i < 5; i++)
		CU_ASSERT_EQUAL(results.of[tickets[i]].times, 0);
}

static void is_bounded(void)
{
	const struct sip_destination d = { .host = "never.example",
					   .port = 5060 };
	struct sip_resolver *r = patient();
	struct error e = ERROR_INIT;
	uint64_t first = start(r, d.host, 5060);

	for (int i = 1; i < RESOLVER_LOOKUPS_MAX; i++)
		start(r, d.host, 5060);
	CHECK_FAILS(sip_resolver_start(r, &d, new_ticket(), &e), &e, ERR_LIMIT,
		    "never.example");
	CHECK_FAILS(sip_resolver_start(r, &d, first, &e), &e, ERR_EXISTS,
		    "ticket");
	/* What is not there any more makes room. */
	CU_ASSERT_TRUE(sip_resolver_cancel(r, first));
	sip_resolver_free(r);
}

/* Names of others that nobody answers for keep no name of ours waiting. */
static void keeps_room_for_ours(void)
{
	char name[64];
	struct sip_destination d = { .host = name, .foreign = true };
	struct sip_resolver *r = patient();
	struct error e = ERROR_INIT;

	for (int i = 0; i < RESOLVER_FOREIGN_MAX; i++) {
		snprintf(name, sizeof(name), "f%d.silent.example", i);
		CHECK_OK(sip_resolver_start(r, &d, new_ticket(), &e), &e);
	}
	CHECK_FAILS(sip_resolver_start(r, &d, new_ticket(), &e), &e, ERR_LIMIT,
		    "silent.example");
	check(r, "plain.example", 5060, "udp:192.0.2.10:5060");
	for (int i = 1; i < RESOLVER_LOOKUPS_MAX - RESOLVER_FOREIGN_MAX; i++)
		start(r, "ours.silent.example", 5060);
	sip_resolver_free(r);
}

/* More than at once, all of them answered. */
static void serves_a_crowd(void)
{
	static const char *const names[] = { "plain.example", "full.example",
					     "nothing.example", "loop.example",
					     "cut.example" };
	enum { CROWD = 200 };
	struct sip_resolver *r = patient();
	uint64_t tickets[CROWD];

	for (size_t i = 0; i < CROWD; i++)
		tickets[i] = start(r, names[i % 5], 0);
	for (size_t i = 0; i < CROWD; i++) {
		struct result got = wait_for(tickets[i]);
		size_t which = i % 5;

		CU_ASSERT_EQUAL(got.times, 1);
		CU_ASSERT_EQUAL(got.kind == ERR_NONE, which != 2 && which != 3);
	}
	sip_resolver_free(r);
}

/* Equal questions are put once, whatever comes of them. */
static void asks_once_for_all(void)
{
	struct sip_resolver *r = patient();
	size_t before = dns_server_asked(server, "fails.example", DNS_A);
	uint64_t tickets[20];

	/* The first ones occupy it until all are there. */
	for (size_t i = 0; i < 20; i++)
		tickets[i] = start(
		    r, i < 19 ? "silent.example" : "Silent.Example", 5060);
	while (!dns_server_asked(server, "silent.example", DNS_A) ||
	       !dns_server_asked(server, "silent.example", DNS_AAAA))
		sched_yield();
	check_fails(r, "fails.example", ERR_IO);
	CU_ASSERT_EQUAL(dns_server_asked(server, "fails.example", DNS_A),
			before + 1);
	CU_ASSERT_EQUAL(dns_server_asked(server, "silent.example", DNS_A), 1);
	CU_ASSERT_EQUAL(dns_server_asked(server, "silent.example", DNS_AAAA),
			1);
	/* Some go, the others stay. */
	for (size_t i = 0; i < 20; i += 2)
		CU_ASSERT_TRUE(sip_resolver_cancel(r, tickets[i]));
	check(r, "plain.example", 5060, "udp:192.0.2.10:5060");
	sip_resolver_free(r);

	/* All hear of it. */
	r = resolver_of((struct sip_resolver_options){
	    .timeout_ms = SHORT_MS, .tries = 1, .deadline_ms = PATIENT_MS });
	for (size_t i = 0; i < 20; i++)
		tickets[i] = start(r, "never.example", 5060);
	for (size_t i = 0; i < 20; i++)
		CU_ASSERT_EQUAL(wait_for(tickets[i]).kind, ERR_TIMEOUT);
	sip_resolver_free(r);
}

/* --- several threads ------------------------------------------------------ */

struct worker {
	struct sip_resolver *r;
	uint64_t from;
	int cancelled[20], refused;
};

static void *work(void *arg)
{
	struct worker *w = arg;

	for (uint64_t i = 0; i < 20; i++) {
		const struct sip_destination d = { .host = "plain.example",
						   .port = 5060 };
		struct error e = ERROR_INIT;

		CU_ASSERT_EQUAL(sip_resolver_start(w->r, &d, w->from + i, &e),
				0);
		w->cancelled[i] =
		    i % 2 && sip_resolver_cancel(w->r, w->from + i);
	}
	return NULL;
}

/* Each one is either cancelled or told, never both, never neither. */
static void serves_several_threads(void)
{
	struct sip_resolver *r = patient();
	struct worker workers[4];
	pthread_t threads[4];

	for (size_t i = 0; i < 4; i++) {
		workers[i] = (struct worker){ .r = r, .from = results.next };
		results.next += 20;
		CU_ASSERT_EQUAL_FATAL(
		    pthread_create(&threads[i], NULL, work, &workers[i]), 0);
	}
	for (size_t i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
	for (size_t i = 0; i < 4; i++)
		CU_ASSERT_EQUAL_FATAL(workers[i].refused, 0);
	for (size_t i = 0; i < 4; i++)
		for (size_t k = 0; k < 20; k++)
			if (!workers[i].cancelled[k])
				wait_for(workers[i].from + k);
	sip_resolver_free(r);
	for (size_t i = 0; i < 4; i++)
		for (size_t k = 0; k < 20; k++)
			CU_ASSERT_EQUAL(results.of[workers[i].from + k].times,
					!workers[i].cancelled[k]);
}

static void refuses_wrong_input(void)
{
	static const char *const servers[] = {
		"", "nonsense", "127.0.0.1:x y", "127.0.0.1,nonsense",
		"127.0.0.1,127.0.0.2,127.0.0.3,127.0.0.4,127.0.0.5"
	};
	const struct sip_destination bad[] = {
		{ .host = "" },
		{ .host = "." },
		{ .host = "a.example",
		  .secure = true,
		  .has_transport = true,
		  .transport = SIP_UDP },
	};
	struct error e = ERROR_INIT;
	struct sip_resolver *r;

	for (size_t i = 0; i < sizeof(servers) / sizeof(servers[0]); i++) {
		const struct sip_resolver_options o = { .servers = servers[i] };

		r = sip_resolver_new(&o, on_resolved, NULL, &e);
		if (r)
			unit_note("\"%s\" was taken", servers[i]);
		CU_ASSERT_PTR_NULL(r);
		CU_ASSERT_EQUAL(e.kind, ERR_INPUT);
		sip_resolver_free(r);
	}
	r = patient();
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		CHECK_FAILS(sip_resolver_start(r, &bad[i], new_ticket(), &e),
			    &e, ERR_INPUT, "");
	/* Names that nobody is asked for. */
	check_fails(r, "o dd.example", ERR_NOT_FOUND);
	check_fails(r, "..", ERR_NOT_FOUND);
	check_fails(r, "a..example", ERR_NOT_FOUND);
	check_fails(r, "a\r\n.example", ERR_NOT_FOUND);
	check_fails(r, "fe80::1%lo", ERR_NOT_FOUND);
	sip_resolver_free(r);
}

static const struct unit_test tests[] = {
	{ "follows all records", follows_all_records },
	{ "orders families", orders_families },
	{ "asks the hosts file first", asks_the_hosts_file_first },
	{ "remembers", remembers },
	{ "survives hostile answers", survives_hostile_answers },
	{ "gives up on silence", gives_up_on_silence },
	{ "asks again", asks_again },
	{ "asks the next server", asks_the_next_server },
	{ "has a deadline", has_a_deadline },
	{ "bounds its questions", bounds_its_questions },
	{ "reads resolv.conf again", reads_resolv_conf_again },
	{ "cancels", cancels },
	{ "tells nobody after its end", tells_nobody_after_its_end },
	{ "is bounded", is_bounded },
	{ "keeps room for ours", keeps_room_for_ours },
	{ "serves a crowd", serves_a_crowd },
	{ "asks once for all", asks_once_for_all },
	{ "serves several threads", serves_several_threads },
	{ "refuses wrong input", refuses_wrong_input },
	{ NULL, NULL },
};

int main(int argc, char **argv)
{
	return unit_main(argc, argv, "sip-resolver", tests, open_suite,
			 close_suite);
}
