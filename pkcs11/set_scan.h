/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SB_PKCS11_SET_SCAN_H
#define SB_PKCS11_SET_SCAN_H

#include "pkcs11/internal.h"
#include "pkcs11/manifest.h"

/* What of the sets is in the token (and in the fallback) right now. */

/* Every object of ours has a label that begins so. */
#define SET_LABEL_PREFIX      "sealbridge "
#define MANIFEST_LABEL_PREFIX "sealbridge manifest "
#define MANIFEST_APPLICATION  "sealbridge"

enum { MANIFESTS_MAX = 256, CERTIFICATE_DER_MAX = 64 * 1024 };

/* A manifest and where it was found. */
struct kept_manifest {
	struct manifest m;
	CK_OBJECT_HANDLE handle; /* 0: in the fallback */
};

struct manifests {
	struct kept_manifest *list; /* newest first within a name */
	size_t count;
	CK_OBJECT_HANDLE *damaged; /* data objects that are no manifest */
	size_t damaged_count;
};

/* Of the set called name, or of all sets when NULL. */
int manifests_load(struct token *t, struct session *s, const char *name,
		   struct manifests *out, struct error *e) MUST_CHECK;
void manifests_free(struct manifests *l);

/* The certificates of the token with a label of ours. */
struct kept_certificate {
	uint8_t sha256[SHA256_SIZE];
	char label[TOKEN_LABEL_MAX];
	CK_OBJECT_HANDLE handle;
	size_t der_at, der_len; /* in certificates.der */
	bool listed;            /* for the collector */
};

struct certificates {
	struct kept_certificate *list; /* by sha256 */
	size_t count;
	struct buf der;
};

int certificates_load(struct session *s, struct certificates *out,
		      struct error *e) MUST_CHECK;
void certificates_free(struct certificates *c);
/* NULL: not there. */
struct kept_certificate *certificate_find(struct certificates *c,
					  const uint8_t sha256[SHA256_SIZE],
					  const char *label);
/* The first member that the token lacks, or NULL: the set is whole. */
const struct manifest_member *manifest_lacks(const struct manifest *m,
					     struct certificates *c);

#endif
