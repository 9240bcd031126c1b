/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SB_IDENTITY_IDENTITY_H
#define SB_IDENTITY_IDENTITY_H

#include "cert/bundle.h"
#include "cert/issue.h"
#include "cert/sip_own_names.h"
#include "pkcs11/keys.h"
#include "pkcs11/objects.h"

/* The one local certificate and its key, which lives in the token.
 *
 * The set "identity" of the token (pkcs11/objects.h) says what is stored:
 *   fact source        "default" or "custom"
 *   leaf, chain        the certificate and its issuers, in the order sent
 *   defaultleaf        the device's own certificate, while a custom one is
 *                      stored; its key stays in the token as well
 *   key                mentions of keys that this device has put into the
 *                      token: "made here" (imported, or with a certificate
 *                      before) goes once neither stored nor in service;
 *                      "waiting" (generated for a request) stays until a
 *                      certificate for it was uploaded and replaced, or it
 *                      is removed by itself.
 * A key that no mention names is somebody else's (pkcs11-tool) and never
 * removed. An upload mentions its key before it imports it, so that whatever an
 * interrupted upload leaves is known at the next load and removed. Only a key
 * generated in the very moment of a kill may stay behind unmentioned; it then
 * counts as one that waits, or becomes the device's own at a first start.
 *
 * Stored is what an upload or a deletion left in the token; in service is what
 * the wire presents. They part when something is uploaded (the page shows the
 * new one at once, the wire keeps the old one) and meet again by a restart or
 * by identity_activate(). All functions: any thread; changes are serialised
 * inside. Errors of token.h beside those named. */

struct identity;

enum identity_source { IDENTITY_DEFAULT, IDENTITY_CUSTOM };

/* "default", "custom": source of certificate.query. */
const char *identity_source_name(enum identity_source source);

/* An immutable counted snapshot. */
struct local_identity {
	enum identity_source source;
	struct cert_list chain; /* leaf first; what a handshake sends */
	/* NULL, never in service: somebody removed the key from the token */
	struct token_key *key;
};

struct local_identity *local_identity_ref(const struct local_identity *l);
void local_identity_unref(struct local_identity *l); /* NULL is fine */

/* A key that leaves service is removed from the token only so much later:
 * handshakes that have begun still sign with it. */
enum { IDENTITY_KEY_GRACE_MS = 30000 };

struct identity_options {
	struct token *token;
	const char *host_name;        /* CN and DNS name of the default one */
	const char *const *addresses; /* numeric, for its subjectAltName */
	size_t address_count;
	enum key_kind default_key; /* of the device's own key pair */
	unsigned key_grace_ms;     /* 0: IDENTITY_KEY_GRACE_MS */
	/* Told when the device has made its own key pair, while a change is
	 * under way: must not call a function of this header. May be NULL. */
	void (*key_made)(void *arg, const struct token_id *id,
			 enum key_kind kind);
	void *key_made_arg;
};

/* Strings are copied; the token must outlive the object. */
struct identity *identity_new(const struct identity_options *options,
			      struct error *e) MUST_CHECK;
void identity_free(struct identity *id);

/* Read the token and put what is stored in service. On the first start on this
 * token, make the device's own key pair and self-signed certificate (ten years,
 * label "sealbridge local key"). Called at start and again whenever the token
 * came back; what is in service already stays. A certificate that expired
 * meanwhile counts. When the custom key is no longer
 * in the token, the own pair is put in service; when the own key is not, a new
 * own pair is made. ERR_CONFLICT: somebody removed certificates of the set; an
 * upload or identity_delete() mends it. */
int identity_load(struct identity *id, struct error *e) MUST_CHECK;

/* A new reference to what is in service or stored; NULL before the first
 * successful load. */
struct local_identity *identity_in_service(struct identity *id);
struct local_identity *identity_stored(struct identity *id);
/* True when they differ: the header asks for a restart. */
bool identity_restart_required(struct identity *id);

/* Whoever presents the identity to peers. Called from the thread that makes the
 * change, with a borrowed identity; must not call a function of this header
 * that changes something. */
struct identity_presenter {
	/* Could it be presented? Asked before a change is stored, which is
	 * refused otherwise. May be NULL. */
	int (*check)(const struct local_identity *l, void *arg,
		     struct error *e);
	/* Present it from now on. On -1 it is not in service, and what was
	 * stays. */
	int (*present)(const struct local_identity *l, void *arg,
		       struct error *e);
	void *arg;
};

