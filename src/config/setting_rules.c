/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config/setting_rules.h"

#include <string.h>

static const struct setting_service services[] = {
	{ "http", "tcp", SETTING_HTTP_ENABLED, SETTING_HTTP_PORT, true },
	{ "https", "tcp", SETTING_HTTPS_ENABLED, SETTING_HTTPS_PORT, true },
	{ "sip_tcp", "tcp", SETTING_SIP_TCP_ENABLED, SETTING_SIP_TCP_PORT,
	  true },
	{ "sip_udp", "udp", SETTING_SIP_UDP_ENABLED, SETTING_SIP_UDP_PORT,
	  true },
	{ "sips_tcp", "tcp", SETTING_SIPS_TCP_ENABLED, SETTING_SIPS_TCP_PORT,
	  true },
};

enum { SERVICE_COUNT = sizeof(services) / sizeof(*services) };

const struct setting_service *setting_service(size_t i)
{
	return i < SERVICE_COUNT ? &services[i] : NULL;
}

static uint64_t bits_of(const struct setting_service *s)
{
	return setting_bit(s->enabled) | setting_bit(s->port);
}

static int check_pair(const struct setting_numbers *n,
		      const struct setting_service *a,
		      const struct setting_service *b, struct error *e)
{
	if (!n->of[a->enabled] || !n->of[b->enabled] ||
	    n->of[a->port] != n->of[b->port] ||
	    strcmp(a->transport, b->transport) != 0)
		return 0;
	return error_set(e, ERR_PORT_CONFLICT,
			 "%s and %s would both use %s port %d; choose another "
			 "port for one of them, or switch it off",
			 setting_row(a->enabled)->label,
			 setting_row(b->enabled)->label, a->transport,
			 (int)n->of[a->port]);
}

/* Each of these gives the settings that its rule looks at if it is broken. */

static uint64_t check_ports(const struct setting_numbers *n, uint64_t changed,
			    struct error *e)
{
	for (size_t i = 0; i < SERVICE_COUNT; i++)
		for (size_t k = i + 1; k < SERVICE_COUNT; k++) {
			uint64_t bits =
			    bits_of(&services[i]) | bits_of(&services[k]);

			if ((changed & bits) &&
			    check_pair(n, &services[i], &services[k], e) < 0)
				return bits;
		}
	return 0;
}

static uint64_t check_redirect(const struct setting_numbers *n,
			       uint64_t changed, struct error *e)
{
	const uint64_t bits = setting_bit(SETTING_REDIRECT_HTTP) |
			      setting_bit(SETTING_HTTP_ENABLED) |
			      setting_bit(SETTING_HTTPS_ENABLED);

	if (!(changed & bits) || !n->of[SETTING_REDIRECT_HTTP] ||
	    (n->of[SETTING_HTTP_ENABLED] && n->of[SETTING_HTTPS_ENABLED]))
		return 0;
	error_set(e, ERR_CONFLICT,
		  "\"%s\" needs the services HTTP and HTTPS; %s",
		  setting_row(SETTING_REDIRECT_HTTP)->label,
		  changed & setting_bit(SETTING_REDIRECT_HTTP)
		      ? "switch both on first (Network > Services)"
		      : "switch it off first (Settings > Security)");
	return bits;
}

static uint64_t check_syslog(const struct setting_numbers *n, uint64_t changed,
			     struct error *e)
{
	const uint64_t bits = setting_bit(SETTING_SYSLOG_ENABLED) |
			      setting_bit(SETTING_SYSLOG_SERVER);

	if (!(changed & bits) || !n->of[SETTING_SYSLOG_ENABLED] ||
	    n->of[SETTING_SYSLOG_SERVER])
		return 0;
	error_set(e, ERR_CONFLICT, "\"%s\" needs the name of the server; %s",
		  setting_row(SETTING_SYSLOG_ENABLED)->label,
		  changed & setting_bit(SETTING_SYSLOG_ENABLED)
		      ? "set it as well"
		      : "switch the sending off first");
	return bits;
}

/* The first choice of the outbound configuration needs none. */
static uint64_t check_outbound(const struct setting_numbers *n,
			       uint64_t changed, struct error *e)
{
	const uint64_t bits = setting_bit(SETTING_SIP_OUTBOUND) |
			      setting_bit(SETTING_SIP_OUTBOUND_ADDRESS);

	if (!(changed & bits) || n->of[SETTING_SIP_OUTBOUND] == 0 ||
	    n->of[SETTING_SIP_OUTBOUND_ADDRESS])
		return 0;
	error_set(e, ERR_CONFLICT,
		  "a trunk or registrar needs an outbound address; %s",
		  changed & setting_bit(SETTING_SIP_OUTBOUND)
		      ? "set it as well"
		      : "choose \"Call direct\" first");
	return bits;
}

uint64_t setting_rules_broken(const struct setting_numbers *n, uint64_t changed,
			      struct error *e)
{
	static uint64_t (*const rules[])(const struct setting_numbers *n,
					 uint64_t changed, struct error *e) = {
		check_ports, check_redirect, check_outbound, check_syslog
	};
	uint64_t bits = 0;

	for (size_t i = 0; !bits && i < sizeof(rules) / sizeof(*rules); i++)
		bits = rules[i](n, changed, e);
	return bits;
}

int setting_rules_check(const struct setting_numbers *n, uint64_t changed,
			struct error *e)
{
	return setting_rules_broken(n, changed, e) ? -1 : 0;
}
