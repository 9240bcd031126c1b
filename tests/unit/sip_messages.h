/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SB_TESTS_UNIT_SIP_MESSAGES_H
#define SB_TESTS_UNIT_SIP_MESSAGES_H

#include <stddef.h>

/* Messages of the kinds that RFC 4475 describes, valid and not, and of those of
 * RFC 3261 8.2: which are taken, and what the others are answered with. */

#define VIA  "Via: SIP/2.0/UDP h.example;branch=z9hG4bK1\r\n"
#define FROM "From: <sip:a@h.example>;tag=f1\r\n"
#define TO   "To: <sip:b@d.example>\r\n"
#define ID   "Call-ID: 1@h.example\r\n"
#define MF   "Max-Forwards: 70\r\n"
/* Everything but the start line and CSeq. */
#define REST VIA FROM TO ID MF
#define OPT  "OPTIONS sip:b@d.example SIP/2.0\r\n"
#define INV  "INVITE sip:b@d.example SIP/2.0\r\n"
#define OCS  "CSeq: 1 OPTIONS\r\n"
#define ICS  "CSeq: 1 INVITE\r\n"
#define END  "Content-Length: 0\r\n\r\n"
#define SDP  "Content-Type: application/sdp\r\n"

struct row {
	const char *in;
	unsigned status; /* 0: taken */
	const char *why;
};

