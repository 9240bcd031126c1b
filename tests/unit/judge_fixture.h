/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SB_TESTS_UNIT_JUDGE_FIXTURE_H
#define SB_TESTS_UNIT_JUDGE_FIXTURE_H

#include "cert/judge.h"
#include "tests/lib/test_certs.h"

/* Worlds of certificates, each known by a letter:
 *
 *	R  root "Root"                   L  leaf "alice", by I
 *	I  "Issuing", by R               M  leaf "alice", by J
 *	J  "Lower", by I                 D  self-signed leaf "device"
 *	S  another root "Root"           X  R's key as issued by O
 *	O  root "Other"                  Y  O's key as issued by R
 *	K  "Issuing" with another key, by R
 */

#define NOW  ((time_t)1790000000)
#define DAY  86400
#define YEAR (365 * DAY)

/* What differs from the row of that letter above; also a new letter. */
struct part {
	char id;
	const char *subject;
	const char *key; /* "ecP256:3": kind and number of test_key() */
	char issuer;     /* letter; the own one: self-signed */
	const char *issuer_name;
	long from, to; /* seconds from NOW; 0: a year before and behind */
	const char *constraints, *usage, *extended, *alt, *digest, *extensions;
	bool v1;
	char authority; /* whose key the authorityKeyIdentifier names */
	const struct test_common_name *common_names;
	size_t common_name_count;
};

enum { PARTS_MAX = 6 };

/* Certificates made so far in one world. */
struct world {
	const struct part *changes; /* PARTS_MAX, ends with id 0 */
	struct cert *made[128];
};

struct cert *world_cert(struct world *w, char id);
/* The key that goes with it. */
struct test_key *world_key(struct world *w, char id);
/* Of the letters. */
void world_list(struct world *w, const char *letters, struct cert_list *out);
struct judge_store *world_store(struct world *w, const char *letters);
/* The letters of a list; '?' for strangers. */
void world_letters(const struct world *w, const struct cert_list *l,
		   char out[32]);
void world_end(struct world *w);

/* The certificate in a PEM text, which is freed. */
struct cert *cert_take_pem(char *pem);

/* A question and its answer. */
struct judge_row {
	const char *name;
	struct part parts[PARTS_MAX];
	const char *store, *sent;
	enum judge_role role;
	const char *host;
	long later; /* seconds after NOW */
	const char *path;
	enum judge_reason reason; /* not in tables of acceptances */
	const char *words;        /* in the text */
};

void judge_row_check(const struct judge_row *row, bool accepted);
#define JUDGE_ROWS(rows, accepted)                                           \
	do {                                                                 \
		for (size_t i_ = 0; i_ < sizeof(rows) / sizeof(*rows); i_++) \
			judge_row_check(&rows[i_], accepted);                \
	} while (0)

#endif
