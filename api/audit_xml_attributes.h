/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SB_API_AUDIT_XML_ATTRIBUTES_H
#define SB_API_AUDIT_XML_ATTRIBUTES_H

#include "api/audit_xml.h"

/* The attributes of the elements of an exported audit trail. Pure. */

struct audit_xml_attribute {
	const char *name;
	struct view value;
};

/* What the attributes of the root element say. */
struct audit_xml_root {
	uint64_t version, first, last;
	char product[32], host_name[AUDIT_XML_HOST_MAX + 1];
	int64_t exported;
	uint8_t anchor[SHA256_SIZE];
	char key_id[2 * SHA1_SIZE + 1]; /* hex, or "" */
};

struct audit_xml_field {
	char name[AUDIT_XML_HOST_MAX + 1];
};

/* Each fills out from exactly the attributes that its element has. -1:
 * ERR_INPUT naming the attribute that is missing, unknown or wrong. */
int audit_xml_take_root(const struct audit_xml_attribute *list, size_t count,
			struct audit_xml_root *out, struct error *e) MUST_CHECK;
int audit_xml_take_record(const struct audit_xml_attribute *list, size_t count,
			  struct audit_row *out, struct error *e) MUST_CHECK;
int audit_xml_take_head(const struct audit_xml_attribute *list, size_t count,
			struct audit_head *out, struct error *e) MUST_CHECK;
int audit_xml_take_field(const struct audit_xml_attribute *list, size_t count,
			 struct audit_xml_field *out,
			 struct error *e) MUST_CHECK;
/* For elements that have none. */
int audit_xml_take_none(const struct audit_xml_attribute *list, size_t count,
			struct error *e) MUST_CHECK;

#endif