/* One presenter; set before use. */
void identity_set_presenter(struct identity *id,
			    const struct identity_presenter *presenter);

/* Whether SIP peers that verify whom they call would take the certificate in
 * service for this device (cert/sip_own_names.h). domain: the one that it is
 * known by, "" for none. False: no, and text says why; true also while nothing
 * is in service. */
bool identity_fits_sip(struct identity *id, const char *domain,
		       char text[SIP_OWN_NAMES_TEXT]);

enum identity_key_status {
	IDENTITY_KEY_MATCHES,
	IDENTITY_KEY_DIFFERS,
	IDENTITY_KEY_MISSING
};

/* "matches", "doesNotMatch", "missing": keyStatus of certificate.query. */
const char *identity_key_status_name(enum identity_key_status s);
/* Asks the token whether the key of l is there and signs for its leaf. */
int identity_key_status(struct identity *id, const struct local_identity *l,
			enum identity_key_status *out,
			struct error *e) MUST_CHECK;

enum { IDENTITY_WARNINGS_MAX = 8, IDENTITY_WARNING_TEXT = 256 };

/* What was mended or should be known about an accepted upload: order mended,
 * certificate dropped, not yet valid, expires soon, issuer's chain incomplete,
 * names that are not this host's, SHA-1 signature (MD5 is refused), ... Lines
 * of text; what does not fit is cut. */
struct identity_warnings {
	char text[IDENTITY_WARNINGS_MAX][IDENTITY_WARNING_TEXT];
	size_t count;
};

/* Replace the stored pair. private_key may be empty when the token already
 * holds the key of the leaf (generated here, or provisioned). Both are checked
 * whole before the token is touched. The device's own certificate can be
 * uploaded, too, and is the same as identity_delete(). ERR_CERTIFICATE (also
 * expired), ERR_KEY, ERR_KEY_PASSWORD, ERR_KEY_MISMATCH (also: no key uploaded
 * and none in the token), ERR_KEY_UNSUPPORTED, ERR_LIMIT: nothing changed.
 * Killed in between, the old or the new pair is there whole. */
int identity_upload(struct identity *id, struct view certificates,
		    struct view private_key, struct view password, time_t now,
		    struct identity_warnings *warnings,
		    struct error *e) MUST_CHECK;

/* What an upload would do, without the token being changed: the same errors
 * and warnings, the chain as it would be sent. One difference: a private key
 * that is neither given nor in the token is a warning here, so that a page can
 * show what a file holds before the key file is chosen. */
int identity_examine(struct identity *id, struct view certificates,
		     struct view private_key, struct view password, time_t now,
		     struct cert_chain *out, struct identity_warnings *warnings,
		     struct error *e) MUST_CHECK;

/* Put the stored pair in service now, after a trial signature. ERR_CONFLICT:
 * nothing waits; ERR_KEY_MISMATCH: the key is not there or does not sign. */
int identity_activate(struct identity *id, struct error *e) MUST_CHECK;

/* Back to the device's own pair (stored; in service after restart or
 * activation). The custom key is removed from the token once neither stored nor
 * in service, unless a provisioner made it. ERR_CONFLICT: it is stored already.
 */
int identity_delete(struct identity *id, struct error *e) MUST_CHECK;

/* A new key pair in the token for a request. ERR_LIMIT: 48 wait already. */
int identity_generate_key(struct identity *id, enum key_kind kind,
			  struct token_id *id_out, struct error *e) MUST_CHECK;

/* A request signed by that key of the token; remembered as pending until a
 * certificate for the key is uploaded. ERR_NOT_FOUND: no such key. */
int identity_create_request(struct identity *id, const struct token_id *key_id,
			    const struct subject_parts *subject,
			    const char *const *alt_names, size_t alt_name_count,
			    struct buf *pem_out, struct error *e) MUST_CHECK;

/* Keys of the token that wait for a certificate: neither stored nor in service
 * nor the device's own. At most cap; returned as struct token_key_info. */
int identity_pending_keys(struct identity *id, struct token_key_info *out,
			  size_t cap, size_t *count_out,
			  struct error *e) MUST_CHECK;

/* Remove a key that was made for a request and never used. ERR_NOT_FOUND: no
 * such key; ERR_CONFLICT: it belongs to a certificate that is stored or in
 * service, or is somebody else's. */
int identity_delete_key(struct identity *id, const struct token_id *key_id,
			struct error *e) MUST_CHECK;

#endif
