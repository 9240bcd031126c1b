/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SB_SIP_SIP_NET_H
#define SB_SIP_SIP_NET_H

#include <netinet/in.h>

/* Whose measure an address has, in text, as the front counts (admission.h): an
 * IPv4 address its own, an IPv6 address that of its /64 ("2001:db8::"), because
 * whoever has one address of such a net has all of them. What is no address
 * stays as it is. */
void sip_net_of(const char *address, char out[INET6_ADDRSTRLEN]);

#endif
