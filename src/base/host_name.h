/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SB_BASE_HOST_NAME_H
#define SB_BASE_HOST_NAME_H

#include <stdint.h>

#include "base/error.h"

/* Names and addresses of other hosts, as text. Pure; any thread. */

enum { HOST_TEXT_MAX = 255 }; /* bytes, without the NUL */

struct host {
	char name[254]; /* without final dot; "" for an address */
	uint8_t ip[16]; /* network order */
	size_t ip_len;  /* 0, 4, 16 */
};

/* "host.example", "host.example.", "192.0.2.1", "2001:db8::1", "[2001:db8::1]".
 * ERR_INPUT: none of these. */
int host_parse(const char *text, struct host *out, struct error *e) MUST_CHECK;

/* Where to connect to. */
struct host_port {
	char
	    host[HOST_TEXT_MAX + 1]; /* as host_parse() takes it; no brackets */
	uint16_t port;
};

/* "HOST" or "HOST:PORT", an IPv6 address in brackets; without a port it is
 * fallback. ERR_INPUT: anything else, and what is wrong with it. */
int host_port_parse(const char *text, uint16_t fallback, struct host_port *out,
		    struct error *e) MUST_CHECK;

#endif
