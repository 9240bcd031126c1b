/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pkcs11/internal.h"

/* sealbridge-token-init: make a token with PINs that are read from files.
 *
 * softhsm2-util and pkcs11-tool take PINs from argv, the environment or a
 * terminal only; argv is everybody's to read. Used by
 * hsm-config/provision-token. A token with that label that has its user PIN
 * already is left alone, one that a kill left without it gets it, and one whose
 * token.object a kill has emptied gets its backup back.
 *
 * With --guard only that last: it mends and backs up what the account that runs
 * it can reach, for a token in a process and an account of its own, of which
 * the service sees nothing. */

enum { EXIT_USAGE = 2, SLOTS_MAX = 256, LABEL_SIZE = 32 };

struct options {
	const char *module, *label, *so_pin_file, *pin_file, *lock_file;
	const char *softhsm_conf, *state;
	bool guard_only;
};

static const char usage_text[] =
    "usage: sealbridge-token-init --module PATH --label LABEL\n"
    "           --so-pin-file FILE --pin-file FILE [--lock-file FILE]\n"
    "           [--softhsm-config FILE --state DIR]\n"
    "       sealbridge-token-init --guard --softhsm-config FILE --state DIR\n"
    "           [--lock-file FILE]\n";

static bool is_complete(const struct options *o)
{
	if (!o->softhsm_conf != !o->state)
		return false;
	if (o->guard_only)
		return o->softhsm_conf && !o->module && !o->label &&
		       !o->so_pin_file && !o->pin_file;
	return o->module && o->label && o->so_pin_file && o->pin_file &&
	       strlen(o->label) <= LABEL_SIZE;
}

static int parse(int argc, char **argv, struct options *o)
{
	static const struct option rows[] = {
		{ "module", required_argument, NULL, 'm' },
		{ "label", required_argument, NULL, 'l' },
		{ "so-pin-file", required_argument, NULL, 's' },
		{ "pin-file", required_argument, NULL, 'p' },
		{ "lock-file", required_argument, NULL, 'k' },
		{ "softhsm-config", required_argument, NULL, 'c' },
		{ "state", required_argument, NULL, 'd' },
		{ "guard", no_argument, NULL, 'g' },
		{ NULL, 0, NULL, 0 },
	};
	int c;

	while ((c = getopt_long(argc, argv, "", rows, NULL)) != -1)
		switch (c) {
		case 'm': o->module = optarg; break;
		case 'l': o->label = optarg; break;
		case 's': o->so_pin_file = optarg; break;
		case 'p': o->pin_file = optarg; break;
		case 'k': o->lock_file = optarg; break;
		case 'c': o->softhsm_conf = optarg; break;
		case 'd': o->state = optarg; break;
		case 'g': o->guard_only = true; break;
		default: return -1;
		}
	return optind == argc && is_complete(o) ? 0 : -1;
}

struct place {
	CK_SLOT_ID slot;
	bool found, initialized, has_pin;
};

static void look_at(struct connection *c, CK_SLOT_ID slot, const char *label,
		    struct place *out)
{
	char its[LABEL_SIZE + 1];
	CK_TOKEN_INFO info;
	bool initialized;

	if (CALL(c, C_GetTokenInfo, slot, &info) != CKR_OK)
		return;
	slot_text(info.label, sizeof(info.label), its);
	initialized = info.flags & CKF_TOKEN_INITIALIZED;
	if (initialized && strcmp(its, label) != 0)
		return;
	/* A token with the label goes before any empty one. */
	if (out->found && !initialized)
		return;
	*out = (struct place){ slot, true, initialized,
			       info.flags & CKF_USER_PIN_INITIALIZED };
}

/* The token with the label, else a slot for a new one. */
static int find_place(struct connection *c, const char *label,
		      struct place *out, struct error *e)
{
	CK_SLOT_ID slots[SLOTS_MAX];
	CK_ULONG n = SLOTS_MAX;
	CK_RV rv = CALL(c, C_GetSlotList, CK_TRUE, slots, &n);

	memset(out, 0, sizeof(*out));
	if (rv != CKR_OK)
		return rv_error(e, rv, "C_GetSlotList");
	for (CK_ULONG i = 0; i < n; i++)
		look_at(c, slots[i], label, out);
	return out->found
		   ? 0
		   : error_set(e, ERR_TOKEN, "no slot with an empty token");
}

