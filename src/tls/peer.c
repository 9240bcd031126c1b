/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tls/internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <wolfssl/error-ssl.h>
#include <wolfssl/wolfcrypt/error-crypt.h>

/* The peer's certificate. wolfSSL hands over each certificate of the list, the
 * last one first; with the first call the whole list is there and is judged. It
 * holds no authorities of its own, so it finds fault with every one of them,
 * and the verifier's word overrides that. */

/* Debian's wolfSSL has room for nine certificates and loses its place in the
 * message behind the ninth: nine may be the beginning of more. */
enum { SENT_MAX = 8 };

enum {
	HANDSHAKE_FAILURE = 40,
	UNSUPPORTED_CERTIFICATE = 43,
	DECRYPT_ERROR_ALERT = 51
};

static const char no_proof[] =
    "the peer did not prove that it has the key of its certificate";

static void keep_refusal(struct tls_conn *c, const struct tls_verdict *v)
{
	if (c->refusal)
		return;
	error_set(&c->failure, ERR_TLS, "certificate of the peer refused: %s",
		  v->text);
	c->refusal = malloc(sizeof(*c->refusal));
	if (c->refusal)
		*c->refusal = *v;
	else
		error_nomem(&c->failure);
}

static void refuse(struct tls_conn *c, enum judge_reason reason, unsigned alert,
		   const char *text)
{
	struct tls_verdict v = { .alert = alert,
				 .reason = judge_reason_name(reason) };

	snprintf(v.text, sizeof(v.text), "%s", text);
	keep_refusal(c, &v);
}

static void keep_accepted(struct tls_conn *c, const struct tls_verdict *v)
{
	c->accepted = true;
	/* A server may be let in whatever it says: then nothing is known. */
	if (c->context->outgoing && !v->certificate.present)
		return;
	c->certificate = malloc(sizeof(*c->certificate));
	if (c->certificate)
		*c->certificate = v->certificate;
	else
		refuse(c, JUDGE_NOT_JUDGED,
		       judge_reason_alert(JUDGE_NOT_JUDGED), "out of memory");
}

static int list_sent(const WOLFSSL_X509_STORE_CTX *store, struct cert_list *out,
		     struct error *e)
{
	for (int i = 0; i < store->totalCerts; i++) {
		struct view der = { store->certs[i].buffer,
				    store->certs[i].length };
		struct cert *cert = cert_from_der(der, e);
		int rc;

		if (!cert)
			return error_prefix(e, "certificate %d", i + 1);
		rc = cert_list_add(out, cert, e);
		cert_unref(cert);
		if (rc < 0)
			return -1;
	}
	return 0;
}

static void judge_sent(struct tls_conn *c, const WOLFSSL_X509_STORE_CTX *store)
{
	const struct tls_verifier *v = &c->context->verifier;
	struct tls_verdict verdict = {
		.alert = judge_reason_alert(JUDGE_NOT_JUDGED),
		.reason = judge_reason_name(JUDGE_NOT_JUDGED),
	};
	struct error e = ERROR_INIT;
	struct cert_list sent = { 0 };

	if (store->totalCerts > SENT_MAX) {
		refuse(c, JUDGE_TOO_MANY, judge_reason_alert(JUDGE_TOO_MANY),
		       "more certificates than can be read were sent");
	} else if (list_sent(store, &sent, &e) < 0) {
		enum judge_reason r =
		    e.kind == ERR_NOMEM ? JUDGE_NOT_JUDGED : JUDGE_MALFORMED;

		refuse(c, r, judge_reason_alert(r), e.text);
	} else {
		v->verify(v->arg, &sent, c->host, &verdict);
		if (verdict.accepted)
			keep_accepted(c, &verdict);
		else
			keep_refusal(c, &verdict);
	}
	cert_list_free(&sent);
}

/* What wolfSSL may find wrong with a certificate that was accepted: that it
 * knows no issuer, the dates, which the verifier judges by its own clock, and
 * what it may be used for, which is the verifier's to say, too. Anything else
 * means that it could not use it, above all the key: then there would be
 * nothing to verify the peer's signature with. */
static bool is_overruled(int error)
{
	switch (error) {
	case X509_V_OK:
	case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
	case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
	case X509_V_ERR_ERROR_IN_CERT_NOT_BEFORE_FIELD:
	case X509_V_ERR_ERROR_IN_CERT_NOT_AFTER_FIELD:
	case KEYUSE_SIGNATURE_E:
	case EXTKEYUSE_AUTH_E: return true;
	default: return false;
	}
}

static void refuse_unusable(struct tls_conn *c, int native)
{
	char text[160];

	snprintf(text, sizeof(text), "TLS cannot use this certificate: %s",
		 wolfSSL_ERR_reason_error_string((unsigned long)(long)native));
	refuse(c, JUDGE_UNSUPPORTED_KEY, UNSUPPORTED_CERTIFICATE, text);
}

