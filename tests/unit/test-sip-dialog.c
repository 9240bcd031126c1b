/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <stdio.h>
#include <string.h>
#include <sys/time.h>
#include <osip2/osip.h>

#include "sip/sip_dialog.h"
#include "sip/sip_message.h"
#include "tests/lib/unit.h"

/* Dialogs of both sides: routes, targets, tags and CSeq (RFC 3261 12). */

static osip_t *osip;

/* It makes the parser ready. */
static int setup(void)
{
	return osip_init(&osip);
}

static int teardown(void)
{
	osip_release(osip);
	return 0;
}

static osip_message_t *parse(const char *text)
{
	osip_message_t *m = NULL;

	CU_ASSERT_EQUAL_FATAL(osip_message_init(&m), 0);
	CU_ASSERT_EQUAL_FATAL(osip_message_parse(m, text, strlen(text)), 0);
	return m;
}

/* An INVITE to us, or from us, with further fields. */
static osip_message_t *invite(const char *uri, const char *more)
{
	char text[16384];

	snprintf(text, sizeof(text),
		 "INVITE %s SIP/2.0\r\n"
		 "Via: SIP/2.0/TLS h.example;branch=z9hG4bK1\r\n"
		 "From: \"Ann\" <sip:ann@h.example>;tag=ann\r\n"
		 "To: <sip:bob@d.example>\r\n"
		 "Call-ID: c1@h.example\r\nCSeq: 10 INVITE\r\n%s"
		 "Content-Length: 0\r\n\r\n",
		 uri, more);
	return parse(text);
}

static osip_message_t *answer(unsigned status, const char *tag,
			      const char *more)
{
	char text[16384];

	snprintf(text, sizeof(text),
		 "SIP/2.0 %u X\r\n"
		 "Via: SIP/2.0/TLS h.example;branch=z9hG4bK1\r\n"
		 "From: \"Ann\" <sip:ann@h.example>;tag=ann\r\n"
		 "To: <sip:bob@d.example>;tag=%s\r\n"
		 "Call-ID: c1@h.example\r\nCSeq: 10 INVITE\r\n%s"
		 "Content-Length: 0\r\n\r\n",
		 status, tag, more);
	return parse(text);
}

/* A request in the dialog. */
static osip_message_t *within(const char *method, const char *from,
			      const char *to, unsigned cseq, const char *more)
{
	char text[4096];

	snprintf(text, sizeof(text),
		 "%s sip:us@d.example SIP/2.0\r\n"
		 "Via: SIP/2.0/TLS h.example;branch=z9hG4bK2\r\n"
		 "From: <sip:x@h.example>;tag=%s\r\n"
		 "To: <sip:y@d.example>;tag=%s\r\n"
		 "Call-ID: c1@h.example\r\nCSeq: %u %s\r\n%s"
		 "Content-Length: 0\r\n\r\n",
		 method, from, to, cseq, method, more);
	return parse(text);
}

#define ANN_IS_AT "Contact: <sip:ann@192.0.2.7:5070;transport=tcp>\r\n"

static struct sip_dialog *of_uas(const char *uri, const char *more,
				 struct error *e)
{
	osip_message_t *m = invite(uri, more);
	struct sip_dialog *d = sip_dialog_new_uas(m, "bob", e);

	osip_message_free(m);
	return d;
}

static struct sip_dialog *of_uac(const char *uri, unsigned status,
				 const char *more, struct error *e)
{
	osip_message_t *m = invite(uri, "");
	osip_message_t *a = answer(status, "bob", more);
	struct sip_dialog *d = sip_dialog_new_uac(m, a, e);

	osip_message_free(m);
	osip_message_free(a);
	return d;
}

static void written(struct osip_message *m, char *out, size_t size)
{
	struct error e = ERROR_INIT;
	struct buf b;

	CU_ASSERT_PTR_NOT_NULL_FATAL(m);
	buf_init(&b, 8192);
	CHECK_OK(sip_message_write(m, &b, &e), &e);
	snprintf(out, size, "%s", buf_cstr(&b));
	buf_free(&b);
	osip_message_free(m);
}