static const struct row requests[] = {
	/* Taken: the ordinary ones. */
	{ OPT REST OCS END, 0, NULL },
	{ INV REST ICS END, 0, NULL },
	{ INV REST ICS SDP "Content-Length: 3\r\n\r\nv=0", 0, NULL },
	{ "ACK sip:b@d.example SIP/2.0\r\n" REST "CSeq: 1 ACK\r\n" END, 0,
	  NULL },
	{ "BYE sips:b@d.example SIP/2.0\r\n" REST "CSeq: 2 BYE\r\n" END, 0,
	  NULL },
	{ "CANCEL sip:b@d.example SIP/2.0\r\n" REST "CSeq: 1 CANCEL\r\n" END, 0,
	  NULL },
	{ "UPDATE sip:b@d.example SIP/2.0\r\n" REST "CSeq: 1 UPDATE\r\n" END, 0,
	  NULL },
	/* Taken though strange (RFC 4475 3.1.1). */
	{ "OPTIONS sip:b@d.example;unknownparam SIP/2.0\r\n" /* 3.1.1.1 */
	  "TO :\r\n sip:b@d.example ;   tag    = 1918181833n\r\n"
	  "from   : \"J Rosenberg \\\\\\\"\"       <sip:j@h.example>\r\n"
	  "  ;\r\n  tag = 98asjd8\r\n"
	  "MaX-fOrWaRdS: 0068\r\n"
	  "Call-ID: 1\r\n"
	  "cseq: 0009\r\n  OPTIONS\r\n"
	  "Via  : SIP  /   2.0\r\n /UDP\r\n    192.0.2.2;branch=390skdjuw\r\n"
	  "s :\r\n"
	  "NewFangledHeader:   newfangled value\r\n continued\r\n"
	  "v:  SIP  / 2.0  / TCP     h.example   ;\r\n branch  =   z9hG4bK9\r\n"
	  "l: 0\r\n\r\n",
	  0, NULL },
	{ "OPTIONS sip:1_unusual.URI~(to-be!sure)&isn't+it$/crazy?,/;;*:&it+has"
	  "=1,weird!*pas$wo~d_too.(doesn't-it)@d.example SIP/2.0\r\n" REST OCS
	      END,
	  0, NULL }, /* 3.1.1.2 */
	{ "OPTIONS sip:sips%3Auser%40example.com@d.example SIP/2.0\r\n" REST OCS
	      END,
	  0, NULL }, /* 3.1.1.3 */
	{ "OPTIONS sip:null-%00-null@d.example SIP/2.0\r\n" REST OCS END, 0,
	  NULL }, /* 3.1.1.4 */
	{ OPT VIA "From: caller<sip:c@h.example>;tag=3\r\n" TO ID MF OCS END, 0,
	  NULL }, /* 3.1.1.6 */
	{ OPT
	  "Via: SIP/2.0/UDP h1;branch=z9hG4bKa\r\n"
	  "Via: SIP/2.0/SCTP h2;branch=z9hG4bKb, SIP/2.0/TLS [::1]\r\n" FROM TO
	      ID MF OCS END,
	  0, NULL }, /* 3.1.1.9, 10 */
	{ OPT
	  "Via: SIP/2.0/UNKNOWN h;branch=z9hG4bK1\r\n" FROM TO ID MF OCS END,
	  0, NULL }, /* 3.1.1.10 */
	{ OPT REST "CSeq: 2147483647 OPTIONS\r\n" END, 0, NULL },
	{ OPT VIA FROM TO ID OCS END, 0, NULL }, /* no Max-Forwards: 16.3 */
	{ OPT VIA FROM TO ID "Max-Forwards: 0\r\n" OCS END, 0, NULL },
	{ OPT REST OCS "Require: timer\r\n" END, 0, NULL },
	{ "ACK sip:b@d.example SIP/2.0\r\n" REST
	  "CSeq: 1 ACK\r\nRequire: nothingSupportsThis\r\n" END,
	  0, NULL },
	{ OPT REST OCS "Proxy-Require: nothingSupportsThis\r\n" END, 0, NULL },
	{ OPT REST OCS "Content-Type: text/x\r\nContent-Length: 1\r\n\r\nx", 0,
	  NULL },
	{ INV REST ICS "c:\r\n application/SDP ;a=b\r\nl: 1\r\n\r\nv", 0,
	  NULL },
	{ INV REST ICS SDP "e: identity\r\nl: 1\r\n\r\nv", 0, NULL },
	{ OPT REST OCS "Date: Fri, 01 Jan 2010 16:00:00 EST\r\n" END, 0,
	  NULL }, /* 3.1.2.12: ignored */
	{ OPT REST OCS "Contact: <sip:a@h;x=\">\">\r\n" END, 0, NULL },

	/* Request lines. */
	{ "OPTIONS  sip:b@d.example SIP/2.0\r\n" REST OCS END, 400,
	  "request line" }, /* 3.1.2.10 */
	{ "OPTIONS sip:b@d.example  SIP/2.0\r\n" REST OCS END, 400,
	  "request line" },
	{ "OPTIONS sip:b@d.example SIP/2.0 \r\n" REST OCS END, 400,
	  "request line" }, /* 3.1.2.11 */
	{ "OPTIONS sip:b@d.example; lr SIP/2.0\r\n" REST OCS END, 400,
	  "request line" }, /* 3.1.2.9 */
	{ "OPTIONS <sip:b@d.example> SIP/2.0\r\n" REST OCS END, 400,
	  "no URI can" }, /* 3.1.2.8 */
	{ "OPTIONS sip:b@d.example SIP/7.0\r\n" REST OCS END, 505,
	  "SIP/2.0" }, /* 3.1.2.16 */
	{ "OPTIONS sip:b@d.example\r\n" REST OCS END, 400, "request line" },
	{ "OPTIONS SIP/2.0\r\n" REST OCS END, 400, "request line" },
	{ "OPT(IONS sip:b@d.example SIP/2.0\r\n" REST OCS END, 400,
	  "no request line" },
	{ " OPTIONS sip:b@d.example SIP/2.0\r\n" REST OCS END, 400,
	  "no request line" },
	{ "OPTIONS nobodyKnowsThisScheme:x SIP/2.0\r\n" REST OCS END, 416,
	  "neither sip: nor sips:" }, /* 3.3.2 */
	{ "OPTIONS tel:+15551212 SIP/2.0\r\n" REST OCS END, 416, "neither" },
	{ "OPTIONS name SIP/2.0\r\n" REST OCS END, 400,
	  "no scheme" }, /* 3.3.3 */
	{ "OPTIONS sip:b@d.example?Route=%3Csip:e%3E SIP/2.0\r\n" REST OCS END,
	  400, "brings header fields" }, /* 3.1.2.14 */
	{ "OPTIONS sip:\"b\"@d.example SIP/2.0\r\n" REST OCS END, 400,
	  "no URI can" },
	/* Methods. */
	{ "NEWMETHOD sip:b@d.example SIP/2.0\r\n" REST
	  "CSeq: 1 NEWMETHOD\r\n" END,
	  405, "not served" },
	{ "options sip:b@d.example SIP/2.0\r\n" REST "CSeq: 1 options\r\n" END,
	  405, "not served" },
	{ "REGISTER sip:d.example SIP/2.0\r\n" REST "CSeq: 1 REGISTER\r\n" END,
	  405, "not served" },
	{ OPT REST ICS END, 400, "method of CSeq" }, /* 3.1.2.17 */
	{ "NEWMETHOD sip:b@d.example SIP/2.0\r\n" REST OCS END, 400,
	  "method of CSeq" }, /* 3.1.2.18 */
	/* Fields that must be there once. */
	{ OPT FROM TO ID MF OCS END, 400, "no Via" },
	{ OPT VIA TO ID MF OCS END, 400, "no From" }, /* 3.3.1 */
	{ OPT VIA FROM ID MF OCS END, 400, "no To" },
	{ OPT VIA FROM TO MF OCS END, 400, "no Call-ID" },
	{ OPT VIA FROM TO "Call-ID: \r\n" MF OCS END, 400, "no Call-ID" },
	{ OPT REST END, 400, "no CSeq" },
	{ OPT REST "t: <sip:c@e.example>\r\n" OCS END, 400,
	  "more than one To" }, /* 3.3.8 */
	{ OPT REST FROM OCS END, 400, "more than one From" },
	{ OPT REST "i: 2\r\n" OCS END, 400, "more than one Call-ID" },
	{ OPT REST OCS OCS END, 400, "more than one CSeq" },
	{ OPT REST MF OCS END, 400, "more than one Max-Forwards" },
	{ OPT REST OCS SDP "c: text/plain\r\n" END, 400,
	  "more than one Content-Type" },
	{ OPT REST OCS "l: 0\r\n" END, 400, "more than one Content-Length" },
	/* Numbers (3.1.2.3, 3.1.2.4, 3.3.9). */
	{ OPT REST "CSeq: 2147483648 OPTIONS\r\n" END, 400, "CSeq" },
	{ OPT REST "CSeq: 36893488147419103232 OPTIONS\r\n" END, 400, "CSeq" },
	{ OPT REST "CSeq: OPTIONS\r\n" END, 400, "CSeq" },
	{ OPT REST "CSeq: 1\r\n" END, 400, "CSeq" },
	{ OPT REST "CSeq: 1OPTIONS\r\n" END, 400, "CSeq" },
	{ OPT REST "CSeq: -1 OPTIONS\r\n" END, 400, "CSeq" },
	{ OPT REST "CSeq: 1 OPTIONS x\r\n" END, 400, "CSeq" },
	{ OPT VIA FROM TO ID "Max-Forwards: 256\r\n" OCS END, 400,
	  "Max-Forwards" },
	{ OPT VIA FROM TO ID "Max-Forwards: many\r\n" OCS END, 400,
	  "Max-Forwards" },
	{ OPT VIA FROM TO ID "Max-Forwards:\r\n" OCS END, 400, "Max-Forwards" },
	{ INV REST ICS SDP "Content-Length: -999\r\n\r\nv=0", 400,
	  "not a number" },
	{ INV REST ICS SDP "Content-Length: 9999\r\n\r\nv=0", 400,
	  "more than there is" }, /* 3.1.2.2 */
	/* Addresses. */
	{ OPT VIA "From: \"J <sip:a@h.example>;tag=1\r\n" TO ID MF OCS END, 400,
	  "open quote" }, /* 3.1.2.6 */
	{ OPT VIA FROM "To: \"Mr. J. User <sip:j@d.example>\r\n" ID MF OCS END,
	  400, "open quote" },
	{ OPT VIA FROM "To: <sip:j@d.example\r\n" ID MF OCS END, 400,
	  "open quote" },
	{ OPT VIA FROM "To: sip:j@d.example>\r\n" ID MF OCS END, 400,
	  "open quote" },
	{ OPT VIA FROM "To: <<sip:j@d.example>>\r\n" ID MF OCS END, 400,
	  "open quote" },
	{ OPT REST OCS "m: \"J\\\" <sip:j@d.example>\r\n" END, 400,
	  "open quote" },
	/* Via. */
	{ OPT "Via: h.example\r\n" FROM TO ID MF OCS END, 400, "Via" },
	{ OPT "Via: SIP/2.0 h.example\r\n" FROM TO ID MF OCS END, 400, "Via" },
	{ OPT "Via: HTTP/2.0/UDP h.example\r\n" FROM TO ID MF OCS END, 400,
	  "Via" },
	{ OPT VIA "Via:\r\n" FROM TO ID MF OCS END, 400, "Via" },
	/* Extensions (3.3.4). */
	{ OPT REST OCS
	  "Require: nothingSupportsThis, timer, nothingEither\r\n" END,
	  420, "extension" },
	{ OPT REST OCS "Require: timer\r\nRequire: 100rel\r\n" END, 420,
	  "extension" },
	{ OPT REST OCS "Require: Timer\r\n" END, 420, "extension" },
	{ OPT REST OCS "Require: timer,,x\r\n" END, 400, "option tags" },
	{ OPT REST OCS "Require: a b\r\n" END, 400, "option tags" },
	/* Bodies (3.3.6). */
	{ INV REST ICS "Content-Type: application/unknownformat\r\n"
		       "Content-Length: 1\r\n\r\nx",
	  415, "application/sdp" },
	{ INV REST ICS "Content-Type: application/sdpx\r\n"
		       "Content-Length: 1\r\n\r\nx",
	  415, "application/sdp" },
	{ INV REST ICS "Content-Type: multipart/mixed;boundary=x\r\n"
		       "Content-Length: 1\r\n\r\nx",
	  415, "application/sdp" }, /* 3.1.1.11 */
	{ INV REST ICS SDP "Content-Encoding: gzip\r\nContent-Length: 1\r\n\r\n"
			   "x",
	  415, "encoding" },
	{ INV REST ICS "Content-Length: 1\r\n\r\nx", 400, "without" },
	/* Fields that are none. */
	{ OPT REST OCS "no colon here\r\n" END, 400, "without a colon" },
	{ OPT REST OCS ": no name\r\n" END, 400, "not the name" },
	{ OPT REST OCS "two words: x\r\n" END, 400, "not the name" },
	{ OPT " folded: start\r\n" REST OCS END, 400, "not the name" },
	/* Not a head. */
	{ OPT REST OCS, 400, "no end" },
	{ "", 400, "no end" },
	{ "\r\n\r\n", 400, "no start line" },
	{ "hello\r\n\r\n", 400, "request line" },
};

