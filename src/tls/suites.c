/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tls/internal.h"

/* The suites on offer: forward secret and authenticated encryption only. Most
 * preferred first; ChaCha20 leads because Debian's wolfSSL computes AES from
 * tables (no AES-NI): slower, and its time depends on the data. */

static const struct suite {
	int number;
	const char *name;
} suites[] = {
	{ 0x1303, "TLS_CHACHA20_POLY1305_SHA256" },
	{ 0x1301, "TLS_AES_128_GCM_SHA256" },
	{ 0x1302, "TLS_AES_256_GCM_SHA384" },
	{ 0xcca9, "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256" },
	{ 0xc02b, "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256" },
	{ 0xc02c, "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384" },
	{ 0xcca8, "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256" },
	{ 0xc02f, "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256" },
	{ 0xc030, "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384" },
};

#define SUITES_TLS13                     \
	"TLS13-CHACHA20-POLY1305-SHA256" \
	":TLS13-AES128-GCM-SHA256"       \
	":TLS13-AES256-GCM-SHA384"
#define SUITES_TLS12(key)                            \
	"ECDHE-" key "-CHACHA20-POLY1305:ECDHE-" key \
	"-AES128-GCM-SHA256:ECDHE-" key "-AES256-GCM-SHA384"

const char *tls_suite_list(enum key_type type, bool tls12, bool tls13)
{
	if (!tls12)
		return SUITES_TLS13;
	if (type == KEY_EC)
		return tls13 ? SUITES_TLS13 ":" SUITES_TLS12("ECDSA")
			     : SUITES_TLS12("ECDSA");
	return tls13 ? SUITES_TLS13 ":" SUITES_TLS12("RSA")
		     : SUITES_TLS12("RSA");
}

const char *tls_suite_list_client(bool tls12, bool tls13)
{
	if (!tls12)
		return SUITES_TLS13;
	return tls13 ? SUITES_TLS13
		   ":" SUITES_TLS12("ECDSA") ":" SUITES_TLS12("RSA")
		     : SUITES_TLS12("ECDSA") ":" SUITES_TLS12("RSA");
}

const char *tls_suite_name(int number)
{
	for (size_t i = 0; i < sizeof(suites) / sizeof(suites[0]); i++)
		if (suites[i].number == number)
			return suites[i].name;
	return "unknown";
}
