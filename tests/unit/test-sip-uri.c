/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <stdio.h>
#include <string.h>

#include "sip/sip_uri.h"
#include "tests/lib/unit.h"

/* What is typed, with which settings, and what comes of it. */

#define DIRECT                          \
	{                               \
		.mode = SIP_CALL_DIRECT \
	}
#define TRUNK(a, d)                                              \
	{                                                        \
		.mode = SIP_USE_TRUNK, .address = a, .domain = d \
	}
#define REGISTRAR(a, d)                                              \
	{                                                            \
		.mode = SIP_USE_REGISTRAR, .address = a, .domain = d \
	}

struct row {
	struct sip_outbound_settings s; /* transport: UDP */
	const char *text;
	const char *uri;
	const char *to; /* "[sips ]transport host port" */
};

static const struct row rows[] = {
	/* Directly: to whom the address names. */
	{ DIRECT, "bob@example.com", "sip:bob@example.com",
	  "udp example.com 0" },
	{ DIRECT, "  bob@example.com\t", "sip:bob@example.com",
	  "udp example.com 0" },
	{ DIRECT, "bob@example.com.", "sip:bob@example.com",
	  "udp example.com 0" },
	{ DIRECT, "bob@example.com:5070", "sip:bob@example.com:5070",
	  "udp example.com 5070" },
	{ DIRECT, "sip:bob@example.com", "sip:bob@example.com",
	  "udp example.com 0" },
	{ DIRECT, "SIP:Bob@Example.com", "sip:Bob@Example.com",
	  "udp Example.com 0" },
	{ DIRECT, "example.com", "sip:example.com", "udp example.com 0" },
	{ DIRECT, "room", "sip:room", "udp room 0" },
	{ DIRECT, "sip:room", "sip:room", "udp room 0" },
	{ DIRECT, "192.0.2.1", "sip:192.0.2.1", "udp 192.0.2.1 0" },
	{ DIRECT, "192.0.2.1:5070", "sip:192.0.2.1:5070",
	  "udp 192.0.2.1 5070" },
	{ DIRECT, "2001:db8::1", "sip:[2001:db8::1]", "udp 2001:db8::1 0" },
	{ DIRECT, "[2001:db8::1]", "sip:[2001:db8::1]", "udp 2001:db8::1 0" },
	{ DIRECT, "[2001:db8::1]:5070", "sip:[2001:db8::1]:5070",
	  "udp 2001:db8::1 5070" },
	{ DIRECT, "bob@[2001:db8::1]:5070;transport=tcp",
	  "sip:bob@[2001:db8::1]:5070;transport=tcp", "tcp 2001:db8::1 5070" },
	{ DIRECT, "1234@192.0.2.1", "sip:1234@192.0.2.1", "udp 192.0.2.1 0" },
	/* A user's "-" is his, no separator. */
	{ DIRECT, "12-34@example.com", "sip:12-34@example.com",
	  "udp example.com 0" },
	{ DIRECT, "a.b_c!~*'()&=+$,;?/@example.com",
	  "sip:a.b_c!~*'()&=+$,;?/@example.com", "udp example.com 0" },
	{ DIRECT, "b%20b@example.com", "sip:b%20b@example.com",
	  "udp example.com 0" },
	/* Settings that do not count. */
	{ { SIP_CALL_DIRECT, "trunk.example", "domain.example", SIP_TCP },
	  "bob@example.com",
	  "sip:bob@example.com",
	  "tcp example.com 0" },
	/* Transports. */
	{ DIRECT, "bob@example.com;transport=TLS",
	  "sip:bob@example.com;transport=TLS", "tls example.com 0" },
	{ DIRECT, "example.com;user=phone;transport=udp;gr=a%41",
	  "sip:example.com;user=phone;transport=udp;gr=a%41",
	  "udp example.com 0" },
	{ DIRECT, "example.com;isub", "sip:example.com;isub",
	  "udp example.com 0" },
	{ DIRECT, "sips:bob@example.com", "sips:bob@example.com",
	  "sips tls example.com 0" },
	{ DIRECT, "sips:bob@example.com;transport=tcp",
	  "sips:bob@example.com;transport=tcp", "sips tls example.com 0" },
	{ DIRECT, "sips:192.0.2.1;transport=tls",
	  "sips:192.0.2.1;transport=tls", "sips tls 192.0.2.1 0" },
	/* By a trunk: it is told what was dialled. */
	{ TRUNK("trunk.example", ""), "bob@example.com", "sip:bob@example.com",
	  "udp trunk.example 0" },
	{ TRUNK("192.0.2.9:5080", ""), "192.0.2.1", "sip:192.0.2.1",
	  "udp 192.0.2.9 5080" },
	{ TRUNK("[2001:db8::9]", NULL), "example.com", "sip:example.com",
	  "udp 2001:db8::9 0" },
	{ TRUNK("trunk.example", NULL), "sip:room", "sip:room",
	  "udp trunk.example 0" },
	/* Without a domain, it gets one. */
	{ TRUNK("trunk.example:5080", "corp.example"), "1234",
	  "sip:1234@corp.example", "udp trunk.example 5080" },
	{ TRUNK("trunk.example.", "corp.example."), "bob",
	  "sip:bob@corp.example", "udp trunk.example 0" },
	{ TRUNK("trunk.example:5080", ""), "bob", "sip:bob@trunk.example",
	  "udp trunk.example 5080" },
	{ TRUNK("[2001:db8::9]:5080", ""), "+49 (30) 12-34",
	  "sip:+49301234@[2001:db8::9]", "udp 2001:db8::9 5080" },
	{ TRUNK("trunk.example", "corp.example"), "sip:+49301234",
	  "sip:+49301234@corp.example", "udp trunk.example 0" },
	{ TRUNK("trunk.example", "corp.example"), "sips:1234",
	  "sips:1234@corp.example", "sips tls trunk.example 0" },
	{ TRUNK("trunk.example", "corp.example"), "tel:+49-30-1234",
	  "sip:+49301234@corp.example", "udp trunk.example 0" },
	{ TRUNK("trunk.example", "corp.example"), "*21#",
	  "sip:*21%23@corp.example", "udp trunk.example 0" },
	/* Its parameter says nothing about the way to the trunk. */
	{ TRUNK("trunk.example", ""), "bob@example.com;transport=tcp",
	  "sip:bob@example.com;transport=tcp", "udp trunk.example 0" },
	{ REGISTRAR("reg.example", "corp.example"), "bob",
	  "sip:bob@corp.example", "udp reg.example 0" },
	{ REGISTRAR("reg.example", "corp.example"), "sips:bob@example.com",
	  "sips:bob@example.com", "sips tls reg.example 0" },
	/* Bad, but not used. */
	{ TRUNK("trunk.example", "no domain"), "bob@example.com",
	  "sip:bob@example.com", "udp trunk.example 0" },
};

