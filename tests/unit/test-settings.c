/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/settings.h"
#include "tests/unit/config_fixture.h"
#include "tests/unit/tamper.h"

/* Settings: their layers, what is refused, a store that fails. */

static struct store *open_store(void)
{
	struct error e = ERROR_INIT;
	struct store *s = store_open(config_dir, &e);

	CHECK_OBJECT(s, &e);
	return s;
}

static struct settings *open_settings(const struct config *c, struct store *s)
{
	struct error e = ERROR_INIT;
	struct settings *set = settings_new(c, s, &e);

	CHECK_OBJECT(set, &e);
	return set;
}

static void check_text(struct settings *s, enum setting_id id, const char *want)
{
	char *text = settings_text(s, id);

	CU_ASSERT_STRING_EQUAL(text, want);
	free(text);
}

static void test_setting_rows(void)
{
	for (int i = 0; i < SETTING_COUNT; i++) {
		const struct setting_row *r = setting_row((enum setting_id)i);

		CU_ASSERT_EQUAL(setting_find(r->name), i);
		CU_ASSERT(r->label && *r->label && r->help && *r->help);
		CU_ASSERT_EQUAL(r->type == SETTING_CHOICE, r->choices != NULL);
	}
	CU_ASSERT_EQUAL(setting_find(""), -1);
	CU_ASSERT_EQUAL(setting_find("services.https"), -1);
	CU_ASSERT_EQUAL(setting_find("Services.https.port"), -1);
}

static void test_setting_layers(void)
{
	struct error e = ERROR_INIT;
	struct config *c;
	struct store *s;
	struct settings *set;

	begin("[defaults]\nservices.https.port = 8443\n"
	      "services.http.enabled = OFF\ntls.minimumVersion = 1.3\n");
	c = load(NULL, 0);
	s = open_store();
	set = open_settings(c, s);
	CU_ASSERT_EQUAL(settings_int(set, SETTING_HTTP_PORT), 80);
	CU_ASSERT_EQUAL(settings_int(set, SETTING_HTTPS_PORT), 8443);
	CU_ASSERT_FALSE(settings_bool(set, SETTING_HTTP_ENABLED));
	CU_ASSERT_TRUE(settings_bool(set, SETTING_HTTPS_ENABLED));
	CU_ASSERT_EQUAL(settings_choice(set, SETTING_TLS_MINIMUM_VERSION), 1);
	check_text(set, SETTING_HTTP_ENABLED, "no");
	check_text(set, SETTING_TLS_MINIMUM_VERSION, "1.3");
	CHECK_OK(settings_set(set, SETTING_HTTPS_PORT, "9443", &e), &e);
	CHECK_OK(settings_set(set, SETTING_HTTP_ENABLED, "true", &e), &e);
	CU_ASSERT_EQUAL(settings_int(set, SETTING_HTTPS_PORT), 9443);
	settings_free(set);
	store_close(s);
	s = open_store();
	set = open_settings(c, s);
	CU_ASSERT_EQUAL(settings_int(set, SETTING_HTTPS_PORT), 9443);
	CU_ASSERT_TRUE(settings_bool(set, SETTING_HTTP_ENABLED));
	check_text(set, SETTING_HTTP_ENABLED, "yes");
	settings_free(set);
	store_close(s);
	config_free(c);
}

