/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "cert/sip_own_names.h"

#include <stdio.h>

#include "base/utf8.h"
#include "cert/sip_identity.h"

enum { SHOWN_SIZE = 100, ADDRESSES_SHOWN_MAX = 3 };

static bool names(const struct cert *leaf, const char *host)
{
	struct error ignored;
	struct host h;

	return host && *host && host_parse(host, &h, &ignored) == 0 &&
	       sip_host_is_named_by(&h, leaf);
}

static bool names_an_address(const struct cert *leaf,
			     const struct sip_own_names *n)
{
	for (size_t i = 0; i < n->address_count; i++)
		if (names(leaf, n->addresses[i]))
			return true;
	return false;
}

static void show(const char *text, char out[SHOWN_SIZE])
{
	utf8_line(view_str(text), out, SHOWN_SIZE);
}

static void tell_addresses(const struct sip_own_names *n, char *out,
			   size_t size)
{
	size_t used = 0, i;

	out[0] = '\0';
	for (i = 0; i < n->address_count && i < ADDRESSES_SHOWN_MAX; i++)
		used += (size_t)snprintf(out + used, size - used, "%s%.45s",
					 i ? ", " : " (", n->addresses[i]);
	if (i)
		snprintf(out + used, size - used, "%s)",
			 i < n->address_count ? ", ..." : "");
}

bool sip_own_names_fit(const struct cert *leaf, const struct sip_own_names *n,
		       char text[SIP_OWN_NAMES_TEXT])
{
	char shown[SHOWN_SIZE], addresses[SHOWN_SIZE * 2];
	bool by_domain = n->domain && *n->domain;

	text[0] = '\0';
	if (by_domain ? names(leaf, n->domain)
		      : names(leaf, n->host_name) || names_an_address(leaf, n))
		return true;
	if (by_domain) {
		show(n->domain, shown);
		snprintf(text, SIP_OWN_NAMES_TEXT,
			 "The certificate in service does not name the "
			 "outbound domain %s: SIP peers that verify whom they "
			 "call will refuse it.",
			 shown);
		return false;
	}
	show(n->host_name ? n->host_name : "", shown);
	tell_addresses(n, addresses, sizeof(addresses));
	snprintf(text, SIP_OWN_NAMES_TEXT,
		 "The certificate in service names neither the host name %s "
		 "nor an address of this device%s: SIP peers that verify whom "
		 "they call will refuse it.",
		 shown, addresses);
	return false;
}
