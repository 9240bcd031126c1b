/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/unit/dns_fixture.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

enum { QUESTIONS_MAX = 2048, CNAMES_MAX = 12, CONNECTIONS_MAX = 8, TC = 0x02 };

/* Not by CUnit: outside a test, or on the server's thread. */
static void must(bool good, const char *what)
{
	if (good)
		return;
	fprintf(stderr, "DNS server of the test: %s\n", what);
	abort();
}

/* --- messages ------------------------------------------------------------- */

void dns_put(struct dns_message *m, const void *p, size_t n)
{
	must(m->n + n <= sizeof(m->bytes), "message too long");
	memcpy(m->bytes + m->n, p, n);
	m->n += n;
}

void dns_put16(struct dns_message *m, unsigned v)
{
	const uint8_t b[2] = { (uint8_t)(v >> 8), (uint8_t)v };

	dns_put(m, b, 2);
}

static void put_text(struct dns_message *m, const char *text, size_t n)
{
	const uint8_t len = (uint8_t)n;

	dns_put(m, &len, 1);
	dns_put(m, text, n);
}

void dns_put_name(struct dns_message *m, const char *name)
{
	while (*name) {
		size_t n = strcspn(name, ".");

		put_text(m, name, n);
		name += n + (name[n] == '.');
	}
	put_text(m, "", 0);
}

void dns_begin(struct dns_message *m, uint16_t id, unsigned rcode,
	       const char *name, unsigned type)
{
	m->n = 0;
	dns_put16(m, id);
	dns_put16(m, 0x8180 | rcode);
	dns_put16(m, 1);
	dns_put16(m, 0);
	dns_put16(m, 0);
	dns_put16(m, 0);
	dns_put_name(m, name);
	dns_put16(m, type);
	dns_put16(m, 1);
}

void dns_add_raw(struct dns_message *m, const char *owner, unsigned type,
		 unsigned class, uint32_t ttl, const void *data, size_t n)
{
	size_t counter = type == DNS_SOA ? 8 : 6;
	unsigned count = m->bytes[counter] << 8 | m->bytes[counter + 1];

	dns_put_name(m, owner);
	dns_put16(m, type);
	dns_put16(m, class);
	dns_put16(m, ttl >> 16);
	dns_put16(m, ttl & 0xffff);
	dns_put16(m, (unsigned)n);
	dns_put(m, data, n);
	count++;
	m->bytes[counter] = (uint8_t)(count >> 8);
	m->bytes[counter + 1] = (uint8_t)count;
}

/* Every row starts with numbers of 16 bits, goes on with texts, ends with a
 * name. */
static void make_data(struct dns_message *d, const char *text, int numbers,
		      int texts)
{
	char copy[512], *save = NULL, *word;

	snprintf(copy, sizeof(copy), "%s", text);
	word = strtok_r(copy, " ", &save);
	for (; numbers > 0; numbers--, word = strtok_r(NULL, " ", &save))
		dns_put16(d, (unsigned)atoi(word));
	for (; texts > 0; texts--, word = strtok_r(NULL, " ", &save))
		put_text(d, word, strcmp(word, "-") == 0 ? 0 : strlen(word));
	dns_put_name(d, word && strcmp(word, ".") != 0 ? word : "");
}

void dns_add(struct dns_message *m, const char *owner, unsigned type,
	     uint32_t ttl, const char *text)
{
	struct dns_message *d = calloc(1, sizeof(*d));
	uint8_t ip[16];

	must(d, "no memory");
	switch (type) {
	case DNS_A:
	case DNS_AAAA:
		inet_pton(type == DNS_A ? AF_INET : AF_INET6, text, ip);
		dns_put(d, ip, type == DNS_A ? 4 : 16);
		break;
	case DNS_SRV: make_data(d, text, 3, 0); break;
	case DNS_NAPTR: make_data(d, text, 2, 3); break;
	case DNS_SOA:
		dns_put_name(d, "ns");
		dns_put_name(d, "admin");
		d->n += 16; /* serial number and times */
		dns_put16(d, (unsigned)atoi(text) >> 16);
		dns_put16(d, (unsigned)atoi(text) & 0xffff);
		break;
	default: make_data(d, text, 0, 0); break;
	}
	dns_add_raw(m, owner, type, 1, ttl, d->bytes, d->n);
	free(d);
}

