/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sip/resolver_channel.h"

#include <ares.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/time.h>

#include "base/log.h"

#define SYSTEM_RESOLV_CONF "/etc/resolv.conf"

enum { CLASS_IN = 1, LONGEST_WAIT_MS = 60 * 1000 };

struct resolver_channel {
	ares_channel ares;
	char *servers; /* NULL: of the file */
	char *resolv_conf;
	struct stat read; /* the file when it was read */
	uint16_t port;
	int timeout_ms, tries;
	size_t under_way;
};

struct query {
	struct resolver_channel *channel;
	enum resolver_type type;
	char name[SIP_NAME_MAX];
	resolver_answered_fn *answered;
	void *arg;
};

static void init_library(void)
{
	/* On this system it sets up nothing and cannot fail. */
	(void)ares_library_init(ARES_LIB_INIT_ALL);
}

static int ares_error(int rc, const char *what, struct error *e)
{
	return error_set(e, rc == ARES_ENOMEM ? ERR_NOMEM : ERR_IO, "%s: %s",
			 what, ares_strerror(rc));
}

/* --- servers -------------------------------------------------------------- */

/* c-ares tells of 16 sockets only, two for each server at most. */
static int limit_servers(ares_channel ares, struct error *e)
{
	struct ares_addr_port_node *all = NULL, *last, *rest;
	int rc = ares_get_servers_ports(ares, &all);

	if (rc != ARES_SUCCESS)
		return ares_error(rc, "reading the DNS servers", e);
	last = all;
	for (int i = 1; last && i < RESOLVER_SERVERS_MAX; i++)
		last = last->next;
	rest = last ? last->next : NULL;
	if (rest) {
		last->next = NULL;
		rc = ares_set_servers_ports(ares, all);
		last->next = rest;
	}
	ares_free_data(all);
	return rc == ARES_SUCCESS ? 0
				  : ares_error(rc, "setting DNS servers", e);
}

static int set_servers(ares_channel ares, const char *servers, struct error *e)
{
	size_t n = 1;
	int rc;

	for (const char *p = servers; (p = strchr(p, ',')); p++)
		n++;
	if (!*servers || n > RESOLVER_SERVERS_MAX)
		return error_set(e, ERR_INPUT, "there are 1 to %d DNS servers",
				 RESOLVER_SERVERS_MAX);
	rc = ares_set_servers_ports_csv(ares, servers);
	if (rc == ARES_ENOMEM)
		return error_nomem(e);
	if (rc != ARES_SUCCESS)
		return error_set(e, ERR_INPUT,
				 "\"%s\" is no list of DNS servers", servers);
	return 0;
}

/* The file as it is now; all zero when there is none. */
static void look_at_file(const struct resolver_channel *c, struct stat *out)
{
	if (stat(c->resolv_conf, out) < 0)
		memset(out, 0, sizeof(*out));
}

static int open_ares(struct resolver_channel *c, ares_channel *out,
		     struct error *e)
{
	char lookups[] = "b"; /* /etc/hosts is read by us */
	struct ares_options o = {
		.flags = ARES_FLAG_NOSEARCH | ARES_FLAG_NOALIASES,
		.timeout = c->timeout_ms,
		.tries = c->tries,
		.udp_port = c->port,
		.tcp_port = c->port,
		.lookups = lookups,
		.resolvconf_path = c->resolv_conf,
	};
	int mask = ARES_OPT_FLAGS | ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES |
		   ARES_OPT_LOOKUPS | ARES_OPT_RESOLVCONF;
	int rc;

	if (c->port)
		mask |= ARES_OPT_UDP_PORT | ARES_OPT_TCP_PORT;
	look_at_file(c, &c->read);
	rc = ares_init_options(out, &o, mask);
	if (rc != ARES_SUCCESS)
		return ares_error(rc, "starting the DNS resolver", e);
	if ((c->servers ? set_servers(*out, c->servers, e)
			: limit_servers(*out, e)) == 0)
		return 0;
	ares_destroy(*out);
	return -1;
}

struct resolver_channel *resolver_channel_new(
    const struct resolver_channel_options *o, struct error *e)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	struct resolver_channel *c = calloc(1, sizeof(*c));

	pthread_once(&once, init_library);
	if (!c)
		goto nomem;
	c->port = o->port;
	c->timeout_ms = o->timeout_ms;
	c->tries = o->tries;
	c->resolv_conf =
	    strdup(o->resolv_conf ? o->resolv_conf : SYSTEM_RESOLV_CONF);
	if (!c->resolv_conf ||
	    (o->servers && !(c->servers = strdup(o->servers))))
		goto nomem;
	if (open_ares(c, &c->ares, e) == 0)
		return c;
	goto out;
