/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sip/sip_locate.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* What SRV records are called and what is said of them, in the order in which
 * we like it. */
static const struct {
	enum sip_transport transport;
	const char *service; /* NAPTR */
	const char *prefix;  /* SRV */
} services[] = {
	{ SIP_TLS, "SIPS+D2T", "_sips._tcp." },
	{ SIP_TCP, "SIP+D2T", "_sip._tcp." },
	{ SIP_UDP, "SIP+D2U", "_sip._udp." },
};

enum { SERVICES = sizeof(services) / sizeof(services[0]) };

/* A host whose addresses are wanted. */
struct host {
	char name[SIP_NAME_MAX];
	enum sip_transport transport;
	uint16_t port;
};

/* A name whose SRV records are wanted. */
struct service {
	char name[SIP_NAME_MAX];
	enum sip_transport transport;
};

struct sip_locator {
	char host[SIP_NAME_MAX];
	uint16_t port;
	bool secure, has_transport;
	enum sip_transport transport;
	uint32_t (*chance)(void *arg);
	void *chance_arg;

	bool ask_naptr, naptr_asked;
	struct service services[SERVICES];
	size_t service_count, service_at;
	struct host hosts[SIP_TARGETS_MAX];
	size_t host_count, host_at;
	bool fallen_back; /* to the name itself */
	unsigned asked;
	enum sip_query_type last;

	struct sip_target targets[SIP_TARGETS_MAX];
	size_t count;
};

static uint16_t default_port(enum sip_transport t)
{
	return t == SIP_TLS ? 5061 : 5060;
}

/* RFC 3263 4.1: TLS for sips:, unless something was said. */
static enum sip_transport default_transport(const struct sip_locator *l)
{
	return l->secure && !l->has_transport ? SIP_TLS : l->transport;
}

static bool is_wanted(const struct sip_locator *l, enum sip_transport t)
{
	if (l->has_transport)
		return t == l->transport;
	return !l->secure || t == SIP_TLS;
}

static bool is_address(const char *text)
{
	uint8_t bytes[16];

	return inet_pton(AF_INET, text, bytes) == 1 ||
	       inet_pton(AF_INET6, text, bytes) == 1;
}

/* Without the dot at the end; "." alone means that there is no such service
 * (RFC 2782). */
static bool copy_name(char out[SIP_NAME_MAX], const char *name)
{
	size_t n = strnlen(name, SIP_NAME_MAX);

	if (n && n < SIP_NAME_MAX && name[n - 1] == '.')
		n--;
	if (n == 0 || n == SIP_NAME_MAX)
		return false;
	memcpy(out, name, n);
	out[n] = '\0';
	return true;
}

static void add_host(struct sip_locator *l, const char *name,
		     enum sip_transport t, uint16_t port)
{
	struct host *h = &l->hosts[l->host_count];

	if (l->host_count == SIP_TARGETS_MAX || !copy_name(h->name, name))
		return;
	h->transport = t;
	h->port = port;
	l->host_count++;
}

static void add_target(struct sip_locator *l, const struct host *h,
		       const char *address)
{
	struct sip_target *t = &l->targets[l->count];
	size_t n = strlen(address);

	if (l->count == SIP_TARGETS_MAX || n >= sizeof(t->address) ||
	    !is_address(address))
		return;
	t->transport = h->transport;
	t->port = h->port;
	memcpy(t->address, address, n + 1);
	l->count++;
}

static void add_service(struct sip_locator *l, const char *prefix,
			const char *name, enum sip_transport t)
{
	struct service *s = &l->services[l->service_count];
	char whole[SIP_NAME_MAX + sizeof("_sips._tcp.")];

	if (l->service_count == SERVICES)
		return;
	snprintf(whole, sizeof(whole), "%s%s", prefix, name);
	if (!copy_name(s->name, whole))
		return;
	s->transport = t;
	l->service_count++;
}

/* The host itself, when nothing else is known of it. */
static void fall_back(struct sip_locator *l)
{
	enum sip_transport t = default_transport(l);

	if (l->fallen_back)
		return;
	l->fallen_back = true;
	add_host(l, l->host, t, l->port ? l->port : default_port(t));
}

/* Which records there may be is told by NAPTR; without, we ask for ours. */
static void guess_services(struct sip_locator *l)
{
	for (size_t i = 0; i < SERVICES; i++)
		if (is_wanted(l, services[i].transport))
			add_service(l, services[i].prefix, l->host,
				    services[i].transport);
}

struct sip_locator *sip_locator_new(const struct sip_destination *d,
				    uint32_t (*chance)(void *arg), void *arg,
				    struct error *e)
{
	struct sip_locator *l;

	if (d->secure && d->has_transport && d->transport != SIP_TLS) {
		error_set(e, ERR_INPUT,
			  "a sips: address needs TLS, and another transport "
			  "is asked for");
		return NULL;
	}
	l = calloc(1, sizeof(*l));
	if (!l) {
		error_nomem(e);
		return NULL;
	}
	if (!copy_name(l->host, d->host)) {
		error_set(e, ERR_INPUT, "no host name, or one too long");
		free(l);
		return NULL;
	}
	l->port = d->port;
	l->secure = d->secure;
	l->has_transport = d->has_transport;
	l->transport = d->transport;
	l->chance = chance;
	l->chance_arg = arg;
	/* 4.2: an address or a port leave nothing to ask SRV for; 4.1: a
	 * transport nothing to ask NAPTR for. */
	if (is_address(l->host) || l->port)
		fall_back(l);
	else if (l->has_transport)
		guess_services(l);
	else
		l->ask_naptr = true;
	return l;
}

