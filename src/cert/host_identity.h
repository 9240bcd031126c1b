/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SB_CERT_HOST_IDENTITY_H
#define SB_CERT_HOST_IDENTITY_H

#include "base/host_name.h"
#include "cert/cert.h"

/* Whether a server's certificate is for the host that was asked for (RFC 6125).
 * Names: subjectAltName DNS, case aside; "*" only as the whole left-most label,
 * standing for exactly one label, with at least two labels behind it (never
 * "*.com"). Addresses: subjectAltName IP, byte by byte; never a DNS entry or a
 * common name that spells one. The common name counts for names only, only
 * when there is no DNS or IP entry at all and exactly one common name. (SIP has
 * rules of its own.) Pure; any thread. */

bool host_is_named_by(const struct host *h, const struct cert *c);

#endif
