/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "front/address.h"
#include "sip/sip_agent_private.h"

/* What address of ours others get to know. */

/* A datagram socket that is connected sends nothing, and has the address that
 * the kernel would call from. */
static int ask_kernel(const struct sip_target *target,
		      char out[INET6_ADDRSTRLEN], struct error *e)
{
	struct sockaddr_storage to;
	uint16_t port;
	int fd, rc = -1;

	if (address_parse(target->address, target->port, &to, e) < 0)
		return -1;
	fd = socket(to.ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return error_errno(e, "a socket");
	if (connect(fd, (const struct sockaddr *)&to, address_length(&to)) < 0)
		error_errno(e, "no way to %s", target->address);
	else if (!address_local(fd, out, &port))
		error_set(e, ERR_IO, "no way to %s", target->address);
	else
		rc = 0;
	close(fd);
	return rc;
}

/* Datagrams come from the socket of the listener. */
static int ask_listener(const struct sip_agent *a,
			const struct sip_target *target,
			char out[INET6_ADDRSTRLEN], struct error *e)
{
	struct sockaddr_storage to, from;
	uint16_t port;

	if (address_parse(target->address, target->port, &to, e) < 0 ||
	    sip_transports_udp_local(a->transports, &to, &from, e) < 0)
		return -1;
	if (!address_text(&from, out, &port))
		return error_set(e, ERR_INTERNAL, "an address without a text");
	return 0;
}

int sip_agent_local(const struct sip_agent *a, const struct sip_target *target,
		    char out[INET6_ADDRSTRLEN], struct error *e)
{
	if (a && a->seams.route)
		return a->seams.route(a->seams.arg, target, out)
			   ? 0
			   : error_set(e, ERR_IO, "no way to %s",
				       target->address);
	return a && target->transport == SIP_UDP
		   ? ask_listener(a, target, out, e)
		   : ask_kernel(target, out, e);
}

void sip_agent_contact(const struct sip_agent *a, enum sip_transport transport,
		       const char *local_address, uint16_t local_port,
		       bool secure, char out[SIP_CONTACT_SIZE])
{
	static const char *const parameters[] = {
		[SIP_UDP] = "",
		[SIP_TCP] = ";transport=tcp",
		[SIP_TLS] = ";transport=tls",
	};
	bool v6 = strchr(local_address, ':') != NULL;
	uint16_t port = a->ports[transport] ? a->ports[transport] : local_port;
	char digits[8] = "";

	if (port)
		snprintf(digits, sizeof(digits), ":%u", (unsigned)port);
	snprintf(out, SIP_CONTACT_SIZE, "<%s:%s%s%s%s%s>",
		 secure ? "sips" : "sip", v6 ? "[" : "", local_address,
		 v6 ? "]" : "", digits, secure ? "" : parameters[transport]);
}
