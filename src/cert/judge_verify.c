/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "cert/judge_private.h"

#include <stdio.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/x509v3.h>

#include "cert/text.h"

/* Security level of libcrypto: 112 bits, hashes at least SHA-224. */
enum { AUTH_LEVEL = 2 };

/* What is said about the certificate at libcrypto's error depth. */
static const struct {
	int code;
	enum judge_reason reason;
	const char *words;
} faults[] = {
	{ X509_V_ERR_CERT_SIGNATURE_FAILURE, JUDGE_BAD_SIGNATURE,
	  "was not signed by the authority that it names: the signature does "
	  "not fit its key" },
	{ X509_V_ERR_UNABLE_TO_DECRYPT_CERT_SIGNATURE, JUDGE_BAD_SIGNATURE,
	  "has a signature that cannot be read" },
	{ X509_V_ERR_UNABLE_TO_DECODE_ISSUER_PUBLIC_KEY, JUDGE_MALFORMED,
	  "has a public key that cannot be read" },
	{ X509_V_ERR_SIGNATURE_ALGORITHM_MISMATCH, JUDGE_BAD_SIGNATURE,
	  "is signed by another kind of key than its issuer has" },
	{ X509_V_ERR_UNSUPPORTED_SIGNATURE_ALGORITHM, JUDGE_BAD_SIGNATURE,
	  "is signed by an unknown algorithm" },
	{ X509_V_ERR_CERT_NOT_YET_VALID, JUDGE_NOT_YET_VALID, NULL },
	{ X509_V_ERR_CERT_HAS_EXPIRED, JUDGE_EXPIRED, NULL },
	{ X509_V_ERR_ERROR_IN_CERT_NOT_BEFORE_FIELD, JUDGE_MALFORMED,
	  "has a malformed date of issue" },
	{ X509_V_ERR_ERROR_IN_CERT_NOT_AFTER_FIELD, JUDGE_MALFORMED,
	  "has a malformed date of expiry" },
	{ X509_V_ERR_INVALID_CA, JUDGE_NOT_AUTHORITY, "is no authority" },
	{ X509_V_ERR_KEYUSAGE_NO_CERTSIGN, JUDGE_NOT_AUTHORITY,
	  "may not sign certificates (keyUsage has no keyCertSign)" },
	{ X509_V_ERR_PATH_LENGTH_EXCEEDED, JUDGE_PATH_LENGTH,
	  "allows fewer authorities below it than there are" },
	{ X509_V_ERR_PERMITTED_VIOLATION, JUDGE_NAME_CONSTRAINT,
	  "has a name that an authority above may not issue (name "
	  "constraints)" },
	{ X509_V_ERR_EXCLUDED_VIOLATION, JUDGE_NAME_CONSTRAINT,
	  "has a name that an authority above excludes (name constraints)" },
	{ X509_V_ERR_SUBTREE_MINMAX, JUDGE_NAME_CONSTRAINT,
	  "is under name constraints that cannot be checked" },
	{ X509_V_ERR_UNSUPPORTED_CONSTRAINT_TYPE, JUDGE_NAME_CONSTRAINT,
	  "is under name constraints that cannot be checked" },
	{ X509_V_ERR_UNSUPPORTED_CONSTRAINT_SYNTAX, JUDGE_NAME_CONSTRAINT,
	  "is under name constraints that cannot be checked" },
	{ X509_V_ERR_UNSUPPORTED_NAME_SYNTAX, JUDGE_NAME_CONSTRAINT,
	  "has a name that cannot be checked against name constraints" },
	{ X509_V_ERR_UNHANDLED_CRITICAL_EXTENSION, JUDGE_CRITICAL_EXTENSION,
	  "has a critical extension that is not known here" },
	{ X509_V_ERR_PROXY_CERTIFICATES_NOT_ALLOWED, JUDGE_CRITICAL_EXTENSION,
	  "is a proxy certificate" },
	{ X509_V_ERR_INVALID_POLICY_EXTENSION, JUDGE_POLICY,
	  "has malformed certificate policies" },
	{ X509_V_ERR_NO_EXPLICIT_POLICY, JUDGE_POLICY,
	  "is not issued under a policy that an authority above demands" },
	{ X509_V_ERR_EE_KEY_TOO_SMALL, JUDGE_WEAK_KEY,
	  "has a key that is too short" },
	{ X509_V_ERR_CA_KEY_TOO_SMALL, JUDGE_WEAK_KEY,
	  "has a key that is too short" },
	{ X509_V_ERR_CA_MD_TOO_WEAK, JUDGE_WEAK_SIGNATURE,
	  "is signed by a weak algorithm" },
};

/* Issuers were chosen already; libcrypto's own choice by name alone could take
 * another authority of the same name. */
static int follow_path(X509_STORE_CTX *ctx, X509 *x, X509 *issuer)
{
	const struct judge_path *p = X509_STORE_CTX_get_app_data(ctx);

	if (x == issuer)
		return X509_check_issued(x, x) == X509_V_OK;
	for (size_t i = 0; i + 1 < p->count; i++)
		if (p->certs[i]->x509 == x && p->certs[i + 1]->x509 == issuer)
			return 1;
	return 0;
}

/* notAfter belongs to the validity (RFC 5280 4.1.2.5); libcrypto ends it a
 * second too early. */
static int on_fault(int ok, X509_STORE_CTX *ctx)
{
	const struct judge_path *p = X509_STORE_CTX_get_app_data(ctx);
	int depth = X509_STORE_CTX_get_error_depth(ctx);

	if (!ok && depth >= 0 && (size_t)depth < p->count &&
	    X509_STORE_CTX_get_error(ctx) == X509_V_ERR_CERT_HAS_EXPIRED &&
	    p->certs[depth]->not_after == p->now) {
		X509_STORE_CTX_set_error(ctx, X509_V_OK);
		return 1;
	}
	return ok;
}