static void show(const struct sip_dialled *d, char *out, size_t size)
{
	static const char *const names[] = {
		[SIP_UDP] = "udp", [SIP_TCP] = "tcp", [SIP_TLS] = "tls"
	};

	snprintf(out, size, "%s%s %s %u", d->secure ? "sips " : "",
		 names[d->transport], d->host, d->port);
}

static void check_text(const char *typed, const char *got, const char *wanted)
{
	if (strcmp(got, wanted) != 0)
		unit_note("\"%s\": \"%s\", not \"%s\"", typed, got, wanted);
	CU_ASSERT_STRING_EQUAL(got, wanted);
}

static void dials(void)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct sip_dial what = { .text = rows[i].text };
		struct error e = ERROR_INIT;
		struct sip_dialled d;
		char to[400];

		if (sip_dial(&what, &rows[i].s, &d, &e) < 0) {
			unit_note("\"%s\": %s", rows[i].text, e.text);
			CU_FAIL("refused");
			continue;
		}
		show(&d, to, sizeof(to));
		check_text(rows[i].text, d.uri, rows[i].uri);
		check_text(rows[i].text, to, rows[i].to);
	}
}

struct refusal {
	struct sip_outbound_settings s;
	const char *text;
	enum error_kind kind;
	const char *words;
};

