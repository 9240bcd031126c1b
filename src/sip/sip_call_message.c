/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <string.h>
#include <strings.h>

#include "base/utf8.h"
#include "sip/sip_call_private.h"

/* What a call reads out of messages and writes into them. */

/* The library wants names that it could write to. */
static char transport_name[] = "transport";

static bool is_sips(const osip_uri_t *uri)
{
	return uri && uri->scheme && strcasecmp(uri->scheme, "sips") == 0;
}

/* --- reading */

static bool is_sdp(const osip_content_type_t *type)
{
	return type && type->type && type->subtype &&
	       strcasecmp(type->type, "application") == 0 &&
	       strcasecmp(type->subtype, "sdp") == 0;
}

struct view call_body(const struct osip_message *m)
{
	const osip_body_t *body = osip_list_get(&m->bodies, 0);

	if (!body || !body->body || !is_sdp(m->content_type))
		return view_of("", 0);
	return view_of(body->body, body->length);
}

/* The fields that libosip2 has no type for, as views. */
static void split_fields(const struct osip_message *m, struct sip_head *out)
{
	memset(out, 0, sizeof(*out));
	for (int i = 0; i < osip_list_size(&m->headers); i++) {
		const osip_header_t *h = osip_list_get(&m->headers, i);

		if (!h->hname || !h->hvalue || out->count == SIP_FIELDS_MAX)
			continue;
		out->fields[out->count++] = (struct sip_field){
			.id = strcasecmp(h->hname, "require") == 0
				  ? SIP_REQUIRE
				  : SIP_OTHER_FIELD,
			.name = view_str(h->hname),
			.value = view_str(h->hvalue),
		};
	}
}

int call_words(const struct osip_message *m, struct session_words *out)
{
	struct sip_refusal why;
	struct sip_head head;

	split_fields(m, &head);
	return session_words_read(&head, out, &why);
}

static bool in_list(const char *list, const char *word)
{
	struct view rest = view_str(list), one;

	while (sip_next_word(&rest, &one))
		if (sip_text_is(one, word))
			return true;
	return false;
}

/* libosip2 keeps Allow in a list of its own, the value in another struct. */
bool call_lists(const struct osip_message *m, const char *field,
		const char *word)
{
	if (strcasecmp(field, "allow") == 0) {
		for (int i = 0; i < osip_list_size(&m->allows); i++) {
			const osip_allow_t *a = osip_list_get(&m->allows, i);

			if (a->value && in_list(a->value, word))
				return true;
		}
	}
	for (int i = 0; i < osip_list_size(&m->headers); i++) {
		const osip_header_t *h = osip_list_get(&m->headers, i);

		if (h->hname && h->hvalue && strcasecmp(h->hname, field) == 0 &&
		    in_list(h->hvalue, word))
			return true;
	}
	return false;
}

/* RFC 5630 5.1.1: the Request-URI, else the first hop of what comes back. */
bool call_wants_sips(const struct osip_message *request)
{
	const osip_route_t *route = osip_list_get(&request->record_routes, 0);
	const osip_contact_t *contact = osip_list_get(&request->contacts, 0);

	if (is_sips(request->req_uri))
		return true;
	if (route)
		return is_sips(route->url);
	return contact && is_sips(contact->url);
}

static void copy_uri(const osip_uri_t *uri, char *out, size_t size)
{
	char *text = NULL;

	out[0] = '\0';
	if (uri && osip_uri_to_str(uri, &text) == 0)
		utf8_line(view_str(text), out, size);
	osip_free(text);
}

/* Without the quotes around it and the backslashes in it. */
static void copy_name(const char *quoted, char *out, size_t size)
{
	char plain[SIP_TEXT_MAX];
	bool inside = quoted && *quoted == '"';
	size_t n = 0;

	for (const char *p = quoted ? quoted + inside : "";
	     *p && n + 1 < sizeof(plain); p++) {
		if (inside && *p == '"')
			break;
		if (inside && *p == '\\' && p[1])
			p++;
		plain[n++] = *p;
	}
	utf8_line(view_of(plain, n), out, size);
}

void call_name_peer(struct sip_call *k, const osip_from_t *peer)
{
	copy_uri(peer->url, k->facts.peer, sizeof(k->facts.peer));
	copy_name(peer->displayname, k->facts.peer_name,
		  sizeof(k->facts.peer_name));
}

/* --- writing */

static int failed(int rc, struct error *e)
{
	if (rc == OSIP_NOMEM)
		return error_nomem(e);
	return error_set(e, ERR_INPUT, "a message could not be built (%d)", rc);
}

static bool set_text(char **field, const char *text)
{
	*field = osip_strdup(text);
	return *field != NULL;
}

static int add_transport(osip_uri_t *uri, enum sip_transport transport)
{
	static const char *const names[] = {
		[SIP_UDP] = NULL,
		[SIP_TCP] = "tcp",
		[SIP_TLS] = "tls",
	};
	char *name, *value;
	int rc;

	/* sips: says it, and RFC 5630 3.1.4 has no tls there. */
	if (!names[transport] || is_sips(uri))
		return 0;
	name = osip_strdup(transport_name);
	value = osip_strdup(names[transport]);
	rc = name && value ? osip_uri_param_add(&uri->url_params, name, value)
			   : OSIP_NOMEM;
	if (rc != 0) {
		osip_free(name);
		osip_free(value);
	}
	return rc;
}

static int fill_uri(const struct sip_call *k, const struct sip_flow *flow,
		    osip_uri_t *uri)
{
	const struct sip_calls_options *o = &k->calls->o;
	enum sip_transport transport =
	    flow ? flow->transport : k->facts.link.transport;
	uint16_t port = o->ports ? o->ports[transport] : 0;
	char digits[8];

	if (!port && flow)
		port = flow->local_port;
	snprintf(digits, sizeof(digits), "%u", (unsigned)port);
	if (!set_text(&uri->scheme, k->secure ? "sips" : "sip") ||
	    !set_text(&uri->host, flow ? flow->local_address : k->here) ||
	    (port && !set_text(&uri->port, digits)) ||
	    (k->user && !set_text(&uri->username, k->user)))
		return OSIP_NOMEM;
	return add_transport(uri, transport);
}

int call_add_contact(const struct sip_call *k, const struct sip_flow *flow,
		     struct osip_message *m, struct error *e)
{
	osip_contact_t *contact = NULL;
	int rc = osip_contact_init(&contact);

	if (rc == 0)
		rc = osip_uri_init(&contact->url);
	if (rc == 0)
		rc = fill_uri(k, flow, contact->url);
	if (rc == 0 && osip_list_add(&m->contacts, contact, -1) < 0)
		rc = OSIP_NOMEM;
	if (rc == 0)
		return 0;
	osip_contact_free(contact);
	return failed(rc, e);
}

int call_add_body(struct osip_message *m, struct view sdp, struct error *e)
{
	int rc;

	if (!sdp.len)
		return 0;
	rc = osip_message_set_content_type(m, "application/sdp");
	if (rc == 0)
		rc = osip_message_set_body(m, (const char *)sdp.ptr, sdp.len);
	return rc == 0 ? 0 : failed(rc, e);
}
