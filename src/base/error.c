/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/error.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static const char *const kind_names[ERR_KIND_COUNT] = {
	[ERR_NONE] = "none",
	[ERR_INTERNAL] = "internal",
	[ERR_NOMEM] = "no-memory",
	[ERR_INPUT] = "input",
	[ERR_LIMIT] = "limit",
	[ERR_TIMEOUT] = "timeout",
	[ERR_IO] = "io",
	[ERR_FULL] = "full",
	[ERR_CONFIG] = "config",
	[ERR_NOT_FOUND] = "not-found",
	[ERR_EXISTS] = "exists",
	[ERR_CONFLICT] = "conflict",
	[ERR_UNSUPPORTED] = "unsupported",
	[ERR_CANCELLED] = "cancelled",
	[ERR_TOKEN] = "token",
	[ERR_TOKEN_PIN] = "token-pin",
	[ERR_TLS] = "tls",
	[ERR_CERTIFICATE] = "certificate",
	[ERR_KEY] = "key",
	[ERR_KEY_PASSWORD] = "key-password",
	[ERR_KEY_MISMATCH] = "key-mismatch",
	[ERR_KEY_UNSUPPORTED] = "key-unsupported",
	[ERR_AUTH] = "auth",
	[ERR_PRIVILEGE] = "privilege",
	[ERR_LOCK_OUT] = "lock-out",
	[ERR_NO_CHANGE] = "no-change",
	[ERR_NO_USER] = "no-user",
	[ERR_USER_EXISTS] = "user-exists",
	[ERR_PASSWORD_RULES] = "password-rules",
	[ERR_TRUST_EMPTY] = "trust-empty",
	[ERR_PORT_CONFLICT] = "port-conflict",
};

static int set(struct error *e, enum error_kind kind, long native,
	       const char *fmt, va_list ap)
{
	e->kind = kind;
	e->native = native;
	vsnprintf(e->text, sizeof(e->text), fmt, ap);
	return -1;
}

int error_set(struct error *e, enum error_kind kind, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	set(e, kind, 0, fmt, ap);
	va_end(ap);
	return -1;
}

int error_set_native(struct error *e, enum error_kind kind, long native,
		     const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	set(e, kind, native, fmt, ap);
	va_end(ap);
	return -1;
}

static enum error_kind kind_of_errno(int number)
{
	switch (number) {
	case ENOMEM: return ERR_NOMEM;
	case ENOSPC:
	case EDQUOT: return ERR_FULL;
	default: return ERR_IO;
	}
}

int error_errno(struct error *e, const char *fmt, ...)
{
	int saved = errno;
	char what[ERROR_TEXT_MAX / 2];
	const char *why = strerrordesc_np(saved);
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(what, sizeof(what), fmt, ap);
	va_end(ap);
	return error_set_native(e, kind_of_errno(saved), saved, "%s: %s", what,
				why ? why : "unknown error");
}

int error_nomem(struct error *e)
{
	return error_set(e, ERR_NOMEM, "out of memory");
}

int error_prefix(struct error *e, const char *fmt, ...)
{
	char old[ERROR_TEXT_MAX];
	va_list ap;
	size_t n;

	memcpy(old, e->text, sizeof(old));
	va_start(ap, fmt);
	vsnprintf(e->text, sizeof(e->text), fmt, ap);
	va_end(ap);
	n = strlen(e->text);
	snprintf(e->text + n, sizeof(e->text) - n, ": %s", old);
	return -1;
}

void error_clear(struct error *e)
{
	e->kind = ERR_NONE;
	e->native = 0;
	e->text[0] = '\0';
}

const char *error_kind_name(enum error_kind kind)
{
	if ((unsigned)kind >= ERR_KIND_COUNT || !kind_names[kind])
		return "unknown";
	return kind_names[kind];
}