#define WITH_TRUNK TRUNK("trunk.example", "")

static const struct refusal refusals[] = {
	{ DIRECT, "", ERR_INPUT, "empty" },
	{ DIRECT, " \t ", ERR_INPUT, "empty" },
	{ DIRECT, "sip:", ERR_INPUT, "neither" },
	{ DIRECT, "sips:@", ERR_INPUT, "before the @" },
	{ DIRECT, "@example.com", ERR_INPUT, "before the @" },
	{ DIRECT, "bob@", ERR_INPUT, "neither" },
	{ DIRECT, "bob@@example.com", ERR_INPUT, "one @" },
	{ DIRECT, "bob@a.example@b.example", ERR_INPUT, "one @" },
	{ DIRECT, "a@b.example;x=@c", ERR_INPUT, "one @" },
	{ DIRECT, "bob:secret@example.com", ERR_INPUT, "password" },
	{ DIRECT, "b ob@example.com", ERR_INPUT, "escaped" },
	{ DIRECT, "b\"ob@example.com", ERR_INPUT, "escaped" },
	{ DIRECT, "<sip:bob@example.com>", ERR_INPUT, "password" },
	{ DIRECT, "b\xc3\xb6@example.com", ERR_INPUT, "escaped" },
	{ DIRECT, "b%2@example.com", ERR_INPUT, "escaped" },
	{ DIRECT, "b%zz@example.com", ERR_INPUT, "escaped" },
	{ DIRECT, "b%00@example.com", ERR_INPUT, "escaped" },
	{ DIRECT, "b%", ERR_INPUT, "neither" },
	{ DIRECT, "bob\r\nVia: x@example.com", ERR_INPUT, "password" },
	{ DIRECT, "bob\r\n@example.com", ERR_INPUT, "escaped" },
	{ DIRECT, "bob@example.com\r\nVia", ERR_INPUT, "neither" },
	{ DIRECT, "bob@exa mple.com", ERR_INPUT, "neither" },
	{ DIRECT, "bob@10.0.0", ERR_INPUT, "neither" },
	{ DIRECT, "10.0.0", ERR_INPUT, "neither" },
	{ DIRECT, "10.0.0.256", ERR_INPUT, "neither" },
	{ DIRECT, "bob@2001:db8::1", ERR_INPUT, "brackets" },
	{ DIRECT, "sip:2001:db8::1", ERR_INPUT, "brackets" },
	{ DIRECT, "[192.0.2.1]", ERR_INPUT, "brackets" },
	{ DIRECT, "[2001:db8::1", ERR_INPUT, "brackets" },
	{ DIRECT, "[2001:db8::1]x", ERR_INPUT, "brackets" },
	{ DIRECT, "example.com:", ERR_INPUT, "port" },
	{ DIRECT, "example.com:0", ERR_INPUT, "port" },
	{ DIRECT, "example.com:65536", ERR_INPUT, "port" },
	{ DIRECT, "example.com:sip", ERR_INPUT, "port" },
	{ DIRECT, "http://example.com", ERR_INPUT, "" },
	{ DIRECT, "h323:bob@example.com", ERR_INPUT, "password" },
	/* Parameters. */
	{ DIRECT, "bob@example.com;transport=sctp", ERR_INPUT, "transport" },
	{ DIRECT, "bob@example.com;transport", ERR_INPUT, "transport" },
	{ DIRECT, "bob@example.com;transport=", ERR_INPUT, "misspelt" },
	{ DIRECT, "bob@example.com;transport=udp;TRANSPORT=tcp", ERR_INPUT,
	  "twice" },
	{ DIRECT, "bob@example.com;", ERR_INPUT, "misspelt" },
	{ DIRECT, "bob@example.com;;a", ERR_INPUT, "misspelt" },
	{ DIRECT, "bob@example.com;=a", ERR_INPUT, "misspelt" },
	{ DIRECT, "bob@example.com;a=b=c", ERR_INPUT, "misspelt" },
	{ DIRECT, "bob@example.com;a=<b>", ERR_INPUT, "misspelt" },
	{ DIRECT, "bob@example.com;maddr=192.0.2.7", ERR_INPUT, "changes" },
	{ DIRECT, "bob@example.com;MAddr=192.0.2.7", ERR_INPUT, "changes" },
	{ DIRECT, "bob@example.com;lr", ERR_INPUT, "changes" },
	{ DIRECT, "bob@example.com;method=BYE", ERR_INPUT, "changes" },
	{ DIRECT, "bob@example.com;ttl=9", ERR_INPUT, "changes" },
	{ DIRECT, "a.example;a;b;c;d;e;f;g;h;i", ERR_INPUT, "too many" },
	{ DIRECT, "bob@example.com?Route=x", ERR_INPUT, "headers" },
	{ DIRECT, "bob@example.com;a=b?Route=x", ERR_INPUT, "headers" },
	{ DIRECT, "sips:bob@example.com;transport=udp", ERR_INPUT, "TLS" },
	{ WITH_TRUNK, "sips:bob@example.com;transport=udp", ERR_INPUT, "TLS" },
	/* Numbers. */
	{ DIRECT, "1234", ERR_INPUT, "needs a domain" },
	{ DIRECT, "sip:1234", ERR_INPUT, "needs a domain" },
	{ DIRECT, "+49 30 1234", ERR_INPUT, "needs a domain" },
	{ DIRECT, "tel:+49301234", ERR_INPUT, "needs a domain" },
	{ WITH_TRUNK, "tel:", ERR_INPUT, "number" },
	{ WITH_TRUNK, "tel:bob", ERR_INPUT, "number" },
	{ WITH_TRUNK, "tel:1234;phone-context=+49", ERR_INPUT, "number" },
	{ WITH_TRUNK, "tel:1234@example.com", ERR_INPUT, "number" },
	{ WITH_TRUNK, "012345678901234567890123456789012;x", ERR_INPUT, "" },
	{ WITH_TRUNK, "1.234", ERR_INPUT, "neither" },
	{ DIRECT, "+", ERR_INPUT, "neither" },
	{ WITH_TRUNK, "bob secret", ERR_INPUT, "neither" },
	/* Settings. */
	{ TRUNK("", "corp.example"), "bob", ERR_CONFIG, "outbound address" },
	{ TRUNK(NULL, NULL), "bob@example.com", ERR_CONFIG,
	  "outbound address" },
	{ REGISTRAR("", ""), "1234", ERR_CONFIG, "outbound address" },
	{ TRUNK("not a host", ""), "bob", ERR_CONFIG, "outbound address" },
	{ TRUNK("sip:trunk.example", ""), "bob", ERR_CONFIG,
	  "outbound address" },
	{ TRUNK("trunk.example", "no domain"), "bob", ERR_CONFIG,
	  "outbound domain" },
};

