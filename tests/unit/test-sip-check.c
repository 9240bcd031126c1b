/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sip/sip_answer.h"
#include "sip/sip_check.h"
#include "tests/lib/unit.h"
#include "tests/unit/sip_messages.h"

/* Which messages are taken, and what the others are answered with: the kinds
 * that RFC 4475 describes, valid and not, and those of RFC 3261 8.2. */

static int check(struct view in, enum sip_transport transport,
		 struct sip_head *head, struct sip_refusal *why)
{
	memset(why, 0, sizeof(*why));
	if (sip_head_split(in, head, why) < 0)
		return -1;
	return head->request ? sip_check_request(head, transport, why)
			     : sip_check_answer(head, transport, why);
}

static void check_row(const struct row *row)
{
	struct sip_refusal why;
	struct sip_head head;
	int rc = check(view_str(row->in), SIP_UDP, &head, &why);

	if (why.status != row->status || (rc < 0) != (row->why != NULL) ||
	    (row->why && !strstr(why.why, row->why)))
		unit_note("%s: %u %s", row->in, why.status,
			  why.why ? why.why : "");
	CU_ASSERT_EQUAL(rc, row->why ? -1 : 0);
	CU_ASSERT_EQUAL(why.status, row->status);
	if (row->why && why.why)
		CU_ASSERT_PTR_NOT_NULL(strstr(why.why, row->why));
	/* Whatever we answer has a phrase. */
	if (why.status)
		CU_ASSERT_PTR_NOT_NULL(why.reason);
}

static void test_requests(void)
{
	for (size_t i = 0; i < sizeof(requests) / sizeof(requests[0]); i++)
		check_row(&requests[i]);
}

static void test_answers(void)
{
	for (size_t i = 0; i < sizeof(answers) / sizeof(answers[0]); i++)
		check_row(&answers[i]);
}

/* What follows the announced end of a datagram is no part of it, and a stream
 * needs the announcement (RFC 3261 18.3). */
static void test_bodies(void)
{
	static const struct {
		const char *in;
		enum sip_transport transport;
		const char *body; /* NULL: refused */
	} rows[] = {
		{ INV REST ICS SDP "l: 3\r\n\r\nv=0more", SIP_UDP, "v=0" },
		{ INV REST ICS SDP "l: 0\r\n\r\nmore", SIP_UDP, "" },
		{ INV REST ICS SDP "\r\nv=0", SIP_UDP, "v=0" },
		{ INV REST ICS SDP "\r\n", SIP_UDP, "" },
		{ INV REST ICS SDP "l: 3\r\n\r\nv=0", SIP_TLS, "v=0" },
		{ INV REST ICS SDP "\r\nv=0", SIP_TLS, NULL },
		{ INV REST ICS SDP "\r\nv=0", SIP_TCP, NULL },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct sip_refusal why;
		struct sip_head head;
		int rc =
		    check(view_str(rows[i].in), rows[i].transport, &head, &why);

		CU_ASSERT_EQUAL(rc, rows[i].body ? 0 : -1);
		if (rows[i].body)
			CU_ASSERT_TRUE(view_is(head.body, rows[i].body));
	}
}

static void test_too_many_fields(void)
{
	char in[16384];
	size_t n;

	for (unsigned more = 0; more < 2; more++) {
		struct sip_refusal why;
		struct sip_head head;
		/* REST is five, CSeq and Content-Length two more. */
		unsigned count = SIP_FIELDS_MAX - 7 + more;

		n = (size_t)snprintf(in, sizeof(in), "%s", OPT REST OCS);
		for (unsigned i = 0; i < count; i++)
			n += (size_t)snprintf(in + n, sizeof(in) - n,
					      "X-%u: y\r\n", i);
		snprintf(in + n, sizeof(in) - n, "%s", END);
		CU_ASSERT_EQUAL(check(view_str(in), SIP_UDP, &head, &why),
				more ? -1 : 0);
		CU_ASSERT_EQUAL(why.status, more ? 513 : 0);
	}
}

/* --- answers to what was refused */

struct answer_row {
	const char *in;
	const char *out; /* TAG stands for the tag; "" for no answer */
};

#define REFUSED(status, vias, from, to, id, cseq, more, why) \
	"SIP/2.0 " status "\r\n" vias from to id cseq more   \
	"Warning: 399 sealbridge \"" why "\"\r\nContent-Length: 0\r\n\r\n"
