/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/unit/config_fixture.h"

/* The configuration file: what is read, from where, and what is refused. */

static void conf_d(const char *name, const char *text)
{
	char path[600];

	snprintf(path, sizeof(path), "%s/conf.d", config_dir);
	mkdir(path, 0700);
	snprintf(path, sizeof(path), "conf.d/%s", name);
	write_file(path, text, strlen(text));
}

static void test_defaults(void)
{
	struct config *c;

	unsetenv("SOFTHSM2_CONF");
	unsetenv("CREDENTIALS_DIRECTORY");
	begin("");
	c = load(NULL, 0);
	CU_ASSERT_STRING_EQUAL(c->file, config_file);
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
	snprintf(config_file, sizeof(config_file), "%.200s/none.conf",
		 config_dir);
	check_refused(NULL, 0, "none.conf: No such file");
	snprintf(config_file, sizeof(config_file), "%.200s", config_dir);
	check_refused(NULL, 0, "not a regular file");
	snprintf(config_file, sizeof(config_file), "%.200s/pipe", config_dir);
	CU_ASSERT_EQUAL(mkfifo(config_file, 0600), 0);
	check_refused(NULL, 0, "not a regular file");
	snprintf(config_file, sizeof(config_file), "/dev/zero");
	check_refused(NULL, 0, "/dev/zero:1: a NUL byte");
	snprintf(config_file, sizeof(config_file), "/dev/null");
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
	setenv("CREDENTIALS_DIRECTORY", config_dir, 1);
	setenv("SOFTHSM2_CONF", "/my/softhsm2.conf", 1);
	c = load(NULL, 0);
	CU_ASSERT_EQUAL(
	    strncmp(c->token_pin_file, config_dir, strlen(config_dir)), 0);
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

int main(int argc, char **argv)
{
	static const struct unit_test tests[] = {
		{ "built-in defaults", test_defaults },
		{ "a sample", test_sample },
		{ "refusals name file and line", test_refusals },
		{ "hostile files", test_hostile_files },
		{ "files that are none", test_places },
		{ "conf.d", test_conf_d },
		{ "conf.d has limits", test_conf_d_limits },
		{ "overrides", test_overrides },
		{ "environment", test_environment },
		{ NULL, NULL },
	};

	return unit_main(argc, argv, "config", tests, NULL, NULL);
}