/* Where an authority demands a policy, any one will do, but there must be one
 * (RFC 5280 6.1.1 (c)). */
static bool allow_any_policy(X509_VERIFY_PARAM *param)
{
	ASN1_OBJECT *any = OBJ_dup(OBJ_nid2obj(NID_any_policy));

	if (any && X509_VERIFY_PARAM_add0_policy(param, any))
		return true;
	ASN1_OBJECT_free(any);
	return false;
}

X509_STORE *judge_rules_new(struct error *e)
{
	X509_STORE *s = X509_STORE_new();

	if (!s || !allow_any_policy(X509_STORE_get0_param(s))) {
		X509_STORE_free(s);
		ERR_clear_error();
		error_nomem(e);
		return NULL;
	}
	X509_STORE_set_flags(s, X509_V_FLAG_PARTIAL_CHAIN |
				    X509_V_FLAG_POLICY_CHECK);
	X509_STORE_set_depth(s, JUDGE_PATH_MAX);
	X509_VERIFY_PARAM_set_auth_level(X509_STORE_get0_param(s), AUTH_LEVEL);
	X509_STORE_set_check_issued(s, follow_path);
	X509_STORE_set_verify_cb(s, on_fault);
	return s;
}

static void date_words(const struct judge_path *p, struct judge_fault *f)
{
	bool early = f->reason == JUDGE_NOT_YET_VALID;
	time_t t =
	    early ? p->certs[f->at]->not_before : p->certs[f->at]->not_after;
	struct tm tm;
	char date[64] = "";

	gmtime_r(&t, &tm);
	strftime(date, sizeof(date), "%Y-%m-%d at %H:%M UTC", &tm);
	snprintf(f->words, sizeof(f->words), "%s %s",
		 early ? "is not valid before" : "expired on", date);
}

/* 0, or -1 for errors that say nothing about the certificates. */
static int read_fault(const struct judge_path *p, const X509_STORE_CTX *ctx,
		      struct judge_fault *out, struct error *e)
{
	int code = X509_STORE_CTX_get_error(ctx);
	int depth = X509_STORE_CTX_get_error_depth(ctx);
	const char *words = X509_verify_cert_error_string(code);

	if (code == X509_V_ERR_OUT_OF_MEM)
		return error_nomem(e);
	if (code == X509_V_OK || code == X509_V_ERR_INVALID_CALL ||
	    code == X509_V_ERR_STORE_LOOKUP)
		return text_libcrypto_error(e, ERR_INTERNAL,
					    "certificate check");
	out->at = depth < 0 || (size_t)depth >= p->count ? 0 : (size_t)depth;
	out->reason = JUDGE_MALFORMED;
	for (size_t i = 0; i < sizeof(faults) / sizeof(*faults); i++)
		if (faults[i].code == code) {
			out->reason = faults[i].reason;
			words = faults[i].words;
		}
	if (words)
		snprintf(out->words, sizeof(out->words), "%s", words);
	else
		date_words(p, out);
	return 0;
}

static bool is_whole_path(const struct judge_path *p,
			  const STACK_OF(X509) * chain)
{
	if (!chain || (size_t)sk_X509_num(chain) != p->count)
		return false;
	for (size_t i = 0; i < p->count; i++)
		if (sk_X509_value(chain, (int)i) != p->certs[i]->x509)
			return false;
	return true;
}

static int run(X509_STORE_CTX *ctx, const struct judge_path *p,
	       struct judge_fault *out, struct error *e)
{
	X509_VERIFY_PARAM *param = X509_STORE_CTX_get0_param(ctx);

	X509_STORE_CTX_set_app_data(ctx, (void *)(uintptr_t)p);
	X509_VERIFY_PARAM_set_time(param, p->now);
	/* The common name of a client is no host, even if it looks like one. */
	if (p->role == JUDGE_CLIENT)
		X509_VERIFY_PARAM_set_hostflags(
		    param, X509_CHECK_FLAG_NEVER_CHECK_SUBJECT);
	if (X509_verify_cert(ctx) != 1)
		return read_fault(p, ctx, out, e);
	/* Checks of our own were made on this path and no other. */
	if (!is_whole_path(p, X509_STORE_CTX_get0_chain(ctx)))
		return error_set(e, ERR_INTERNAL,
				 "certificate check: another path was judged");
	return 1;
}

int judge_path_verify(X509_STORE *rules, const struct judge_path *p,
		      struct judge_fault *out, struct error *e)
{
	X509_STORE_CTX *ctx = X509_STORE_CTX_new();
	STACK_OF(X509) *between = sk_X509_new_null();
	STACK_OF(X509) *anchor = sk_X509_new_null();
	bool filled = ctx && between && anchor;
	int rc;

	for (size_t i = 1; filled && i + 1 < p->count; i++)
		filled = sk_X509_push(between, p->certs[i]->x509) > 0;
	if (!filled || !sk_X509_push(anchor, p->certs[p->count - 1]->x509) ||
	    !X509_STORE_CTX_init(ctx, rules, p->certs[0]->x509, between)) {
		rc = error_nomem(e);
	} else {
		X509_STORE_CTX_set0_trusted_stack(ctx, anchor);
		rc = run(ctx, p, out, e);
	}
	X509_STORE_CTX_free(ctx);
	sk_X509_free(between);
	sk_X509_free(anchor);
	ERR_clear_error();
	return rc;
}
