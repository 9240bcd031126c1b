/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SB_CERT_JUDGE_PRIVATE_H
#define SB_CERT_JUDGE_PRIVATE_H

#include <openssl/x509_vfy.h>

#include "cert/cert_private.h"
#include "cert/judge.h"

/* Private to the judge: judge_store.c holds anchors, judge_search.c looks
 * for paths, judge_path.c and judge_verify.c judge one. */

struct judge_store {
	atomic_uint refs;
	struct cert_list anchors; /* by subject, then fingerprint */
	X509_STORE *rules;        /* no certificates: flags and callbacks */
};

/* Members whose subject is that name: *first and how many. */
size_t judge_store_named(const struct judge_store *s, const X509_NAME *name,
			 size_t *first);
bool judge_store_holds(const struct judge_store *s, const struct cert *c);

/* A path under judgement: leaf first, each signed by the next, if their names
 * can be believed; the last one an anchor. */
struct judge_path {
	const struct cert *certs[JUDGE_PATH_MAX];
	size_t count;
	enum judge_role role;
	time_t now;
};

/* What is wrong with one certificate of it. */
struct judge_fault {
	enum judge_reason reason;
	size_t at;
	char words[400]; /* "expired on 2026-01-02" */
};

/* The checks of our own on all of it: cheap, no signature is verified. */
bool judge_path_check(const struct judge_path *p, struct judge_fault *out);
/* Whether there is any sense in looking further from it: its extensions are
 * few and in order. */
bool judge_cert_readable(const struct cert *c, struct judge_fault *out);
/* Whether its key is one that signatures may be verified with. */
bool judge_key_usable(const struct cert *c);

/* libcrypto's judgement of exactly that path. 1 passes, 0 *out says why not,
 * -1 could not be judged. */
int judge_path_verify(X509_STORE *rules, const struct judge_path *p,
		      struct judge_fault *out, struct error *e);
/* The flags and callbacks that judge_path_verify() needs. NULL: ERR_NOMEM. */
X509_STORE *judge_rules_new(struct error *e);

/* Try every path from the first certificate sent. 1 one passes and stands in
 * out->path, 0 *out says why none does, -1. */
int judge_search(const struct judge_question *q, struct judgement *out,
		 struct error *e);

/* A name as text for messages, cut between characters. */
enum { JUDGE_NAME_SIZE = 160 };
void judge_name_text(const struct cert_name *n, char out[JUDGE_NAME_SIZE]);

#endif
