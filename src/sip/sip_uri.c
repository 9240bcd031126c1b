/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sip/sip_uri.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/host_name.h"
#include "base/uri_text.h"
#include "base/utf8.h"

/* RFC 3261 25.1 */
#define DIGITS "0123456789"

static const char parameter_characters[] = URI_UNRESERVED "[]/:&+$";

/* Parameters of a URI that we know; others stay as they are. */
static const struct {
	const char *name;
	bool refused; /* the request would not go where it seems to go */
} known_parameters[] = {
	{ "transport", false }, { "maddr", true },  { "ttl", true },
	{ "lr", true },         { "method", true },
};

static const struct {
	const char *name;
	enum sip_transport transport;
} transports[] = {
	{ "udp", SIP_UDP },
	{ "tcp", SIP_TCP },
	{ "tls", SIP_TLS },
};

/* Pieces of what was typed. */
struct parsed {
	bool has_scheme, secure;
	char user[3 * SIP_TYPED_MAX + 1]; /* "#" is written as three */
	struct host_port host;            /* no host: "" */
	char parameters[SIP_TYPED_MAX + 1];
	bool has_transport;
	enum sip_transport transport;
};

static int refuse(const char *text, const char *why, struct error *e)
{
	char shown[100];

	utf8_line(view_str(text), shown, sizeof(shown));
	return error_set(e, ERR_INPUT, "\"%s\": %s", shown, why);
}

/* --- numbers -------------------------------------------------------------- */

/* As people write them, "+49 (30) 12-34", and keys of a telephone; false when
 * it is none. Dots are no separators here: 10.0.0 is an address misspelt. */
static bool read_number(const char *text, char *out)
{
	size_t digits = 0, n = 0;

	if (*text == '+')
		out[n++] = *text++;
	for (; *text; text++) {
		if (strchr(" -()", *text))
			continue;
		if (!strchr(DIGITS "*#", *text) || digits == SIP_NUMBER_MAX)
			return false;
		digits++;
		/* "#" has to be escaped in a URI. */
		n += (size_t)sprintf(out + n, *text == '#' ? "%%23" : "%c",
				     *text);
	}
	out[n] = '\0';
	return digits > 0;
}

/* --- parameters ----------------------------------------------------------- */

static int take_transport(const char *whole, const char *value,
			  struct parsed *p, struct error *e)
{
	for (size_t i = 0; i < sizeof(transports) / sizeof(transports[0]); i++)
		if (strcasecmp(value, transports[i].name) == 0) {
			p->has_transport = true;
			p->transport = transports[i].transport;
			return 0;
		}
	return refuse(whole, "the transport is one of udp, tcp and tls", e);
}

/* Names that were there before: (RFC 3261 19.1.1) once each. */
struct seen {
	const char *names[SIP_PARAMETERS_MAX];
	size_t count;
};

static int see(const char *whole, const char *name, struct seen *seen,
	       struct error *e)
{
	for (size_t i = 0; i < seen->count; i++)
		if (strcasecmp(seen->names[i], name) == 0)
			return refuse(whole, "a parameter stands there twice",
				      e);
	if (seen->count == SIP_PARAMETERS_MAX)
		return refuse(whole, "too many parameters", e);
	seen->names[seen->count++] = name;
	return 0;
}

/* one: "name" or "name=value", cut into pieces here. */
static int take_parameter(const char *whole, char *one, struct seen *seen,
			  struct parsed *p, struct error *e)
{
	char *value = strchr(one, '=');

	if (value)
		*value++ = '\0';
	if (!uri_is_made_of(one, parameter_characters) ||
	    (value && !uri_is_made_of(value, parameter_characters)))
		return refuse(whole, "a parameter is misspelt", e);
	for (size_t i = 0;
	     i < sizeof(known_parameters) / sizeof(known_parameters[0]); i++)
		if (known_parameters[i].refused &&
		    strcasecmp(one, known_parameters[i].name) == 0)
			return refuse(whole,
				      "a parameter that changes where the call "
				      "goes is not taken",
				      e);
	if (see(whole, one, seen, e) < 0)
		return -1;
	if (strcasecmp(one, "transport") == 0)
		return take_transport(whole, value ? value : "", p, e);
	return 0;
}

static int read_parameters(const char *whole, const char *text,
			   struct parsed *p, struct error *e)
{
	char pieces[SIP_TYPED_MAX + 1];
	struct seen seen = { .count = 0 };
	char *next = pieces;

	if (strchr(text, '?'))
		return refuse(whole, "headers are not taken from an address",
			      e);
	snprintf(p->parameters, sizeof(p->parameters), ";%s", text);
	snprintf(pieces, sizeof(pieces), "%s", text);
	while (next) {
		char *one = strsep(&next, ";");

		if (take_parameter(whole, one, &seen, p, e) < 0)
			return -1;
	}
	return 0;
}

