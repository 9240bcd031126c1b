/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "cert/host_identity.h"

#include <string.h>

#include <openssl/err.h>
#include <openssl/x509v3.h>

#include "cert/cert_private.h"

static bool has_alt_name(const struct cert *c, const char *kind)
{
	for (size_t i = 0; i < c->alt_name_count; i++)
		if (!strncmp(c->alt_names[i], kind, strlen(kind)))
			return true;
	return false;
}

static bool common_name_counts(const struct cert *c)
{
	const X509_NAME *subject = X509_get_subject_name(c->x509);
	int first = X509_NAME_get_index_by_NID(subject, NID_commonName, -1);

	return first >= 0 &&
	       X509_NAME_get_index_by_NID(subject, NID_commonName, first) < 0 &&
	       !has_alt_name(c, "DNS:") && !has_alt_name(c, "IP:");
}

bool host_is_named_by(const struct host *h, const struct cert *c)
{
	unsigned flags = X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS;
	int rc;

	if (!common_name_counts(c))
		flags |= X509_CHECK_FLAG_NEVER_CHECK_SUBJECT;
	if (h->ip_len)
		rc = X509_check_ip(c->x509, h->ip, h->ip_len, flags);
	else
		rc = X509_check_host(c->x509, h->name, strlen(h->name), flags,
				     NULL);
	ERR_clear_error();
	return rc == 1;
}