nomem:
	error_nomem(e);
out:
	c->ares = NULL;
	resolver_channel_free(c);
	return NULL;
}

void resolver_channel_free(struct resolver_channel *c)
{
	if (!c)
		return;
	if (c->ares)
		ares_destroy(c->ares);
	free(c->servers);
	free(c->resolv_conf);
	free(c);
}

bool resolver_channel_refresh(struct resolver_channel *c)
{
	struct error e = ERROR_INIT;
	ares_channel fresh;
	struct stat now;

	if (c->servers || c->under_way)
		return false;
	look_at_file(c, &now);
	if (now.st_ino == c->read.st_ino && now.st_size == c->read.st_size &&
	    now.st_mtim.tv_sec == c->read.st_mtim.tv_sec &&
	    now.st_mtim.tv_nsec == c->read.st_mtim.tv_nsec)
		return false;
	if (open_ares(c, &fresh, &e) < 0) {
		log_failure(LOG_LEVEL_WARNING, "sip", &e);
		return false;
	}
	ares_destroy(c->ares);
	c->ares = fresh;
	return true;
}

/* --- questions ------------------------------------------------------------ */

/* Also with an answer that says that there is nothing (bytes is NULL when there
 * was no answer at all). */
static void on_answer(void *arg, int status, int timeouts, unsigned char *bytes,
		      int n)
{
	struct query *q = arg;
	struct resolver_answer a;

	(void)timeouts;
	q->channel->under_way--;
	if (bytes && n > 0 &&
	    resolver_answer_read(bytes, (size_t)n, q->type, q->name, &a))
		q->answered(q->arg, &a, false);
	else
		q->answered(q->arg, NULL, status == ARES_ETIMEOUT);
	free(q);
}

bool resolver_channel_ask(struct resolver_channel *c, enum resolver_type type,
			  const char *name, resolver_answered_fn *answered,
			  void *arg)
{
	struct query *q;

	if (c->under_way == RESOLVER_QUERIES_MAX)
		return false;
	q = calloc(1, sizeof(*q));
	if (!q)
		return false;
	q->channel = c;
	q->type = type;
	snprintf(q->name, sizeof(q->name), "%s", name);
	q->answered = answered;
	q->arg = arg;
	c->under_way++;
	ares_query(c->ares, q->name, CLASS_IN, resolver_type_code(type),
		   on_answer, q);
	return true;
}

/* --- polling -------------------------------------------------------------- */

size_t resolver_channel_fds(struct resolver_channel *c,
			    struct pollfd out[RESOLVER_FDS_MAX])
{
	ares_socket_t sockets[ARES_GETSOCK_MAXNUM];
	unsigned bits =
	    (unsigned)ares_getsock(c->ares, sockets, ARES_GETSOCK_MAXNUM);
	size_t n = 0;

	for (int i = 0; i < ARES_GETSOCK_MAXNUM; i++) {
		short events = 0;

		/* As ARES_GETSOCK_READABLE() and _WRITABLE(), which shift into
		 * the sign. */
		if (bits >> i & 1)
			events |= POLLIN;
		if (bits >> (i + ARES_GETSOCK_MAXNUM) & 1)
			events |= POLLOUT;
		if (events)
			out[n++] = (struct pollfd){ .fd = sockets[i],
						    .events = events };
	}
	return n;
}

int resolver_channel_wait_ms(struct resolver_channel *c)
{
	struct timeval tv;

	if (!ares_timeout(c->ares, NULL, &tv))
		return -1;
	if (tv.tv_sec >= LONGEST_WAIT_MS / 1000)
		return LONGEST_WAIT_MS;
	/* Rounded up: a moment too early would be asked for again at once. */
	return (int)(tv.tv_sec * 1000 + (tv.tv_usec + 999) / 1000);
}

void resolver_channel_process(struct resolver_channel *c,
			      const struct pollfd *fds, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const short failed = POLLERR | POLLHUP | POLLNVAL;
		short events = fds[i].revents;

		/* What failed is found out by reading. */
		if (events)
			ares_process_fd(
			    c->ares,
			    events & (POLLIN | failed) ? fds[i].fd
						       : ARES_SOCKET_BAD,
			    events & POLLOUT ? fds[i].fd : ARES_SOCKET_BAD);
	}
	ares_process_fd(c->ares, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
}