static void test_setting_refusals(void)
{
	static const struct {
		enum setting_id id;
		const char *value, *words;
	} rows[] = {
		{ SETTING_HTTPS_PORT, "0", "from 1 to 65535" },
		{ SETTING_HTTPS_PORT, "65536", "services.https.port: \"65536" },
		{ SETTING_HTTPS_PORT, "-1", "1 to 65535" },
		{ SETTING_HTTPS_PORT, "", "1 to 65535" },
		{ SETTING_HTTPS_PORT, " 443", "1 to 65535" },
		{ SETTING_HTTPS_PORT, "443 ", "1 to 65535" },
		{ SETTING_HTTPS_PORT, "0x1bb", "1 to 65535" },
		{ SETTING_HTTPS_PORT, "4e2", "1 to 65535" },
		{ SETTING_HTTPS_PORT, "99999999999999999999", "1 to 65535" },
		{ SETTING_HTTPS_ENABLED, "", "not yes or no" },
		{ SETTING_HTTPS_ENABLED, "1", "not yes or no" },
		{ SETTING_HTTPS_ENABLED, "yes ", "not yes or no" },
		{ SETTING_TLS_MINIMUM_VERSION, "1.1", "none of: 1.2 1.3" },
		{ SETTING_TLS_MINIMUM_VERSION, "1.2 1.3", "none of" },
		{ SETTING_TLS_MINIMUM_VERSION, "", "none of" },
		{ SETTING_TLS_MINIMUM_VERSION, "1.", "none of" },
		{ SETTING_WEB_SESSION_TIMEOUT_MINUTES, "61", "1 to 60" },
		{ SETTING_SYSLOG_SERVER, " ", "syslog.server: \" \"" },
		{ SETTING_SYSLOG_SERVER, "log.example:0", "1 to 65535" },
		{ SETTING_SYSLOG_SERVER, "::1", "in brackets" },
		{ SETTING_SYSLOG_SERVER, "a\nb", "neither a host name" },
		{ SETTING_SIP_OUTBOUND, "useProxy", "none of: callDirect" },
		{ SETTING_SIP_OUTBOUND_ADDRESS, " ", "sip.outboundAddress" },
		{ SETTING_SIP_OUTBOUND_ADDRESS, "pbx.example:0", "1 to 65535" },
		{ SETTING_SIP_OUTBOUND_ADDRESS, "pbx.example:", "1 to 65535" },
		{ SETTING_SIP_OUTBOUND_ADDRESS, "2001:db8::1", "in brackets" },
		{ SETTING_SIP_OUTBOUND_ADDRESS, "sip:pbx.example",
		  "1 to 65535" },
		{ SETTING_SIP_OUTBOUND_ADDRESS, "a;b", "neither a host name" },
		{ SETTING_SIP_OUTBOUND_ADDRESS, "a\r\nVia: b", "sip.outbound" },
		{ SETTING_SIP_OUTBOUND_ADDRESS, "1.2.3", "neither a host" },
		{ SETTING_SIP_OUTBOUND_DOMAIN, "example:5060", "has no port" },
		{ SETTING_SIP_OUTBOUND_DOMAIN, "a@b", "neither a host name" },
		{ SETTING_SIP_OUTBOUND_DOMAIN, "a b", "neither a host name" },
		{ SETTING_SIP_OUTBOUND_DOMAIN, "a\n", "neither a host name" },
		{ SETTING_SIP_OUTBOUND_DOMAIN, "b\u00fccher.example",
		  "neither a host name" },
		{ SETTING_SIP_USER_NAME, "a@b", "before the \"@\"" },
		{ SETTING_SIP_USER_NAME, "a b", "sip.userName: \"a b\"" },
		{ SETTING_SIP_USER_NAME, "a:b", "before the" },
		{ SETTING_SIP_USER_NAME, "a\"", "before the" },
		{ SETTING_SIP_USER_NAME, "<a>", "before the" },
		{ SETTING_SIP_USER_NAME, "a%", "before the" },
		{ SETTING_SIP_USER_NAME, "a%2", "before the" },
		{ SETTING_SIP_USER_NAME, "a%00", "before the" },
		{ SETTING_SIP_USER_NAME, "\u00fc", "before the" },
		{ SETTING_SIP_USER_NAME, "a\r\nTo: b", "\"a  To: b\"" },
		{ SETTING_SIP_USER_NAME,
		  "0123456789012345678901234567890123456789012345678901234567"
		  "8901234",
		  "at most 64" },
		{ SETTING_SIP_OUTGOING_TRANSPORT, "TLS", "none of: tcp udp" },
		{ SETTING_SIP_MEDIA_TIMEOUT_SECONDS, "9", "10 to 3600" },
		{ SETTING_SIP_SESSION_SECONDS, "89", "90 to 86400" },
		{ SETTING_SIP_REGISTRATION_SECONDS, "59", "60 to 86400" },
	};
	struct error e = ERROR_INIT;
	struct config *c;
	struct store *s;
	struct settings *set;
	char longer[10000];

	begin("");
	c = load(NULL, 0);
	s = open_store();
	set = open_settings(c, s);
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		CHECK_FAILS(settings_set(set, rows[i].id, rows[i].value, &e),
			    &e, ERR_INPUT, rows[i].words);
	memset(longer, '9', sizeof(longer) - 1);
	longer[sizeof(longer) - 1] = '\0';
	CHECK_FAILS(settings_set(set, SETTING_HTTPS_PORT, longer, &e), &e,
		    ERR_INPUT, "1 to 65535");
	CU_ASSERT_EQUAL(settings_int(set, SETTING_HTTPS_PORT), 443);
	settings_free(set);
	store_close(s);
	config_free(c);
}