static int init_token(struct connection *c, CK_SLOT_ID slot, const char *label,
		      const struct secret *so_pin, struct error *e)
{
	CK_UTF8CHAR padded[LABEL_SIZE];
	CK_RV rv;

	memset(padded, ' ', sizeof(padded));
	memcpy(padded, label, strlen(label));
	rv = CALL(c, C_InitToken, slot, so_pin->ptr, (CK_ULONG)so_pin->len,
		  padded);
	return rv == CKR_OK ? 0 : rv_error(e, rv, "C_InitToken");
}

static int init_pin(struct connection *c, CK_SLOT_ID slot,
		    const struct secret *so_pin, const struct secret *pin,
		    struct error *e)
{
	CK_SESSION_HANDLE h;
	CK_RV rv = CALL(c, C_OpenSession, slot,
			CKF_SERIAL_SESSION | CKF_RW_SESSION, NULL, NULL, &h);

	if (rv != CKR_OK)
		return rv_error(e, rv, "C_OpenSession");
	rv = CALL(c, C_Login, h, CKU_SO, so_pin->ptr, (CK_ULONG)so_pin->len);
	if (rv != CKR_OK)
		rv_error(e, rv, "C_Login with the SO PIN");
	else if ((rv = CALL(c, C_InitPIN, h, pin->ptr, (CK_ULONG)pin->len)) !=
		 CKR_OK)
		rv_error(e, rv, "C_InitPIN");
	CALL(c, C_CloseSession, h);
	return rv == CKR_OK ? 0 : -1;
}

static int make(struct connection *c, const struct options *o,
		const struct secret *so_pin, const struct secret *pin,
		struct error *e)
{
	struct place at;

	if (find_place(c, o->label, &at, e) < 0)
		return -1;
	if (at.initialized && at.has_pin) {
		printf("token %s is there already\n", o->label);
		return 0;
	}
	if (!at.initialized && init_token(c, at.slot, o->label, so_pin, e) < 0)
		return -1;
	if (init_pin(c, at.slot, so_pin, pin, e) < 0)
		return -1;
	printf("token %s made\n", o->label);
	return 0;
}

/* A new token beside a damaged one would hide what can perhaps still be mended,
 * and serving it would show an empty one. */
static int guard(const struct options *o, struct error *e)
{
	if (softhsm_guard_run(o->softhsm_conf, o->state) == 0)
		return 0;
	return error_set(e, ERR_TOKEN,
			 "a damaged token is there; restore its token.object "
			 "or remove its directory");
}

static int run_guard(const struct options *o, struct error *e)
{
	int fd = -1, rc;

	if (file_lock_take(o->lock_file, LOCK_WAIT_MS, &fd, e) < 0)
		return -1;
	rc = guard(o, e);
	file_lock_release(fd);
	return rc;
}

static int run(const struct options *o, struct error *e)
{
	struct secret so_pin = { 0 }, pin = { 0 };
	struct connection c = { .copy_fd = -1 };
	int fd = -1, rc = -1;

	if (secret_read_file(&so_pin, o->so_pin_file, PIN_MAX, e) < 0 ||
	    secret_read_file(&pin, o->pin_file, PIN_MAX, e) < 0 ||
	    file_lock_take(o->lock_file, LOCK_WAIT_MS, &fd, e) < 0)
		goto out;
	if (guard(o, e) < 0)
		goto out;
	if (module_load(&c, o->module, false, e) == 0 &&
	    module_initialize(&c, e) == 0)
		rc = make(&c, o, &so_pin, &pin, e);
	module_finalize(&c);
out:
	module_unload(&c);
	file_lock_release(fd);
	secret_free(&so_pin);
	secret_free(&pin);
	return rc;
}

int main(int argc, char **argv)
{
	struct options o = { .module = NULL };
	struct error e = ERROR_INIT;

	if (parse(argc, argv, &o) < 0) {
		fputs(usage_text, stderr);
		return EXIT_USAGE;
	}
	if ((o.guard_only ? run_guard(&o, &e) : run(&o, &e)) < 0) {
		fprintf(stderr, "sealbridge-token-init: %s\n", e.text);
		return EXIT_FAILURE;
	}
	return EXIT_SUCCESS;
}
