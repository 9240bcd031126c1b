/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "ctl/arguments.h"
#include "ctl/client.h"
#include "ctl/commands.h"
#include "ctl/password.h"
#include "ctl/print.h"
#include "tests/lib/unit.h"

enum { ARGS_MAX = 8 };

/* What a method of the tests declares. */
static enum value_type declared(void *arg, const char *path)
{
	static const struct {
		const char *path;
		enum value_type type;
	} rows[] = {
		{ "count", VALUE_INT },
		{ "force", VALUE_BOOLEAN },
		{ "text", VALUE_STRING },
		{ "data", VALUE_BASE64 },
		{ "when", VALUE_TIME },
		{ "share", VALUE_DOUBLE },
		{ "list", VALUE_ARRAY },
		{ "subject", VALUE_STRUCT },
		{ "ports[].port", VALUE_STRING },
		{ "ports[].number", VALUE_INT },
	};

	(void)arg;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		if (!strcmp(rows[i].path, path))
			return rows[i].type;
	return VALUE_TYPE_COUNT;
}

static struct value *parse(const char *const args[ARGS_MAX], struct error *e)
{
	char *words[ARGS_MAX];
	size_t n = 0;

	while (n < ARGS_MAX && args[n]) {
		words[n] = strdup(args[n]);
		n++;
	}
	struct value *v = arguments_to_struct(words, n, declared, NULL, e);

	while (n > 0)
		free(words[--n]);
	return v;
}

/* JSON without line ends and indentation; the caller frees. */
static char *flat_json(const struct value *v)
{
	char *text = NULL, *from, *to;
	bool quoted = false;
	size_t size;
	FILE *f = open_memstream(&text, &size);

	print_json(f, v);
	fclose(f);
	for (from = to = text; *from; from++) {
		if (*from == '"' && (from == text || from[-1] != '\\'))
			quoted = !quoted;
		if (quoted || (*from != ' ' && *from != '\n'))
			*to++ = *from;
	}
	*to = '\0';
	return text;
}