/* --- requests and their ways */

struct way_row {
	const char *record; /* Record-Route of the INVITE */
	const char *line;   /* of the BYE */
	const char *routes[4];
	const char *host;
	uint16_t port;
};

static const struct way_row ways[] = {
	{ "",
	  "BYE sip:ann@192.0.2.7:5070;transport=tcp SIP/2.0\r\n",
	  { NULL },
	  "192.0.2.7",
	  5070 },
	{ "Record-Route: <sip:p1.example;lr>, <sip:p2.example:5080;lr>\r\n"
	  "Record-Route: <sip:p3.example;lr>\r\n",
	  "BYE sip:ann@192.0.2.7:5070;transport=tcp SIP/2.0\r\n",
	  { "p1.example;lr", "p2.example:5080;lr", "p3.example;lr", NULL },
	  "p1.example",
	  0 },
	/* A strict router comes first (12.2.1.1). */
	{ "Record-Route: <sip:p1.example>\r\n"
	  "Record-Route: <sip:p2.example;lr>\r\n",
	  "BYE sip:p1.example SIP/2.0\r\n",
	  { "p2.example;lr", "ann@192.0.2.7:5070;transport=tcp", NULL },
	  "p1.example",
	  0 },
	{ "Record-Route: <sip:[2001:db8::1]:5090;lr>\r\n",
	  "BYE sip:ann@192.0.2.7:5070;transport=tcp SIP/2.0\r\n",
	  { "[2001:db8::1]:5090;lr", NULL },
	  "2001:db8::1",
	  5090 },
};

static void check_routes(const char *text, const char *const *routes)
{
	const char *at = text;

	for (; *routes; routes++) {
		char wanted[256];

		snprintf(wanted, sizeof(wanted), "\r\nRoute: <sip:%s>\r\n",
			 *routes);
		at = strstr(at, wanted);
		if (!at)
			unit_note("no %s in order in %s", *routes, text);
		CU_ASSERT_PTR_NOT_NULL_FATAL(at);
		at++;
	}
	CU_ASSERT_PTR_NULL(strstr(at, "\r\nRoute:"));
}

static void test_ways(void)
{
	for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
		const struct way_row *row = &ways[i];
		struct error e = ERROR_INIT;
		struct sip_destination to;
		char more[1024], text[8192];
		struct sip_dialog *d;

		snprintf(more, sizeof(more), "%s%s", row->record, ANN_IS_AT);
		d = of_uas("sip:bob@d.example", more, &e);
		CHECK_OBJECT(d, &e);
		sip_dialog_next_hop(d, &to);
		CU_ASSERT_STRING_EQUAL(to.host, row->host);
		CU_ASSERT_EQUAL(to.port, row->port);
		CU_ASSERT_EQUAL(to.has_transport, row->record[0] == '\0');
		CU_ASSERT_FALSE(to.secure);
		written(sip_dialog_request(d, "BYE", &e), text, sizeof(text));
		CU_ASSERT_EQUAL(strncmp(text, row->line, strlen(row->line)), 0);
		CU_ASSERT_PTR_NOT_NULL(
		    strstr(text, "\r\nFrom: <sip:bob@d.example>;tag=bob\r\n"));
		CU_ASSERT_PTR_NOT_NULL(strstr(
		    text, "\r\nTo: \"Ann\" <sip:ann@h.example>;tag=ann\r\n"));
		CU_ASSERT_PTR_NOT_NULL(
		    strstr(text, "\r\nCall-ID: c1@h.example\r\n"));
		CU_ASSERT_PTR_NOT_NULL(strstr(text, "\r\nCSeq: 1 BYE\r\n"));
		check_routes(text, row->routes);
		sip_dialog_free(d);
	}
}

/* The calling side passes the routes the other way round, and its CSeq goes on
 * from the INVITE's. */
