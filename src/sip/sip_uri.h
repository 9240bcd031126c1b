/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SB_SIP_SIP_URI_H
#define SB_SIP_SIP_URI_H

#include "sip/sip_locate.h"

/* What somebody types as an address, made into a Request-URI and the place
 * where the request goes: directly, or by a trunk or a registrar. Strict, since
 * the text ends up in the messages that we send. Pure; any thread. */

enum {
	SIP_TYPED_MAX = 255,   /* bytes that somebody types, without the NUL */
	SIP_NUMBER_MAX = 32,   /* digits of a number */
	SIP_URI_SIZE = 1024,   /* of what is made of it, the NUL included */
	SIP_PARAMETERS_MAX = 8 /* of a URI */
};

enum sip_outbound { SIP_CALL_DIRECT, SIP_USE_TRUNK, SIP_USE_REGISTRAR };

/* The settings. With SIP_CALL_DIRECT neither address nor domain count. */
struct sip_outbound_settings {
	enum sip_outbound mode;
	const char *address; /* trunk or registrar: "HOST[:PORT]"; NULL as "" */
	const char *domain;  /* of what is dialled without one; NULL as "" */
	enum sip_transport transport; /* for what names none itself */
};

/* What is dialled. */
struct sip_dial {
	const char *text;
	bool has_transport; /* a wish for this one call */
	enum sip_transport transport;
};

struct sip_dialled {
	char uri[SIP_URI_SIZE];  /* Request-URI, and what To names */
	char host[SIP_NAME_MAX]; /* whom we connect to, as it was given; the
				  * name that a certificate must have. An IPv6
				  * address without brackets. */
	uint16_t port;           /* 0: none was given */
	bool secure;             /* sips: */
	enum sip_transport transport;
};

/* "user@host", "host", "192.0.2.1:5070", "[2001:db8::1]", "+49 30 1234", and
 * these behind "sip:" or "sips:", with ";transport=" and other parameters;
 * "tel:" and a number.
 *
 * A number, and with a trunk or registrar also one word without a dot or port
 * and without scheme, is a user: of the domain of the settings, else of the
 * outbound address. Called directly, a number is refused, for there is no
 * domain, and a word is a host. The request goes to the trunk or registrar, if
 * there is one, else to the host of the URI.
 *
 * The transport is that of the URI, else the wish, else the setting; with sips:
 * always TLS (RFC 5630 3.1), where ";transport=tcp" means TLS over TCP. For a
 * call by a trunk the parameter stays in the Request-URI and says nothing about
 * the way to the trunk.
 *
 * ERR_INPUT: no such address, with what is wrong; a wish that contradicts it; a
 * password, headers, or a parameter that would lead somewhere else ("maddr",
 * "ttl", "lr", "method"). ERR_CONFIG: the settings lack an outbound address, or
 * it is none. */
int sip_dial(const struct sip_dial *what, const struct sip_outbound_settings *s,
	     struct sip_dialled *out, struct error *e) MUST_CHECK;

/* Whom a registration names: user (a user name, or a number of a conference) of
 * the domain of the settings, else of the outbound address. out->uri is the
 * Request-URI of REGISTER, aor what To and From name (RFC 3261 10.2).
 * ERR_INPUT: no user name; ERR_CONFIG as above, or there is no registrar. */
int sip_register_as(const char *user, const struct sip_outbound_settings *s,
		    struct sip_dialled *out, char aor[SIP_URI_SIZE],
		    struct error *e) MUST_CHECK;

/* For a locator; host is borrowed from d. */
struct sip_destination sip_dialled_destination(const struct sip_dialled *d);

#endif
