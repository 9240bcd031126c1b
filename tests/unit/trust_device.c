/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/unit/trust_device.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { AUTHORITIES_MAX = 2200 };

static char *texts[AUTHORITIES_MAX];

void trust_tests_in_memory(void)
{
	if (access("/dev/shm", W_OK | X_OK) == 0)
		setenv("TMPDIR", "/dev/shm", 1);
}

static void must(bool good, const char *what, const struct error *e)
{
	if (good)
		return;
	fprintf(stderr, "%s: %s\n", what, e->text);
	exit(99);
}

static void on_change(enum trust_store_id id, const struct trust_snapshot *s,
		      void *arg)
{
	struct trust_device *d = arg;

	d->changes++;
	d->last_changed = id;
	d->last_generation = s->generation;
}

void trust_device_open(struct trust_device *d)
{
	struct trust_options o = { .factory_file = d->factory_file };
	struct error e = ERROR_INIT;

	d->token = test_token_open(&d->files);
	o.token = d->token;
	d->trust = trust_new(&o, &e);
	must(d->trust != NULL, "trust", &e);
	trust_on_change(d->trust, on_change, d);
}

void trust_device_make(struct trust_device *d)
{
	memset(d, 0, sizeof(*d));
	test_token_make(&d->files);
	trust_device_open(d);
}

void trust_device_close(struct trust_device *d)
{
	trust_free(d->trust);
	token_free(d->token);
	d->trust = NULL;
	d->token = NULL;
}

void trust_device_restart(struct trust_device *d)
{
	struct error e = ERROR_INIT;

	trust_device_close(d);
	trust_device_open(d);
	CHECK_OK(trust_load(d->trust, &e), &e);
}

const char *authority(unsigned n)
{
	char subject[64];

	if (n >= AUTHORITIES_MAX)
		abort();
	snprintf(subject, sizeof(subject), "/O=Example/CN=CA %u", n);
	if (!texts[n])
		texts[n] = test_cert_pem(
		    &(struct test_cert_options){ .subject = subject,
						 .key = test_key("ecP256", 90),
						 .serial = (long)n + 1,
						 .not_before = 1700000000,
						 .not_after = 4000000000,
						 .ca = true });
	return texts[n];
}

char *authorities(unsigned from, unsigned count)
{
	size_t room = 1, at = 0;
	char *text;

	for (unsigned i = 0; i < count; i++)
		room += strlen(authority(from + i));
	text = calloc(room, 1);
	if (!text)
		abort();
	for (unsigned i = 0; i < count; i++) {
		size_t n = strlen(authority(from + i));

		memcpy(text + at, authority(from + i), n);
		at += n;
	}
	return text;
}

int trust_upload(struct trust_device *d, enum trust_store_id id,
		 const char *pem, size_t *count_out, struct error *e)
{
	size_t own;

	error_clear(e);
	return trust_store_replace(d->trust, id, view_str(pem),
				   count_out ? count_out : &own, NULL, e);
}

bool store_holds(struct trust_device *d, enum trust_store_id id, unsigned from,
		 unsigned count)
{
	struct trust_snapshot *s = trust_snapshot(d->trust, id);
	bool good = s && s->certificates.count == count;

	for (unsigned i = 0; good && i < count; i++) {
		char wanted[32];

		snprintf(wanted, sizeof(wanted), "CA %u", from + i);
		good =
		    !strcmp(cert_subject(s->certificates.items[i])->cn, wanted);
	}
	if (!good)
		unit_note("%s holds %zu certificates, from %s",
			  trust_store_name(id), s ? s->certificates.count : 0,
			  s && s->certificates.count
			      ? cert_subject(s->certificates.items[0])->cn
			      : "none");
	trust_snapshot_unref(s);
	return good;
}

enum trust_source store_source(struct trust_device *d, enum trust_store_id id)
{
	struct trust_snapshot *s = trust_snapshot(d->trust, id);
	enum trust_source source = s ? s->source : TRUST_NONE;

	trust_snapshot_unref(s);
	return source;
}

size_t store_count(struct trust_device *d, enum trust_store_id id)
{
	struct trust_snapshot *s = trust_snapshot(d->trust, id);
	size_t count = s ? s->certificates.count : 0;

	trust_snapshot_unref(s);
	return count;
}
