/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sip/sip_registration_rules.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/time.h>
#include <osip2/osip.h>

#include "base/utf8.h"
#include "sip/sip_check.h"
#include "sip/sip_message.h"

/* --- when ----------------------------------------------------------------- */

int64_t registration_refresh_ms(uint32_t granted)
{
	int64_t half = (int64_t)granted * 500;
	int64_t room = ((int64_t)granted - REGISTRATION_ROOM_SECONDS) * 1000;
	int64_t at = room > half ? room : half;

	return at > REGISTRATION_SHORTEST_MS ? at : REGISTRATION_SHORTEST_MS;
}

int64_t registration_pause_ms(enum registration_step s, unsigned failures,
			      uint8_t chance)
{
	static const struct {
		int64_t first, most; /* seconds */
	} rows[] = {
		[REGISTRATION_LATER] = { 10, 600 },
		[REGISTRATION_REFUSED] = { 60, 1800 },
		[REGISTRATION_FORBIDDEN] = { 1800, 1800 },
		[REGISTRATION_PASSWORD] = { 43200, 43200 },
	};
	int64_t wait = rows[s].first;

	while (failures-- > 1 && wait < rows[s].most)
		wait *= 2;
	if (wait > rows[s].most)
		wait = rows[s].most;
	return wait * 500 + wait * 500 * chance / UINT8_MAX;
}

/* --- answers -------------------------------------------------------------- */

static bool has_header(const struct osip_message *m, const char *name)
{
	osip_header_t *h = NULL;

	osip_message_header_get_byname(m, name, 0, &h);
	return h && h->hvalue && strspn(h->hvalue, "0123456789") > 0;
}

static const char *or_empty(const char *text)
{
	return text ? text : "";
}

static const char *transport_of(osip_uri_t *uri)
{
	static char name[] = "transport";
	osip_uri_param_t *p = NULL;

	osip_uri_uparam_get_byname(uri, name, &p);
	return p ? or_empty(p->gvalue) : "";
}

/* As far as two contacts of ours could differ (19.1.4). */
static bool is_same(osip_uri_t *a, osip_uri_t *b)
{
	return a && b &&
	       strcmp(or_empty(a->username), or_empty(b->username)) == 0 &&
	       strcasecmp(or_empty(a->host), or_empty(b->host)) == 0 &&
	       strcmp(or_empty(a->port), or_empty(b->port)) == 0 &&
	       strcasecmp(transport_of(a), transport_of(b)) == 0;
}

static osip_contact_t *find_ours(const struct osip_message *m,
				 const osip_contact_t *ours)
{
	osip_contact_t *c;

	for (int i = 0; (c = osip_list_get(&m->contacts, i)); i++)
		if (is_same(c->url, ours->url))
			return c;
	return NULL;
}

/* False: nothing is said of our contact. */
static bool contact_seconds(const struct osip_message *m, const char *contact,
			    uint32_t *out)
{
	static char name[] = "expires";
	osip_generic_param_t *p = NULL;
	osip_contact_t *ours = NULL, *found = NULL;

	if (osip_contact_init(&ours) != 0)
		return false;
	if (osip_contact_parse(ours, contact) == 0)
		found = find_ours(m, ours);
	osip_contact_free(ours);
	if (found)
		osip_contact_param_get_byname(found, name, &p);
	if (!p || !p->gvalue || strspn(p->gvalue, "0123456789") == 0)
		return false;
	*out = sip_seconds(p->gvalue, REGISTRATION_LONGEST_SECONDS);
	return true;
}

static uint32_t granted(const struct osip_message *m, const char *contact,
			uint32_t asked)
{
	uint32_t out;

	if (contact_seconds(m, contact, &out))
		return out;
	if (has_header(m, "expires"))
		return sip_message_seconds(m, "expires",
					   REGISTRATION_LONGEST_SECONDS);
	return asked;
}

void registration_answer_read(const struct osip_message *m, const char *contact,
			      uint32_t asked, struct registration_answer *out)
{
	memset(out, 0, sizeof(*out));
	out->status = (unsigned)m->status_code;
	utf8_line(view_str(m->reason_phrase), out->reason, sizeof(out->reason));
	if (out->status / 100 == 2) {
		out->granted = granted(m, contact, asked);
		out->bad_routes = !sip_service_route_read(m, out->routes);
	}
	out->min_expires = sip_message_seconds(m, "min-expires", UINT32_MAX);
	out->retry_after = sip_message_seconds(
	    m, "retry-after", REGISTRATION_RETRY_AFTER_MAX_SECONDS);
}

/* It was not given one: none is set, or the challenge is of no use. */
static bool asks_for_password(const struct registration_answer *a)
{
	return (a->status == 401 || a->status == 407) && !a->had_password;
}