/* --- the server ----------------------------------------------------------- */

struct question {
	uint16_t id;
	char name[256];
	unsigned type;
};

struct dns_server {
	const struct dns_row *zone;
	const struct dns_manner *manners;
	int udp, tcp, stop;
	uint16_t port;
	pthread_t thread;
	struct dns_message message;
	pthread_mutex_t lock;
	struct question asked[QUESTIONS_MAX];
	size_t asked_count;
};

static bool read_question(const uint8_t *p, size_t n, struct question *q)
{
	size_t at = 12, len = 0;

	if (n < 12 + 5)
		return false;
	q->id = (uint16_t)(p[0] << 8 | p[1]);
	while (at < n && p[at]) {
		size_t label = p[at++];

		if (at + label >= n || len + label + 2 > sizeof(q->name))
			return false;
		memcpy(q->name + len, p + at, label);
		len += label;
		at += label;
		q->name[len++] = '.';
	}
	q->name[len ? len - 1 : 0] = '\0';
	if (at + 4 >= n)
		return false;
	q->type = (unsigned)(p[at + 1] << 8 | p[at + 2]);
	return true;
}

static size_t count_asked(struct dns_server *s, const char *name, unsigned type)
{
	size_t n = 0;

	for (size_t i = 0; i < s->asked_count; i++)
		n += strcasecmp(s->asked[i].name, name) == 0 &&
		     (!type || s->asked[i].type == type);
	return n;
}

size_t dns_server_asked(struct dns_server *s, const char *name, unsigned type)
{
	size_t n;

	pthread_mutex_lock(&s->lock);
	n = count_asked(s, name, type);
	pthread_mutex_unlock(&s->lock);
	return n;
}

static void note(struct dns_server *s, const struct question *q)
{
	pthread_mutex_lock(&s->lock);
	if (s->asked_count < QUESTIONS_MAX)
		s->asked[s->asked_count++] = *q;
	pthread_mutex_unlock(&s->lock);
}

/* "*.example" is for whatever ends like that. */
static bool is_for(const char *pattern, const char *name)
{
	size_t n = strlen(name), end = strlen(pattern) - 1;

	if (*pattern != '*')
		return strcasecmp(pattern, name) == 0;
	return n > end && strcasecmp(pattern + 1, name + n - end) == 0;
}

static enum dns_how how_to(const struct dns_server *s, const struct question *q)
{
	for (const struct dns_manner *m = s->manners; m->name; m++)
		if (is_for(m->name, q->name) &&
		    (!m->type || m->type == q->type))
			return m->how;
	return DNS_AS_IT_IS;
}

/* What the zone says, CNAMEs followed. */
static void answer_from_zone(struct dns_server *s, const struct question *q)
{
	const char *name = q->name;
	bool exists = false, found = false;

	dns_begin(&s->message, q->id, 0, q->name, q->type);
	for (int i = 0; i < CNAMES_MAX && name; i++) {
		const char *next = NULL;

		for (const struct dns_row *r = s->zone; r->owner; r++) {
			if (strcasecmp(r->owner, name) != 0)
				continue;
			exists = true;
			if (r->type != q->type && r->type != DNS_CNAME)
				continue;
			dns_add(&s->message, r->owner, r->type, r->ttl,
				r->text);
			found |= r->type == q->type;
			if (r->type == DNS_CNAME)
				next = r->text;
		}
		name = next;
	}
	if (!exists)
		s->message.bytes[3] |= 3;
	if (!found)
		dns_add(&s->message, "", DNS_SOA, 60, "60");
}

