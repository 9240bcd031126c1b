/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SB_TESTS_UNIT_IDENTITY_DEVICE_H
#define SB_TESTS_UNIT_IDENTITY_DEVICE_H

#include "identity/identity.h"
#include "tests/lib/test_certs.h"
#include "tests/lib/test_token.h"

/* A device for one test: a token of its own, and an identity on it. */
struct device {
	struct test_token files;
	struct token *token;
	struct identity *id;
};

#define HOST "box.example"

/* A new token, nothing loaded. */
void device_make(struct device *d);
/* Open the token again and load: what a restart does. */
void device_restart(struct device *d);
/* The token stays in its directory. */
void device_close(struct device *d);

struct identity *device_identity(struct token *token, unsigned grace_ms);

/* Upload PEM texts; key and password may be NULL. */
int device_upload(struct device *d, const char *certificates, const char *key,
		  const char *password, struct identity_warnings *w,
		  struct error *e);
/* A CA-signed leaf for that key, CN and DNS name HOST. */
char *leaf_pem(const struct test_key *key, const char *alt_names);
/* The issuer of leaf_pem(). */
char *ca_pem(void);

size_t count_keys(struct device *d);
size_t count_pending(struct device *d);
bool token_has(struct device *d, const struct test_key *key);
/* What is stored is whole: key there, signs, chain verifies. */
void check_whole(struct device *d, struct local_identity *l);
/* The leaf of what is stored has that key, or is the default one (NULL). */
void check_stored(struct device *d, const struct test_key *key);
void check_in_service(struct device *d, const struct test_key *key);

#endif
