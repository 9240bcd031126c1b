/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "ctl/commands.h"

#include <stdio.h>
#include <string.h>

#include "ctl/print.h"

/* trust-store show, upload, delete, reset. The service knows the names of the
 * stores and says so when one is wrong. */

static const struct command_option no_options[] = { { 0 } };

static struct value *store_params(const char *store)
{
	struct value *params = value_new_struct();

	value_put_string(params, "trustStore", store);
	return params;
}

/* --- show ----------------------------------------------------------------- */

static const struct {
	const char *mark, *words;
} mark_words[] = {
	{ "expired", "expired" },
	{ "notYetValid", "not valid yet" },
	{ "weakKey", "weak key" },
	{ "weakSignature", "weak signature" },
	{ "notAuthority", "not an authority" },
};

static void show_marks(const struct value *marks)
{
	for (size_t i = 0; i < value_count(marks); i++) {
		const char *mark = value_string(value_item(marks, i));

		for (size_t k = 0; k < sizeof(mark_words) / sizeof(*mark_words);
		     k++)
			if (!strcmp(mark, mark_words[k].mark))
				printf(" (%s)", mark_words[k].words);
	}
}

static const char *name_text(const struct value *cert, const char *which)
{
	return value_string(value_member(value_member(cert, which), "text"));
}

static void show_member(size_t number, const struct value *cert)
{
	printf("%4zu  ", number);
	print_line(stdout, name_text(cert, "subject"));
	if (strcmp(name_text(cert, "subject"), name_text(cert, "issuer"))) {
		printf("\n      issued by ");
		print_line(stdout, name_text(cert, "issuer"));
	}
	printf("\n      ");
	print_line(stdout, value_string(value_member(cert, "keyType")));
	printf(", expires ");
	print_time(stdout, value_member(cert, "expires"));
	show_marks(value_member(cert, "marks"));
	printf("\n      SHA-256 ");
	print_line(stdout,
		   value_string(value_member(cert, "sha256Fingerprint")));
	putchar('\n');
}

static void show_store(const char *store, const struct value *result)
{
	const struct value *list = value_member(result, "certificates");
	const struct value *problem = value_member(result, "problem");
	const struct value *progress = value_member(result, "progress");

	printf("Trust store %s: %zu certificate%s (source: ", store,
	       value_count(list), value_count(list) == 1 ? "" : "s");
	print_line(stdout, value_string(value_member(result, "source")));
	puts(")");
	if (progress)
		printf("A change is under way: %d of %d certificates\n",
		       value_int(value_member(progress, "done")),
		       value_int(value_member(progress, "total")));
	if (problem) {
		printf("Not usable: ");
		print_line(stdout, value_string(problem));
		putchar('\n');
	}
	for (size_t i = 0; i < value_count(list); i++)
		show_member(i + 1, value_item(list, i));
}

static int run_show(struct ctl *c, int argc, char **argv)
{
	struct value *result;

	if (command_words(argc, argv, no_options, 1, 1) < 0)
		return CTL_USAGE;
	if (c->json)
		return command_call(c, "trustStore.query",
				    store_params(argv[0]));
	result = command_result(c, "trustStore.query", store_params(argv[0]));
	if (!result)
		return command_no_result(c);
	show_store(argv[0], result);
	value_free(result);
	return CTL_OK;
}

/* --- upload, delete, reset ------------------------------------------------ */

static int run_upload(struct ctl *c, int argc, char **argv)
{
	struct error e = ERROR_INIT;
	struct value *params;

	if (command_words(argc, argv, no_options, 2, 2) < 0)
		return CTL_USAGE;
	params = store_params(argv[0]);
	if (command_put_pem(params, "certificates", argv[1], &e) < 0) {
		value_free(params);
		return command_failed(&e);
	}
	return command_call(c, "trustStore.upload", params);
}

static int run_plain(struct ctl *c, int argc, char **argv, const char *method)
{
	if (command_words(argc, argv, no_options, 1, 1) < 0)
		return CTL_USAGE;
	return command_call(c, method, store_params(argv[0]));
}

static int run_delete(struct ctl *c, int argc, char **argv)
{
	return run_plain(c, argc, argv, "trustStore.delete");
}

static int run_reset(struct ctl *c, int argc, char **argv)
{
	return run_plain(c, argc, argv, "trustStore.reset");
}

const struct command trust_commands[] = {
	{ "trust-store show", "STORE",
	  "certificates of the store: https, sip or callHome", run_show },
	{ "trust-store upload", "STORE FILE",
	  "replace all of them by those of a PEM file", run_upload },
	{ "trust-store delete", "STORE", "leave the store empty", run_delete },
	{ "trust-store reset", "STORE",
	  "back to the factory content (callHome only)", run_reset },
	{ 0 }
};