static void test_arguments(void)
{
	static const struct {
		const char *args[ARGS_MAX];
		const char *json;
	} rows[] = {
		{ { NULL }, "{}" },
		{ { "a=b", "c=d=e" }, "{\"a\":\"b\",\"c\":\"d=e\"}" },
		{ { "a=" }, "{\"a\":\"\"}" },
		{ { "count=-12" }, "{\"count\":-12}" },
		{ { "other=12" }, "{\"other\":\"12\"}" },
		{ { "other:int=12" }, "{\"other\":12}" },
		{ { "count:string=12" }, "{\"count\":\"12\"}" },
		{ { "force=yes" }, "{\"force\":true}" },
		{ { "force=0" }, "{\"force\":false}" },
		{ { "share=0.5" }, "{\"share\":0.5}" },
		{ { "data=abc" }, "{\"data\":\"YWJj\"}" },
		{ { "when=20261121T09:15:00" },
		  "{\"when\":\"2026-11-21T09:15:00Z\"}" },
		{ { "when=2026-11-21T09:15:00Z" },
		  "{\"when\":\"2026-11-21T09:15:00Z\"}" },
		{ { "subject.cn=h", "x=y", "subject.o=p q" },
		  "{\"subject\":{\"cn\":\"h\",\"o\":\"p q\"},\"x\":\"y\"}" },
		{ { "list[]=a", "list[]=b" }, "{\"list\":[\"a\",\"b\"]}" },
		{ { "ports[0].port=A", "ports[0].number=5", "ports[1].port=B" },
		  "{\"ports\":[{\"port\":\"A\",\"number\":5},{\"port\":\"B\"}]"
		  "}" },
		{ { "a=@@x" }, "{\"a\":\"@x\"}" },
		{ { "a.b.c=1" }, "{\"a\":{\"b\":{\"c\":\"1\"}}}" },
		{ { "a[][]=1" }, "{\"a\":[[\"1\"]]}" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct error e = ERROR_INIT;
		struct value *v = parse(rows[i].args, &e);
		char *json;

		CHECK_OBJECT(v, &e);
		json = flat_json(v);
		if (strcmp(json, rows[i].json))
			unit_note("row %zu: %s", i, json);
		CU_ASSERT_STRING_EQUAL(json, rows[i].json);
		free(json);
		value_free(v);
	}
}

static void test_arguments_refused(void)
{
	static const struct {
		const char *args[ARGS_MAX];
		const char *words;
	} rows[] = {
		{ { "a" }, "a: has no =" },
		{ { "=b" }, "name is missing" },
		{ { "a..b=c" }, "name is missing" },
		{ { "a.=c" }, "name is missing" },
		{ { "a[=c" }, "number in brackets" },
		{ { "a[x]=c" }, "number in brackets" },
		{ { "a[1]=c" }, "elements before this one" },
		{ { "a=b", "a=c" }, "a: is given twice" },
		{ { "a.b=1", "a=2" }, "a: is given twice" },
		{ { "a=2", "a.b=1" }, "a struct and as something else" },
		{ { "a=2", "a[]=1" }, "an array and as something else" },
		{ { "a.b=2", "a[]=1" }, "an array and as something else" },
		{ { "a[]=2", "a.b=1" }, "a struct and as something else" },
		{ { "count=" }, "count: not an integer" },
		{ { "count=1x" }, "not an integer" },
		{ { "count=2147483648" }, "not an integer" },
		{ { "force=maybe" }, "not a boolean" },
		{ { "share=inf" }, "not a number" },
		{ { "when=yesterday" }, "not a time" },
		{ { "list=a" }, "name[]=" },
		{ { "subject=a" }, "name.member=" },
		{ { "a:integer=1" }, "unknown type" },
		{ { "a:struct=1" }, "unknown type" },
		{ { "a.b.c.d.e.f.g.h.i=1" }, "too deep" },
		{ { "a[][][][][][][][]=1" }, "too deep" },
		{ { "a=@/nowhere/file" }, "/nowhere/file" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct error e = ERROR_INIT;
		struct value *v = parse(rows[i].args, &e);

		if (v || !strstr(e.text, rows[i].words))
			unit_note("row %zu: %s", i, e.text);
		CU_ASSERT_PTR_NULL(v);
		value_free(v);
		CU_ASSERT_PTR_NOT_NULL(strstr(e.text, rows[i].words));
	}
}

static void test_arguments_keep_secrets(void)
{
	static const char *const args[ARGS_MAX] = { "count=hunter2" };
	struct error e = ERROR_INIT;

	CU_ASSERT_PTR_NULL(parse(args, &e));
	CU_ASSERT_PTR_NULL(strstr(e.text, "hunter2"));
}

static void write_file(const char *path, const void *bytes, size_t n)
{
	FILE *f = fopen(path, "wbe");

	CU_ASSERT_PTR_NOT_NULL_FATAL(f);
	CU_ASSERT_EQUAL(fwrite(bytes, 1, n, f), n);
	CU_ASSERT_EQUAL(fclose(f), 0);
}

static void test_argument_files(void)
{
	static const struct {
		const char *name, *content;
		size_t len;
		const char *json; /* NULL: refused */
	} rows[] = {
		{ "text", "one\ntwo\n", 8, "{\"text\":\"one\\ntwo\"}" },
		{ "text", "dos\r\n", 5, "{\"text\":\"dos\"}" },
		{ "text", "", 0, "{\"text\":\"\"}" },
		{ "text", "a\0b", 3, NULL },
		{ "data", "a\0b\n", 4, "{\"data\":\"YQBiCg==\"}" },
		{ "count", "7\n", 2, "{\"count\":7}" },
	};
	char path[300], word[320];

	snprintf(path, sizeof(path), "%s/argument", unit_temp_dir());
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		const char *const args[ARGS_MAX] = { word };
		struct error e = ERROR_INIT;
		struct value *v;
		char *json;

		write_file(path, rows[i].content, rows[i].len);
		snprintf(word, sizeof(word), "%s=@%s", rows[i].name, path);
		v = parse(args, &e);
		CU_ASSERT_EQUAL(v != NULL, rows[i].json != NULL);
		if (!v || !rows[i].json)
			continue;
		json = flat_json(v);
		CU_ASSERT_STRING_EQUAL(json, rows[i].json);
		free(json);
		value_free(v);
	}
}

static void test_huge_file_refused(void)
{
	const char *const args[ARGS_MAX] = { "text=@/dev/zero" };
	struct error e = ERROR_INIT;

	CU_ASSERT_PTR_NULL(parse(args, &e));
	CU_ASSERT_EQUAL(e.kind, ERR_LIMIT);
}

/* Escape sequences of a hostile name must not reach the terminal. */
static void test_print_is_safe(void)
{
	struct value *v = value_new_struct();
	char *text = NULL;
	size_t size;
	FILE *f;

	value_put_string(v, "name", "a\033[2Jb");
	value_put_string(v, "pem", "one\ntwo\r\n");
	value_put_array(v, "empty");
	value_add_string(value_put_array(v, "list"), "x\033y");
	f = open_memstream(&text, &size);
	print_text(f, v);
	print_json(f, v);
	fclose(f);
	CU_ASSERT_PTR_NULL(strchr(text, '\033'));
	CU_ASSERT_PTR_NULL(strchr(text, '\r'));
	CU_ASSERT_PTR_NOT_NULL(strstr(text, "name: a?[2Jb\n"));
	CU_ASSERT_PTR_NOT_NULL(strstr(text, "pem:\n  one\n  two?\n"));
	CU_ASSERT_PTR_NOT_NULL(strstr(text, "empty: (none)\n"));
	CU_ASSERT_PTR_NOT_NULL(strstr(text, "list:\n  - x?y\n"));
	CU_ASSERT_PTR_NOT_NULL(strstr(text, "a\\u001b[2Jb"));
	free(text);
	value_free(v);
}

static void test_words(void)
{
	static const struct {
		const char *args[ARGS_MAX];
		int words; /* -1: refused */
		const char *file;
	} rows[] = {
		{ { "a" }, 1, NULL },
		{ { "a", "--file", "f", "b" }, 2, "f" },
		{ { "--file=f", "a" }, 1, "f" },
		{ { "--file=", "a" }, 1, "" },
		{ { "--", "--file" }, 1, NULL },
		{ { NULL }, -1, NULL },
		{ { "a", "b", "c" }, -1, NULL },
		{ { "a", "--file" }, -1, NULL },
		{ { "a", "--fil=x" }, -1, NULL },
		{ { "a", "--filename=x" }, -1, NULL },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		const char *file = NULL;
		const struct command_option options[] = { { "file", &file },
							  { 0 } };
		char text[ARGS_MAX][16], *argv[ARGS_MAX];
		int argc = 0;

		for (; rows[i].args[argc]; argc++) {
			snprintf(text[argc], sizeof(text[argc]), "%s",
				 rows[i].args[argc]);
			argv[argc] = text[argc];
		}
		CU_ASSERT_EQUAL(command_words(argc, argv, options, 1, 2),
				rows[i].words);
		if (rows[i].words < 0)
			continue;
		CU_ASSERT_EQUAL(file != NULL, rows[i].file != NULL);
		if (file && rows[i].file)
			CU_ASSERT_STRING_EQUAL(file, rows[i].file);
	}
}

/* --- client: a server that says what the test wants ------------------------
 */

struct fake {
	int listener;
	const char *answer;
	size_t len;
};

static void *fake_run(void *arg)
{
	struct fake *f = arg;
	char request[4096];
	int fd = accept4(f->listener, NULL, NULL, SOCK_CLOEXEC);

	if (fd < 0)
		return NULL;
	if (recv(fd, request, sizeof(request), 0) > 0 &&
	    send(fd, f->answer, f->len, MSG_NOSIGNAL) < 0)
		perror("fake server");
	shutdown(fd, SHUT_WR);
	while (recv(fd, request, sizeof(request), 0) > 0)
		;
	close(fd);
	return NULL;
}

static int call_fake(const char *answer, struct xmlrpc_response *out,
		     struct error *e)
{
	struct sockaddr_un sa = { .sun_family = AF_UNIX };
	struct fake f = { .answer = answer, .len = strlen(answer) };
	struct client c = { .socket_path = sa.sun_path };
	pthread_t thread;
	int rc;

	snprintf(sa.sun_path, sizeof(sa.sun_path), "%s/s", unit_temp_dir());
	f.listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	CU_ASSERT_EQUAL_FATAL(
	    bind(f.listener, (struct sockaddr *)&sa, sizeof(sa)), 0);
	CU_ASSERT_EQUAL_FATAL(listen(f.listener, 1), 0);
	CU_ASSERT_EQUAL_FATAL(pthread_create(&thread, NULL, fake_run, &f), 0);
	rc = client_call(&c, "test.method", NULL, out, e);
	pthread_join(thread, NULL);
	close(f.listener);
	CU_ASSERT_FALSE(c.unreachable);
	return rc;
}

#define GOOD_BODY                                                            \
	"<?xml version=\"1.0\"?><methodResponse><params><param><value><int>" \
	"7</int></value></param></params></methodResponse>"

static void test_client(void)
{
	static const char *const good[] = {
		"HTTP/1.1 200 OK\r\n\r\n" GOOD_BODY,
		"HTTP/1.0 200 OK\r\nContent-Type: text/xml\r\n\r\n" GOOD_BODY,
		"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 "
		"OK\r\n\r\n" GOOD_BODY,
	};

	for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++) {
		struct xmlrpc_response r = { 0 };
		struct error e = ERROR_INIT;

		CHECK_OK(call_fake(good[i], &r, &e), &e);
		CU_ASSERT_EQUAL(value_int(r.result), 7);
		xmlrpc_response_free(&r);
	}
}