static void refuses(void)
{
	for (size_t i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++) {
		const struct sip_dial what = { .text = refusals[i].text };
		struct error e = ERROR_INIT;
		struct sip_dialled d;
		int rc = sip_dial(&what, &refusals[i].s, &d, &e);

		if (rc == 0)
			unit_note("\"%s\" was taken: %s", what.text, d.uri);
		CHECK_FAILS(rc, &e, refusals[i].kind, refusals[i].words);
	}
}

/* As long as may be, and longer. */
static void keeps_to_its_limits(void)
{
	const struct sip_outbound_settings s = DIRECT;
	struct error e = ERROR_INIT;
	struct sip_dialled d;
	char text[1000];
	const struct sip_dial what = { .text = text };

	for (size_t n = 0; n < sizeof(text); n++) {
		bool fits = n > 10 && n <= SIP_TYPED_MAX;

		memset(text, 'a', n);
		text[n] = '\0';
		if (n > 10)
			memcpy(text + n - 10, "@x.example", 10);
		else
			text[0] = '\0';
		if (fits)
			CHECK_OK(sip_dial(&what, &s, &d, &e), &e);
		else
			CHECK_FAILS(sip_dial(&what, &s, &d, &e), &e, ERR_INPUT,
				    "the address");
	}
	memset(text, '#', SIP_TYPED_MAX);
	text[SIP_TYPED_MAX] = '\0';
	CHECK_FAILS(sip_dial(&what, &s, &d, &e), &e, ERR_INPUT, "");
}