static void check_pair(struct settings *set, const char *enabled,
		       const char *server, const char *words)
{
	const struct setting_change pair[] = {
		{ SETTING_SYSLOG_ENABLED, enabled },
		{ SETTING_SYSLOG_SERVER, server },
	};
	struct error e = ERROR_INIT;

	if (words)
		CHECK_FAILS(settings_change(set, pair, 2, &e), &e, ERR_CONFLICT,
			    words);
	else
		CHECK_OK(settings_change(set, pair, 2, &e), &e);
}

/* The number of a server is its port, and sending needs one. */
static void test_setting_server(void)
{
	struct error e = ERROR_INIT;
	struct config *c;
	struct store *s;
	struct settings *set;

	begin("");
	c = load(NULL, 0);
	s = open_store();
	set = open_settings(c, s);
	CU_ASSERT_EQUAL(settings_int(set, SETTING_SYSLOG_SERVER), 0);
	CHECK_FAILS(settings_set(set, SETTING_SYSLOG_ENABLED, "yes", &e), &e,
		    ERR_CONFLICT, "set it as well");
	check_pair(set, "yes", "", "set it as well");
	check_pair(set, "yes", "log.example", NULL);
	CU_ASSERT_EQUAL(settings_int(set, SETTING_SYSLOG_SERVER), 6514);
	CHECK_OK(settings_set(set, SETTING_SYSLOG_SERVER, "[::1]:99", &e), &e);
	CU_ASSERT_EQUAL(settings_int(set, SETTING_SYSLOG_SERVER), 99);
	CHECK_FAILS(settings_set(set, SETTING_SYSLOG_SERVER, "", &e), &e,
		    ERR_CONFLICT, "switch the sending off first");
	check_text(set, SETTING_SYSLOG_SERVER, "[::1]:99");
	check_pair(set, "no", "", NULL);
	settings_free(set);
	store_close(s);
	config_free(c);
}

/* What stands in SIP messages, and that a trunk needs an address. */
static void test_setting_sip(void)
{
	static const struct {
		enum setting_id id;
		const char *value;
		int64_t number;
	} rows[] = {
		{ SETTING_SIP_OUTBOUND_ADDRESS, "", 0 },
		{ SETTING_SIP_OUTBOUND_ADDRESS, "pbx.example", 1 },
		{ SETTING_SIP_OUTBOUND_ADDRESS, "[2001:db8::1]:5071", 1 },
		{ SETTING_SIP_OUTBOUND_ADDRESS, "192.0.2.1:5060", 1 },
		{ SETTING_SIP_OUTBOUND_DOMAIN, "", 0 },
		{ SETTING_SIP_OUTBOUND_DOMAIN, "example.org.", 1 },
		{ SETTING_SIP_OUTBOUND_DOMAIN, "[2001:db8::1]", 1 },
		{ SETTING_SIP_USER_NAME, "", 0 },
		{ SETTING_SIP_USER_NAME, "+49-30.1234", 1 },
		{ SETTING_SIP_USER_NAME, "a%20b", 1 },
		{ SETTING_SIP_USER_NAME,
		  "0123456789012345678901234567890123456789012345678901234567"
		  "890123",
		  1 },
	};
	struct error e = ERROR_INIT;
	struct config *c;
	struct store *s;
	struct settings *set;

	begin("");
	c = load(NULL, 0);
	s = open_store();
	set = open_settings(c, s);
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		CHECK_OK(settings_set(set, rows[i].id, rows[i].value, &e), &e);
		CU_ASSERT_EQUAL(settings_int(set, rows[i].id), rows[i].number);
		check_text(set, rows[i].id, rows[i].value);
	}
	CHECK_OK(settings_set(set, SETTING_SIP_OUTBOUND, "useTrunk", &e), &e);
	CHECK_FAILS(settings_set(set, SETTING_SIP_OUTBOUND_ADDRESS, "", &e), &e,
		    ERR_CONFLICT, "choose \"Call direct\" first");
	CHECK_OK(settings_set(set, SETTING_SIP_OUTBOUND, "callDirect", &e), &e);
	CHECK_OK(settings_set(set, SETTING_SIP_OUTBOUND_ADDRESS, "", &e), &e);
	CHECK_FAILS(settings_set(set, SETTING_SIP_OUTBOUND, "useRegistrar", &e),
		    &e, ERR_CONFLICT, "set it as well");
	settings_free(set);
	store_close(s);
	config_free(c);
}

