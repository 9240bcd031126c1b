/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "ctl/commands.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "ctl/password.h"
#include "ctl/print.h"

enum { SECONDS_A_DAY = 86400, REQUEST_WORDS_MAX = 64 };

/* --- show ----------------------------------------------------------------- */

static void show(const char *label, const struct value *v)
{
	if (!v)
		return;
	printf("  %-18s ", label);
	if (value_is(v, VALUE_TIME))
		print_time(stdout, v);
	else
		print_line(stdout, value_string(v));
	putchar('\n');
}

static void show_expiry(const struct value *v)
{
	long days =
	    (long)((value_time(v) - clock_now()) / (time_t)SECONDS_A_DAY);

	if (!v)
		return;
	printf("  %-18s ", "Expires:");
	print_time(stdout, v);
	if (value_time(v) < clock_now())
		puts(" (expired)");
	else
		printf(" (%ld days left)\n", days);
}

static void show_names(const struct value *names)
{
	for (size_t i = 0; i < value_count(names); i++)
		show(i ? "" : "Alternative names:", value_item(names, i));
}

static void show_certificate(const char *title, const struct value *cert)
{
	const struct value *subject = value_member(cert, "subject");
	const struct value *issuer = value_member(cert, "issuer");

	printf("%s\n", title);
	show("Subject:", value_member(subject, "text"));
	show("Issuer:", value_member(issuer, "text"));
	show("Issued:", value_member(cert, "issued"));
	show_expiry(value_member(cert, "expires"));
	show_names(value_member(cert, "subjectAltNames"));
	show("Key:", value_member(cert, "keyType"));
	show("Private key:", value_member(cert, "keyStatus"));
	show("Key problem:", value_member(cert, "keyProblem"));
	show("Source:", value_member(cert, "source"));
	show("Serial number:", value_member(cert, "serialNumber"));
	show("SHA-256:", value_member(cert, "sha256Fingerprint"));
}

static const char *fingerprint(const struct value *cert)
{
	return value_string(value_member(cert, "sha256Fingerprint"));
}

static void show_all(const struct value *result)
{
	const struct value *local = value_member(result, "local");
	const struct value *active = value_member(result, "active");
	const struct value *pending = value_member(result, "pendingRequests");

	show_certificate("Local certificate", local);
	if (value_count(active) &&
	    strcmp(fingerprint(active), fingerprint(local)))
		show_certificate("In service until restart or activation",
				 active);
	if (value_boolean(value_member(result, "restartRequired")))
		puts("Restart required: \"sealbridgectl certificate "
		     "activate\" puts the local certificate in service now.");
	show("Keys not listed:", value_member(result, "pendingProblem"));
	if (value_count(pending)) {
		puts("Keys that wait for a certificate");
		print_text(stdout, pending);
	}
}

static int run_show(struct ctl *c, int argc, char **argv)
{
	static const struct command_option none[] = { { 0 } };
	struct value *result;

	if (command_words(argc, argv, none, 0, 0) < 0)
		return CTL_USAGE;
	if (c->json)
		return command_call(c, "certificate.query", NULL);
	result = command_result(c, "certificate.query", NULL);
	if (!result)
		return command_no_result(c);
	show_all(result);
	value_free(result);
	return CTL_OK;
}

/* --- upload --------------------------------------------------------------- */

static int put_file(struct value *params, const char *member, const char *path,
		    bool *encrypted, struct error *e)
{
	if (command_put_pem(params, member, path, e) < 0)
		return -1;
	*encrypted = strstr(value_string(value_member(params, member)),
			    "ENCRYPTED") != NULL;
	return 0;
}

static int put_password(struct value *params, const char *file, struct error *e)
{
	struct secret password = { 0 };

	if (password_get(file, "Private key encryption password", false,
			 &password, e) < 0)
		return -1;
	value_put_string(params, "privateKeyPassword",
			 (const char *)password.ptr);
	secret_free(&password);
	return 0;
}

static int run_upload(struct ctl *c, int argc, char **argv)
{
	const char *password_file = NULL;
	const struct command_option options[] = {
		{ "password-file", &password_file }, { 0 }
	};
	struct value *params;
	struct error e = ERROR_INIT;
	bool encrypted = false;
	int words = command_words(argc, argv, options, 1, 2);

	if (words < 0)
		return CTL_USAGE;
	params = value_new_struct();
	if (put_file(params, "certificate", argv[0], &encrypted, &e) < 0)
		goto failed;
	encrypted = false;
	if (words == 2 &&
	    put_file(params, "privateKey", argv[1], &encrypted, &e) < 0)
		goto failed;
	if ((password_file || encrypted) &&
	    put_password(params, password_file, &e) < 0)
		goto failed;
	return command_call(c, "certificate.upload", params);
failed:
	value_free(params);
	return command_failed(&e);
}