/* A wish for one call, against the address and the settings. */
struct wish {
	enum sip_outbound mode;
	const char *text;
	enum sip_transport wish, setting;
	const char *to; /* NULL: refused */
};

static const struct wish wishes[] = {
	{ SIP_CALL_DIRECT, "a.example", SIP_TLS, SIP_UDP, "tls a.example 0" },
	{ SIP_CALL_DIRECT, "a.example", SIP_UDP, SIP_TLS, "udp a.example 0" },
	{ SIP_USE_TRUNK, "a.example", SIP_TCP, SIP_TLS, "tcp t.example 0" },
	{ SIP_USE_TRUNK, "a.example;transport=udp", SIP_TCP, SIP_TLS,
	  "tcp t.example 0" },
	{ SIP_CALL_DIRECT, "a.example;transport=tcp", SIP_TCP, SIP_UDP,
	  "tcp a.example 0" },
	{ SIP_CALL_DIRECT, "sips:a.example", SIP_TLS, SIP_UDP,
	  "sips tls a.example 0" },
	{ SIP_CALL_DIRECT, "a.example;transport=tcp", SIP_UDP, SIP_TCP, NULL },
	{ SIP_CALL_DIRECT, "sips:a.example", SIP_TCP, SIP_TLS, NULL },
	{ SIP_CALL_DIRECT, "sips:a.example", SIP_UDP, SIP_TLS, NULL },
	{ SIP_USE_TRUNK, "sips:a.example", SIP_UDP, SIP_TLS, NULL },
	{ SIP_USE_REGISTRAR, "sips:1234", SIP_TCP, SIP_TLS, NULL },
};

static void takes_wishes(void)
{
	for (size_t i = 0; i < sizeof(wishes) / sizeof(wishes[0]); i++) {
		const struct wish *w = &wishes[i];
		const struct sip_outbound_settings s = { w->mode, "t.example",
							 "", w->setting };
		const struct sip_dial what = { w->text, true, w->wish };
		struct error e = ERROR_INIT;
		struct sip_dialled d;
		char to[400];

		if (!w->to) {
			CHECK_FAILS(sip_dial(&what, &s, &d, &e), &e, ERR_INPUT,
				    "transport");
			continue;
		}
		CHECK_OK(sip_dial(&what, &s, &d, &e), &e);
		show(&d, to, sizeof(to));
		check_text(w->text, to, w->to);
	}
}

