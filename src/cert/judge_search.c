/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "cert/judge_private.h"

#include <stdio.h>

#include <openssl/err.h>
#include <openssl/x509v3.h>

/* What a stranger's certificates may cost: paths judged as a whole, signatures
 * verified to tell authorities of one name apart, candidates looked at. Honest
 * ones need one, none and a few. */
enum { PATHS_MAX = 16, SIGNATURES_MAX = 64, STEPS_MAX = 20000 };

/* How much a fault explains; the first of the highest is reported. */
enum weight {
	WEIGHT_NONE,
	WEIGHT_NO_ISSUER,   /* the path ends short of an anchor */
	WEIGHT_NEAR_ISSUER, /* an issuer by name, but not the right one */
	WEIGHT_SIGNATURE,   /* an anchor by name, but not the right one */
	WEIGHT_PATH         /* a path to an anchor, with something wrong */
};

struct judging {
	const struct judge_question *q;
	struct judgement *out;
	struct error *e;
	struct judge_path path; /* so far */
	unsigned paths, signatures, steps;
	bool exhausted;
	enum weight weight; /* of what stands in out */
	size_t length;      /* and of the path it is about */
};

static int keep_path(struct judging *j)
{
	cert_list_free(&j->out->path);
	for (size_t i = 0; i < j->path.count; i++)
		if (cert_list_add(&j->out->path, j->path.certs[i], j->e) < 0)
			return -1;
	return 0;
}

/* Keep the path so far and what is wrong with it, unless something better is
 * known. 0, or -1 ERR_NOMEM. */
static int refuse(struct judging *j, enum weight weight,
		  const struct judge_fault *f)
{
	struct judgement *out = j->out;
	const struct cert *c = j->path.certs[f->at];
	char name[JUDGE_NAME_SIZE];

	if (weight < j->weight ||
	    (weight == j->weight &&
	     (weight == WEIGHT_PATH || j->path.count <= j->length)))
		return 0;
	j->weight = weight;
	j->length = j->path.count;
	out->reason = f->reason;
	out->at = f->at;
	judge_name_text(cert_subject(c), name);
	snprintf(out->text, sizeof(out->text),
		 "certificate %zu of the chain (%s%s): %s", f->at + 1,
		 *name ? name : "no subject",
		 judge_store_holds(j->q->store, c) ? "; in the trust store"
						   : "",
		 f->words);
	return keep_path(j);
}

/* Judge a path to an anchor. 1 accepted, 0 refused, -1. */
static int judge_path(struct judging *j)
{
	struct judge_fault f = { .reason = JUDGE_ACCEPTED };
	int rc;

	if (j->paths++ >= PATHS_MAX) {
		j->exhausted = true;
		return 0;
	}
	if (!judge_path_check(&j->path, &f))
		return refuse(j, WEIGHT_PATH, &f);
	rc = judge_path_verify(j->q->store->rules, &j->path, &f, j->e);
	if (rc < 0)
		return -1;
	if (rc > 0)
		return keep_path(j) < 0 ? -1 : 1;
	return refuse(
	    j, f.reason == JUDGE_BAD_SIGNATURE ? WEIGHT_SIGNATURE : WEIGHT_PATH,
	    &f);
}

/* Two certificates of one authority in a path are a loop of cross-signatures:
 * what is above the second is above the first, too. */
static bool is_in_path(const struct judging *j, const struct cert *c)
{
	const ASN1_BIT_STRING *key = X509_get0_pubkey_bitstr(c->x509);

	for (size_t i = 0; i < j->path.count; i++) {
		const X509 *x = j->path.certs[i]->x509;
		const ASN1_BIT_STRING *k = X509_get0_pubkey_bitstr(x);

		if (!X509_NAME_cmp(X509_get_subject_name(x),
				   X509_get_subject_name(c->x509)) &&
		    !ASN1_STRING_cmp(k, key))
			return true;
	}
	return false;
}

static int near_issuer(struct judging *j, const struct cert *issuer, int why)
{
	struct judge_fault f = { .reason = JUDGE_UNKNOWN_AUTHORITY,
				 .at = j->path.count - 1 };
	const char *words = "cannot be checked";

	switch (why) {
	case X509_V_ERR_AKID_SKID_MISMATCH:
	case X509_V_ERR_AKID_ISSUER_SERIAL_MISMATCH:
		words = "has another key or serial number than it asks for";
		break;
	case X509_V_ERR_KEYUSAGE_NO_CERTSIGN:
		f.reason = JUDGE_NOT_AUTHORITY;
		words = "may not sign certificates (keyUsage)";
		break;
	case X509_V_ERR_SIGNATURE_ALGORITHM_MISMATCH:
		words = "has another kind of key than signed it";
		break;
	default: break;
	}
	snprintf(f.words, sizeof(f.words),
		 "the issuer found by its name (%s) %s",
		 judge_store_holds(j->q->store, issuer) ? "in the trust store"
							: "sent along",
		 words);
	return refuse(j, WEIGHT_NEAR_ISSUER, &f);
}

/* Several of that name, and none of them did it. */
static int none_signed(struct judging *j, size_t count)
{
	struct judge_fault f = { .reason = JUDGE_BAD_SIGNATURE,
				 .at = j->path.count - 1 };

	snprintf(f.words, sizeof(f.words),
		 "was not signed by any of the %zu authorities found of the "
		 "name of its issuer",
		 count);
	return refuse(j, WEIGHT_SIGNATURE, &f);
}