static void test_ways_of_uac(void)
{
	static const char *const routes[] = { "p2.example;lr", "p1.example;lr",
					      NULL };
	struct error e = ERROR_INIT;
	char text[8192];
	struct sip_dialog *d =
	    of_uac("sip:bob@d.example", 200,
		   "Record-Route: <sip:p1.example;lr>, <sip:p2.example;lr>\r\n"
		   "Contact: <sip:bob@192.0.2.9>\r\n",
		   &e);

	CHECK_OBJECT(d, &e);
	written(sip_dialog_ack(d, 10, &e), text, sizeof(text));
	CU_ASSERT_EQUAL(strncmp(text, "ACK sip:bob@192.0.2.9 SIP/2.0\r\n", 31),
			0);
	CU_ASSERT_PTR_NOT_NULL(strstr(text, "\r\nCSeq: 10 ACK\r\n"));
	check_routes(text, routes);
	written(sip_dialog_request(d, "INVITE", &e), text, sizeof(text));
	CU_ASSERT_PTR_NOT_NULL(strstr(text, "\r\nCSeq: 11 INVITE\r\n"));
	CU_ASSERT_PTR_NOT_NULL(
	    strstr(text, "\r\nTo: <sip:bob@d.example>;tag=bob\r\n"));
	written(sip_dialog_request(d, "BYE", &e), text, sizeof(text));
	CU_ASSERT_PTR_NOT_NULL(strstr(text, "\r\nCSeq: 12 BYE\r\n"));
	CU_ASSERT_EQUAL(sip_dialog_local_cseq(d), 12);
	CU_ASSERT_STRING_EQUAL(sip_dialog_local_tag(d), "ann");
	CU_ASSERT_STRING_EQUAL(sip_dialog_remote_tag(d), "bob");
	sip_dialog_free(d);
}

/* --- what makes no dialog */

static void test_refused(void)
{
	static const struct {
		const char *more;
		const char *words;
	} rows[] = {
		{ "", "Contact" },
		{ "Contact: *\r\n", "Contact" },
		{ "Contact: <tel:+1555>\r\n", "Contact" },
		{ "Contact: <mailto:a@b>\r\n", "Contact" },
		{ ANN_IS_AT "Record-Route: <tel:+15551212>\r\n", "no dialog" },
		{ ANN_IS_AT "Record-Route: <http://x/>\r\n", "no dialog" },
	};
	char many[8192];
	size_t n = (size_t)snprintf(many, sizeof(many), "%s", ANN_IS_AT);

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct error e = ERROR_INIT;

		CU_ASSERT_PTR_NULL(
		    of_uas("sip:bob@d.example", rows[i].more, &e));
		unit_check_error(&e, ERR_INPUT, rows[i].words, __FILE__,
				 __LINE__);
		error_clear(&e);
		CU_ASSERT_PTR_NULL(
		    of_uac("sip:bob@d.example", 180, rows[i].more, &e));
		unit_check_error(&e, ERR_INPUT, rows[i].words, __FILE__,
				 __LINE__);
	}
	for (int i = 0; i <= SIP_ROUTES_MAX; i++) {
		struct error e = ERROR_INIT;
		struct sip_dialog *d =
		    i < SIP_ROUTES_MAX - 1 ? NULL : of_uas("sip:b@d", many, &e);

		CU_ASSERT_EQUAL(d != NULL, i >= SIP_ROUTES_MAX - 1);
		sip_dialog_free(d);
		n += (size_t)snprintf(many + n, sizeof(many) - n,
				      "Record-Route: <sip:p%d;lr>\r\n", i);
	}
	{
		struct error e = ERROR_INIT;

		CU_ASSERT_PTR_NULL(of_uas("sip:b@d", many, &e));
	}
}