static void test_bad_defaults(void)
{
	static const char *const rows[][2] = {
		{ "[defaults]\nservices.https.port = 443x\n",
		  "sealbridge.conf:2: services.https.port" },
		{ "[defaults]\n\nservices.ssh.port = 22\n",
		  "sealbridge.conf:3: unknown setting" },
		{ "[defaults]\ntls.minimumVersion = \n", ":2: tls.minimum" },
	};
	static const char *const override = "defaults.services.http.port=0";
	struct error e = ERROR_INIT;
	struct config *c;
	struct store *s;

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		begin(rows[i][0]);
		c = load(NULL, 0);
		s = open_store();
		CU_ASSERT_PTR_NULL(settings_new(c, s, &e));
		unit_check_error(&e, ERR_CONFIG, rows[i][1], __FILE__,
				 __LINE__);
		CHECK_FAILS(settings_check_defaults(c, &e), &e, ERR_CONFIG,
			    rows[i][1]);
		store_close(s);
		config_free(c);
	}
	begin("");
	c = load(&override, 1);
	CHECK_FAILS(settings_check_defaults(c, &e), &e, ERR_CONFIG,
		    "-s: services.http.port");
	config_free(c);
	begin("[defaults]\nservices.http.port = 1\n");
	c = load(NULL, 0);
	CHECK_OK(settings_check_defaults(c, &e), &e);
	config_free(c);
}

/* Each is right, and they cannot stand together. */
static void test_defaults_together(void)
{
	static const struct {
		const char *text, *places, *why; /* places NULL: fine */
	} rows[] = {
		{ "sip.outboundConfiguration = useTrunk\n",
		  "sealbridge.conf:2: sip.outboundConfiguration: a trunk",
		  "set it as well" },
		{ "sip.outboundConfiguration = useRegistrar\n"
		  "tls.minimumVersion = 1.3\nsip.outboundAddress =\n",
		  "sealbridge.conf:4: sip.outboundAddress: a trunk", "" },
		{ "sip.outboundConfiguration = useTrunk\n"
		  "sip.outboundAddress = trunk.example.com\n",
		  NULL, "" },
		{ "sip.outboundAddress = trunk.example.com\n", NULL, "" },
		{ "services.http.port = 443\n",
		  "sealbridge.conf:2: services.http.port: ", "tcp port 443" },
		{ "services.http.port = 81\nservices.https.port = 81\n",
		  "sealbridge.conf:3: services.https.port: ", "tcp port 81" },
		{ "services.http.port = 443\nservices.https.enabled = no\n",
		  NULL, "" },
		{ "services.sip_tcp.port = 443\n", NULL, "" },
		{ "services.sip_tcp.enabled = yes\n"
		  "services.sip_tcp.port = 443\n",
		  "sealbridge.conf:3: services.sip_tcp.port: ", "" },
		{ "services.sip_udp.enabled = yes\n"
		  "services.sip_udp.port = 443\n",
		  NULL, "" },
		{ "security.redirectHttp = yes\nservices.http.enabled = no\n",
		  "sealbridge.conf:3: services.http.enabled: ",
		  "HTTP and HTTPS" },
		{ "services.http.enabled = no\n", NULL, "" },
		{ "syslog.enabled = yes\n",
		  "sealbridge.conf:2: syslog.enabled: ", "set it as well" },
	};
	static const char *const override[] = {
		"defaults.sip.outboundConfiguration=useTrunk"
	};
	struct error e = ERROR_INIT;
	struct config *c;
	struct store *s;
	char text[512];

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		snprintf(text, sizeof(text), "[defaults]\n%s", rows[i].text);
		begin(text);
		c = load(NULL, 0);
		error_clear(&e);
		if (rows[i].places) {
			CHECK_FAILS(settings_check_defaults(c, &e), &e,
				    ERR_CONFIG, rows[i].places);
			CU_ASSERT_PTR_NOT_NULL(strstr(e.text, rows[i].why));
			s = open_store();
			error_clear(&e);
			CU_ASSERT_PTR_NULL(settings_new(c, s, &e));
			unit_check_error(&e, ERR_CONFIG, rows[i].places,
					 __FILE__, __LINE__);
			store_close(s);
		} else {
			CHECK_OK(settings_check_defaults(c, &e), &e);
		}
		config_free(c);
	}
	/* Two places, one of them none of a file. */
	begin("[defaults]\nsip.outboundAddress =\n");
	c = load(override, 1);
	error_clear(&e);
	CHECK_FAILS(settings_check_defaults(c, &e), &e, ERR_CONFIG,
		    "sealbridge.conf:2: sip.outboundAddress, "
		    "-s: sip.outboundConfiguration: a trunk");
	config_free(c);
}

