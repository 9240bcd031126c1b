/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SB_API_AUDIT_CERTIFICATE_H
#define SB_API_AUDIT_CERTIFICATE_H

#include "api/method.h"

/* Records of changes of the local certificate and of the trust stores: which
 * certificates came and which went. */

/* now: what was uploaded; former: what was stored before. Either may be NULL:
 * it is not known. */
void audit_certificate_uploaded(const struct call *c,
				const struct local_identity *now,
				const struct local_identity *former);
/* now is in service in place of former. */
void audit_certificate_activated(const struct call *c,
				 const struct local_identity *now,
				 const struct local_identity *former);
/* now is stored in place of the one that is gone. */
void audit_certificate_deleted(const struct call *c,
			       const struct local_identity *gone,
			       const struct local_identity *now);
/* A request for that subject, signed by the key of that id. */
void audit_request_created(const struct call *c, const char *key_id,
			   const struct subject_parts *subject,
			   const char *const *names, size_t count);

/* How much a text holds that names certificates or names. */
enum { AUDIT_LIST_SIZE = AUDIT_VALUE_MAX + 1 };

/* SHA-256 fingerprints of the members of `of` that are not in `without` (each
 * may be NULL), hex, as many as have room; then how many more there are. */
void audit_list_difference(const struct cert_list *of,
			   const struct cert_list *without,
			   char out[AUDIT_LIST_SIZE]);

#endif