static void test_secure(void)
{
	struct error e = ERROR_INIT;
	struct sip_destination to;
	struct sip_dialog *d = of_uas("sips:bob@d.example", ANN_IS_AT, &e);

	CHECK_OBJECT(d, &e);
	CU_ASSERT_TRUE(sip_dialog_is_secure(d));
	sip_dialog_next_hop(d, &to);
	CU_ASSERT_TRUE(to.secure);
	sip_dialog_free(d);
	d = of_uac("sip:bob@d.example", 180, "Contact: <sips:b@192.0.2.9>\r\n",
		   &e);
	CHECK_OBJECT(d, &e);
	CU_ASSERT_FALSE(sip_dialog_is_secure(d));
	sip_dialog_next_hop(d, &to);
	CU_ASSERT_TRUE(to.secure);
	sip_dialog_free(d);
}

/* --- further messages */

static void test_whose(void)
{
	static const struct {
		const char *from, *to;
		bool of_uas, of_uac; /* is it a request of that side's peer? */
	} rows[] = {
		{ "ann", "bob", true, false },  { "bob", "ann", false, true },
		{ "ann", "bo", false, false },  { "Ann", "bob", false, false },
		{ "ann", "ann", false, false }, { "bob", "bob", false, false },
	};
	struct error e = ERROR_INIT;
	struct sip_dialog *uas = of_uas("sip:bob@d.example", ANN_IS_AT, &e);
	struct sip_dialog *uac =
	    of_uac("sip:bob@d.example", 200, ANN_IS_AT, &e);
	osip_message_t *m;

	CHECK_OBJECT(uas, &e);
	CHECK_OBJECT(uac, &e);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		m = within("BYE", rows[i].from, rows[i].to, 11, "");
		CU_ASSERT_EQUAL(sip_dialog_has(uas, m), rows[i].of_uas);
		CU_ASSERT_EQUAL(sip_dialog_has(uac, m), rows[i].of_uac);
		osip_message_free(m);
	}
	m = answer(200, "bob", "");
	CU_ASSERT_TRUE(sip_dialog_has(uac, m));
	CU_ASSERT_FALSE(sip_dialog_has(uas, m));
	osip_message_free(m);
	m = answer(200, "fork", ""); /* another one's */
	CU_ASSERT_FALSE(sip_dialog_has(uac, m));
	osip_message_free(m);
	m = invite("sip:bob@d.example", "");
	CU_ASSERT_FALSE(sip_dialog_has(uas, m));
	osip_message_free(m);
	sip_dialog_free(uas);
	sip_dialog_free(uac);
}

static void test_order(void)
{
	static const struct {
		unsigned cseq, status;
	} rows[] = {
		{ 10, 500 }, { 9, 500 },        { 0, 500 },
		{ 11, 0 },   { 11, 500 },       { 300, 0 },
		{ 12, 500 }, { 2147483647, 0 }, { 1, 500 },
	};
	struct error e = ERROR_INIT;
	struct sip_dialog *d = of_uas("sip:bob@d.example", ANN_IS_AT, &e);

	CHECK_OBJECT(d, &e);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		osip_message_t *m =
		    within("BYE", "ann", "bob", rows[i].cseq, "");

		CU_ASSERT_EQUAL(sip_dialog_take(d, m), rows[i].status);
		osip_message_free(m);
	}
	sip_dialog_free(d);
	/* The called side may begin with any number. */
	d = of_uac("sip:bob@d.example", 200, ANN_IS_AT, &e);
	CHECK_OBJECT(d, &e);
	{
		osip_message_t *m = within("BYE", "bob", "ann", 0, "");

		CU_ASSERT_EQUAL(sip_dialog_take(d, m), 0);
		CU_ASSERT_EQUAL(sip_dialog_take(d, m), 500);
		osip_message_free(m);
	}
	sip_dialog_free(d);
}