static void test_bad_stored_values(void)
{
	struct error e = ERROR_INIT;
	struct config *c;
	struct store *s;
	struct settings *set;

	begin("[defaults]\nservices.https.port = 8443\n");
	c = load(NULL, 0);
	s = open_store();
	CHECK_OK(store_setting_put(s, "services.https.port", "70000", &e), &e);
	CHECK_OK(store_setting_put(s, "of.tomorrow", "1", &e), &e);
	CHECK_OK(store_setting_put(s, "services.http.port", "81", &e), &e);
	set = open_settings(c, s);
	CU_ASSERT_EQUAL(settings_int(set, SETTING_HTTPS_PORT), 8443);
	CU_ASSERT_EQUAL(settings_int(set, SETTING_HTTP_PORT), 81);
	settings_free(set);
	store_close(s);
	config_free(c);
}

/* A value that cannot be stored does not come in force. */
static void test_store_failure(void)
{
	struct error e = ERROR_INIT;
	struct config *c;
	struct store *s;
	struct settings *set;

	begin("");
	c = load(NULL, 0);
	s = open_store();
	set = open_settings(c, s);
	tamper(config_dir, "DROP TABLE setting");
	CHECK_FAILS(settings_set(set, SETTING_HTTPS_PORT, "1443", &e), &e,
		    ERR_IO, NULL);
	CU_ASSERT_EQUAL(settings_int(set, SETTING_HTTPS_PORT), 443);
	settings_free(set);
	store_close(s);
	config_free(c);
}

static atomic_bool stop;

static void *read_on(void *arg)
{
	struct settings *s = arg;
	char *text;

	while (!atomic_load(&stop)) {
		int64_t port = settings_int(s, SETTING_HTTPS_PORT);

		text = settings_text(s, SETTING_HTTPS_PORT);
		if (!text || port < 443 || port > 20500 || atoi(text) < 443) {
			free(text);
			return (void *)1;
		}
		free(text);
	}
	return NULL;
}

static void *write_on(void *arg)
{
	struct error e = ERROR_INIT;
	char value[16];

	for (int i = 0; i < 50; i++) {
		snprintf(value, sizeof(value), "%d", 20400 + i);
		if (settings_set(arg, SETTING_HTTPS_PORT, value, &e) < 0)
			return (void *)1;
	}
	return NULL;
}

static void test_setting_threads(void)
{
	pthread_t readers[2], writers[2];
	struct config *c;
	struct store *s;
	struct settings *set;
	void *result;

	begin("");
	c = load(NULL, 0);
	s = open_store();
	set = open_settings(c, s);
	atomic_store(&stop, false);
	for (int i = 0; i < 2; i++) {
		pthread_create(&readers[i], NULL, read_on, set);
		pthread_create(&writers[i], NULL, write_on, set);
	}
	for (int i = 0; i < 2; i++) {
		pthread_join(writers[i], &result);
		CU_ASSERT_PTR_NULL(result);
	}
	atomic_store(&stop, true);
	for (int i = 0; i < 2; i++) {
		pthread_join(readers[i], &result);
		CU_ASSERT_PTR_NULL(result);
	}
	CU_ASSERT_EQUAL(settings_int(set, SETTING_HTTPS_PORT), 20449);
	settings_free(set);
	store_close(s);
	config_free(c);
}

int main(int argc, char **argv)
{
	static const struct unit_test tests[] = {
		{ "rows", test_setting_rows },
		{ "layers", test_setting_layers },
		{ "refused values", test_setting_refusals },
		{ "servers", test_setting_server },
		{ "settings of SIP", test_setting_sip },
		{ "bad defaults", test_bad_defaults },
		{ "defaults that cannot stand together",
		  test_defaults_together },
		{ "bad stored values", test_bad_stored_values },
		{ "a failing store", test_store_failure },
		{ "threads", test_setting_threads },
		{ NULL, NULL },
	};

	return unit_main(argc, argv, "settings", tests, NULL, NULL);
}