static const struct row answers[] = {
	{ "SIP/2.0 200 OK\r\n" REST OCS END, 0, NULL },
	{ "SIP/2.0 200 = 2**3 * 5**2 \xd0\xbd\xd0\xbe\r\n" REST OCS END, 0,
	  NULL },                                     /* 3.1.1.12 */
	{ "SIP/2.0 100 \r\n" REST OCS END, 0, NULL }, /* 3.1.1.13 */
	{ "sip/2.0 699 x\r\n" REST OCS END, 0, NULL },
	{ "SIP/2.0 4294967301 better\r\n" REST OCS END, 0,
	  "status code" }, /* 3.1.2.19 */
	{ "SIP/2.0 099 x\r\n" REST OCS END, 0, "status code" },
	{ "SIP/2.0 700 x\r\n" REST OCS END, 0, "status code" },
	{ "SIP/2.0 20 x\r\n" REST OCS END, 0, "status code" },
	{ "SIP/2.0 two x\r\n" REST OCS END, 0, "status code" },
	{ "SIP/2.0\r\n" REST OCS END, 0, "status code" },
	{ "SIP/3.0 200 OK\r\n" REST OCS END, 0, "SIP/2.0" },
	{ "SIP/2.0 200 OK\r\n" FROM TO ID OCS END, 0, "no Via" },
	{ "SIP/2.0 200 OK\r\n" REST "CSeq: 2147483648 OPTIONS\r\n" END, 0,
	  "CSeq" },
	{ "SIP/2.0 200 OK\r\n" REST OCS "Content-Length: 5\r\n\r\nx", 0,
	  "more than there is" },
};

#endif