/* An answer that would be believed if its id and question were right. */
static void lie(struct dns_server *s, uint16_t id, const char *name,
		unsigned type)
{
	dns_begin(&s->message, id, 0, name, type);
	dns_add(&s->message, name, DNS_A, 60, "203.0.113.66");
}

static void send_udp(struct dns_server *s, const struct sockaddr_in *to)
{
	(void)sendto(s->udp, s->message.bytes, s->message.n, 0,
		     (const struct sockaddr *)to, sizeof(*to));
}

static void drop_records(struct dns_server *s, const struct question *q)
{
	dns_begin(&s->message, q->id, 0, q->name, q->type);
	s->message.bytes[2] |= TC;
}

/* Changes what the zone says as the manner wants it. */
static void distort(struct dns_server *s, const struct question *q,
		    enum dns_how how)
{
	struct dns_message *m = &s->message;

	switch (how) {
	case DNS_GARBAGE:
		for (size_t i = 12; i < 400; i++)
			m->bytes[i] = (uint8_t)(i * 167 + 13);
		m->bytes[2] = 0x81;
		m->n = 400;
		break;
	case DNS_BROKEN: m->n -= 3; break;
	case DNS_SHORT: m->n = 5; break;
	case DNS_FAILS: m->bytes[3] = 2; break;
	case DNS_REFUSES: m->bytes[3] = 5; break;
	case DNS_MANY:
		dns_begin(m, q->id, 0, q->name, q->type);
		for (int i = 0; i < 300 && q->type == DNS_A; i++)
			dns_add(m, q->name, DNS_A, 60, "192.0.2.77");
		break;
	default: break;
	}
}

static void serve_udp(struct dns_server *s)
{
	uint8_t bytes[512];
	struct sockaddr_in from;
	socklen_t size = sizeof(from);
	struct question q = { .id = 0 };
	ssize_t n = recvfrom(s->udp, bytes, sizeof(bytes), 0,
			     (struct sockaddr *)&from, &size);
	enum dns_how how;

	if (n <= 0 || !read_question(bytes, (size_t)n, &q))
		return;
	note(s, &q);
	how = how_to(s, &q);
	if (how == DNS_NEVER ||
	    (how == DNS_LATE && dns_server_asked(s, q.name, q.type) < 2))
		return;
	if (how == DNS_WRONG_ID || how == DNS_OTHER_NAME) {
		lie(s, how == DNS_WRONG_ID ? q.id ^ 0x5a5a : q.id,
		    how == DNS_OTHER_NAME ? "other.example" : q.name, q.type);
		send_udp(s, &from);
	}
	answer_from_zone(s, &q);
	distort(s, &q, how);
	if (how == DNS_CUT || how == DNS_CUT_TWICE || s->message.n > 512)
		drop_records(s, &q);
	send_udp(s, &from);
}

static bool receive(int fd, void *out, size_t n)
{
	return recv(fd, out, n, MSG_WAITALL) == (ssize_t)n;
}

/* One question of a connection; false: that is its end. */
static bool serve_tcp(struct dns_server *s, int fd)
{
	struct question q = { .id = 0 };
	uint8_t size[2], bytes[512];
	size_t n;
	enum dns_how how;

	if (!receive(fd, size, 2))
		return false;
	n = (size_t)(size[0] << 8 | size[1]);
	if (n > sizeof(bytes) || !receive(fd, bytes, n) ||
	    !read_question(bytes, n, &q))
		return false;
	note(s, &q);
	how = how_to(s, &q);
	answer_from_zone(s, &q);
	distort(s, &q, how);
	if (how == DNS_CUT_TWICE)
		drop_records(s, &q);
	size[0] = (uint8_t)(s->message.n >> 8);
	size[1] = (uint8_t)s->message.n;
	return send(fd, size, 2, MSG_NOSIGNAL) == 2 &&
	       send(fd, s->message.bytes, s->message.n, MSG_NOSIGNAL) ==
		   (ssize_t)s->message.n;
}

