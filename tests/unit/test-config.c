/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "config/config.h"
#include "config/settings.h"
#include "tests/lib/unit.h"
#include "tests/unit/tamper.h"

static char dir[256], file[300];

/* A fresh directory with this file in it. */
static void write_file(const char *name, const void *text, size_t n)
{
	char path[600];
	FILE *out;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	out = fopen(path, "w");
	CU_ASSERT_PTR_NOT_NULL_FATAL(out);
	CU_ASSERT_EQUAL(fwrite(text, 1, n, out), n);
	fclose(out);
}

static void begin(const char *text)
{
	snprintf(dir, sizeof(dir), "%s", unit_temp_dir());
	snprintf(file, sizeof(file), "%s/sealbridge.conf", dir);
	write_file("sealbridge.conf", text, strlen(text));
}

static void conf_d(const char *name, const char *text)
{
	char path[600];

	snprintf(path, sizeof(path), "%s/conf.d", dir);
	mkdir(path, 0700);
	snprintf(path, sizeof(path), "conf.d/%s", name);
	write_file(path, text, strlen(text));
}

static struct config *load(const char *const *overrides, size_t count)
{
	struct error e = ERROR_INIT;
	struct config *c = config_load(file, overrides, count, &e);

	CHECK_OBJECT(c, &e);
	return c;
}

static void check_refused(const char *const *overrides, size_t count,
			  const char *words)
{
	struct error e = ERROR_INIT;
	struct config *c = config_load(file, overrides, count, &e);

	CU_ASSERT_PTR_NULL(c);
	unit_check_error(&e, ERR_CONFIG, words, __FILE__, __LINE__);
	config_free(c);
}

static void test_defaults(void)
{
	struct config *c;

	unsetenv("SOFTHSM2_CONF");
	unsetenv("CREDENTIALS_DIRECTORY");
	begin("");
	c = load(NULL, 0);
	CU_ASSERT_STRING_EQUAL(c->file, file);
	CU_ASSERT_STRING_EQUAL(c->token_module,
			       "/usr/lib/softhsm/libsofthsm2.so");
	CU_ASSERT_STRING_EQUAL(c->token_uri, "pkcs11:token=sealbridge");
	CU_ASSERT_STRING_EQUAL(c->token_pin_file, SB_SYSCONFDIR "/token.pin");
	CU_ASSERT_FALSE(c->token_required);
	CU_ASSERT_EQUAL(c->token_max_sessions, 16);
	CU_ASSERT_STRING_EQUAL(c->token_lock_file,
			       SB_LOCALSTATEDIR "/token.lock");
	CU_ASSERT_STRING_EQUAL(c->token_softhsm_conf,
			       "/etc/softhsm/softhsm2.conf");
	CU_ASSERT_STRING_EQUAL(c->token_key_kind, "ecP256");
	CU_ASSERT_STRING_EQUAL(c->state_directory, SB_LOCALSTATEDIR);
	CU_ASSERT_STRING_EQUAL(c->web_directory, SB_WWWDIR);
	CU_ASSERT_STRING_EQUAL(c->control_socket,
			       SB_RUNSTATEDIR "/control.sock");
	CU_ASSERT_EQUAL(c->address_count, 2);
	CU_ASSERT_STRING_EQUAL(c->addresses[0], "0.0.0.0");
	CU_ASSERT_STRING_EQUAL(c->addresses[1], "::");
	CU_ASSERT_STRING_EQUAL(c->host_name, "");
	CU_ASSERT_STRING_EQUAL(c->sip_dns_servers, "");
	CU_ASSERT_STRING_EQUAL(c->initial_password_file,
			       SB_LOCALSTATEDIR "/secrets/admin-password");
	CU_ASSERT_EQUAL(c->default_count, 0);
	config_free(c);
}

