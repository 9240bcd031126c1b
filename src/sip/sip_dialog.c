/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sip/sip_dialog.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/time.h>
#include <osip2/osip.h>

#include "sip/sip_message.h"

struct sip_dialog {
	osip_call_id_t *call_id;
	osip_from_t *local, *remote; /* with their tags */
	char *local_tag, *remote_tag;
	osip_uri_t *target;
	osip_list_t *routes; /* osip_route_t, the first hop first */
	uint32_t local_cseq, remote_cseq;
	bool remote_known; /* remote_cseq */
	bool guessed;      /* target: they have not named any */
	bool secure;
};

/* The library wants names that it could write to. */
static char lr[] = "lr", transport[] = "transport", tag_name[] = "tag",
	    maddr[] = "maddr";

static int failed(int rc, struct error *e)
{
	if (rc == OSIP_NOMEM)
		return error_nomem(e);
	return error_set(e, ERR_INPUT, "no dialog can be made of this (%d)",
			 rc);
}

static void routes_free(osip_list_t *routes)
{
	if (!routes)
		return;
	osip_list_special_free(routes, (void (*)(void *))osip_route_free);
	osip_free(routes);
}

void sip_dialog_free(struct sip_dialog *d)
{
	if (!d)
		return;
	osip_call_id_free(d->call_id);
	osip_from_free(d->local);
	osip_from_free(d->remote);
	osip_uri_free(d->target);
	routes_free(d->routes);
	free(d->local_tag);
	free(d->remote_tag);
	free(d);
}

/* --- what messages say */

static bool is_sip(const osip_uri_t *uri)
{
	return uri && uri->scheme && uri->host && *uri->host &&
	       (strcasecmp(uri->scheme, "sip") == 0 ||
		strcasecmp(uri->scheme, "sips") == 0);
}

static bool is_sips(const osip_uri_t *uri)
{
	return uri && uri->scheme && strcasecmp(uri->scheme, "sips") == 0;
}

static osip_uri_t *contact_of(const osip_message_t *m)
{
	osip_contact_t *contact = osip_list_get(&m->contacts, 0);

	return contact && is_sip(contact->url) ? contact->url : NULL;
}

/* uri: a copy of it, NULL is refused. */
static osip_uri_t *target_of(osip_uri_t *uri, struct error *e)
{
	osip_uri_t *target = NULL;
	int rc;

	if (!uri) {
		error_set(e, ERR_INPUT, "no Contact to send requests to");
		return NULL;
	}
	if ((rc = osip_uri_clone(uri, &target)) != 0) {
		failed(rc, e);
		return NULL;
	}
	return target;
}

static int add_route(osip_list_t *to, const osip_route_t *route, int at)
{
	osip_route_t *copy = NULL;
	int rc = osip_route_clone(route, &copy);

	if (rc != 0)
		return rc;
	if (osip_list_add(to, copy, at) < 0) {
		osip_route_free(copy);
		return OSIP_NOMEM;
	}
	return 0;
}

/* Record-Route in the order in which our requests pass them: that of a request
 * that came, the other way round for an answer. */
static osip_list_t *routes_of(const osip_message_t *m, struct error *e)
{
	osip_list_t *routes = osip_malloc(sizeof(*routes));
	int count = osip_list_size(&m->record_routes), rc = 0;

	if (!routes) {
		error_nomem(e);
		return NULL;
	}
	osip_list_init(routes);
	for (int i = 0; i < count && rc == 0; i++) {
		osip_route_t *route = osip_list_get(&m->record_routes, i);

		rc = i < SIP_ROUTES_MAX && route && is_sip(route->url)
			 ? add_route(routes, route, MSG_IS_REQUEST(m) ? -1 : 0)
			 : OSIP_SYNTAXERROR;
	}
	if (rc != 0) {
		failed(rc, e);
		routes_free(routes);
		return NULL;
	}
	return routes;
}

static uint32_t cseq_of(const osip_message_t *m)
{
	return m->cseq && m->cseq->number
		   ? (uint32_t)strtoul(m->cseq->number, NULL, 10)
		   : 0;
}

/* --- beginnings */

static int set_tag(osip_from_t *side, const char *tag)
{
	osip_generic_param_t *there = NULL;
	char *copy;

	osip_generic_param_get_byname(&side->gen_params, tag_name, &there);
	if (there || !*tag)
		return 0;
	copy = osip_strdup(tag);
	return copy ? osip_from_set_tag(side, copy) : OSIP_NOMEM;
}

/* local and remote are From and To of m, as it is seen from here. target may be
 * NULL: there is none, and no dialog. */