#define OUR_VIA \
	"Via: SIP/2.0/UDP h.example;branch=z9hG4bK1;received=192.0.2.7\r\n"
#define OUR_TO "To: <sip:b@d.example>;tag=TAG\r\n"

static const struct answer_row refused[] = {
	{ "FOO sip:b@d.example SIP/2.0\r\n" REST "CSeq: 1 FOO\r\n" END,
	  REFUSED("405 Method Not Allowed", OUR_VIA, FROM, OUR_TO, ID,
		  "CSeq: 1 FOO\r\n", "Allow: " SIP_ALLOW "\r\n",
		  "the method is not served here") },
	{ OPT REST OCS "Require: x1, timer\r\nRequire: x2\r\n" END,
	  REFUSED("420 Bad Extension", OUR_VIA, FROM, OUR_TO, ID, OCS,
		  "Unsupported: x1, x2\r\n",
		  "an extension that is not there is required") },
	{ INV REST ICS "c: text/plain\r\nl: 1\r\n\r\nx",
	  REFUSED("415 Unsupported Media Type", OUR_VIA, FROM, OUR_TO, ID, ICS,
		  "Accept: application/sdp\r\nAccept-Encoding: identity\r\n",
		  "not application/sdp") },
	/* A tag that is there stays; folded lines become one. */
	{ "OPTIONS tel:1 SIP/2.0\r\n" VIA FROM
	  "t: <sip:b@d.example>\r\n ;tag=x\r\n" ID MF OCS END,
	  REFUSED("416 Unsupported URI Scheme", OUR_VIA, FROM,
		  "To: <sip:b@d.example> ;tag=x\r\n", ID, OCS, "",
		  "neither sip: nor sips:") },
	{ "OPTIONS tel:1 SIP/2.0\r\n" VIA FROM
	  "t: <sip:b@d.example;tag=uri>;tags=1;tagged\r\n" ID MF OCS END,
	  REFUSED("416 Unsupported URI Scheme", OUR_VIA, FROM,
		  "To: <sip:b@d.example;tag=uri>;tags=1;tagged;tag=TAG\r\n", ID,
		  OCS, "", "neither sip: nor sips:") },
	/* All Via, the top one with what the sender cannot know. */
	{ "OPTIONS tel:1 SIP/2.0\r\n"
	  "Via: SIP/2.0/UDP h1;rport;branch=z9hG4bKa, SIP/2.0/TCP h2;rport\r\n"
	  "v: SIP/2.0/TLS h3;rport\r\n" FROM TO ID OCS END,
	  REFUSED("416 Unsupported URI Scheme",
		  "Via: SIP/2.0/UDP h1;received=192.0.2.7;rport=5070"
		  ";branch=z9hG4bKa, SIP/2.0/TCP h2;rport\r\n"
		  "Via: SIP/2.0/TLS h3;rport\r\n",
		  FROM, OUR_TO, ID, OCS, "", "neither sip: nor sips:") },
	{ "OPTIONS tel:1 SIP/2.0\r\n"
	  "Via: SIP/2.0/UDP h1;x=\"a,b\";rport=1\r\n" FROM TO ID OCS END,
	  REFUSED("416 Unsupported URI Scheme",
		  "Via: SIP/2.0/UDP h1;x=\"a,b\";rport=1"
		  ";received=192.0.2.7\r\n",
		  FROM, OUR_TO, ID, OCS, "", "neither sip: nor sips:") },
	/* With what there is. */
	{ OPT VIA ID OCS END,
	  REFUSED("400 Bad Request", OUR_VIA, "", "", ID, OCS, "", "no From") },
	{ "OPTIONS x SIP/9.0\r\n" REST OCS END,
	  REFUSED("505 Version Not Supported", OUR_VIA, FROM, OUR_TO, ID, OCS,
		  "", "not SIP/2.0") },
	{ "OPTIONS  two blanks\r\n" REST OCS "no colon\r\n" END,
	  REFUSED("400 Bad Request", OUR_VIA, FROM, OUR_TO, ID, OCS, "",
		  "the request line is not METHOD URI SIP/2.0") },
	/* None. */
	{ OPT FROM TO ID OCS END, "" },
	{ OPT REST END, "" },
	{ "ACK tel:1 SIP/2.0\r\n" REST "CSeq: 1 ACK\r\n" END, "" },
	{ "SIP/2.0 700 x\r\n" REST OCS END, "" },
	{ "SIP/2.0 200 OK\r\n" REST OCS "l: 9\r\n\r\n", "" },
	{ "\r\n\r\n", "" },
};