/* As the interface prints it. */
static const char sample[] =
    "\xef\xbb\xbf# the file\r\n"
    "[token]   module = p11-kit-client.so # or any vendor's\r\n"
    "          uri = pkcs11:token=my%20token;serial=1#2   # RFC 7512\n"
    "          pin-file = /etc/pin\n"
    "          required = Yes\n"
    "          max-sessions=256\n"
    "\tkey-type = rsa3072\n"
    "\n"
    "[state]   directory = /var/lib/with space\n"
    "; another comment\n"
    "[control] socket = /run/s.sock ; why not\n"
    "[listen]  addresses = 127.0.0.1,::1 fe80::1\n"
    "[sip] dns-servers = 127.0.0.1:5353 , [::1]:54,::2,1.2.3.4\n"
    "[device]\n"
    "host-name = seal.example.com\n"
    "[defaults]  # factory defaults\n"
    "   services.https.port = 8443\n"
    "   tls.minimumVersion = 1.3";

static void test_sample(void)
{
	struct config *c;

	begin(sample);
	c = load(NULL, 0);
	CU_ASSERT_STRING_EQUAL(c->token_module, "p11-kit-client.so");
	CU_ASSERT_STRING_EQUAL(c->token_uri,
			       "pkcs11:token=my%20token;serial=1#2");
	CU_ASSERT_STRING_EQUAL(c->token_pin_file, "/etc/pin");
	CU_ASSERT_TRUE(c->token_required);
	CU_ASSERT_EQUAL(c->token_max_sessions, 256);
	CU_ASSERT_STRING_EQUAL(c->token_key_kind, "rsa3072");
	CU_ASSERT_STRING_EQUAL(c->token_softhsm_conf, "");
	CU_ASSERT_STRING_EQUAL(c->state_directory, "/var/lib/with space");
	CU_ASSERT_STRING_EQUAL(c->token_lock_file,
			       "/var/lib/with space/token.lock");
	CU_ASSERT_STRING_EQUAL(c->initial_password_file,
			       "/var/lib/with space/secrets/admin-password");
	CU_ASSERT_STRING_EQUAL(c->control_socket, "/run/s.sock");
	CU_ASSERT_EQUAL(c->address_count, 3);
	CU_ASSERT_STRING_EQUAL(c->addresses[2], "fe80::1");
	CU_ASSERT_STRING_EQUAL(c->host_name, "seal.example.com");
	CU_ASSERT_EQUAL_FATAL(c->default_count, 2);
	CU_ASSERT_STRING_EQUAL(c->defaults[1].name, "tls.minimumVersion");
	CU_ASSERT_STRING_EQUAL(c->defaults[1].value, "1.3");
	CU_ASSERT_EQUAL(c->defaults[1].line, 18);
	CU_ASSERT_STRING_EQUAL(c->sip_dns_servers,
			       "127.0.0.1:5353,[::1]:54,::2,1.2.3.4");
	config_free(c);
}

