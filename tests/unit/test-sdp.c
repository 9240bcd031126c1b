/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sip/sdp.h"
#include "tests/lib/unit.h"

/* Session descriptions: what of an offer is taken, what our answer says, and
 * that both ends come to the same. */

#define HEAD "v=0\r\no=a 1 1 IN IP4 192.0.2.1\r\ns=-\r\n"
#define TIME "t=0 0\r\n"
#define C4   "c=IN IP4 192.0.2.9\r\n"
#define KEY  "WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz" /* RFC 4568 9.1 */
#define CRY  "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:" KEY "\r\n"
#define AVP  "m=audio 4000 RTP/AVP 0 8 101\r\n"
#define SAVP "m=audio 4000 RTP/SAVP 0\r\n"

struct row {
	const char *in;
	/* "" or the words that tell what was read, as told() below does */
	const char *told;
	enum error_kind kind; /* of a refusal */
};

/* The first rows are taken; others are made of them at random. */
enum { TAKEN = 21 };

static const struct row rows[] = {
	/* Taken. */
	{ HEAD C4 TIME AVP "a=rtpmap:101 telephone-event/8000\r\n",
	  "line 0/1 192.0.2.9:4000 PCMU 0/8 event 101 sendrecv", ERR_NONE },
	{ HEAD C4 TIME "m=audio 4000 RTP/AVP 8 0\r\n",
	  "line 0/1 192.0.2.9:4000 PCMA 0/8 event -1 sendrecv", ERR_NONE },
	{ HEAD C4 TIME "m=audio 4000 RTP/AVP 9 96 97\r\na=rtpmap:96 "
		       "opus/48000/2\r\na=rtpmap:97 pcma/8000/1\r\n",
	  "line 0/1 192.0.2.9:4000 PCMA -1/97 event -1 sendrecv", ERR_NONE },
	/* The line's own address, and the session's direction. */
	{ HEAD C4 TIME "a=sendonly\r\n" AVP "c=IN IP6 2001:db8::1\r\n",
	  "line 0/1 [2001:db8::1]:4000 PCMU 0/8 event -1 sendonly", ERR_NONE },
	{ HEAD C4 TIME "a=sendonly\r\n" AVP "a=inactive\r\n",
	  "line 0/1 192.0.2.9:4000 PCMU 0/8 event -1 inactive", ERR_NONE },
	{ HEAD C4 TIME AVP "a=recvonly\r\n",
	  "line 0/1 192.0.2.9:4000 PCMU 0/8 event -1 recvonly", ERR_NONE },
	/* Lines may end with LF, and the last one with nothing. */
	{ "v=0\nc=IN IP4 192.0.2.9\nm=audio 4000 RTP/AVP 0\na=inactive",
	  "line 0/1 192.0.2.9:4000 PCMU 0/-1 event -1 inactive", ERR_NONE },
	/* Held in the old way, a name, no address at all. */
	{ HEAD "c=IN IP4 0.0.0.0\r\n" TIME AVP,
	  "line 0/1 :4000 PCMU 0/8 event -1 sendonly", ERR_NONE },
	{ HEAD "c=IN IP6 ::\r\n" TIME AVP "a=recvonly\r\n",
	  "line 0/1 :4000 PCMU 0/8 event -1 inactive", ERR_NONE },
	{ HEAD "c=IN IP6 0:0::0\r\n" TIME AVP,
	  "line 0/1 :4000 PCMU 0/8 event -1 sendonly", ERR_NONE },
	/* A group is not taken for a name. */
	{ HEAD "c=IN IP4 224.0.0.5/127\r\n" TIME AVP,
	  "line 0/1 224.0.0.5:4000 PCMU 0/8 event -1 sendrecv", ERR_NONE },
	/* Where reports go; not to another host. */
	{ HEAD C4 TIME AVP "a=rtcp:4009\r\n",
	  "line 0/1 192.0.2.9:4000 PCMU 0/8 event -1 sendrecv rtcp 4009",
	  ERR_NONE },
	{ HEAD C4 TIME AVP "a=rtcp:4009 IN IP4 192.0.2.9\r\n",
	  "line 0/1 192.0.2.9:4000 PCMU 0/8 event -1 sendrecv rtcp 4009",
	  ERR_NONE },
	{ HEAD C4 TIME AVP "a=rtcp:4009 IN IP4 192.0.2.8\r\n",
	  "line 0/1 192.0.2.9:4000 PCMU 0/8 event -1 sendrecv", ERR_NONE },
	{ HEAD C4 TIME AVP "a=rtcp:65536\r\n",
	  "line 0/1 192.0.2.9:4000 PCMU 0/8 event -1 sendrecv", ERR_NONE },
	{ HEAD "c=IN IP4 host.example\r\n" TIME AVP,
	  "line 0/1 :4000 PCMU 0/8 event -1 sendrecv", ERR_NONE },
	{ HEAD TIME AVP, "line 0/1 :4000 PCMU 0/8 event -1 sendrecv",
	  ERR_NONE },
	/* The first audio that fits, among others. */
	{ HEAD C4 TIME "m=video 5000 RTP/AVP 31\r\n"
		       "m=audio 0 RTP/AVP 0\r\n"
		       "m=audio 4002 RTP/AVP 9\r\n"
		       "m=audio 4004 RTP/AVP 0\r\n"
		       "m=audio 4006 RTP/AVP 8\r\n",
	  "line 3/5 192.0.2.9:4004 PCMU 0/-1 event -1 sendrecv", ERR_NONE },
	/* Keys. */
	{ HEAD C4 TIME SAVP CRY,
	  "line 0/1 192.0.2.9:4000 PCMU 0/-1 event -1 sendrecv crypto 1 "
	  "AES_CM_128_HMAC_SHA1_80",
	  ERR_NONE },
	{ HEAD C4 TIME SAVP "a=crypto:1 F8_128_HMAC_SHA1_80 inline:" KEY "\r\n"
			    "a=crypto:2 AES_CM_128_HMAC_SHA1_32 inline:" KEY
			    "|2^20\r\n" CRY,
	  "line 0/1 192.0.2.9:4000 PCMU 0/-1 event -1 sendrecv crypto 2 "
	  "AES_CM_128_HMAC_SHA1_32",
	  ERR_NONE },
	/* Keys without SRTP are a plain stream (RFC 4568 7.1.1). */
	{ HEAD C4 TIME AVP CRY,
	  "line 0/1 192.0.2.9:4000 PCMU 0/8 event -1 sendrecv", ERR_NONE },

	/* Understood, and nothing for us. */
	{ HEAD C4 TIME "m=video 5000 RTP/AVP 31\r\n", "", ERR_UNSUPPORTED },
	{ HEAD C4 TIME "m=audio 0 RTP/AVP 0\r\n", "", ERR_UNSUPPORTED },
	{ HEAD C4 TIME "m=audio 65536 RTP/AVP 0\r\n", "", ERR_UNSUPPORTED },
	{ HEAD C4 TIME "m=audio -1 RTP/AVP 0\r\n", "", ERR_UNSUPPORTED },
	{ HEAD C4 TIME "m=audio 4000 RTP/AVP 9 18\r\n", "", ERR_UNSUPPORTED },
	{ HEAD C4 TIME "m=audio 4000 RTP/AVP 256 -8 0x0\r\n", "",
	  ERR_UNSUPPORTED },
	{ HEAD C4 TIME "m=audio 4000 UDP/TLS/RTP/SAVPF 0\r\n", "",
	  ERR_UNSUPPORTED },
	{ HEAD C4 TIME "m=audio 4000 udp 0\r\n", "", ERR_UNSUPPORTED },
	/* A static number that is said to be something else. */
	{ HEAD C4 TIME "m=audio 4000 RTP/AVP 0\r\na=rtpmap:0 G726/8000\r\n", "",
	  ERR_UNSUPPORTED },
	{ HEAD C4 TIME "m=audio 4000 RTP/AVP 0\r\na=rtpmap:0 PCMU/16000\r\n",
	  "", ERR_UNSUPPORTED },
	{ HEAD C4 TIME "m=audio 4000 RTP/AVP 96\r\na=rtpmap:96 PCMU/8000/2\r\n",
	  "", ERR_UNSUPPORTED },
	{ HEAD C4 TIME SAVP, "", ERR_UNSUPPORTED },
	{ HEAD C4 TIME SAVP "a=crypto:0 AES_CM_128_HMAC_SHA1_80 inline:" KEY
			    "\r\n",
	  "", ERR_UNSUPPORTED },
	{ HEAD C4 TIME SAVP "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:" KEY
			    "|2^20|1:4\r\n",
	  "", ERR_UNSUPPORTED }, /* a key identifier in each packet */
	{ HEAD C4 TIME SAVP "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:" KEY
			    ";inline:" KEY "\r\n",
	  "", ERR_UNSUPPORTED },
	{ HEAD C4 TIME SAVP "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:" KEY
			    " UNENCRYPTED_SRTP\r\n",
	  "", ERR_UNSUPPORTED },
	{ HEAD C4 TIME SAVP "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:AAAA"
			    "\r\n",
	  "", ERR_UNSUPPORTED },
	{ HEAD C4 TIME SAVP "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:" KEY
			    "AAAA\r\n",
	  "", ERR_UNSUPPORTED },
	{ HEAD C4 TIME SAVP "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:!!!!"
			    "\r\n",
	  "", ERR_UNSUPPORTED },
	{ HEAD C4 TIME SAVP "a=crypto:1 AES_CM_128_HMAC_SHA1_80\r\n", "",
	  ERR_UNSUPPORTED },
	{ HEAD C4 TIME SAVP "a=crypto\r\n", "", ERR_UNSUPPORTED },

	/* No session description. */
	{ "", "", ERR_INPUT },
	{ "hello", "", ERR_INPUT },
	{ "v=1\r\n" TIME AVP, "", ERR_INPUT },
	{ TIME AVP, "", ERR_INPUT },
	{ HEAD C4 TIME AVP "\r\n", "", ERR_INPUT },
	{ HEAD C4 TIME AVP "A=x\r\n", "", ERR_INPUT },
	{ HEAD C4 TIME AVP " a=x\r\n", "", ERR_INPUT },
	{ HEAD C4 TIME AVP "a", "", ERR_INPUT },
	{ HEAD C4 TIME, "", ERR_INPUT },
	{ HEAD C4 TIME "m=audio\r\n", "", ERR_INPUT },
	{ HEAD C4 TIME "m=audio 4000 RTP/AVP\r\n", "", ERR_INPUT },
	{ HEAD C4 TIME AVP "m=thisisaveryverylongname 1 RTP/AVP 0\r\n", "",
	  ERR_INPUT },
};