/* --- keys and requests ---------------------------------------------------- */

/* Print one string of the reply by itself, so that a script can take it. */
static int call_for(struct ctl *c, const char *method, struct value *params,
		    const char *member)
{
	struct value *result;

	if (c->json)
		return command_call(c, method, params);
	result = command_result(c, method, params);
	if (!result)
		return command_no_result(c);
	for (const char *s = value_string(value_member(result, member)); *s;
	     s++)
		putchar(*s);
	if (!strchr(value_string(value_member(result, member)), '\n'))
		putchar('\n');
	value_free(result);
	return CTL_OK;
}

static int run_generate(struct ctl *c, int argc, char **argv)
{
	static const struct command_option none[] = { { 0 } };
	struct value *params;
	int words = command_words(argc, argv, none, 0, 1);

	if (words < 0)
		return CTL_USAGE;
	params = value_new_struct();
	value_put_string(params, "keyType", words ? argv[0] : "ecP256");
	return call_for(c, "certificate.generateKey", params, "keyId");
}

/* "cn=host" is a part of the subject, "DNS:host" an alternative name. */
static int put_request_word(struct value *subject, struct value *names,
			    const char *word)
{
	static const char *const parts[] = { "c", "st", "l", "o", "ou", "cn" };
	size_t len = strcspn(word, "=:");

	if (word[len] == ':') {
		value_add_string(names, word);
		return 0;
	}
	for (size_t i = 0; i < sizeof(parts) / sizeof(*parts); i++)
		if (word[len] == '=' && strlen(parts[i]) == len &&
		    !strncmp(word, parts[i], len) &&
		    !value_member(subject, parts[i])) {
			value_put_string(subject, parts[i], word + len + 1);
			return 0;
		}
	fprintf(stderr,
		"sealbridgectl: %s: neither c= st= l= o= ou= cn= (each once) "
		"nor DNS: IP: URI:\n",
		word);
	return -1;
}

static int run_request(struct ctl *c, int argc, char **argv)
{
	static const struct command_option none[] = { { 0 } };
	struct value *params, *subject, *names;
	int words = command_words(argc, argv, none, 2, REQUEST_WORDS_MAX);

	if (words < 0)
		return CTL_USAGE;
	params = value_new_struct();
	value_put_string(params, "keyId", argv[0]);
	subject = value_put_struct(params, "subject");
	names = value_put_array(params, "subjectAltNames");
	for (int i = 1; i < words; i++)
		if (put_request_word(subject, names, argv[i]) < 0) {
			value_free(params);
			return CTL_USAGE;
		}
	return call_for(c, "certificate.createRequest", params, "request");
}

/* --- activate, delete ----------------------------------------------------- */

static int run_plain(struct ctl *c, int argc, char **argv, const char *method)
{
	static const struct command_option none[] = { { 0 } };

	if (command_words(argc, argv, none, 0, 0) < 0)
		return CTL_USAGE;
	return command_call(c, method, NULL);
}

static int run_activate(struct ctl *c, int argc, char **argv)
{
	return run_plain(c, argc, argv, "certificate.activate");
}

static int run_delete(struct ctl *c, int argc, char **argv)
{
	return run_plain(c, argc, argv, "certificate.delete");
}

static int run_delete_key(struct ctl *c, int argc, char **argv)
{
	static const struct command_option none[] = { { 0 } };
	struct value *params;

	if (command_words(argc, argv, none, 1, 1) < 0)
		return CTL_USAGE;
	params = value_new_struct();
	value_put_string(params, "keyId", argv[0]);
	return command_call(c, "certificate.deleteKey", params);
}

const struct command certificate_commands[] = {
	{ "certificate show", "", "the local certificate and its key",
	  run_show },
	{ "certificate upload", "CERTIFICATE [KEY] [--password-file FILE]",
	  "replace it by PEM files; in service after restart or activation",
	  run_upload },
	{ "certificate generate", "[KIND]",
	  "make a key pair in the token (ecP256), print its id", run_generate },
	{ "certificate request", "KEY-ID cn=NAME [o=...] [DNS:...] [IP:...]",
	  "print a signing request made with that key", run_request },
	{ "certificate delete-key", "KEY-ID",
	  "remove a key that was made for a request and never used",
	  run_delete_key },
	{ "certificate activate", "", "put the uploaded one in service now",
	  run_activate },
	{ "certificate delete", "", "back to the device's own certificate",
	  run_delete },
	{ 0 }
};