static void test_client_refuses(void)
{
	static const struct {
		const char *answer;
		enum error_kind kind;
		const char *words;
	} rows[] = {
		{ "", ERR_IO, "closed the connection" },
		{ "nonsense\r\n\r\n", ERR_INPUT, "not HTTP" },
		{ "HTTP/1.1 413 x\r\nContent-Length: 0\r\n\r\n", ERR_INPUT,
		  "413 Payload Too Large" },
		{ "HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n" GOOD_BODY,
		  ERR_IO, "closed the connection" },
		{ "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n<a/>", ERR_INPUT,
		  NULL },
		{ "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", ERR_INPUT,
		  NULL },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct xmlrpc_response r = { 0 };
		struct error e = ERROR_INIT;

		CHECK_FAILS(call_fake(rows[i].answer, &r, &e), &e, rows[i].kind,
			    rows[i].words);
	}
}

static void test_client_nobody(void)
{
	struct client c = { .socket_path = "/nowhere/control.sock" };
	struct xmlrpc_response r = { 0 };
	struct error e = ERROR_INIT;
	char longer[200];

	CHECK_FAILS(client_call(&c, "a.b", NULL, &r, &e), &e, ERR_IO,
		    "/nowhere/control.sock");
	CU_ASSERT_TRUE(c.unreachable);
	memset(longer, 'x', sizeof(longer) - 1);
	longer[sizeof(longer) - 1] = '\0';
	c.socket_path = longer;
	CHECK_FAILS(client_call(&c, "a.b", NULL, &r, &e), &e, ERR_INPUT,
		    "too long");
}