static void tell(const struct sdp_remote *r, char *out, size_t size)
{
	bool v6 = strchr(r->address, ':') != NULL;
	int n = snprintf(
	    out, size, "line %zu/%zu %s%s%s:%u %s %d/%d event %d %s", r->audio,
	    r->count, v6 ? "[" : "", r->address, v6 ? "]" : "", r->port,
	    sdp_codec_name(r->first), r->payload[SDP_PCMU],
	    r->payload[SDP_PCMA], r->event, sdp_direction_name(r->direction));

	CU_ASSERT_EQUAL(r->srtp, r->crypto.present);
	if (r->rtcp_port)
		n += snprintf(out + n, size - (size_t)n, " rtcp %u",
			      r->rtcp_port);
	if (r->crypto.present)
		snprintf(out + n, size - (size_t)n, " crypto %u %s",
			 r->crypto.tag, sdp_suite_name(r->crypto.suite));
}

static void check_row(const struct row *row)
{
	static const struct sdp_crypto none;
	struct error e = ERROR_INIT;
	struct sdp_remote r;
	char told[256] = "";
	int rc = sdp_read(view_str(row->in), &r, &e);

	if (rc == 0)
		tell(&r, told, sizeof(told));
	if (strcmp(told, row->told) != 0 || e.kind != row->kind)
		unit_note("%s\n%s: %s", row->in, told, e.text);
	CU_ASSERT_EQUAL(rc, row->kind ? -1 : 0);
	CU_ASSERT_EQUAL(e.kind, row->kind);
	CU_ASSERT_STRING_EQUAL(told, row->told);
	if (rc < 0) /* no key stays behind */
		CU_ASSERT_EQUAL(memcmp(&r.crypto, &none, sizeof(none)), 0);
}