static void test_refusals(void)
{
	static const struct {
		const char *text, *words;
	} rows[] = {
		{ "[token]\nmodul = x\n", ":2: unknown key \"modul\"" },
		{ "[tokens]\nmodule = x\n", ":2: unknown section [tokens]" },
		{ "[ token ]\nmodule = x\n", ":2: unknown section" },
		{ "module = x\n", ":1: \"module\" before any [section]" },
		{ "[token]\n\nmodule\n", ":3: neither [section] nor" },
		{ "[token] module", ":1: neither [section] nor" },
		{ "[token\nmodule = x\n", ":1: a section without" },
		{ "[token][state]\n", ":1: two sections" },
		{ "[token]\nmodule =\n", ":2: module needs a value" },
		{ "[token]\nmodule = # x\n", ":2: module needs a value" },
		{ "[token]\nmodule = a\nmodule = a\n",
		  ":3: \"module\" stands there twice" },
		{ "[token]\nmodule = a\n[state]\n[token]\nmodule = a\n",
		  ":5: \"module\" stands there twice" },
		{ "[token]\nmodule = a\n  b\n", ":3: neither" },
		{ "[token]\nrequired = maybe\n", ":2: required: \"maybe\"" },
		{ "[token]\nmax-sessions = 0\n", ":2: max-sessions: \"0\"" },
		{ "[token]\nmax-sessions = 257\n", "1 to 256" },
		{ "[token]\nmax-sessions = 16x\n", "1 to 256" },
		{ "[token]\nmax-sessions = 99999999999999999999\n",
		  "1 to 256" },
		{ "[token]\nuri = token=x\n", ":2: uri: not a PKCS#11 URI" },
		{ "[token]\nuri = pkcs11:slot-id=3\n", "slot numbers change" },
		{ "[token]\nuri = pkcs11:token=x?pin-value=1\n", "a PIN has" },
		{ "[token]\nkey-type = rsa1024\n", "none of rsa2048" },
		{ "[sip]\nfirst-media-port = 30000\n"
		  "last-media-port = 20000\n",
		  "[sip]: media ports 30000 to 20000" },
		{ "[sip]\nfirst-media-port = 30001\n"
		  "last-media-port = 30002\n",
		  "an even one and the next" },
		{ "[sip]\nfirst-media-port = 32768\n",
		  "[sip]: media ports 32768 to 32767" },
		{ "[listen]\naddresses =\n", "addresses needs a value" },
		{ "[listen]\naddresses = ,,\n", "addresses needs a value" },
		{ "[listen]\naddresses = localhost\n", "\"localhost\"" },
		{ "[listen]\naddresses = 127.1\n", "\"127.1\"" },
		{ "[listen]\naddresses = 1.2.3.400\n", "\"1.2.3.400\"" },
		{ "[listen]\naddresses = 0x7f.0.0.1\n", "not a numeric" },
		{ "[listen]\naddresses = [::]\n", "not a numeric" },
		{ "[listen]\naddresses = ::1, 1:2\n", "\"1:2\"" },
		{ "[listen]\naddresses = ::, ::\n", "twice" },
		{ "[listen]\naddresses = 1.1.1.1 1.1.1.2 1.1.1.3 1.1.1.4 "
		  "1.1.1.5 1.1.1.6 1.1.1.7 1.1.1.8 1.1.1.9 1.1.1.10 "
		  "1.1.1.11 1.1.1.12 1.1.1.13 1.1.1.14 1.1.1.15 1.1.1.16 "
		  "::1\n",
		  "more than 16" },
		{ "[sip]\ndns-servers = localhost\n", "\"localhost\" is" },
		{ "[sip]\ndns-servers = 1.1.1.1:\n", "dns-servers" },
		{ "[sip]\ndns-servers = 1.1.1.1:0\n", "dns-servers" },
		{ "[sip]\ndns-servers = 1.1.1.1:65536\n", "dns-servers" },
		{ "[sip]\ndns-servers = [::1\n", "dns-servers" },
		{ "[sip]\ndns-servers = [::1]x\n", "dns-servers" },
		{ "[sip]\ndns-servers = [1.1.1.1]:53\n", "dns-servers" },
		{ "[sip]\ndns-servers = 1.1.1.1, 1.1.1\n", "dns-servers" },
		{ "[sip]\ndns-servers = ::1 ::2 ::3 ::4 ::5\n", "more than 4" },
		{ "[control]\nsocket = /x234567890123456789012345678901234567"
		  "890123456789012345678901234567890123456789012345678901234"
		  "56789012345678\n",
		  ":2: socket: longer than 107" },
		{ "[state]\ndirectory = a\x01z\n", ":2: directory: control" },
		{ "[defaults]\na = 1\na = 2\n",
		  ":3: \"a\" stands there twice (first in line 2)" },
	};

	begin("");
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		write_file("sealbridge.conf", rows[i].text,
			   strlen(rows[i].text));
		check_refused(NULL, 0, rows[i].words);
	}
}