static void accept_tcp(struct dns_server *s, struct pollfd *free_place)
{
	const struct timeval limit = { .tv_sec = 5 };

	free_place->fd = accept4(s->tcp, NULL, NULL, SOCK_CLOEXEC);
	free_place->events = POLLIN;
	free_place->revents = 0;
	if (free_place->fd >= 0)
		setsockopt(free_place->fd, SOL_SOCKET, SO_RCVTIMEO, &limit,
			   sizeof(limit));
}

static void serve_connections(struct dns_server *s, struct pollfd *fds,
			      bool arrived)
{
	for (size_t i = 0; i < CONNECTIONS_MAX; i++) {
		if (fds[i].fd >= 0 && fds[i].revents &&
		    !serve_tcp(s, fds[i].fd)) {
			close(fds[i].fd);
			fds[i].fd = -1;
		}
		if (fds[i].fd < 0 && arrived) {
			accept_tcp(s, &fds[i]);
			arrived = false;
		}
	}
}

static void *serve(void *arg)
{
	struct dns_server *s = arg;
	struct pollfd fds[3 + CONNECTIONS_MAX] = {
		{ .fd = s->udp, .events = POLLIN },
		{ .fd = s->tcp, .events = POLLIN },
		{ .fd = s->stop, .events = POLLIN }
	};

	for (size_t i = 0; i < CONNECTIONS_MAX; i++)
		fds[3 + i].fd = -1;
	while (poll(fds, 3 + CONNECTIONS_MAX, -1) >= 0 && !fds[2].revents) {
		if (fds[0].revents)
			serve_udp(s);
		serve_connections(s, fds + 3, fds[1].revents != 0);
	}
	for (size_t i = 0; i < CONNECTIONS_MAX; i++)
		if (fds[3 + i].fd >= 0)
			close(fds[3 + i].fd);
	return NULL;
}

static bool bind_to(int fd, uint16_t port)
{
	const struct sockaddr_in a = { .sin_family = AF_INET,
				       .sin_port = htons(port),
				       .sin_addr.s_addr =
					   htonl(INADDR_LOOPBACK) };

	return bind(fd, (const struct sockaddr *)&a, sizeof(a)) == 0;
}

/* One port for both. */
static bool open_sockets(struct dns_server *s)
{
	struct sockaddr_in a;
	socklen_t size = sizeof(a);

	s->udp = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	s->tcp = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (bind_to(s->udp, 0) &&
	    getsockname(s->udp, (struct sockaddr *)&a, &size) == 0) {
		s->port = ntohs(a.sin_port);
		if (bind_to(s->tcp, s->port) && listen(s->tcp, 16) == 0)
			return true;
	}
	close(s->udp);
	close(s->tcp);
	return false;
}

struct dns_server *dns_server_start(const struct dns_row *zone,
				    const struct dns_manner *manners)
{
	struct dns_server *s = calloc(1, sizeof(*s));
	int tries = 20;

	must(s, "no memory");
	s->zone = zone;
	s->manners = manners;
	pthread_mutex_init(&s->lock, NULL);
	s->stop = eventfd(0, EFD_CLOEXEC);
	while (!open_sockets(s))
		must(--tries > 0, "no port");
	must(pthread_create(&s->thread, NULL, serve, s) == 0, "no thread");
	return s;
}

void dns_server_stop(struct dns_server *s)
{
	must(eventfd_write(s->stop, 1) == 0, "no end");
	pthread_join(s->thread, NULL);
	close(s->udp);
	close(s->tcp);
	close(s->stop);
	pthread_mutex_destroy(&s->lock);
	free(s);
}

uint16_t dns_server_port(const struct dns_server *s)
{
	return s->port;
}