static void test_read(void)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		check_row(&rows[i]);
}

static void test_limits(void)
{
	struct error e = ERROR_INIT;
	struct sdp_remote r;
	char text[SDP_BYTES_MAX + 2];
	size_t n = 0;

	n = (size_t)snprintf(text, sizeof(text), "%s", HEAD C4 TIME);
	for (int i = 0; i <= SDP_MEDIA_MAX; i++)
		n += (size_t)snprintf(text + n, sizeof(text) - n, "%s", AVP);
	CHECK_FAILS(sdp_read(view_of(text, n), &r, &e), &e, ERR_INPUT,
		    "more than 16");
	error_clear(&e);
	n -= strlen(AVP);
	CHECK_OK(sdp_read(view_of(text, n), &r, &e), &e);
	memset(text, 'a', sizeof(text));
	memcpy(text, HEAD, strlen(HEAD));
	CHECK_FAILS(sdp_read(view_of(text, SDP_BYTES_MAX + 1), &r, &e), &e,
		    ERR_INPUT, "more than 16384 bytes");
}

/* --- writing */

static struct sdp_local make_local(const char *address, bool keyed)
{
	struct sdp_local l = {
		.address = address,
		.port = 6000,
		.session = 42,
		.version = 7,
		.direction = SDP_SENDRECV,
	};