static const struct sip_source source = { "192.0.2.7", 5070 };

/* The tag of an answer replaced by TAG; returns how many there were. */
static unsigned mask_tag(char *text)
{
	unsigned n = 0;
	char *at = text;

	while ((at = strstr(at, ";tag=")) != NULL) {
		at += 5;
		if (strspn(at, "0123456789abcdef") != 16)
			continue;
		memcpy(at, "TAG", 3);
		memmove(at + 3, at + 16, strlen(at + 16) + 1);
		n++;
	}
	return n;
}

static void answer(const char *in, const char *salt, struct buf *out)
{
	struct error e = ERROR_INIT;
	struct sip_refusal why;
	struct sip_head head;
	bool given;

	CU_ASSERT_EQUAL(check(view_str(in), SIP_UDP, &head, &why), -1);
	CHECK_OK(sip_answer_refusal(&head, &why, &source, view_str(salt), out,
				    &given, &e),
		 &e);
	CU_ASSERT_EQUAL(given, out->len > 0);
}

static void test_refused(void)
{
	for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
		struct sip_refusal why;
		struct sip_head head;
		struct buf out;

		buf_init(&out, SIP_ANSWER_MAX);
		answer(refused[i].in, "salt", &out);
		/* What we send is itself in order. */
		if (out.len)
			CU_ASSERT_EQUAL(
			    sip_head_split(buf_view(&out), &head, &why), 0);
		if (out.len)
			mask_tag((char *)out.ptr);
		if (strcmp(buf_cstr(&out), refused[i].out) != 0)
			unit_note("%s\ngave\n%s", refused[i].in,
				  buf_cstr(&out));
		CU_ASSERT_STRING_EQUAL(buf_cstr(&out), refused[i].out);
		buf_free(&out);
	}
}

/* The same request gets the same tag, another one or another salt does not. */
static void test_tags(void)
{
	static const struct {
		const char *in, *salt;
		bool same;
	} rows[] = {
		{ "FOO sip:b SIP/2.0\r\n" REST "CSeq: 1 FOO\r\n" END, "salt",
		  true },
		{ "FOO sip:b SIP/2.0\r\n" REST "CSeq: 1 FOO\r\n" END, "other",
		  false },
		{ "FOO sip:b SIP/2.0\r\n" REST "CSeq: 2 FOO\r\n" END, "salt",
		  false },
		{ "FOO sip:b SIP/2.0\r\n" VIA "From: <sip:x@y>\r\n" TO ID
		  "CSeq: 1 FOO\r\n" END,
		  "salt", false },
	};
	struct buf first;

	buf_init(&first, SIP_ANSWER_MAX);
	answer(rows[0].in, "salt", &first);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const char *tag = strstr(buf_cstr(&first), "example>;tag=");
		const char *other;
		struct buf out;

		buf_init(&out, SIP_ANSWER_MAX);
		answer(rows[i].in, rows[i].salt, &out);
		other = strstr(buf_cstr(&out), "d.example>;tag=");
		tag = strstr(buf_cstr(&first), "d.example>;tag=");
		CU_ASSERT_PTR_NOT_NULL_FATAL(tag);
		CU_ASSERT_PTR_NOT_NULL_FATAL(other);
		CU_ASSERT_EQUAL(strncmp(tag, other, 31) == 0, rows[i].same);
		buf_free(&out);
	}
	buf_free(&first);
}

static void test_answer_too_long(void)
{
	struct error e = ERROR_INIT;
	struct sip_refusal why;
	struct sip_head head;
	struct buf out;
	bool given;

	buf_init(&out, 40);
	CU_ASSERT_EQUAL(check(view_str(requests[0].in), SIP_TLS, &head, &why),
			0);
	sip_refuse(&why, 400, "x", view_of("", 0));
	CHECK_FAILS(sip_answer_refusal(&head, &why, &source, view_str("salt"),
				       &out, &given, &e),
		    &e, ERR_LIMIT, "");
	CU_ASSERT_FALSE(given);
	CU_ASSERT_EQUAL(out.len, 0);
	buf_free(&out);
}

/* Whatever bytes come: no answer holds a line that is not ours to send, and
 * none is longer than the message and a bound. */
