/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SB_CERT_JUDGE_H
#define SB_CERT_JUDGE_H

#include "cert/login_name.h"

/* The one judge of certificates: HTTPS clients, SIP peers, OCSP and feedback
 * servers, Call Home. A pure question: what was sent, whom we trust, for what,
 * when. No I/O, no clock, no state that lasts; any thread.
 *
 * Every path from the leaf to a member of the trust store is tried, whatever
 * the order of what was sent, until one passes (RFC 5280 6.1 by libcrypto, at
 * its security level 2). What it decides beyond that:
 *
 * - Any member of the store is an anchor, root or not: a path ends at the first
 *   one, and need not go on to a root. A leaf that is a member itself is
 *   trusted as it is (self-signed servers). Anchors are trusted, not exempt:
 *   their dates, usages, path length and name constraints count too.
 * - An authority must say that it is one (basicConstraints), except a
 *   self-signed version 1 anchor, and may sign certificates by its keyUsage,
 *   if it has one. The stricter form of libcrypto (X509_V_FLAG_X509_STRICT) is
 *   not used: it refuses authorities that common tools make.
 * - extendedKeyUsage, where present, must allow the role (or any use) in every
 *   certificate of the path. Of a SIP peer any of TLS servers, TLS clients and
 *   SIP domains (RFC 5924) will do, whoever calls: a SIP server is both ends of
 *   TLS in turn, and certificates for servers only are what most of them have,
 *   since public authorities issue no others. keyUsage of the leaf must allow
 * signing, which every handshake of TLS 1.3 and every ephemeral one of 1.2
 * needs.
 * - Signatures by MD5 or SHA-1 count nowhere but on the anchor's own
 *   self-signature, which nobody relies on. Keys: RSA of 2048 to 8192 bits,
 *   P-256, P-384, P-521, Ed25519, Ed448. */

enum {
	JUDGE_SENT_MAX = 16, /* certificates, leaf included */
	JUDGE_PATH_MAX = JUDGE_SENT_MAX + 1,
	JUDGE_TEXT_SIZE = 1024
};

/* A trust store made ready for questions: immutable, counted, found by name, so
 * that a thousand anchors cost a question no more than one. */
struct judge_store;

/* References are taken; duplicates are kept once; an empty list trusts nobody.
 * NULL: ERR_NOMEM, ERR_INTERNAL. */
struct judge_store *judge_store_new(const struct cert_list *anchors,
				    struct error *e) MUST_CHECK;
struct judge_store *judge_store_ref(const struct judge_store *s);
void judge_store_unref(struct judge_store *s); /* NULL is fine */
size_t judge_store_count(const struct judge_store *s);

/* What the peer is: the TLS client, the TLS server, or a SIP peer at either end
 * of TLS. */
enum judge_role { JUDGE_CLIENT, JUDGE_SERVER, JUDGE_SIP };

enum judge_reason {
	JUDGE_NOT_JUDGED, /* judge() failed */
	JUDGE_ACCEPTED,
	JUDGE_NOTHING_SENT,
	JUDGE_TOO_MANY,          /* more than JUDGE_SENT_MAX */
	JUDGE_TOO_COMPLEX,       /* the search for a path reached its limit */
	JUDGE_MALFORMED,         /* contents that RFC 5280 forbids */
	JUDGE_UNKNOWN_AUTHORITY, /* no way to a member of the store */
	JUDGE_BAD_SIGNATURE,
	JUDGE_NOT_YET_VALID,
	JUDGE_EXPIRED,
	JUDGE_NOT_AUTHORITY, /* issued one, but may not */
	JUDGE_PATH_LENGTH,
	JUDGE_NAME_CONSTRAINT,
	JUDGE_POLICY,
	JUDGE_CRITICAL_EXTENSION, /* one we do not know */
	JUDGE_WRONG_USE,          /* keyUsage, extendedKeyUsage */
	JUDGE_WEAK_SIGNATURE,
	JUDGE_WEAK_KEY,
	JUDGE_UNSUPPORTED_KEY,
	JUDGE_WRONG_HOST,
	JUDGE_REVOKED, /* never by this judge: for those who ask a responder */
	JUDGE_REASON_COUNT
};

/* Stable word for records, e.g. "unknownAuthority". Never NULL. */
const char *judge_reason_name(enum judge_reason r);
/* The TLS alert that fits (RFC 8446 6.2), e.g. 48 unknown_ca; 0 for accepted.
 * TLS 1.2 does not know 116 certificate_required: send handshake_failure. */
unsigned judge_reason_alert(enum judge_reason r);

struct judge_question {
	const struct judge_store *store;
	const struct cert_list *sent; /* the leaf first, the rest in any order*/
	enum judge_role role;
	/* NULL: not asked; by cert/sip_identity.h for a SIP peer, else by
	 * cert/host_identity.h */
	const char *host;
	time_t now;
};

struct judgement {
	bool accepted;
	enum judge_reason reason;
	/* One line for people, safe to show: the certificate by its number in
	 * path and its subject, and what is wrong with it. "" when accepted. */
	char text[JUDGE_TEXT_SIZE];
	/* The path, leaf first, anchor last; of a refusal as far as it got. */
	struct cert_list path;
	size_t at; /* of path: the one that the reason is about */
	/* Only for an accepted client: whom it may log in as. */
	struct login_name login;
};

/* 0: judged, *out says how (judgement_free() it in any case); -1: could not be
 * judged, which is no verdict and never an admission: ERR_INPUT (host is no
 * host), ERR_NOMEM, ERR_INTERNAL; accepted is false then, too. */
int judge(const struct judge_question *q, struct judgement *out,
	  struct error *e) MUST_CHECK;
void judgement_free(struct judgement *j);

#endif