static struct sip_dialog *begin(const osip_message_t *m,
				const osip_from_t *local, const char *local_tag,
				const osip_from_t *remote,
				const char *remote_tag, osip_uri_t *target,
				struct error *e)
{
	struct sip_dialog *d = calloc(1, sizeof(*d));
	int rc;

	if (!d) {
		error_nomem(e);
		return NULL;
	}
	if ((rc = osip_call_id_clone(m->call_id, &d->call_id)) != 0 ||
	    (rc = osip_from_clone(local, &d->local)) != 0 ||
	    (rc = osip_from_clone(remote, &d->remote)) != 0 ||
	    (rc = set_tag(d->local, local_tag)) != 0) {
		failed(rc, e);
		goto fail;
	}
	d->local_tag = strdup(local_tag);
	d->remote_tag = strdup(remote_tag);
	if (!d->local_tag || !d->remote_tag) {
		error_nomem(e);
		goto fail;
	}
	d->target = target_of(target, e);
	d->routes = d->target ? routes_of(m, e) : NULL;
	if (d->routes)
		return d;
fail:
	sip_dialog_free(d);
	return NULL;
}

struct sip_dialog *sip_dialog_new_uas(const struct osip_message *invite,
				      const char *local_tag, struct error *e)
{
	struct sip_dialog *d =
	    begin(invite, invite->to, local_tag, invite->from,
		  sip_message_from_tag(invite), contact_of(invite), e);

	if (!d)
		return NULL;
	d->remote_cseq = cseq_of(invite);
	d->remote_known = true;
	d->secure = is_sips(invite->req_uri);
	return d;
}

struct sip_dialog *sip_dialog_new_uac(const struct osip_message *invite,
				      const struct osip_message *response,
				      struct error *e)
{
	osip_uri_t *target = contact_of(response);
	bool guessed =
	    !target && MSG_IS_STATUS_2XX(response) && is_sip(invite->req_uri);
	struct sip_dialog *d =
	    begin(response, response->from, sip_message_from_tag(response),
		  response->to, sip_message_to_tag(response),
		  guessed ? invite->req_uri : target, e);

	if (!d)
		return NULL;
	d->guessed = guessed;
	d->local_cseq = cseq_of(response);
	d->secure = is_sips(invite->req_uri);
	return d;
}

/* --- further messages */

int sip_dialog_refresh(struct sip_dialog *d, const struct osip_message *m,
		       struct error *e)
{
	osip_uri_t *target;

	if (osip_list_size(&m->contacts) == 0)
		return 0;
	target = target_of(contact_of(m), e);
	if (!target)
		return -1;
	osip_uri_free(d->target);
	d->target = target;
	d->guessed = false;
	return 0;
}

int sip_dialog_confirm(struct sip_dialog *d,
		       const struct osip_message *response, struct error *e)
{
	osip_list_t *routes = routes_of(response, e);

	if (!routes)
		return -1;
	if (sip_dialog_refresh(d, response, e) < 0) {
		routes_free(routes);
		return -1;
	}
	routes_free(d->routes);
	d->routes = routes;
	return 0;
}

static bool same(const char *a, const char *b)
{
	return strcmp(a ? a : "", b ? b : "") == 0;
}

/* A request has our tag in To, an answer to ours in From. */
bool sip_dialog_has(const struct sip_dialog *d, const struct osip_message *m)
{
	const char *from = sip_message_from_tag(m), *to = sip_message_to_tag(m);
	bool request = MSG_IS_REQUEST(m);

	return m->call_id && same(m->call_id->number, d->call_id->number) &&
	       same(m->call_id->host, d->call_id->host) &&
	       same(request ? to : from, d->local_tag) &&
	       same(request ? from : to, d->remote_tag);
}

unsigned sip_dialog_take(struct sip_dialog *d,
			 const struct osip_message *request)
{
	uint32_t cseq = cseq_of(request);

	if (d->remote_known && cseq <= d->remote_cseq)
		return 500;
	d->remote_cseq = cseq;
	d->remote_known = true;
	return 0;
}

/* --- requests of ours */

static bool is_loose(const osip_route_t *route)
{
	osip_uri_param_t *p = NULL;

	osip_uri_uparam_get_byname(route->url, lr, &p);
	return p != NULL;
}

static int add_target(osip_list_t *routes, const osip_uri_t *target)
{
	osip_route_t *route = NULL;
	int rc;

	if ((rc = osip_route_init(&route)) != 0)
		return rc;
	if ((rc = osip_uri_clone(target, &route->url)) != 0 ||
	    osip_list_add(routes, route, -1) < 0) {
		osip_route_free(route);
		return rc ? rc : OSIP_NOMEM;
	}
	return 0;
}

