/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <stdio.h>
#include <string.h>
#include <sys/time.h>
#include <osip2/osip.h>

#include "sip/sip_service_route.h"
#include "tests/lib/unit.h"

/* Routes that registrars name: which are of use, and what requests have then.
 */

static int set_up(void)
{
	return parser_init() == 0 ? 0 : -1;
}

static osip_message_t *parse(const char *first, const char *fields)
{
	char text[8192];
	osip_message_t *m = NULL;

	snprintf(text, sizeof(text),
		 "%s\r\n"
		 "Via: SIP/2.0/TLS 192.0.2.1;branch=z9hG4bK1\r\n"
		 "From: <sip:bridge@example.org>;tag=1\r\n"
		 "To: <sip:bridge@example.org>;tag=2\r\n"
		 "Call-ID: 1\r\nCSeq: 1 REGISTER\r\n%sContent-Length: "
		 "0\r\n\r\n",
		 first, fields);
	CU_ASSERT_EQUAL_FATAL(osip_message_init(&m), 0);
	CU_ASSERT_EQUAL_FATAL(osip_message_parse(m, text, strlen(text)), 0);
	return m;
}

static bool read_fields(const char *fields, char out[SIP_SERVICE_ROUTE_SIZE])
{
	osip_message_t *m = parse("SIP/2.0 200 OK", fields);
	bool good = sip_service_route_read(m, out);

	osip_message_free(m);
	return good;
}

#define A "<sip:a.example;lr>"
#define B "<sips:[2001:db8::1]:5061;transport=tcp;lr=on>"
#define C "<sip:orig@c.example:5062;lr;x=\"1,2\">"

static void test_read(void)
{
	static const struct {
		const char *fields, *routes; /* NULL: of no use */
	} rows[] = {
		{ "", "" },
		{ "Path: " A "\r\n", "" },
		{ "Service-Route: " A "\r\n", A "\n" },
		{ "service-route:\t" A " \r\n", A "\n" },
		{ "Service-Route: " A "," B "\r\n", A "\n" B "\n" },
		{ "Service-Route: " A " , " B "\r\nService-Route: " A "\r\n",
		  A "\n" B "\n" A "\n" },
		{ "Service-Route: " A ";x=\"a,b\"," B "\r\n",
		  A ";x=\"a,b\"\n" B "\n" },
		{ "Service-Route: <sip:a,b@a.example;lr>\r\n",
		  "<sip:a,b@a.example;lr>\n" },
		{ "Service-Route: " A "," A "," A "," A "\r\n",
		  A "\n" A "\n" A "\n" A "\n" },
		{ "Service-Route: " A ",," B "\r\n", A "\n" B "\n" },
		{ "Service-Route: " A ",\r\n", A "\n" },
		{ "Service-Route: ,\r\n", "" },
		/* Too many; no loose routes. */
		{ "Service-Route: " A "," A "," A "," A "," A "\r\n", NULL },
		{ "Service-Route: <sip:a.example>\r\n", NULL },
		{ "Service-Route: " A ", <sip:a.example>\r\n", NULL },
		{ "Service-Route: " A "\r\nService-Route: <sip:b>\r\n", NULL },
		{ "Service-Route: sip:a.example;lr\r\n", NULL },
		{ "Service-Route: <sip:a.example>;lr\r\n", NULL },
		{ "Service-Route: <tel:+4930123;lr>\r\n", NULL },
		{ "Service-Route: <https://a.example/;lr>\r\n", NULL },
		{ "Service-Route: <sip:;lr>\r\n", NULL },
		{ "Service-Route: <\r\n", NULL },
		{ "Service-Route: \"a\r\n", NULL },
		{ "Service-Route: *\r\n", NULL },
	};
	char out[SIP_SERVICE_ROUTE_SIZE];

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		const char *wanted = rows[i].routes ? rows[i].routes : "";
		bool good;

		memset(out, 'x', sizeof(out));
		good = read_fields(rows[i].fields, out);
		CU_ASSERT_EQUAL(good, rows[i].routes != NULL);
		CU_ASSERT_STRING_EQUAL(out, wanted);
		if (good != (rows[i].routes != NULL) || strcmp(out, wanted))
			unit_note("row %zu: %d \"%s\"", i, good, out);
	}
}

/* All that fits, and one byte more. */
static void test_long(void)
{
	char fields[2 * SIP_SERVICE_ROUTE_SIZE], out[SIP_SERVICE_ROUTE_SIZE];

	for (int more = 0; more < 2; more++) {
		/* "<sip:uuu@a;lr>", its line end and the NUL. */
		int user = SIP_SERVICE_ROUTE_SIZE - 2 - 11 + more;

		snprintf(fields, sizeof(fields),
			 "Service-Route: <sip:%0*d@a;lr>\r\n", user, 0);
		CU_ASSERT_EQUAL(read_fields(fields, out), !more);
		CU_ASSERT_EQUAL(strlen(out),
				more ? 0 : SIP_SERVICE_ROUTE_SIZE - 1);
	}
}

static void check_added(const char *routes, const char *first,
			const char *second)
{
	osip_message_t *m = parse("INVITE sip:x@example.org SIP/2.0", "");
	struct error e = ERROR_INIT;
	char *text = NULL;
	const char *a, *b;
	size_t n = 0;

	CHECK_OK(sip_service_route_add(m, routes, &e), &e);
	CU_ASSERT_EQUAL_FATAL(osip_message_to_str(m, &text, &n), 0);
	a = strstr(text, "\r\nRoute: ");
	b = a ? strstr(a + 1, "\r\nRoute: ") : NULL;
	CU_ASSERT_EQUAL(a != NULL, first != NULL);
	CU_ASSERT_EQUAL(b != NULL, second != NULL);
	if (a && first)
		CU_ASSERT_EQUAL(strncmp(a + 9, first, strlen(first)), 0);
	if (b && second)
		CU_ASSERT_EQUAL(strncmp(b + 9, second, strlen(second)), 0);
	osip_free(text);
	osip_message_free(m);
}

static void test_add(void)
{
	osip_message_t *m;
	struct error e = ERROR_INIT;
	char longer[SIP_SERVICE_ROUTE_SIZE + 1];

	check_added(NULL, NULL, NULL);
	check_added("", NULL, NULL);
	check_added(A "\n", A, NULL);
	check_added(C "\n" A "\n", "<sip:orig@c.example:5062;lr", A);
	m = parse("INVITE sip:x@example.org SIP/2.0", "");
	memset(longer, 'x', sizeof(longer) - 1);
	longer[sizeof(longer) - 1] = '\0';
	CHECK_FAILS(sip_service_route_add(m, longer, &e), &e, ERR_INPUT,
		    "too long");
	CHECK_FAILS(sip_service_route_add(m, "<sip:\n", &e), &e, ERR_INPUT,
		    "cannot be used");
	osip_message_free(m);
}

int main(int argc, char **argv)
{
	static const struct unit_test tests[] = {
		{ "what is read", test_read },
		{ "as long as can be", test_long },
		{ "what is added", test_add },
		{ NULL, NULL },
	};

	return unit_main(argc, argv, "sip-service-route", tests, set_up, NULL);
}