static void test_no_number_left(void)
{
	struct error e = ERROR_INIT;
	osip_message_t *m = invite("sip:bob@d.example", "");
	osip_message_t *a = answer(200, "bob", ANN_IS_AT);
	struct sip_dialog *d;

	osip_free(a->cseq->number);
	a->cseq->number = osip_strdup("2147483646");
	d = sip_dialog_new_uac(m, a, &e);
	CHECK_OBJECT(d, &e);
	osip_message_free(sip_dialog_request(d, "BYE", &e));
	CU_ASSERT_EQUAL(sip_dialog_local_cseq(d), 2147483647);
	CU_ASSERT_PTR_NULL(sip_dialog_request(d, "BYE", &e));
	CU_ASSERT_EQUAL(e.kind, ERR_LIMIT);
	osip_message_free(m);
	osip_message_free(a);
	sip_dialog_free(d);
}

static void check_target(struct sip_dialog *d, const char *line)
{
	struct error e = ERROR_INIT;
	char text[8192];

	written(sip_dialog_ack(d, 1, &e), text, sizeof(text));
	if (strncmp(text, line, strlen(line)) != 0)
		unit_note("%s, not %s", text, line);
	CU_ASSERT_EQUAL(strncmp(text, line, strlen(line)), 0);
}

static void test_moving(void)
{
	static const struct {
		const char *more;
		int rc;
		const char *line;
	} rows[] = {
		{ "", 0, "ACK sip:ann@192.0.2.7:5070;transport=tcp " },
		{ "Contact: <tel:+15551212>\r\n", -1,
		  "ACK sip:ann@192.0.2.7:5070;transport=tcp " },
		{ "Contact: \"A\" <sip:ann@[2001:db8::7]>;x=1\r\n", 0,
		  "ACK sip:ann@[2001:db8::7] " },
	};
	struct error e = ERROR_INIT;
	struct sip_dialog *d = of_uas("sip:bob@d.example", ANN_IS_AT, &e);

	CHECK_OBJECT(d, &e);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		osip_message_t *m =
		    within("UPDATE", "ann", "bob", 20, rows[i].more);

		CU_ASSERT_EQUAL(sip_dialog_refresh(d, m, &e), rows[i].rc);
		check_target(d, rows[i].line);
		osip_message_free(m);
	}
	sip_dialog_free(d);
}

/* What the 2xx says counts, not what the 180 said. */
static void test_confirmed(void)
{
	static const char *const before[] = { "p1.example;lr", NULL };
	static const char *const after[] = { "p2.example;lr", NULL };
	struct error e = ERROR_INIT;
	char text[8192];
	osip_message_t *bad = answer(
	    200, "bob", "Record-Route: <sip:p2.example;lr>\r\nContact: *\r\n");
	osip_message_t *good = answer(200, "bob",
				      "Record-Route: <sip:p2.example;lr>\r\n"
				      "Contact: <sip:bob@192.0.2.10>\r\n");
	struct sip_dialog *d = of_uac("sip:bob@d.example", 180,
				      "Record-Route: <sip:p1.example;lr>\r\n"
				      "Contact: <sip:bob@192.0.2.9>\r\n",
				      &e);

	CHECK_OBJECT(d, &e);
	CHECK_FAILS(sip_dialog_confirm(d, bad, &e), &e, ERR_INPUT, "Contact");
	check_target(d, "ACK sip:bob@192.0.2.9 ");
	written(sip_dialog_ack(d, 10, &e), text, sizeof(text));
	check_routes(text, before);
	CHECK_OK(sip_dialog_confirm(d, good, &e), &e);
	check_target(d, "ACK sip:bob@192.0.2.10 ");
	written(sip_dialog_ack(d, 10, &e), text, sizeof(text));
	check_routes(text, after);
	osip_message_free(bad);
	osip_message_free(good);
	sip_dialog_free(d);
}

