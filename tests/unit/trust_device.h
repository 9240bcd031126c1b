/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SB_TESTS_UNIT_TRUST_DEVICE_H
#define SB_TESTS_UNIT_TRUST_DEVICE_H

#include "tests/lib/test_certs.h"
#include "tests/lib/test_token.h"
#include "tests/lib/unit.h"
#include "trust/trust.h"

/* A device for tests of trust stores: a token of its own, and the stores. */
struct trust_device {
	struct test_token files;
	struct token *token;
	struct trust *trust;
	const char *factory_file; /* NULL: the system's */
	/* of the change listener */
	unsigned changes;
	enum trust_store_id last_changed;
	uint64_t last_generation;
};

/* Tokens of a thousand certificates live in memory where that can be had: on a
 * disk each one takes 31 ms. Call first. */
void trust_tests_in_memory(void);

/* A new token, nothing loaded. */
void trust_device_make(struct trust_device *d);
/* Opens token and stores of d->files. */
void trust_device_open(struct trust_device *d);
void trust_device_close(struct trust_device *d);
/* Close, open, load: what a restart does. */
void trust_device_restart(struct trust_device *d);

/* "CA n" as PEM, the same text for the same n in this process. Borrowed. */
const char *authority(unsigned n);
/* CA from .. CA from + count - 1 in one text, the caller's to free(). */
char *authorities(unsigned from, unsigned count);

int trust_upload(struct trust_device *d, enum trust_store_id id,
		 const char *pem, size_t *count_out, struct error *e);
/* The store holds exactly CA from .. CA from + count - 1, in that order. */
bool store_holds(struct trust_device *d, enum trust_store_id id, unsigned from,
		 unsigned count);
enum trust_source store_source(struct trust_device *d, enum trust_store_id id);
size_t store_count(struct trust_device *d, enum trust_store_id id);

#endif