static void test_hostile_files(void)
{
	enum { BIG = 1 << 20 };
	char *text = malloc(BIG);
	size_t n = 0;

	begin("");
	memset(text, 'x', BIG);
	write_file("sealbridge.conf", text, BIG);
	check_refused(NULL, 0, ":1: line longer than");
	memset(text, '\n', BIG);
	write_file("sealbridge.conf", text, BIG);
	check_refused(NULL, 0, ":10001: too many lines");
	write_file("sealbridge.conf", "[token]\nmodule = a\0b\n", 20);
	check_refused(NULL, 0, ":2: a NUL byte");
	for (unsigned i = 0; i < 2000; i++)
		text[n++] = (char)(i * 37 % 255 + 1);
	write_file("sealbridge.conf", text, n);
	check_refused(NULL, 0, "sealbridge.conf:");
	/* The longest line that is read, and one byte more. */
	n = (size_t)sprintf(text, "[device]\nhost-name = ");
	memset(text + n, 'h', 197 - 12);
	n += 197 - 12;
	write_file("sealbridge.conf", text, n);
	config_free(load(NULL, 0));
	text[n++] = 'h';
	write_file("sealbridge.conf", text, n);
	check_refused(NULL, 0, ":2: line longer than 197 bytes");
	n = (size_t)sprintf(text, "[defaults]\n");
	for (int i = 0; i <= CONFIG_DEFAULTS_MAX; i++)
		n += (size_t)sprintf(text + n, "k%d = 1\n", i);
	write_file("sealbridge.conf", text, n);
	check_refused(NULL, 0, ":130: more than 128 defaults");
	free(text);
}

static void test_places(void)
{
	begin("");
	snprintf(file, sizeof(file), "%.200s/none.conf", dir);
	check_refused(NULL, 0, "none.conf: No such file");
	snprintf(file, sizeof(file), "%.200s", dir);
	check_refused(NULL, 0, "not a regular file");
	snprintf(file, sizeof(file), "%.200s/pipe", dir);
	CU_ASSERT_EQUAL(mkfifo(file, 0600), 0);
	check_refused(NULL, 0, "not a regular file");
	snprintf(file, sizeof(file), "/dev/zero");
	check_refused(NULL, 0, "/dev/zero:1: a NUL byte");
	snprintf(file, sizeof(file), "/dev/null");
	config_free(load(NULL, 0));
}

static void test_conf_d(void)
{
	struct config *c;

	begin("[token]\nmodule = first\nmax-sessions = 2\n"
	      "[listen]\naddresses = 127.0.0.1 ::1\n"
	      "[defaults]\na = 1\nb = 1\n");
	conf_d("20.conf", "[token]\nmodule = third\n[defaults]\na = 3\n");
	conf_d("10.conf", "[token]\nmodule = second\n"
			  "[listen]\naddresses = ::\n[defaults]\na = 2\n");
	conf_d("30.conf.bak", "nonsense");
	conf_d(".hidden.conf", "nonsense");
	conf_d("conf", "nonsense");
	c = load(NULL, 0);
	CU_ASSERT_STRING_EQUAL(c->token_module, "third");
	CU_ASSERT_EQUAL(c->token_max_sessions, 2);
	CU_ASSERT_EQUAL(c->address_count, 1);
	CU_ASSERT_EQUAL(c->default_count, 2);
	CU_ASSERT_STRING_EQUAL(c->defaults[0].value, "3");
	CU_ASSERT_PTR_NOT_NULL(strstr(c->defaults[0].file, "conf.d/20.conf"));
	CU_ASSERT_EQUAL(c->defaults[0].line, 4);
	config_free(c);
	conf_d("40.conf", "\n[token]\nmodul = x\n");
	check_refused(NULL, 0, "conf.d/40.conf:3: unknown key");
}