/* --- the whole ------------------------------------------------------------ */

/* It says that a name is whole; certificates do not have it. */
static void drop_final_dot(char *name)
{
	size_t n = strlen(name);

	if (n && name[n - 1] == '.')
		name[n - 1] = '\0';
}

/* text: "host[:port][;parameters]", changed here. */
static int read_host(const char *whole, char *text, struct parsed *p,
		     struct error *e)
{
	char *parameters = strchr(text, ';');
	char bare[INET6_ADDRSTRLEN + 2];
	struct in6_addr ip;

	if (parameters)
		*parameters++ = '\0';
	/* In a field of its own, an IPv6 address needs no brackets. */
	if (!p->has_scheme && !p->user[0] && !parameters &&
	    inet_pton(AF_INET6, text, &ip) == 1) {
		snprintf(bare, sizeof(bare), "[%s]", text);
		text = bare;
	}
	if (strchr(text, '?'))
		return refuse(whole, "headers are not taken from an address",
			      e);
	if (host_port_parse(text, 0, &p->host, e) < 0)
		return -1;
	drop_final_dot(p->host.host);
	return parameters ? read_parameters(whole, parameters, p, e) : 0;
}

static int read_user(const char *whole, const char *text, struct parsed *p,
		     struct error *e)
{
	if (strchr(text, ':'))
		return refuse(whole, "a password does not belong there", e);
	if (!uri_is_user(text))
		return refuse(whole,
			      "the part before the @ is empty or has "
			      "characters that have to be escaped",
			      e);
	snprintf(p->user, sizeof(p->user), "%s", text);
	return 0;
}

/* What is left is a number, or a single word that may be a user. */
static bool take_user_alone(const char *text, bool words, struct parsed *p)
{
	if (read_number(text, p->user))
		return true;
	p->user[0] = '\0';
	if (!words || p->has_scheme || strpbrk(text, ".:;?[]") ||
	    !uri_is_user(text))
		return false;
	snprintf(p->user, sizeof(p->user), "%s", text);
	return true;
}

static const char *skip_scheme(const char *text, struct parsed *p, bool *tel)
{
	static const struct {
		const char *name;
		bool secure, tel;
	} schemes[] = {
		{ "sip:", false, false },
		{ "sips:", true, false },
		{ "tel:", false, true },
	};

	for (size_t i = 0; i < sizeof(schemes) / sizeof(schemes[0]); i++) {
		size_t n = strlen(schemes[i].name);

		if (strncasecmp(text, schemes[i].name, n) != 0)
			continue;
		p->has_scheme = true;
		p->secure = schemes[i].secure;
		*tel = schemes[i].tel;
		return text + n;
	}
	return text;
}

/* Without the blanks around it. */
static int trim(const char *text, char out[SIP_TYPED_MAX + 1], struct error *e)
{
	size_t n;

	text += strspn(text, " \t");
	n = strlen(text);
	while (n && strchr(" \t", text[n - 1]))
		n--;
	if (!n)
		return error_set(e, ERR_INPUT, "the address is empty");
	if (n > SIP_TYPED_MAX)
		return error_set(e, ERR_INPUT,
				 "the address has more than %d characters",
				 SIP_TYPED_MAX);
	memcpy(out, text, n);
	out[n] = '\0';
	return 0;
}

/* words: a word alone is a user. */
static int parse(const char *typed, bool words, struct parsed *p,
		 struct error *e)
{
	char text[SIP_TYPED_MAX + 1], rest[SIP_TYPED_MAX + 1];
	bool tel = false;
	char *at;

	memset(p, 0, sizeof(*p));
	if (trim(typed, text, e) < 0)
		return -1;
	snprintf(rest, sizeof(rest), "%s", skip_scheme(text, p, &tel));
	at = strchr(rest, '@');
	if (tel && !read_number(rest, p->user))
		return refuse(text, "there is a number behind \"tel:\"", e);
	if (tel || (!at && take_user_alone(rest, words, p)))
		return 0;
	if (!at)
		return read_host(text, rest, p, e);
	*at++ = '\0';
	if (strchr(at, '@'))
		return refuse(text, "there is one @ in an address", e);
	if (read_user(text, rest, p, e) < 0)
		return -1;
	return read_host(text, at, p, e);
}

/* --- where it goes -------------------------------------------------------- */

static bool is_set(const char *text)
{
	return text && *text;
}