/* RFC 3261 12.2.1.1: a first route without lr takes the place of the target,
 * which goes to the end. */
static int set_way(const struct sip_dialog *d, osip_message_t *m)
{
	osip_route_t *first = osip_list_get(d->routes, 0);
	bool strict = first && !is_loose(first);
	int rc = osip_uri_clone(strict ? first->url : d->target, &m->req_uri);
	int count = osip_list_size(d->routes);

	for (int i = strict ? 1 : 0; i < count && rc == 0; i++)
		rc = add_route(&m->routes, osip_list_get(d->routes, i), -1);
	return rc == 0 && strict ? add_target(&m->routes, d->target) : rc;
}

static int set_line(osip_message_t *m, const char *method, uint32_t cseq)
{
	char number[16];
	int rc = osip_cseq_init(&m->cseq);

	if (rc != 0)
		return rc;
	snprintf(number, sizeof(number), "%lu", (unsigned long)cseq);
	m->cseq->number = osip_strdup(number);
	m->cseq->method = osip_strdup(method);
	m->sip_method = osip_strdup(method);
	m->sip_version = osip_strdup("SIP/2.0");
	return m->cseq->number && m->cseq->method && m->sip_method &&
		       m->sip_version
		   ? 0
		   : OSIP_NOMEM;
}

static struct osip_message *build(const struct sip_dialog *d,
				  const char *method, uint32_t cseq,
				  struct error *e)
{
	osip_message_t *m = NULL;
	int rc;

	if ((rc = osip_message_init(&m)) != 0 ||
	    (rc = set_line(m, method, cseq)) != 0 ||
	    (rc = set_way(d, m)) != 0 ||
	    (rc = osip_from_clone(d->local, &m->from)) != 0 ||
	    (rc = osip_from_clone(d->remote, &m->to)) != 0 ||
	    (rc = osip_call_id_clone(d->call_id, &m->call_id)) != 0) {
		osip_message_free(m);
		failed(rc, e);
		return NULL;
	}
	return m;
}

struct osip_message *sip_dialog_request(struct sip_dialog *d,
					const char *method, struct error *e)
{
	struct osip_message *m;

	if (d->local_cseq >= SIP_CSEQ_MAX) {
		error_set(e, ERR_LIMIT, "the dialog has no CSeq left");
		return NULL;
	}
	m = build(d, method, d->local_cseq + 1, e);
	if (m)
		d->local_cseq++;
	return m;
}

struct osip_message *sip_dialog_ack(const struct sip_dialog *d, uint32_t cseq,
				    struct error *e)
{
	return build(d, "ACK", cseq, e);
}

/* --- looking at it */

static const struct {
	const char *name;
	enum sip_transport transport;
} transports[] = {
	{ "udp", SIP_UDP },
	{ "tcp", SIP_TCP },
	{ "tls", SIP_TLS },
};

void sip_dialog_next_hop(const struct sip_dialog *d,
			 struct sip_destination *out)
{
	const osip_route_t *first = osip_list_get(d->routes, 0);
	osip_uri_t *uri = first ? first->url : d->target;
	osip_uri_param_t *p = NULL;
	uint64_t port;

	memset(out, 0, sizeof(*out));
	osip_uri_uparam_get_byname(uri, maddr, &p);
	out->host = p && p->gvalue && *p->gvalue ? p->gvalue : uri->host;
	p = NULL;
	if (sip_number(view_str(uri->port), UINT16_MAX, &port))
		out->port = (uint16_t)port;
	out->secure = is_sips(uri) || d->secure;
	osip_uri_uparam_get_byname(uri, transport, &p);
	for (size_t i = 0; p && p->gvalue && i < 3; i++)
		if (strcasecmp(p->gvalue, transports[i].name) == 0) {
			out->has_transport = true;
			out->transport = transports[i].transport;
		}
}

bool sip_dialog_knows_hop(const struct sip_dialog *d)
{
	return !d->guessed || osip_list_size(d->routes) > 0;
}

bool sip_dialog_is_secure(const struct sip_dialog *d)
{
	return d->secure;
}

const char *sip_dialog_local_tag(const struct sip_dialog *d)
{
	return d->local_tag;
}

const char *sip_dialog_remote_tag(const struct sip_dialog *d)
{
	return d->remote_tag;
}

uint32_t sip_dialog_local_cseq(const struct sip_dialog *d)
{
	return d->local_cseq;
}