static void test_mutated(void)
{
	static const char bytes[] = "\r\n: \t;,<>\"\\=/0aZ\0\xff";
	const size_t count = sizeof(requests) / sizeof(requests[0]);
	unsigned seed = 4475;

	for (int round = 0; round < 4000; round++) {
		const char *base = requests[(size_t)rand_r(&seed) % count].in;
		size_t n = strlen(base);
		char *in = malloc(n + 1);
		struct error e = ERROR_INIT;
		struct sip_refusal why;
		struct sip_head head;
		struct buf out;
		bool given = false;

		CU_ASSERT_PTR_NOT_NULL_FATAL(in);
		memcpy(in, base, n);
		for (int i = 0; n && i < 5; i++)
			in[(size_t)rand_r(&seed) % n] =
			    bytes[(size_t)rand_r(&seed) % (sizeof(bytes) - 1)];
		buf_init(&out, SIP_ANSWER_MAX);
		if (check(view_of(in, n), SIP_UDP, &head, &why) < 0)
			CHECK_OK(sip_answer_refusal(&head, &why, &source,
						    view_str("salt"), &out,
						    &given, &e),
				 &e);
		if (given) {
			CU_ASSERT_EQUAL(
			    sip_head_split(buf_view(&out), &head, &why), 0);
			CU_ASSERT_EQUAL(head.body.len, 0);
			CU_ASSERT_TRUE(out.len < n + 512);
		}
		buf_free(&out);
		free(in);
	}
}

static const struct {
	const char *via;
	uint16_t port; /* 0: the source's */
} ports[] = {
	{ "SIP/2.0/UDP h.example:5070;branch=z9", 5070 },
	{ "SIP/2.0/UDP h.example;branch=z9", 5060 },
	{ "SIP / 2.0 / UDP  h.example : 7 ;branch=z9", 7 },
	{ "SIP/2.0/UDP [2001:db8::1]:5070", 5070 },
	{ "SIP/2.0/UDP [2001:db8::1];a=b:9", 5060 },
	{ "SIP/2.0/TCP 192.0.2.1:65535, SIP/2.0/UDP h:5071;rport", 65535 },
	{ "SIP/2.0/UDP h:5070;maddr=192.0.2.9;received=192.0.2.9", 5070 },
	{ "SIP/2.0/UDP h:5070;rport", 0 },
	{ "SIP/2.0/UDP h:5070;branch=z9;rport=7;a", 0 },
	{ "SIP/2.0/UDP h:5070; rport ;a", 0 },
	{ "SIP/2.0/UDP h:0", 0 },
	{ "SIP/2.0/UDP h:65536", 0 },
	{ "SIP/2.0/UDP h:99999999999999999999", 0 },
	{ "SIP/2.0/UDP h:x", 0 },
	{ "SIP/2.0/UDP h:", 0 },
	{ "SIP/2.0/UDP [::1", 5060 },
	{ "SIP/2.0/UDP [::1]x", 0 },
	{ "SIP/2.0/UDP", 0 },
	{ "SIP/2.0", 0 },
	{ ";", 0 },
	{ "", 0 },
};

static void test_way_back(void)
{
	for (size_t i = 0; i < sizeof(ports) / sizeof(ports[0]); i++) {
		uint16_t wanted = ports[i].port ? ports[i].port : 4711, got;
		struct sip_refusal why;
		struct sip_head head;
		char in[512];

		snprintf(in, sizeof(in), OPT "v: %s\r\nVia: x:1\r\n\r\n",
			 ports[i].via);
		(void)sip_head_split(view_str(in), &head, &why);
		got = sip_answer_port(&head, 4711);
		if (got != wanted)
			unit_note("%s: %u", ports[i].via, (unsigned)got);
		CU_ASSERT_EQUAL(got, wanted);
		/* An answer is not answered. */
		head.request = false;
		CU_ASSERT_EQUAL(sip_answer_port(&head, 4711), 4711);
	}
}

static const struct unit_test tests[] = {
	{ "requests", test_requests },
	{ "answers", test_answers },
	{ "bodies", test_bodies },
	{ "too many fields", test_too_many_fields },
	{ "answers to refused requests", test_refused },
	{ "tags of such answers", test_tags },
	{ "an answer without room", test_answer_too_long },
	{ "messages changed at random", test_mutated },
	{ "where answers go", test_way_back },
	{ NULL, NULL },
};

int main(int argc, char **argv)
{
	return unit_main(argc, argv, "sip-check", tests, NULL, NULL);
}