	if (keyed) {
		l.crypto.present = true;
		l.crypto.tag = 1;
		l.crypto.suite = SDP_SHA1_80;
		memset(l.crypto.key, 0x5a, sizeof(l.crypto.key));
	}
	return l;
}

#define OUR_KEY "WlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpa"

static void test_offer(void)
{
	static const char wanted[] =
	    "v=0\r\no=- 42 7 IN IP6 2001:db8::7\r\ns=-\r\n"
	    "c=IN IP6 2001:db8::7\r\nt=0 0\r\n"
	    "m=audio 6000 RTP/SAVP 0 8 101\r\na=rtpmap:0 PCMU/8000\r\n"
	    "a=rtpmap:8 PCMA/8000\r\na=rtpmap:101 telephone-event/8000\r\n"
	    "a=fmtp:101 0-15\r\na=ptime:20\r\na=sendrecv\r\n"
	    "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:" OUR_KEY "\r\n";
	struct sdp_local l = make_local("2001:db8::7", true);
	struct error e = ERROR_INIT;
	struct sdp_remote r;
	struct buf out;

	buf_init(&out, SDP_BYTES_MAX);
	CHECK_OK(sdp_write_offer(&l, &out, &e), &e);
	CU_ASSERT_STRING_EQUAL(buf_cstr(&out), wanted);
	/* The other side reads what we meant. */
	CHECK_OK(sdp_read(buf_view(&out), &r, &e), &e);
	CU_ASSERT_STRING_EQUAL(r.address, l.address);
	CU_ASSERT_EQUAL(r.port, l.port);
	CU_ASSERT_EQUAL(memcmp(&r.crypto, &l.crypto, sizeof(l.crypto)), 0);
	buf_free(&out);
}

static const struct {
	const char *offer, *audio; /* the answer behind "t=0 0" */
} answers[] = {
	{ HEAD C4 TIME AVP "a=rtpmap:101 telephone-event/8000\r\n",
	  "m=audio 6000 RTP/AVP 0 101\r\na=rtpmap:0 PCMU/8000\r\n"
	  "a=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-15\r\n"
	  "a=ptime:20\r\na=sendrecv\r\n" },
	{ HEAD C4 TIME "m=audio 4000 RTP/AVP 97 0\r\na=rtpmap:97 PCMA/8000\r\n"
		       "a=sendonly\r\n",
	  "m=audio 6000 RTP/AVP 97\r\na=rtpmap:97 PCMA/8000\r\n"
	  "a=ptime:20\r\na=recvonly\r\n" },
	{ HEAD C4 TIME "m=video 5000 RTP/AVP 31 34\r\n"
		       "m=audio 4000 RTP/SAVP 8\r\n"
		       "a=crypto:5 AES_CM_128_HMAC_SHA1_32 inline:" KEY "\r\n"
		       "m=message 9 TCP/MSRP *\r\n",
	  "m=video 0 RTP/AVP 31\r\n"
	  "m=audio 6000 RTP/SAVP 8\r\na=rtpmap:8 PCMA/8000\r\n"
	  "a=ptime:20\r\na=sendrecv\r\n"
	  "a=crypto:5 AES_CM_128_HMAC_SHA1_32 inline:" OUR_KEY "\r\n"
	  "m=message 0 TCP/MSRP *\r\n" },
};

