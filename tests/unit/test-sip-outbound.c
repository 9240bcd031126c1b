/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <stdlib.h>
#include <string.h>

#include "sip/sip_credentials.h"
#include "sip/sip_outbound.h"
#include "tests/lib/unit.h"

/* The settings as the rules of dialling take them, and the password. */

static struct config *config;
static struct store *store;
static struct settings *settings;

static int set_up(void)
{
	struct error e = ERROR_INIT;

	config = config_load("/dev/null", NULL, 0, &e);
	store = config ? store_open(unit_temp_dir(), &e) : NULL;
	settings = store ? settings_new(config, store, &e) : NULL;
	return settings ? 0 : -1;
}

static int tear_down(void)
{
	settings_free(settings);
	store_close(store);
	config_free(config);
	return 0;
}

static void set(enum setting_id id, const char *value)
{
	struct error e = ERROR_INIT;

	CHECK_OK(settings_set(settings, id, value, &e), &e);
}

static void read_now(struct sip_outbound_now *out)
{
	struct error e = ERROR_INIT;

	CHECK_OK(sip_outbound_read(settings, out, &e), &e);
}

static void test_reads(void)
{
	static const struct {
		const char *mode, *transport;
		enum sip_outbound wanted;
		enum sip_transport by;
	} rows[] = {
		{ "useTrunk", "tcp", SIP_USE_TRUNK, SIP_TCP },
		{ "useRegistrar", "udp", SIP_USE_REGISTRAR, SIP_UDP },
		{ "callDirect", "tls", SIP_CALL_DIRECT, SIP_TLS },
	};
	struct sip_outbound_now now;

	read_now(&now);
	CU_ASSERT_EQUAL(now.rules.mode, SIP_CALL_DIRECT);
	CU_ASSERT_EQUAL(now.rules.transport, SIP_TLS);
	CU_ASSERT_STRING_EQUAL(now.rules.address, "");
	CU_ASSERT_STRING_EQUAL(now.rules.domain, "");
	CU_ASSERT_STRING_EQUAL(now.user_name, "");
	set(SETTING_SIP_OUTBOUND_ADDRESS, "[2001:db8::1]:5071");
	set(SETTING_SIP_OUTBOUND_DOMAIN, "example.org");
	set(SETTING_SIP_USER_NAME, "bridge");
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		set(SETTING_SIP_OUTBOUND, rows[i].mode);
		set(SETTING_SIP_OUTGOING_TRANSPORT, rows[i].transport);
		read_now(&now);
		CU_ASSERT_EQUAL(now.rules.mode, rows[i].wanted);
		CU_ASSERT_EQUAL(now.rules.transport, rows[i].by);
	}
	CU_ASSERT_STRING_EQUAL(now.rules.address, "[2001:db8::1]:5071");
	CU_ASSERT_STRING_EQUAL(now.rules.domain, "example.org");
	CU_ASSERT_STRING_EQUAL(now.user_name, "bridge");
}

/* The longest texts that the settings take. */
static void test_long(void)
{
	struct error e = ERROR_INIT;
	struct sip_outbound_now now;
	struct sip_dialled to;
	char host[254 + 6], user[65], aor[SIP_URI_SIZE];

	memset(user, 'u', 64);
	user[64] = '\0';
	memset(host, 'h', 253);
	for (size_t i = 63; i < 253; i += 64)
		host[i] = '.';
	host[253] = '\0';
	set(SETTING_SIP_OUTBOUND_DOMAIN, host);
	strcat(host, ":65535");
	set(SETTING_SIP_OUTBOUND_ADDRESS, host);
	set(SETTING_SIP_OUTBOUND, "useRegistrar");
	set(SETTING_SIP_USER_NAME, user);
	read_now(&now);
	CU_ASSERT_STRING_EQUAL(now.address, host);
	CHECK_OK(sip_register_as(now.user_name, &now.rules, &to, aor, &e), &e);
	CU_ASSERT_EQUAL(strlen(aor), strlen("sip:@") + 64 + 253);
	CU_ASSERT_EQUAL(to.port, 65535);
}

static void test_bits(void)
{
	CU_ASSERT_TRUE(sip_outbound_bits() &
		       setting_bit(SETTING_SIP_USER_NAME));
	CU_ASSERT_FALSE(sip_outbound_bits() &
			setting_bit(SETTING_SIP_VERIFICATION));
}

static void check_password(struct sip_credentials *c, const char *wanted)
{
	struct error e = ERROR_INIT;
	struct secret got;

	CHECK_OK(sip_credentials_get(c, &got, &e), &e);
	CU_ASSERT_EQUAL(got.len, strlen(wanted));
	CU_ASSERT_STRING_EQUAL(got.ptr ? (const char *)got.ptr : "", wanted);
	CU_ASSERT_EQUAL(sip_credentials_given(c), *wanted != '\0');
	secret_free(&got);
}

static void test_password(void)
{
	static const char *const refused[] = { "a\nb", "\x7f", "\xff\xfe",
					       "a\xc2\x85" };
	struct error e = ERROR_INIT;
	struct sip_credentials *c = sip_credentials_new(store, &e);
	char longer[SIP_PASSWORD_MAX + 2];

	CHECK_OBJECT(c, &e);
	check_password(c, "");
	CHECK_OK(sip_credentials_set(c, "p\xc3\xa4ss \"w\" ord", &e), &e);
	for (size_t i = 0; i < sizeof(refused) / sizeof(*refused); i++)
		CHECK_FAILS(sip_credentials_set(c, refused[i], &e), &e,
			    ERR_INPUT, "control characters");
	memset(longer, 'x', sizeof(longer) - 1);
	longer[sizeof(longer) - 1] = '\0';
	CHECK_FAILS(sip_credentials_set(c, longer, &e), &e, ERR_INPUT, "255");
	check_password(c, "p\xc3\xa4ss \"w\" ord");
	sip_credentials_free(c);
	c = sip_credentials_new(store, &e);
	CHECK_OBJECT(c, &e);
	check_password(c, "p\xc3\xa4ss \"w\" ord");
	CHECK_OK(sip_credentials_set(c, "", &e), &e);
	check_password(c, "");
	sip_credentials_free(c);
	sip_credentials_free(NULL);
}

int main(int argc, char **argv)
{
	static const struct unit_test tests[] = {
		{ "reads", test_reads },
		{ "keeps long texts", test_long },
		{ "knows what it reads", test_bits },
		{ "keeps the password", test_password },
		{ NULL, NULL },
	};

	return unit_main(argc, argv, "sip-outbound", tests, set_up, tear_down);
}