static int outbound_address(const struct sip_outbound_settings *s,
			    struct host_port *out, struct error *e)
{
	if (!is_set(s->address))
		return error_set(e, ERR_CONFIG,
				 "there is no outbound address in the SIP "
				 "settings");
	if (host_port_parse(s->address, 0, out, e) < 0) {
		e->kind = ERR_CONFIG;
		return error_prefix(e, "outbound address of the SIP settings");
	}
	drop_final_dot(out->host);
	return 0;
}

/* What has no domain gets that of the settings (not the port of the trunk: a
 * domain is no place). */
static int give_domain(const struct sip_outbound_settings *s,
		       const struct host_port *outbound, struct parsed *p,
		       struct error *e)
{
	if (!is_set(s->domain)) {
		p->host = *outbound;
		p->host.port = 0;
		return 0;
	}
	if (host_port_parse(s->domain, 0, &p->host, e) < 0) {
		e->kind = ERR_CONFIG;
		return error_prefix(e, "outbound domain of the SIP settings");
	}
	drop_final_dot(p->host.host);
	return 0;
}

static void write_uri(const struct parsed *p, const char *user,
		      char out[SIP_URI_SIZE])
{
	bool brackets = strchr(p->host.host, ':') != NULL;
	char port[sizeof(":65535")] = "";

	if (p->host.port)
		snprintf(port, sizeof(port), ":%u", p->host.port);
	snprintf(out, SIP_URI_SIZE, "%s:%s%s%s%s%s%s%s",
		 p->secure ? "sips" : "sip", user, *user ? "@" : "",
		 brackets ? "[" : "", p->host.host, brackets ? "]" : "", port,
		 p->parameters);
}

static int choose_transport(const struct parsed *p,
			    const struct sip_outbound_settings *s,
			    const struct sip_dial *what,
			    struct sip_dialled *out, struct error *e)
{
	bool direct = s->mode == SIP_CALL_DIRECT;
	bool has_own = direct && p->has_transport;
	enum sip_transport own = p->transport;

	if (p->secure && p->has_transport && p->transport == SIP_UDP)
		return refuse(what->text, "sips: needs TLS, not UDP", e);
	if (p->secure) {
		has_own = true;
		own = SIP_TLS;
	}
	if (has_own && what->has_transport && what->transport != own)
		return refuse(what->text,
			      p->secure ? "sips: needs TLS, and another "
					  "transport is asked for"
					: "the address names another transport "
					  "than the one that is asked for",
			      e);
	out->transport = has_own               ? own
			 : what->has_transport ? what->transport
					       : s->transport;
	return 0;
}

static void go_to(const struct host_port *to, const struct parsed *p,
		  struct sip_dialled *out)
{
	snprintf(out->host, sizeof(out->host), "%s", to->host);
	out->port = to->port;
	out->secure = p->secure;
}

int sip_dial(const struct sip_dial *what, const struct sip_outbound_settings *s,
	     struct sip_dialled *out, struct error *e)
{
	bool direct = s->mode == SIP_CALL_DIRECT;
	struct host_port outbound;
	struct parsed p;

	memset(out, 0, sizeof(*out));
	if (parse(what->text, !direct, &p, e) < 0)
		return -1;
	if (!direct && outbound_address(s, &outbound, e) < 0)
		return -1;
	if (direct && !p.host.host[0])
		return refuse(what->text,
			      "a number needs a domain when calls go direct",
			      e);
	if (!p.host.host[0] && give_domain(s, &outbound, &p, e) < 0)
		return -1;
	if (choose_transport(&p, s, what, out, e) < 0)
		return -1;
	write_uri(&p, p.user, out->uri);
	go_to(direct ? &p.host : &outbound, &p, out);
	return 0;
}

int sip_register_as(const char *user, const struct sip_outbound_settings *s,
		    struct sip_dialled *out, char aor[SIP_URI_SIZE],
		    struct error *e)
{
	struct host_port outbound;
	struct parsed p;

	memset(out, 0, sizeof(*out));
	memset(&p, 0, sizeof(p));
	if (s->mode != SIP_USE_REGISTRAR)
		return error_set(e, ERR_CONFIG,
				 "the SIP settings do not use a registrar");
	if (outbound_address(s, &outbound, e) < 0 ||
	    give_domain(s, &outbound, &p, e) < 0)
		return -1;
	if (strlen(user) > SIP_TYPED_MAX || !uri_is_user(user))
		return refuse(user, "no user name for a registration", e);
	write_uri(&p, "", out->uri);
	write_uri(&p, user, aor);
	go_to(&outbound, &p, out);
	out->transport = s->transport;
	return 0;
}

struct sip_destination sip_dialled_destination(const struct sip_dialled *d)
{
	return (struct sip_destination){
		.host = d->host,
		.port = d->port,
		.secure = d->secure,
		.has_transport = true,
		.transport = d->transport,
	};
}
