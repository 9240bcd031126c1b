/* SPDX-License-Identifier: GPL-3.0-or-later */

/* Uploads of a trust store beside as many bare C_CreateObject calls on the same
 * token, in turns; and the upload of what is there already.
 *
 *	trust-stores MODULE TOKEN PIN-FILE STATE COUNT...
 *
 * One line of text a count. The token should be one of the bench's own. */

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <p11-kit/pkcs11.h>

#include "tests/lib/test_certs.h"
#include "trust/trust.h"

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void must(bool good, const char *what, const char *why)
{
	if (good)
		return;
	fprintf(stderr, "trust-stores: %s: %s\n", what, why);
	exit(1);
}

/* --- a bundle ------------------------------------------------------------- */

static char *make_bundle(unsigned count, unsigned *serial)
{
	char *text = NULL;
	size_t len = 0;
	FILE *f = open_memstream(&text, &len);

	for (unsigned i = 0; f && i < count; i++) {
		char subject[64], *pem;

		snprintf(subject, sizeof(subject), "/O=Bench/CN=CA %u",
			 ++*serial);
		pem = test_cert_pem(
		    &(struct test_cert_options){ .subject = subject,
						 .key = test_key("rsa2048", 0),
						 .ca = true });
		fputs(pem, f);
		free(pem);
	}
	must(f && fclose(f) == 0, "bundle", "no memory");
	return text;
}

/* --- bare calls ----------------------------------------------------------- */

static CK_FUNCTION_LIST *p11;
static CK_SESSION_HANDLE session;

/* The module is initialised and logged in by struct token, in this process. */
static void open_session(const char *module, const char *label)
{
	CK_C_GetFunctionList get_list;
	CK_SLOT_ID ids[32];
	CK_ULONG n = 32;
	void *handle = dlopen(module, RTLD_NOW | RTLD_LOCAL);

	must(handle != NULL, module, "cannot be loaded");
	*(void **)&get_list = dlsym(handle, "C_GetFunctionList");
	must(get_list && get_list(&p11) == CKR_OK &&
		 p11->C_GetSlotList(CK_TRUE, ids, &n) == CKR_OK,
	     module, "no PKCS#11 module");
	for (CK_ULONG i = 0; i < n && !session; i++) {
		CK_TOKEN_INFO info;

		if (p11->C_GetTokenInfo(ids[i], &info) == CKR_OK &&
		    !memcmp(info.label, label, strlen(label)))
			p11->C_OpenSession(ids[i],
					   CKF_SERIAL_SESSION | CKF_RW_SESSION,
					   NULL, NULL, &session);
	}
	must(session != 0, label, "no session");
}

static CK_ATTRIBUTE attribute(CK_ATTRIBUTE_TYPE type, struct view v)
{
	return (CK_ATTRIBUTE){ type, (void *)(uintptr_t)v.ptr, v.len };
}

static void create_bare(const struct cert *c, CK_OBJECT_HANDLE *out)
{
	CK_OBJECT_CLASS class = CKO_CERTIFICATE;
	CK_CERTIFICATE_TYPE type = CKC_X_509;
	CK_BBOOL yes = CK_TRUE, no = CK_FALSE;
	CK_ATTRIBUTE tmpl[] = {
		{ CKA_CLASS, &class, sizeof(class) },
		{ CKA_CERTIFICATE_TYPE, &type, sizeof(type) },
		{ CKA_TOKEN, &yes, sizeof(yes) },
		{ CKA_PRIVATE, &no, sizeof(no) },
		attribute(CKA_LABEL, view_str("bench")),
		attribute(CKA_ID, cert_key_identifier(c)),
		attribute(CKA_SUBJECT, cert_subject_der(c)),
		attribute(CKA_ISSUER, cert_issuer_der(c)),
		attribute(CKA_SERIAL_NUMBER, cert_serial_der(c)),
		attribute(CKA_VALUE, cert_der(c)),
	};

	must(p11->C_CreateObject(session, tmpl, 10, out) == CKR_OK,
	     "C_CreateObject", "failed");
}

static double bare(const struct cert_list *l)
{
	CK_OBJECT_HANDLE *made = calloc(l->count, sizeof(*made));
	double start = now(), seconds;

	must(made != NULL, "bare calls", "no memory");
	for (size_t i = 0; i < l->count; i++)
		create_bare(l->items[i], &made[i]);
	seconds = now() - start;
	for (size_t i = 0; i < l->count; i++)
		p11->C_DestroyObject(session, made[i]);
	free(made);
	return seconds;
}

/* --- the rounds ----------------------------------------------------------- */

static double upload(struct trust *t, const char *pem)
{
	struct error e = ERROR_INIT;
	double start = now();
	size_t n;

	must(trust_store_replace(t, TRUST_HTTPS, view_str(pem), &n, NULL, &e) ==
		 0,
	     "upload", e.text);
	return now() - start;
}

/* Bare before and after, so that a machine that slows down shows on both. */
static void measure(struct trust *t, unsigned count)
{
	static unsigned serial;
	char *pem = make_bundle(count, &serial);
	struct cert_list list;
	struct error e = ERROR_INIT;
	double first, whole, again, last;
	size_t n;

	must(cert_bundle_parse(view_str(pem), &list, &e) == 0, "bundle",
	     e.text);
	first = bare(&list);
	whole = upload(t, pem);
	again = upload(t, pem);
	must(trust_store_delete(t, TRUST_HTTPS, &n, &e) == 0, "delete", e.text);
	last = bare(&list);
	printf("%5u certificates: upload %7.2f s, bare calls %7.2f s and "
	       "%7.2f s, ratio %.2f; the same again %.3f s\n",
	       count, whole, first, last, 2 * whole / (first + last), again);
	cert_list_free(&list);
	free(pem);
}

int main(int argc, char **argv)
{
	struct token_options o = { .max_sessions = 4, .wait_ms = 5000 };
	struct trust_options to = { .factory_file = NULL };
	struct error e = ERROR_INIT;
	struct token *token;
	struct trust *t;
	char uri[128];

	setvbuf(stdout, NULL, _IOLBF, 0);
	if (argc < 6) {
		fprintf(stderr, "usage: trust-stores MODULE TOKEN PIN-FILE "
				"STATE COUNT...\n");
		return 2;
	}
	snprintf(uri, sizeof(uri), "pkcs11:token=%s", argv[2]);
	o.module = argv[1];
	o.uri = uri;
	o.pin_file = argv[3];
	o.state_directory = argv[4];
	token = token_new(&o, &e);
	must(token && token_start(token, &e) == 0, "token", e.text);
	open_session(argv[1], argv[2]);
	to.token = token;
	t = trust_new(&to, &e);
	must(t && trust_load(t, &e) == 0, "trust stores", e.text);
	for (int i = 5; i < argc; i++)
		measure(t, (unsigned)atoi(argv[i]));
	trust_free(t);
	token_free(token);
	return 0;
}