/* Nobody else can have issued it. libcrypto would go no further either. */
static bool is_end(const struct cert *c)
{
	return (X509_get_extension_flags(c->x509) & EXFLAG_SS) != 0;
}

static int no_issuer(struct judging *j)
{
	const struct cert *c = j->path.certs[j->path.count - 1];
	struct judge_fault f = { .reason = JUDGE_UNKNOWN_AUTHORITY,
				 .at = j->path.count - 1 };
	char issuer[JUDGE_NAME_SIZE];

	judge_name_text(cert_issuer(c), issuer);
	if (!judge_store_count(j->q->store))
		snprintf(f.words, sizeof(f.words), "the trust store is empty");
	else if (is_end(c))
		snprintf(f.words, sizeof(f.words),
			 "is self-signed and not in the trust store");
	else
		snprintf(f.words, sizeof(f.words),
			 "its issuer (%s) is neither in the trust store nor "
			 "was it sent",
			 issuer);
	return refuse(j, WEIGHT_NO_ISSUER, &f);
}

/* Everything that could have issued the end of the path, by number: first the
 * anchors of that name, then what was sent. */
struct candidates {
	size_t first, anchors, count;
};

static struct candidates candidates_of(const struct judging *j,
				       const struct cert *c)
{
	struct candidates s;

	s.anchors = judge_store_named(j->q->store,
				      X509_get_issuer_name(c->x509), &s.first);
	s.count = s.anchors + j->q->sent->count - 1;
	return s;
}

static const struct cert *candidate(const struct judging *j,
				    const struct candidates *s, size_t i)
{
	if (i < s->anchors)
		return j->q->store->anchors.items[s->first + i];
	return j->q->sent->items[i - s->anchors + 1];
}

/* Whether the i-th can be the issuer as far as that is to be seen without its
 * key. -1: ERR_NOMEM. */
static int fits(struct judging *j, const struct candidates *s, size_t i)
{
	const struct cert *c = j->path.certs[j->path.count - 1];
	const struct cert *issuer = candidate(j, s, i);
	int why;

	if (j->steps++ >= STEPS_MAX) {
		j->exhausted = true;
		return 0;
	}
	if (!cert_names_fit(c, issuer) || is_in_path(j, issuer))
		return 0;
	why = X509_check_issued(issuer->x509, c->x509);
	ERR_clear_error();
	if (why == X509_V_OK)
		return 1;
	return near_issuer(j, issuer, why);
}

/* Whether the signature fits; of issuers with a key that is refused anyway it
 * is not worth finding out. */
static bool signed_by(struct judging *j, const struct cert *c,
		      const struct cert *issuer)
{
	if (!judge_key_usable(issuer))
		return true;
	if (j->signatures++ >= SIGNATURES_MAX) {
		j->exhausted = true;
		return false;
	}
	return cert_is_issued_by(c, issuer);
}

static int extend(struct judging *j);

/* With one more certificate at the end. */
static int extend_by(struct judging *j, const struct cert *issuer, bool anchor)
{
	int rc;

	if (j->path.count == JUDGE_PATH_MAX)
		return 0;
	j->path.certs[j->path.count++] = issuer;
	rc = anchor ? judge_path(j) : extend(j);
	j->path.count--;
	return rc;
}

/* Find a way from the end of the path to an anchor. 1 accepted, 0 there is
 * none, -1. */
static int extend(struct judging *j)
{
	const struct cert *c = j->path.certs[j->path.count - 1];
	struct candidates s = candidates_of(j, c);
	struct judge_fault f = { .at = j->path.count - 1 };
	size_t fitting = 0, tried = 0;
	int rc;

	if (judge_store_holds(j->q->store, c))
		return judge_path(j);
	if (!judge_cert_readable(c, &f))
		return refuse(j, WEIGHT_NEAR_ISSUER, &f);
	if (is_end(c))
		return no_issuer(j);
	for (size_t i = 0; i < s.count; i++) {
		rc = fits(j, &s, i);
		if (rc < 0)
			return -1;
		fitting += (size_t)rc;
	}
	if (!fitting)
		return no_issuer(j);
	for (size_t i = 0; i < s.count && !j->exhausted; i++) {
		const struct cert *issuer = candidate(j, &s, i);

		rc = fits(j, &s, i);
		if (rc < 0)
			return -1;
		if (rc == 0 || (fitting > 1 && !signed_by(j, c, issuer)))
			continue;
		tried++;
		rc = extend_by(j, issuer, i < s.anchors);
		if (rc != 0)
			return rc;
	}
	return tried || j->exhausted ? 0 : none_signed(j, fitting);
}

int judge_search(const struct judge_question *q, struct judgement *out,
		 struct error *e)
{
	struct judging j = { .q = q, .out = out, .e = e };
	int rc;

	j.path.certs[j.path.count++] = q->sent->items[0];
	j.path.role = q->role;
	j.path.now = q->now;
	rc = extend(&j);
	if (rc != 0 || !j.exhausted)
		return rc;
	out->reason = JUDGE_TOO_COMPLEX;
	snprintf(out->text, sizeof(out->text),
		 "too many ways lead from the certificates sent to their "
		 "issuers");
	return 0;
}