static void test_password_file(void)
{
	struct secret s = { 0 };
	struct error e = ERROR_INIT;
	char path[300];

	snprintf(path, sizeof(path), "%s/password", unit_temp_dir());
	write_file(path, "secret one\nmore\n", 16);
	CU_ASSERT_EQUAL(chmod(path, 0600), 0);
	CHECK_OK(password_get(path, "?", true, &s, &e), &e);
	CU_ASSERT_STRING_EQUAL((char *)s.ptr, "secret one");
	secret_free(&s);
	CU_ASSERT_EQUAL(chmod(path, 0644), 0);
	CHECK_FAILS(password_get(path, "?", true, &s, &e), &e, ERR_INPUT,
		    "others may read");
}

int main(int argc, char **argv)
{
	static const struct unit_test tests[] = {
		{ "arguments", test_arguments },
		{ "arguments refused", test_arguments_refused },
		{ "refusals keep secrets", test_arguments_keep_secrets },
		{ "files as arguments", test_argument_files },
		{ "huge file refused", test_huge_file_refused },
		{ "print is safe", test_print_is_safe },
		{ "words and options", test_words },
		{ "client", test_client },
		{ "client refuses", test_client_refuses },
		{ "client without service", test_client_nobody },
		{ "password file", test_password_file },
		{ NULL, NULL },
	};

	return unit_main(argc, argv, "ctl", tests, NULL, NULL);
}
