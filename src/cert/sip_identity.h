/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SB_CERT_SIP_IDENTITY_H
#define SB_CERT_SIP_IDENTITY_H

#include "base/host_name.h"
#include "cert/cert.h"

/* Whether a SIP peer's certificate is for the host that was dialled (RFC 5922
 * 7.1, 7.2, and the rules of this product where they say more):
 *
 * - subjectAltName URI: the host of a sip: or sips: URI, whatever its port,
 *   parameters and headers. One with a user part is somebody's, not the host's.
 * - subjectAltName DNS: a name, or an address as text.
 * - subjectAltName IP: byte by byte.
 * - The common name, a name or an address, when there is no subjectAltName
 *   extension at all, whatever it holds, and exactly one common name.
 *
 * Any entry that fits is enough: unlike RFC 5922, a sip: URI does not take the
 * DNS entries their worth. Names are compared case aside, a final dot aside,
 * and never by wildcard; an entry with a NUL or anything else that no host name
 * has (an international name is in its ASCII form, RFC 5890) fits nothing.
 * Pure; any thread. */

bool sip_host_is_named_by(const struct host *h, const struct cert *c);

/* The host of a sip: or sips: URI of the n bytes at p as a certificate holds
 * it. -1: it is none, or none that names a host. Pure. */
int sip_identity_of_uri(const char *p, size_t n, struct host *out);

#endif
