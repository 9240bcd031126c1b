/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SB_TLS_VERIFY_H
#define SB_TLS_VERIFY_H

#include "cert/judge.h"
#include "tls/client_certificate.h"

/* Who says whether the certificate of the other side will do. wolfSSL's own
 * check of chains is not used: the whole list that the peer sent goes to a
 * verifier, before the handshake is complete, and nothing but its word lets
 * the connection come about. */

struct tls_verdict {
	bool accepted;
	/* Of a refusal: what the peer is told (RFC 8446 6.2), a stable word as
	 * judge_reason_name() has them, and one line for people. */
	unsigned alert;
	const char *reason;
	char text[JUDGE_TEXT_SIZE];
	struct certificate_names names; /* of a client, as it says */
	/* Of an accepted client, and of a server that was verified. */
	struct client_certificate certificate;
};

/* A plain value. verify() is called on the thread of the handshake, from
 * several at once; it may block as a signature may. host: whom we meant to
 * reach; NULL when the peer is the one that called. *out is a refusal by an
 * internal error when it is called. release() (may be NULL) is called once,
 * when the last context and connection that could call verify() are gone. */
struct tls_verifier {
	void (*verify)(void *arg, const struct cert_list *sent,
		       const char *host, struct tls_verdict *out);
	void (*release)(void *arg);
	void *arg;
};

/* Clients whose certificate chains to a member of the store, by the judge, at
 * the time of the handshake. The store is a counted snapshot of which the
 * verifier has a reference of its own; NULL: it was not read yet, nobody is
 * trusted. */
struct tls_verifier tls_client_verifier(const struct judge_store *anchors);

/* The decision of it. Pure. */
void tls_verdict_of_client(const struct judge_store *anchors,
			   const struct cert_list *sent, time_t now,
			   struct tls_verdict *out);

/* Server certificate security (verification.serverCertificate): what a server
 * that we call must show. In the order of the setting's choices. */
enum tls_server_check {
	TLS_SERVER_ANY,   /* a certificate, whatever it says */
	TLS_SERVER_VERIFY /* one that chains to the store and names the host */
};

/* anchors NULL: the store was not read yet, nobody is trusted. */
struct tls_verifier tls_server_verifier(enum tls_server_check check,
					const struct judge_store *anchors);

/* The decision of it. Pure. host as judge_question has it; NULL fails. */
void tls_verdict_of_server(enum tls_server_check check,
			   const struct judge_store *anchors,
			   const struct cert_list *sent, const char *host,
			   time_t now, struct tls_verdict *out);

/* SIP peers (RFC 5922, interface of the three settings: cert/sip_identity.h),
 * in verify_sip.c. Callee: what a server that we call must show; with
 * TLS_SERVER_VERIFY a certificate that chains to the store and names the host
 * that was dialled. Caller: what one that calls us must show, a certificate
 * that chains to the store, whoever it names. anchors NULL: the store was not
 * read yet, nobody is trusted. */
struct tls_verifier tls_sip_callee_verifier(enum tls_server_check check,
					    const struct judge_store *anchors);
struct tls_verifier tls_sip_caller_verifier(const struct judge_store *anchors);

/* The decision of both. Pure. host: what was dialled; NULL: the peer called. */
void tls_verdict_of_sip_peer(const struct judge_store *anchors,
			     const struct cert_list *sent, const char *host,
			     time_t now, struct tls_verdict *out);

/* For those who write verifiers: what the judge says, with the names that the
 * leaf goes by, and the certificate when it is accepted. */
void tls_verdict_by_judge(const struct judge_question *q,
			  struct tls_verdict *out);
void certificate_names_of(const struct cert *c, struct certificate_names *out);
/* A refusal without the judge. */
void tls_verdict_refuse(enum judge_reason reason, const char *text,
			struct tls_verdict *out);

#endif