static void test_conf_d_limits(void)
{
	char name[32];

	begin("");
	for (int i = 0; i <= CONFIG_FILES_MAX; i++) {
		snprintf(name, sizeof(name), "%d.conf", i);
		conf_d(name, "");
	}
	check_refused(NULL, 0, "more than 100 files");
	begin("");
	write_file("conf.d", "", 0);
	check_refused(NULL, 0, "conf.d: Not a directory");
}

static void test_overrides(void)
{
	static const char *const good[] = {
		"token.module=/x=y.so", "defaults.services.http.port=8080",
		"token.required=on",    "token.required=no",
		"device.host-name=",
	};
	static const struct {
		const char *text, *words;
	} bad[] = {
		{ "", "not SECTION.KEY=VALUE" },
		{ "token.module", "not SECTION.KEY=VALUE" },
		{ "token=module.x", "not SECTION.KEY=VALUE" },
		{ ".=", "before any" },
		{ "token.modul=x", "-s \"token.modul\": unknown key" },
		{ "x.y=z", "unknown section [x]" },
		{ "token.module=", "needs a value" },
		{ "token.module=a\nb", "control character" },
	};
	struct config *c;

	begin("[token]\nmodule = a\nrequired = yes\n[device]\n"
	      "host-name = x\n[defaults]\nservices.http.port = 81\n");
	c = load(good, sizeof(good) / sizeof(*good));
	CU_ASSERT_STRING_EQUAL(c->token_module, "/x=y.so");
	CU_ASSERT_FALSE(c->token_required);
	CU_ASSERT_STRING_EQUAL(c->host_name, "");
	CU_ASSERT_EQUAL(c->default_count, 1);
	CU_ASSERT_STRING_EQUAL(c->defaults[0].value, "8080");
	config_free(c);
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		check_refused(&bad[i].text, 1, bad[i].words);
}

static void test_environment(void)
{
	struct config *c;

	begin("");
	write_file("token.pin", "1", 1);
	setenv("CREDENTIALS_DIRECTORY", dir, 1);
	setenv("SOFTHSM2_CONF", "/my/softhsm2.conf", 1);
	c = load(NULL, 0);
	CU_ASSERT_EQUAL(strncmp(c->token_pin_file, dir, strlen(dir)), 0);
	CU_ASSERT_STRING_EQUAL(c->token_softhsm_conf, "/my/softhsm2.conf");
	config_free(c);
	setenv("CREDENTIALS_DIRECTORY", "/nowhere", 1);
	begin("[token]\nsofthsm-config = /set\n");
	c = load(NULL, 0);
	CU_ASSERT_STRING_EQUAL(c->token_pin_file, SB_SYSCONFDIR "/token.pin");
	CU_ASSERT_STRING_EQUAL(c->token_softhsm_conf, "/set");
	config_free(c);
	unsetenv("CREDENTIALS_DIRECTORY");
	unsetenv("SOFTHSM2_CONF");
}

/* --- settings */

static struct store *open_store(void)
{
	struct error e = ERROR_INIT;
	struct store *s = store_open(dir, &e);

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
	tamper(dir, "DROP TABLE setting");
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
		{ "built-in defaults", test_defaults },
		{ "the sample of the interface", test_sample },
		{ "refusals name file and line", test_refusals },
		{ "hostile files", test_hostile_files },
		{ "files that are none", test_places },
		{ "conf.d", test_conf_d },
		{ "conf.d has limits", test_conf_d_limits },
		{ "overrides", test_overrides },
		{ "environment", test_environment },
		{ "rows of settings", test_setting_rows },
		{ "layers of settings", test_setting_layers },
		{ "refused values", test_setting_refusals },
		{ "servers", test_setting_server },
		{ "settings of SIP", test_setting_sip },
		{ "bad defaults", test_bad_defaults },
		{ "bad stored values", test_bad_stored_values },
		{ "a failing store", test_store_failure },
		{ "threads", test_setting_threads },
		{ NULL, NULL },
	};

	return unit_main(argc, argv, "config", tests, NULL, NULL);
}
