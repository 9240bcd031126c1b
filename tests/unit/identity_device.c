/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/unit/identity_device.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/lib/unit.h"

#define CA_SUBJECT "/O=Example/CN=Example CA"

struct identity *device_identity(struct token *token, unsigned grace_ms)
{
	static const char *const addresses[] = { "192.0.2.10", "2001:db8::10" };
	struct identity_options o = {
		.token = token,
		.host_name = HOST,
		.addresses = addresses,
		.address_count = 2,
		.default_key = KEY_KIND_EC_P256,
		.key_grace_ms = grace_ms,
	};
	struct error e = ERROR_INIT;
	struct identity *id = identity_new(&o, &e);

	if (!id) {
		fprintf(stderr, "identity: %s\n", e.text);
		exit(99);
	}
	return id;
}

void device_make(struct device *d)
{
	memset(d, 0, sizeof(*d));
	test_token_make(&d->files);
	d->token = test_token_open(&d->files);
	d->id = device_identity(d->token, 1);
}

void device_close(struct device *d)
{
	identity_free(d->id);
	token_free(d->token);
	d->id = NULL;
	d->token = NULL;
}

void device_restart(struct device *d)
{
	struct error e = ERROR_INIT;

	device_close(d);
	d->token = test_token_open(&d->files);
	d->id = device_identity(d->token, 1);
	CHECK_OK(identity_load(d->id, &e), &e);
}

int device_upload(struct device *d, const char *certificates, const char *key,
		  const char *password, struct identity_warnings *w,
		  struct error *e)
{
	struct identity_warnings own;

	error_clear(e);
	return identity_upload(d->id, view_str(certificates), view_str(key),
			       view_str(password), time(NULL), w ? w : &own, e);
}

char *ca_pem(void)
{
	return test_cert_pem(&(struct test_cert_options){
	    .subject = CA_SUBJECT, .key = test_key("ecP256", 90), .ca = true });
}

char *leaf_pem(const struct test_key *key, const char *alt_names)
{
	return test_cert_pem(
	    &(struct test_cert_options){ .subject = "/CN=" HOST,
					 .key = key,
					 .issuer = CA_SUBJECT,
					 .issuer_key = test_key("ecP256", 90),
					 .alt_names = alt_names });
}

static struct token_key_info infos[128];

size_t count_keys(struct device *d)
{
	struct error e = ERROR_INIT;
	size_t n = 0;

	CHECK_OK(token_key_list(d->token, infos, 128, &n, &e), &e);
	return n;
}

size_t count_pending(struct device *d)
{
	struct error e = ERROR_INIT;
	size_t n = 0;

	CHECK_OK(identity_pending_keys(d->id, infos, 128, &n, &e), &e);
	return n;
}

bool token_has(struct device *d, const struct test_key *key)
{
	struct error e = ERROR_INIT;
	struct public_key pub;
	struct token_key *k;

	test_key_public(key, &pub);
	k = token_key_find(d->token, &pub, &e);
	token_key_unref(k);
	return k != NULL;
}

void check_whole(struct device *d, struct local_identity *l)
{
	struct error e = ERROR_INIT;
	enum identity_key_status status = IDENTITY_KEY_MISSING;

	CU_ASSERT_PTR_NOT_NULL_FATAL(l);
	CU_ASSERT_PTR_NOT_NULL(l->key);
	CHECK_OK(identity_key_status(d->id, l, &status, &e), &e);
	CU_ASSERT_EQUAL(status, IDENTITY_KEY_MATCHES);
	for (size_t i = 0; i + 1 < l->chain.count; i++)
		CU_ASSERT(cert_is_issued_by(l->chain.items[i],
					    l->chain.items[i + 1]));
}

static void check_is(struct device *d, struct local_identity *l,
		     const struct test_key *key)
{
	struct error e = ERROR_INIT;
	struct public_key pub;

	CU_ASSERT_PTR_NOT_NULL_FATAL(l);
	CU_ASSERT_EQUAL(l->source, key ? IDENTITY_CUSTOM : IDENTITY_DEFAULT);
	if (key) {
		test_key_public(key, &pub);
		CU_ASSERT(public_key_equal(
		    cert_public_key(l->chain.items[0], &e), &pub));
	} else {
		CU_ASSERT_EQUAL(l->chain.count, 1);
		CU_ASSERT(cert_is_self_issued(l->chain.items[0]));
	}
	check_whole(d, l);
	local_identity_unref(l);
}

void check_stored(struct device *d, const struct test_key *key)
{
	check_is(d, identity_stored(d->id), key);
}

void check_in_service(struct device *d, const struct test_key *key)
{
	check_is(d, identity_in_service(d->id), key);
}