void sip_locator_free(struct sip_locator *l)
{
	free(l);
}

static bool ask(struct sip_locator *l, enum sip_query_type type,
		const char *name, struct sip_query *out)
{
	if (l->asked == SIP_QUERIES_MAX)
		return false;
	l->asked++;
	l->last = type;
	out->type = type;
	snprintf(out->name, sizeof(out->name), "%s", name);
	return true;
}

/* Hosts that are addresses need no question. */
static void take_plain_hosts(struct sip_locator *l)
{
	while (l->host_at < l->host_count &&
	       is_address(l->hosts[l->host_at].name)) {
		add_target(l, &l->hosts[l->host_at], l->hosts[l->host_at].name);
		l->host_at++;
	}
}

bool sip_locator_next(struct sip_locator *l, struct sip_query *out)
{
	if (l->ask_naptr && !l->naptr_asked)
		return ask(l, SIP_QUERY_NAPTR, l->host, out);
	if (l->service_at < l->service_count)
		return ask(l, SIP_QUERY_SRV, l->services[l->service_at].name,
			   out);
	if (!l->host_count)
		fall_back(l);
	take_plain_hosts(l);
	if (l->host_at == l->host_count || l->count == SIP_TARGETS_MAX)
		return false;
	return ask(l, SIP_QUERY_ADDRESS, l->hosts[l->host_at].name, out);
}

/* --- answers */

static int compare_naptr(const void *a, const void *b)
{
	const struct sip_naptr *x = a, *y = b;

	if (x->order != y->order)
		return x->order < y->order ? -1 : 1;
	return (x->preference > y->preference) -
	       (x->preference < y->preference);
}

static void take_naptr(struct sip_locator *l, const struct sip_records *r)
{
	struct sip_naptr sorted[SIP_RECORDS_MAX];
	size_t n = r->count < SIP_RECORDS_MAX ? r->count : SIP_RECORDS_MAX;

	l->naptr_asked = true;
	if (n)
		memcpy(sorted, r->naptr, n * sizeof(*sorted));
	qsort(sorted, n, sizeof(*sorted), compare_naptr);
	for (size_t i = 0; i < n; i++)
		for (size_t s = 0; s < SERVICES; s++)
			if (strcasecmp(sorted[i].flags, "s") == 0 &&
			    strcasecmp(sorted[i].service,
				       services[s].service) == 0 &&
			    is_wanted(l, services[s].transport))
				add_service(l, "", sorted[i].replacement,
					    services[s].transport);
	if (!l->service_count)
		guess_services(l);
}

/* One of the records at the front of equal priority, by its weight (RFC 2782);
 * returns its place. */
static size_t choose(struct sip_locator *l, const struct sip_srv *srv, size_t n)
{
	uint64_t sum = 0, at, passed = 0;

	for (size_t i = 0; i < n; i++)
		sum += srv[i].weight;
	/* From 0 to sum, both included: a weight of 0 has a small chance. */
	at = (uint64_t)l->chance(l->chance_arg) % (sum + 1);
	for (size_t i = 0; i < n; i++) {
		passed += srv[i].weight;
		if (passed >= at)
			return i;
	}
	return n - 1;
}

/* Smaller priority first; a weight of 0 before the others, as RFC 2782 wants it
 * for the choice. */
static int compare_srv(const void *a, const void *b)
{
	const struct sip_srv *x = a, *y = b;

	if (x->priority != y->priority)
		return x->priority < y->priority ? -1 : 1;
	return (x->weight != 0) - (y->weight != 0);
}

static void take_srv(struct sip_locator *l, const struct sip_records *r)
{
	enum sip_transport t = l->services[l->service_at].transport;
	struct sip_srv sorted[SIP_RECORDS_MAX];
	size_t n = r->count < SIP_RECORDS_MAX ? r->count : SIP_RECORDS_MAX;

	l->service_at++;
	if (n)
		memcpy(sorted, r->srv, n * sizeof(*sorted));
	qsort(sorted, n, sizeof(*sorted), compare_srv);
	for (size_t at = 0; at < n; at++) {
		struct sip_srv chosen;
		size_t same = at, i;

		while (same < n && sorted[same].priority == sorted[at].priority)
			same++;
		i = at + choose(l, sorted + at, same - at);
		chosen = sorted[i];
		memmove(sorted + at + 1, sorted + at,
			(i - at) * sizeof(*sorted));
		sorted[at] = chosen;
		add_host(l, chosen.target, t, chosen.port);
	}
}

static void take_addresses(struct sip_locator *l, const struct sip_records *r)
{
	const struct host *h = &l->hosts[l->host_at++];

	for (size_t i = 0; i < r->count; i++)
		add_target(l, h, r->addresses[i]);
}

void sip_locator_answer(struct sip_locator *l, const struct sip_records *r)
{
	switch (l->last) {
	case SIP_QUERY_NAPTR: take_naptr(l, r); break;
	case SIP_QUERY_SRV: take_srv(l, r); break;
	case SIP_QUERY_ADDRESS: take_addresses(l, r); break;
	}
}

size_t sip_locator_targets(const struct sip_locator *l,
			   const struct sip_target **out)
{
	*out = l->targets;
	return l->count;
}
