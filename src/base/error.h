/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SB_BASE_ERROR_H
#define SB_BASE_ERROR_H

#include <stdarg.h>
#include <stddef.h>

/* How every floor reports failure.
 *
 * A function that can fail returns 0 or -1 (or an object or NULL) and fills a
 * caller-provided struct error, always its last parameter, never NULL. The
 * text is one line for a person; it never holds a secret. Whoever handles the
 * error logs it, nobody on the way up does: the floors in between only prepend
 * what they know with error_prefix(). Each protocol turns kinds into its own
 * answers in exactly one table (api/faults.c, src/web/http_status.c, ...). */

enum error_kind {
	ERR_NONE = 0,
	ERR_INTERNAL,        /* a defect or an unexpected library failure */
	ERR_NOMEM,           /* out of memory */
	ERR_INPUT,           /* the caller's data is wrong */
	ERR_LIMIT,           /* a named limit was reached */
	ERR_TIMEOUT,         /* a deadline passed */
	ERR_IO,              /* file, disk or socket failed; native = errno */
	ERR_FULL,            /* no room on the disk; native = errno, SQLite */
	ERR_CONFIG,          /* configuration file or setting */
	ERR_NOT_FOUND,       /* no such object */
	ERR_EXISTS,          /* such an object is there already */
	ERR_CONFLICT,        /* contradicts the present state */
	ERR_UNSUPPORTED,     /* understood, but cannot be done here */
	ERR_CANCELLED,       /* the service is stopping */
	ERR_TOKEN,           /* token unavailable; native = CK_RV */
	ERR_TOKEN_PIN,       /* token refused the PIN; native = CK_RV */
	ERR_TLS,             /* TLS failed; native = wolfSSL error */
	ERR_CERTIFICATE,     /* invalid certificate */
	ERR_KEY,             /* invalid private key */
	ERR_KEY_PASSWORD,    /* wrong private key password */
	ERR_KEY_MISMATCH,    /* private key does not match certificate */
	ERR_KEY_UNSUPPORTED, /* key type or size not supported */
	ERR_AUTH,            /* authorization failed */
	ERR_PRIVILEGE,       /* insufficient privileges */
	ERR_LOCK_OUT,        /* change would lock out the caller */
	ERR_NO_CHANGE,       /* no such trial change */
	ERR_NO_USER,         /* no such user */
	ERR_USER_EXISTS,     /* user exists */
	ERR_PASSWORD_RULES,  /* password does not meet the rules */
	ERR_TRUST_EMPTY,     /* trust store empty */
	ERR_PORT_CONFLICT,   /* port used by another service or program */
	ERR_KIND_COUNT
};

#define ERROR_TEXT_MAX 512

struct error {
	enum error_kind kind;
	long native; /* errno, CK_RV, wolfSSL or SQLite code; 0 = none */
	char text[ERROR_TEXT_MAX];
};

#define ERROR_INIT               \
	{                        \
		.kind = ERR_NONE \
	}
#define MUST_CHECK __attribute__((warn_unused_result))

/* Fill *e and return -1, so that callers write `return error_set(...)`.
 * Any thread. Texts longer than the buffer are cut. */
int error_set(struct error *e, enum error_kind kind, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
int error_set_native(struct error *e, enum error_kind kind, long native,
		     const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));

/* As error_set(ERR_IO) with strerror(errno) behind the text and errno as the
 * native cause. ENOMEM becomes ERR_NOMEM, ENOSPC and EDQUOT ERR_FULL. */
int error_errno(struct error *e, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* ERR_NOMEM with a fixed text. */
int error_nomem(struct error *e);

/* Put "prefix: " before the text that is there; kind and native stay.
 * Returns -1. */
int error_prefix(struct error *e, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

void error_clear(struct error *e);

/* Stable lower-case word of a kind for logs, e.g. "token". Never NULL. */
const char *error_kind_name(enum error_kind kind);

#endif