static void registers(void)
{
	static const struct {
		struct sip_outbound_settings s;
		const char *user, *uri, *aor, *to;
	} good[] = {
		{ REGISTRAR("reg.example:5080", "corp.example"), "mcu",
		  "sip:corp.example", "sip:mcu@corp.example",
		  "udp reg.example 5080" },
		{ REGISTRAR("reg.example:5080", ""), "1234", "sip:reg.example",
		  "sip:1234@reg.example", "udp reg.example 5080" },
		{ REGISTRAR("[2001:db8::9]", NULL), "m%20u",
		  "sip:[2001:db8::9]", "sip:m%20u@[2001:db8::9]",
		  "udp 2001:db8::9 0" },
	};
	static const struct {
		struct sip_outbound_settings s;
		const char *user;
		enum error_kind kind;
	} bad[] = {
		{ DIRECT, "mcu", ERR_CONFIG },
		{ TRUNK("reg.example", ""), "mcu", ERR_CONFIG },
		{ REGISTRAR("", "corp.example"), "mcu", ERR_CONFIG },
		{ REGISTRAR("reg.example", "corp example"), "mcu", ERR_CONFIG },
		{ REGISTRAR("reg.example", ""), "", ERR_INPUT },
		{ REGISTRAR("reg.example", ""), "m@c", ERR_INPUT },
		{ REGISTRAR("reg.example", ""), "m:c", ERR_INPUT },
		{ REGISTRAR("reg.example", ""), "m\r\nc", ERR_INPUT },
	};
	char aor[SIP_URI_SIZE], to[400];
	struct error e = ERROR_INIT;
	struct sip_dialled d;

	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		CHECK_OK(sip_register_as(good[i].user, &good[i].s, &d, aor, &e),
			 &e);
		show(&d, to, sizeof(to));
		check_text(good[i].user, d.uri, good[i].uri);
		check_text(good[i].user, aor, good[i].aor);
		check_text(good[i].user, to, good[i].to);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		CHECK_FAILS(
		    sip_register_as(bad[i].user, &bad[i].s, &d, aor, &e), &e,
		    bad[i].kind, "");
}

/* Any byte at any place: what is taken can stand in a message. */
static void writes_nothing_odd(void)
{
	static const char *const texts[] = {
		"sips:b%20b@example.com:5070;transport=tcp;a=b",
		"bob@[2001:db8::1]:5070", "+49 (30) 12*3#", "room"
	};
	const struct sip_outbound_settings s = TRUNK("t.example", "");
	size_t taken = 0, refused = 0;

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		for (size_t at = 0; at < strlen(texts[i]); at++)
			for (int byte = 1; byte < 256; byte++) {
				char text[100];
				const struct sip_dial what = { .text = text };
				struct error e = ERROR_INIT;
				struct sip_dialled d;

				snprintf(text, sizeof(text), "%s", texts[i]);
				text[at] = (char)byte;
				if (sip_dial(&what, &s, &d, &e) < 0) {
					refused++;
					continue;
				}
				taken++;
				CU_ASSERT_EQUAL(strcspn(d.uri, " \t\r\n<>\"\\"),
						strlen(d.uri));
				for (const char *p = d.uri; *p; p++)
					CU_ASSERT(*p > ' ' && *p <= '~');
			}
	CU_ASSERT(taken > 100);
	CU_ASSERT(refused > 100);
}

static uint32_t no_chance(void *arg)
{
	(void)arg;
	return 0;
}

/* What comes out is something that can be looked for. */
static void can_be_located(void)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct sip_dial what = { .text = rows[i].text };
		struct sip_destination to;
		struct error e = ERROR_INIT;
		struct sip_locator *l;
		struct sip_dialled d;

		CHECK_OK(sip_dial(&what, &rows[i].s, &d, &e), &e);
		to = sip_dialled_destination(&d);
		l = sip_locator_new(&to, no_chance, NULL, &e);
		CHECK_OBJECT(l, &e);
		sip_locator_free(l);
	}
}

static const struct unit_test tests[] = {
	{ "dials", dials },
	{ "refuses", refuses },
	{ "keeps to its limits", keeps_to_its_limits },
	{ "takes wishes", takes_wishes },
	{ "registers", registers },
	{ "writes nothing odd", writes_nothing_odd },
	{ "can be located", can_be_located },
	{ NULL, NULL },
};

int main(int argc, char **argv)
{
	return unit_main(argc, argv, "sip-uri", tests, NULL, NULL);
}