/* Non-zero: go on. */
static int on_verify(int ok, WOLFSSL_X509_STORE_CTX *store)
{
	struct tls_conn *c = store->userCtx;

	(void)ok;
	if (c->established) /* nobody asked for another one */
		return 0;
	if (!c->accepted && !c->refusal && c->failure.kind == ERR_NONE)
		judge_sent(c, store);
	if (!c->refusal && !is_overruled(store->error))
		refuse_unusable(c, store->error);
	c->muted = c->refusal != NULL;
	return c->accepted && !c->refusal && c->failure.kind == ERR_NONE;
}

void tls_peer_set_context(const struct tls_context *c)
{
	int mode = WOLFSSL_VERIFY_PEER;

	if (!c->verifier.verify) {
		wolfSSL_CTX_set_verify(c->ctx, WOLFSSL_VERIFY_NONE, NULL);
		return;
	}
	if (!c->outgoing)
		mode |= WOLFSSL_VERIFY_FAIL_IF_NO_PEER_CERT;
	wolfSSL_CTX_set_verify(c->ctx, mode, on_verify);
	/* TLS 1.2, too: not without a certificate. */
	if (!c->outgoing)
		(void)wolfSSL_CTX_mutual_auth(c->ctx, 1);
}

void tls_peer_set_conn(WOLFSSL *ssl, struct tls_conn *c)
{
	wolfSSL_SetCertCbCtx(ssl, c);
}

int tls_peer_complete(struct tls_conn *c)
{
	if (!c->context->verifier.verify ||
	    (c->accepted && !c->refusal && c->failure.kind == ERR_NONE))
		return 0;
	refuse(c, JUDGE_NOT_JUDGED, judge_reason_alert(JUDGE_NOT_JUDGED),
	       "no certificate was judged");
	return -1;
}

static const struct fault {
	int native;
	enum judge_reason reason;
	unsigned alert; /* 0: that of the reason */
	const char *text;
} faults[] = {
	{ NO_PEER_CERT, JUDGE_NOTHING_SENT, 0, "no certificate was sent" },
	{ MAX_CHAIN_ERROR, JUDGE_TOO_MANY, 0,
	  "more certificates than can be read were sent" },
	/* Of what follows our first flight only a list is ever that long. */
	{ HANDSHAKE_SIZE_ERROR, JUDGE_TOO_MANY, 0,
	  "more bytes of certificates than can be read were sent" },
	{ ASN_CRIT_EXT_E, JUDGE_CRITICAL_EXTENSION, 0,
	  "a certificate has a critical extension that TLS does not know" },
	{ SIG_VERIFY_E, JUDGE_BAD_SIGNATURE, DECRYPT_ERROR_ALERT, no_proof },
	{ VERIFY_CERT_ERROR, JUDGE_BAD_SIGNATURE, DECRYPT_ERROR_ALERT,
	  no_proof },
	{ NO_PEER_VERIFY, JUDGE_BAD_SIGNATURE, DECRYPT_ERROR_ALERT, no_proof },
};

/* wolfSSL sends decrypt_error for nothing else that a client signs or seals. */
static bool lacks_proof(const struct tls_conn *c)
{
	WOLFSSL_ALERT_HISTORY h;

	return c->accepted &&
	       wolfSSL_get_alert_history(c->ssl, &h) == WOLFSSL_SUCCESS &&
	       h.last_tx.level == alert_fatal &&
	       h.last_tx.code == DECRYPT_ERROR_ALERT;
}

static const struct fault *find_fault(const struct tls_conn *c, int native)
{
	static const struct fault malformed = {
		0, JUDGE_MALFORMED, 0, "a certificate cannot be read"
	};
	static const struct fault unproved = { 0, JUDGE_BAD_SIGNATURE,
					       DECRYPT_ERROR_ALERT, no_proof };

	for (size_t i = 0; i < sizeof(faults) / sizeof(*faults); i++)
		if (faults[i].native == native)
			return &faults[i];
	if (lacks_proof(c))
		return &unproved;
	/* What parsing a certificate reports. */
	return native <= ASN_PARSE_E && native >= ASN_CRIT_EXT_E ? &malformed
								 : NULL;
}

void tls_peer_note_failure(struct tls_conn *c, int native)
{
	const struct fault *f = find_fault(c, native);
	unsigned alert;

	if (!f || !c->context->verifier.verify || c->established ||
	    !c->out_any || c->failure.kind != ERR_NONE)
		return;
	alert = f->alert ? f->alert : judge_reason_alert(f->reason);
	if (f->native == NO_PEER_CERT &&
	    wolfSSL_GetVersion(c->ssl) != WOLFSSL_TLSV1_3)
		alert = HANDSHAKE_FAILURE;
	refuse(c, f->reason, alert, f->text);
}
