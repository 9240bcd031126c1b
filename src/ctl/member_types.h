/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SB_CTL_MEMBER_TYPES_H
#define SB_CTL_MEMBER_TYPES_H

#include "ctl/client.h"

/* The types that a method of the service declares for its parameters. */
struct member_types;

/* Asks system.methodSignature; NULL when the service does not tell. */
struct member_types *member_types_query(struct client *c, const char *method);
void member_types_free(struct member_types *t); /* NULL is fine */

/* An argument_type_fn; arg is a struct member_types or NULL. */
enum value_type member_types_find(void *arg, const char *path);

#endif