enum registration_step registration_step(const struct registration_answer *a,
					 uint32_t asked)
{
	static const struct {
		unsigned from, to;
		enum registration_step step;
	} rows[] = {
		/* The first row that fits counts. */
		{ 401, 401, REGISTRATION_PASSWORD },
		{ 403, 403, REGISTRATION_FORBIDDEN },
		{ 407, 407, REGISTRATION_PASSWORD },
		{ 408, 408, REGISTRATION_LATER },
		{ 423, 423, REGISTRATION_LATER },
		{ 480, 480, REGISTRATION_LATER },
		{ 300, 499, REGISTRATION_REFUSED },
		{ 600, 699, REGISTRATION_REFUSED },
	};

	if (a->status / 100 == 2 && a->granted)
		return REGISTRATION_STANDS;
	if (a->status == 423 && a->min_expires > asked &&
	    a->min_expires <= REGISTRATION_LONGEST_SECONDS)
		return REGISTRATION_LONGER;
	if (asks_for_password(a))
		return REGISTRATION_REFUSED;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		if (a->status >= rows[i].from && a->status <= rows[i].to)
			return rows[i].step;
	return REGISTRATION_LATER;
}

enum registration_step registration_step_of_end(enum sip_end end)
{
	return end >= SIP_END_PEER_CERTIFICATE_MISSING &&
		       end <= SIP_END_OWN_CERTIFICATE_REFUSED
		   ? REGISTRATION_REFUSED
		   : REGISTRATION_LATER;
}

bool registration_step_lets_go(enum registration_step s)
{
	return s == REGISTRATION_FORBIDDEN || s == REGISTRATION_PASSWORD;
}

/* --- for people ----------------------------------------------------------- */

void registration_problem(const struct registration_answer *a,
			  const char *registrar, char *out, size_t size)
{
	static const struct {
		unsigned from, to;
		const char *text;
	} rows[] = {
		{ 200, 299, "keeps no registration of this device" },
		{ 300, 399,
		  "sends this device to another registrar, which is not "
		  "followed; enter that one as outbound address" },
		{ 401, 401, "refuses the user name or the password" },
		{ 403, 403,
		  "forbids the registration; user name, password and outbound "
		  "domain have to be those of an account there" },
		{ 404, 404, "does not know this user name and domain" },
		{ 407, 407, "refuses the user name or the password" },
		{ 423, 423, "wants another registration interval" },
		{ 503, 503, "is out of service for now" },
	};
	const char *text = "refuses the registration";

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		if (a->status >= rows[i].from && a->status <= rows[i].to)
			text = rows[i].text;
	if (asks_for_password(a))
		text = "asks for a user name and password, and none is set, or "
		       "it asks in a way that this device cannot answer";
	snprintf(out, size, "The registrar %s %s (%u %s).", registrar, text,
		 a->status, a->reason);
}

/* --- requests ------------------------------------------------------------- */

int registration_contact(const char *contact, const char *user, char *out,
			 size_t size, struct error *e)
{
	static const char begin[] = "<sip:";
	int n;

	if (strncmp(contact, begin, sizeof(begin) - 1) != 0)
		return error_set(e, ERR_INPUT, "no contact to register");
	n = snprintf(out, size, "%s%s@%s", begin, user,
		     contact + sizeof(begin) - 1);
	return n > 0 && (size_t)n < size
		   ? 0
		   : error_set(e, ERR_LIMIT, "the contact is too long");
}

static int set_line(osip_message_t *m, const char *uri)
{
	osip_uri_t *to = NULL;

	m->sip_version = osip_strdup("SIP/2.0");
	m->sip_method = osip_strdup("REGISTER");
	if (!m->sip_version || !m->sip_method || osip_uri_init(&to) != 0)
		return OSIP_NOMEM;
	m->req_uri = to;
	return osip_uri_parse(to, uri);
}

static int set_fields(osip_message_t *m, const struct registration_request *r)
{
	char from[2048], to[2048], cseq[32], expires[16];
	int rc;

	snprintf(to, sizeof(to), "<%s>", r->aor);
	snprintf(from, sizeof(from), "<%s>;tag=%s", r->aor, r->from_tag);
	snprintf(cseq, sizeof(cseq), "%u REGISTER", r->cseq);
	snprintf(expires, sizeof(expires), "%u", r->seconds);
	if ((rc = set_line(m, r->uri)) != 0 ||
	    (rc = osip_message_set_to(m, to)) != 0 ||
	    (rc = osip_message_set_from(m, from)) != 0 ||
	    (rc = osip_message_set_call_id(m, r->call_id)) != 0 ||
	    (rc = osip_message_set_cseq(m, cseq)) != 0 ||
	    (rc = osip_message_set_contact(m, r->contact)) != 0)
		return rc;
	return osip_message_set_header(m, "Expires", expires);
}

struct osip_message *registration_request(const struct registration_request *r,
					  struct error *e)
{
	osip_message_t *m = NULL;
	int rc = osip_message_init(&m);

	if (rc == 0)
		rc = set_fields(m, r);
	if (rc != 0) {
		osip_message_free(m);
		m = NULL;
		error_set(e, rc == OSIP_NOMEM ? ERR_NOMEM : ERR_INPUT,
			  "a REGISTER could not be built (%d)", rc);
		return NULL;
	}
	if (sip_message_add(m, "Allow", SIP_ALLOW, e) == 0)
		return m;
	osip_message_free(m);
	return NULL;
}