static void test_answers(void)
{
	for (size_t i = 0; i < sizeof(answers) / sizeof(answers[0]); i++) {
		struct sdp_local l = make_local("192.0.2.7", true);
		struct error e = ERROR_INIT;
		struct sdp_remote r;
		struct buf out;
		const char *rest;

		buf_init(&out, SDP_BYTES_MAX);
		CHECK_OK(sdp_read(view_str(answers[i].offer), &r, &e), &e);
		CHECK_OK(sdp_write_answer(&r, &l, &out, &e), &e);
		rest = strstr(buf_cstr(&out), "t=0 0\r\n");
		CU_ASSERT_PTR_NOT_NULL_FATAL(rest);
		CU_ASSERT_STRING_EQUAL(rest + 7, answers[i].audio);
		buf_free(&out);
	}
}

static void test_no_room(void)
{
	struct sdp_local l = make_local("192.0.2.7", false);
	struct error e = ERROR_INIT;
	struct buf out;

	buf_init(&out, 60);
	CHECK_FAILS(sdp_write_offer(&l, &out, &e), &e, ERR_LIMIT, "");
	buf_free(&out);
}

/* RFC 3264 6.1, all sixteen. */
static void test_directions(void)
{
	static const enum sdp_direction S = SDP_SENDRECV, O = SDP_SENDONLY,
					R = SDP_RECVONLY, I = SDP_INACTIVE;
	const struct {
		enum sdp_direction wanted, theirs, agreed;
	} all[] = {
		{ S, S, S }, { S, O, R }, { S, R, O }, { S, I, I },
		{ O, S, O }, { O, O, I }, { O, R, O }, { O, I, I },
		{ R, S, R }, { R, O, R }, { R, R, I }, { R, I, I },
		{ I, S, I }, { I, O, I }, { I, R, I }, { I, I, I },
	};

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		CU_ASSERT_EQUAL(sdp_agree(all[i].wanted, all[i].theirs),
				all[i].agreed);
}

/* Whatever is read, our answer to it can be read again and has as many lines.
 */
static void test_mutated(void)
{
	static const char bytes[] = "\r\n =:/|0a9A\xff";
	unsigned seed = 4566, taken = 0;

	for (int round = 0; round < 6000; round++) {
		const char *base = rows[(size_t)rand_r(&seed) % TAKEN].in;
		struct sdp_local l = make_local("192.0.2.7", true);
		size_t n = strlen(base);
		char *in = malloc(n + 1);
		struct error e = ERROR_INIT;
		struct sdp_remote r, again;
		struct buf out;

		CU_ASSERT_PTR_NOT_NULL_FATAL(in);
		memcpy(in, base, n);
		for (int i = 0; n && i < 3; i++)
			in[(size_t)rand_r(&seed) % n] =
			    bytes[(size_t)rand_r(&seed) % (sizeof(bytes) - 1)];
		buf_init(&out, SDP_BYTES_MAX);
		if (sdp_read(view_of(in, n), &r, &e) == 0) {
			taken++;
			CHECK_OK(sdp_write_answer(&r, &l, &out, &e), &e);
			CHECK_OK(sdp_read(buf_view(&out), &again, &e), &e);
			CU_ASSERT_EQUAL(again.count, r.count);
			CU_ASSERT_EQUAL(again.audio, r.audio);
			CU_ASSERT_EQUAL(again.first, r.first);
		}
		buf_free(&out);
		free(in);
	}
	CU_ASSERT_TRUE(taken > 500);
}

static const struct unit_test tests[] = {
	{ "reading", test_read },
	{ "limits", test_limits },
	{ "our offer", test_offer },
	{ "our answers", test_answers },
	{ "no room", test_no_room },
	{ "directions", test_directions },
	{ "descriptions changed at random", test_mutated },
	{ NULL, NULL },
};

int main(int argc, char **argv)
{
	return unit_main(argc, argv, "sdp", tests, NULL, NULL);
}