/* What an answer to OPTIONS says (11.2). */
static void test_abilities(void)
{
	static const char *const lines[] = {
		"\r\nAllow: " SIP_ALLOW "\r\n",
		"\r\nAccept: application/sdp\r\n",
		"\r\nAccept-Encoding: identity\r\n",
		"\r\nSupported: " SIP_SUPPORTED "\r\n",
		"\r\nTo: <sip:bob@d.example>;tag=new\r\n",
	};
	struct error e = ERROR_INIT;
	osip_message_t *m = invite("sip:bob@d.example", ANN_IS_AT);
	struct osip_message *a = sip_message_answer(m, 200, NULL, "new", &e);
	char text[8192];

	CHECK_OBJECT(a, &e);
	CHECK_OK(sip_message_add_abilities(a, &e), &e);
	written(a, text, sizeof(text));
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		if (!strstr(text, lines[i]))
			unit_note("no %s in %s", lines[i], text);
		CU_ASSERT_PTR_NOT_NULL(strstr(text, lines[i]));
	}
	osip_message_free(m);
}

/* A 2xx stands, be it without a Contact: what was called is there. */
static void test_guessed(void)
{
	static const struct {
		unsigned status;
		const char *uri, *more;
		bool taken, known;
	} rows[] = {
		{ 200, "sip:bob@d.example", "", true, false },
		{ 202, "sip:bob@d.example", "Contact: *\r\n", true, false },
		{ 200, "sip:bob@d.example", "Contact: <tel:+1555>\r\n", true,
		  false },
		{ 200, "sip:bob@d.example",
		  "Record-Route: <sip:p1.example;lr>\r\n", true, true },
		{ 200, "sip:bob@d.example", "Contact: <sip:b@192.0.2.9>\r\n",
		  true, true },
		{ 180, "sip:bob@d.example", "", false, false },
		{ 199, "sip:bob@d.example", "Contact: *\r\n", false, false },
		{ 200, "tel:+1555", "", false, false },
		{ 200, "sip:bob@d.example", "Record-Route: <tel:+15551212>\r\n",
		  false, false },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct error e = ERROR_INIT;
		osip_message_t *moved =
		    answer(200, "bob", "Contact: <sip:bob@192.0.2.10>\r\n");
		struct sip_dialog *d =
		    of_uac(rows[i].uri, rows[i].status, rows[i].more, &e);

		CU_ASSERT_EQUAL(d != NULL, rows[i].taken);
		if (d) {
			CU_ASSERT_EQUAL(sip_dialog_knows_hop(d), rows[i].known);
			if (!strstr(rows[i].more, "Contact: <sip:"))
				check_target(d, "ACK sip:bob@d.example ");
			CHECK_OK(sip_dialog_refresh(d, moved, &e), &e);
			CU_ASSERT_TRUE(sip_dialog_knows_hop(d));
			check_target(d, "ACK sip:bob@192.0.2.10 ");
		} else {
			CU_ASSERT_EQUAL(e.kind, ERR_INPUT);
		}
		osip_message_free(moved);
		sip_dialog_free(d);
	}
}

/* RFC 3263 4: the address of a URI may stand in its parameter. */
static void test_maddr(void)
{
	struct error e = ERROR_INIT;
	struct sip_destination to;
	struct sip_dialog *d =
	    of_uac("sip:bob@d.example", 200,
		   "Contact: <sip:b@x.example:5070;maddr=192.0.2.9>\r\n", &e);

	CHECK_OBJECT(d, &e);
	sip_dialog_next_hop(d, &to);
	CU_ASSERT_STRING_EQUAL(to.host, "192.0.2.9");
	CU_ASSERT_EQUAL(to.port, 5070);
	check_target(d, "ACK sip:b@x.example:5070;maddr=192.0.2.9 ");
	sip_dialog_free(d);
}

static const struct unit_test tests[] = {
	{ "ways of the called side", test_ways },
	{ "ways of the calling side", test_ways_of_uac },
	{ "refused", test_refused },
	{ "a 2xx without a Contact", test_guessed },
	{ "maddr", test_maddr },
	{ "sips", test_secure },
	{ "whose message", test_whose },
	{ "order", test_order },
	{ "no number left", test_no_number_left },
	{ "moving", test_moving },
	{ "confirmed", test_confirmed },
	{ "abilities", test_abilities },
	{ NULL, NULL },
};

int main(int argc, char **argv)
{
	return unit_main(argc, argv, "sip-dialog", tests, setup, teardown);
}
