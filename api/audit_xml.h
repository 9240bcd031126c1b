/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SB_API_AUDIT_XML_H
#define SB_API_AUDIT_XML_H

#include <stdio.h>

#include "audit/audit.h"
#include "audit/audit_head.h"
#include "store/audit_rows.h"

/* The audit trail as an XML document that can be checked without the service,
 * its token or its database: auditlog.export writes it, sealbridgectl reads it.
 *
 *   <auditLog version="1" product="Sealbridge" hostName exported first last
 *             anchor keyId>
 *     <publicKey>PEM, or nothing</publicKey>
 *     <record index time format hash>
 *       <module/> <severity/> <userName/> <peer/> <via/> <event/>
 *       <field name>value</field> ...   in format 1: <detail/>
 *     </record>
 *     <head counter record hash first anchor time keyId signature/>
 *   </auditLog>
 *
 * Times are ISO 8601 in UTC, hashes and key identifiers hex, signatures base64.
 * A head stands behind the record that it names. Any thread. */

enum {
	AUDIT_XML_VERSION = 1,
	/* Limits of the reader. What this product writes stays far below. */
	AUDIT_XML_SPAN_MAX = 64 * 1024, /* bytes from one tag to the next */
	AUDIT_XML_FIELDS_MAX = 64,      /* of a record */
	AUDIT_XML_HOST_MAX = 255,       /* bytes */
	AUDIT_XML_KEY_MAX = 4096,       /* bytes of PEM */
};

/* What the document says of itself. */
struct audit_document {
	const char *host_name;
	int64_t exported;            /* seconds since 1970 */
	uint64_t first, last;        /* records in it; last < first: none */
	uint8_t anchor[SHA256_SIZE]; /* hash of the record before first */
	bool has_key;                /* else no head was ever signed */
	uint8_t key_id[SHA1_SIZE];   /* of the audit key */
	const char *public_key;      /* PEM; "" without a key */
};

/* Writing, piece by piece; ERR_LIMIT (out->max), ERR_NOMEM. What XML cannot
 * carry becomes U+FFFD, and a text that no record of ours can have is cut: such
 * a record is shown as changed when the document is verified. */
int audit_xml_begin(struct buf *out, const struct audit_document *d,
		    struct error *e) MUST_CHECK;
int audit_xml_record(struct buf *out, const struct audit_record *r,
		     struct error *e) MUST_CHECK;
int audit_xml_head(struct buf *out, const struct audit_head *h,
		   struct error *e) MUST_CHECK;
int audit_xml_end(struct buf *out, struct error *e) MUST_CHECK;

/* Who is told what was read, in the order of the document; -1 ends the reading
 * with that error. What is handed over lives as long as the call. */
struct audit_xml_events {
	int (*document)(void *arg, const struct audit_document *d,
			struct error *e);
	/* r->damaged: a text or field cannot have been written by us. */
	int (*record)(void *arg, const struct audit_row *r, struct error *e);
	int (*head)(void *arg, const struct audit_head *h, struct error *e);
	void *arg;
};

/* Read a document from a stream, of any length in the same memory. Taken is
 * UTF-8 and exactly what stands above; a DOCTYPE, comments, CDATA and
 * processing instructions are refused before libxml2 sees them. ERR_INPUT,
 * ERR_LIMIT: naming line and record; ERR_UNSUPPORTED: another version; ERR_IO,
 * ERR_NOMEM. */
int audit_xml_read(FILE *in, const struct audit_xml_events *events,
		   struct error *e) MUST_CHECK;

#endif
