/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tls/internal.h"

#include <stdlib.h>

enum { CHAIN_PEM_MAX = 256 * 1024 };

/* Which versions this key can serve with what its token can sign. TLS 1.3 knows
 * RSA by PSS only (RFC 8446 4.2.3). In TLS 1.2 wolfSSL follows the client's
 * order between PKCS1 and PSS and cannot be told otherwise: a token without
 * PKCS1 is of no use there, one without PSS fails those clients that put PSS
 * behind PKCS1 (it takes the last of equal hashes; OpenSSL, NSS and Chromium
 * put PSS first, GnuTLS does not). */
struct versions {
	bool tls12, tls13;
};

static int choose_versions(struct token_key *key, enum tls_version minimum,
			   struct versions *out, struct error *e)
{
	bool rsa = token_key_public(key)->type == KEY_RSA;

	out->tls12 = token_key_can(key, rsa ? SIGN_RSA_PKCS1 : SIGN_ECDSA) &&
		     minimum == TLS_1_2;
	out->tls13 = token_key_can(key, rsa ? SIGN_RSA_PSS : SIGN_ECDSA);
	if (!out->tls12 && !out->tls13)
		return error_set(e, ERR_TLS,
				 "the token cannot sign what %s needs",
				 minimum == TLS_1_3 ? "TLS 1.3" : "TLS");
	return 0;
}

static int refused(const char *what, int native, struct error *e)
{
	return error_set_native(e, ERR_TLS, native, "wolfSSL refuses the %s",
				what);
}

static int set_protocol(WOLFSSL_CTX *ctx, const char *suites, struct versions v,
			struct error *e)
{
	int rc;

	rc = wolfSSL_CTX_SetMinVersion(ctx, v.tls12 ? WOLFSSL_TLSV1_2
						    : WOLFSSL_TLSV1_3);
	if (rc != WOLFSSL_SUCCESS)
		return refused("minimum version", rc, e);
	wolfSSL_CTX_set_options(ctx, WOLFSSL_OP_NO_COMPRESSION |
					 (v.tls13 ? 0 : WOLFSSL_OP_NO_TLSv1_3));
	rc = wolfSSL_CTX_set_cipher_list(ctx, suites);
	if (rc != WOLFSSL_SUCCESS)
		return refused("cipher suites", rc, e);
	rc = wolfSSL_CTX_set1_curves_list(ctx, "X25519:P-256:P-384");
	if (rc != WOLFSSL_SUCCESS)
		return refused("key exchange groups", rc, e);
	return 0;
}

static int set_chain(WOLFSSL_CTX *ctx, const struct cert_list *chain,
		     struct error *e)
{
	struct buf pem;
	int rc = -1;

	buf_init(&pem, CHAIN_PEM_MAX);
	for (size_t i = 0; i < chain->count; i++)
		if (cert_to_pem(chain->items[i], &pem, e) < 0)
			goto out;
	rc = wolfSSL_CTX_use_certificate_chain_buffer(ctx, pem.ptr,
						      (long)pem.len);
	rc = rc == WOLFSSL_SUCCESS ? 0 : refused("certificate chain", rc, e);
out:
	buf_free(&pem);
	return rc;
}

/* The public half stands where wolfSSL wants a private key: it tells it the
 * kind and size of the signatures and lets it check each RSA one. */
static int set_key(WOLFSSL_CTX *ctx, const struct public_key *pub,
		   struct error *e)
{
	int rc;

	/* First, or wolfSSL would insist on a private key. */
	tls_sign_set_context(ctx);
	rc = wolfSSL_CTX_use_PrivateKey_buffer(
	    ctx, pub->spki, (long)pub->spki_len, WOLFSSL_FILETYPE_ASN1);
	return rc == WOLFSSL_SUCCESS ? 0 : refused("public key", rc, e);
}

static void verifier_release(const struct tls_verifier *v)
{
	if (v->release)
		v->release(v->arg);
}

/* A context with nothing but what its caller handed over. */
static struct tls_context *context_new(const struct local_identity *identity,
				       const struct tls_verifier *verifier,
				       struct error *e)
{
	struct tls_context *c = calloc(1, sizeof(*c));

	if (!c) {
		if (verifier)
			verifier_release(verifier);
		error_nomem(e);
		return NULL;
	}
	c->refs = 1;
	if (verifier)
		c->verifier = *verifier;
	if (identity)
		c->identity = local_identity_ref(identity);
	return c;
}

/* What both kinds have in common. */
static int configure(struct tls_context *c, WOLFSSL_METHOD *method,
		     const char *suites, struct versions v, struct error *e)
{
	const struct local_identity *l = c->identity;

	c->ctx = wolfSSL_CTX_new(method);
	if (!c->ctx)
		return error_nomem(e);
	if (set_protocol(c->ctx, suites, v, e) < 0)
		return -1;
	if (l && (set_chain(c->ctx, &l->chain, e) < 0 ||
		  set_key(c->ctx, token_key_public(l->key), e) < 0))
		return -1;
	wolfSSL_CTX_set_session_cache_mode(c->ctx, WOLFSSL_SESS_CACHE_OFF);
	tls_peer_set_context(c);
	tls_conn_set_context(c->ctx);
	return 0;
}

static int configure_server(struct tls_context *c,
			    const struct tls_server_options *options,
			    struct error *e)
{
	struct token_key *key = c->identity->key;
	struct versions v;

	if (choose_versions(key, options->minimum, &v, e) < 0 ||
	    configure(
		c, wolfSSLv23_server_method(),
		tls_suite_list(token_key_public(key)->type, v.tls12, v.tls13),
		v, e) < 0)
		return -1;
	tls_tickets_set_context(c->ctx,
				c->verifier.verify ? NULL : options->tickets,
				options->ticket_lifetime_s);
	return 0;
}

struct tls_context *tls_server_new(const struct tls_server_options *options,
				   struct error *e)
{
	struct tls_context *c =
	    context_new(options->identity, options->verifier, e);

	if (c && configure_server(c, options, e) < 0) {
		error_prefix(e, "TLS server");
		tls_context_unref(c);
		return NULL;
	}
	return c;
}

static int configure_client(struct tls_context *c, enum tls_version minimum,
			    struct error *e)
{
	struct versions v = { minimum == TLS_1_2, true };

	c->outgoing = true;
	if (c->identity &&
	    choose_versions(c->identity->key, minimum, &v, e) < 0)
		return -1;
	return configure(c, wolfSSLv23_client_method(),
			 tls_suite_list_client(v.tls12, v.tls13), v, e);
}

struct tls_context *tls_client_new(const struct tls_client_options *options,
				   struct error *e)
{
	struct tls_context *c =
	    context_new(options->identity, options->verifier, e);

	if (c && configure_client(c, options->minimum, e) < 0) {
		error_prefix(e, "TLS client");
		tls_context_unref(c);
		return NULL;
	}
	return c;
}

struct tls_context *tls_context_ref(struct tls_context *c)
{
	__atomic_add_fetch(&c->refs, 1, __ATOMIC_RELAXED);
	return c;
}

void tls_context_unref(struct tls_context *c)
{
	if (!c || __atomic_sub_fetch(&c->refs, 1, __ATOMIC_ACQ_REL) > 0)
		return;
	wolfSSL_CTX_free(c->ctx);
	verifier_release(&c->verifier);
	if (c->identity)
		local_identity_unref(c->identity);
	free(c);
}

const char *tls_version_name(enum tls_version v)
{
	return v == TLS_1_3 ? "TLSv1.3" : "TLSv1.2";
}
