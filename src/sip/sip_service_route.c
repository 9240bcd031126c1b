/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sip/sip_service_route.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/time.h>
#include <osip2/osip.h>

/* Up to the comma that ends the first of a list: none in <> or "". */
static size_t first_length(const char *list)
{
	bool quoted = false, in_angles = false;
	size_t n;

	for (n = 0; list[n] && (list[n] != ',' || quoted || in_angles); n++) {
		if (quoted && list[n] == '\\' && list[n + 1])
			n++;
		else if (list[n] == '"' && !in_angles)
			quoted = !quoted;
		else if (!quoted && (list[n] == '<' || list[n] == '>'))
			in_angles = list[n] == '<';
	}
	return n;
}

/* What cannot be a loose route is refused: the Request-URI would not arrive. */
static bool is_usable(const char *value)
{
	static char lr[] = "lr";
	osip_route_t *route = NULL;
	osip_uri_param_t *p = NULL;
	bool usable = false;

	if (osip_route_init(&route) != 0)
		return false;
	if (*value == '<' && osip_route_parse(route, value) == 0 &&
	    route->url && route->url->scheme && route->url->host &&
	    (!strcasecmp(route->url->scheme, "sip") ||
	     !strcasecmp(route->url->scheme, "sips"))) {
		osip_uri_uparam_get_byname(route->url, lr, &p);
		usable = p != NULL;
	}
	osip_route_free(route);
	return usable;
}

struct reading {
	char *out;
	size_t length;
	unsigned count;
};

static bool add_one(struct reading *r, const char *text, size_t n)
{
	char value[SIP_SERVICE_ROUTE_SIZE];
	size_t skipped = strspn(text, " \t");

	if (skipped > n)
		skipped = n;
	text += skipped;
	n -= skipped;
	while (n && (text[n - 1] == ' ' || text[n - 1] == '\t'))
		n--;
	if (r->count == SIP_SERVICE_ROUTES_MAX ||
	    r->length + n + 2 > SIP_SERVICE_ROUTE_SIZE)
		return false;
	memcpy(value, text, n);
	value[n] = '\0';
	if (strpbrk(value, "\r\n") || !is_usable(value))
		return false;
	r->length += (size_t)snprintf(r->out + r->length, n + 2, "%s\n", value);
	r->count++;
	return true;
}

static bool add_list(struct reading *r, const char *list)
{
	for (;;) {
		size_t n = first_length(list);

		if (!add_one(r, list, n))
			return false;
		if (!list[n])
			return true;
		list += n + 1;
	}
}

bool sip_service_route_read(const struct osip_message *m,
			    char out[SIP_SERVICE_ROUTE_SIZE])
{
	struct reading r = { .out = out };
	osip_header_t *h = NULL;
	int at = 0;

	out[0] = '\0';
	while ((at = osip_message_header_get_byname(m, "service-route", at,
						    &h)) >= 0 &&
	       h) {
		if (!h->hvalue || !add_list(&r, h->hvalue)) {
			out[0] = '\0';
			return false;
		}
		at++;
	}
	return true;
}

int sip_service_route_add(struct osip_message *request, const char *routes,
			  struct error *e)
{
	char value[SIP_SERVICE_ROUTE_SIZE];

	for (size_t n; routes && *routes; routes += n + (routes[n] == '\n')) {
		n = strcspn(routes, "\n");
		if (n >= sizeof(value))
			return error_set(e, ERR_INPUT, "a route is too long");
		memcpy(value, routes, n);
		value[n] = '\0';
		if (osip_message_set_route(request, value) != 0)
			return error_set(e, ERR_INPUT,
					 "a route of the registrar cannot be "
					 "used");
	}
	return 0;
}
