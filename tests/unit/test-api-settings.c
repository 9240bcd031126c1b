/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "config/trial.h"
#include "tests/lib/test_certs.h"
#include "tests/unit/api_fixture.h"

/* verification.*, security.*, services.*, change.*: what goes in and comes out,
 * and whom it would lock out. What settings do among themselves is tested with
 * them. */

#define RIGHT "Right pass 1"

static struct client_certificate of_ann, of_nobody;

static const struct door https = { .user = "ann",
				   .password = RIGHT,
				   .tls_version = TLS_1_3 };
static const struct door https_old = { .user = "ann",
				       .password = RIGHT,
				       .tls_version = TLS_1_2 };
static const struct door http = { .user = "ann",
				  .password = RIGHT,
				  .plain = true };
static const struct door with_ann = { .user = "ann",
				      .password = RIGHT,
				      .certificate = &of_ann,
				      .tls_version = TLS_1_3 };
static const struct door with_nobody = { .user = "ann",
					 .password = RIGHT,
					 .certificate = &of_nobody,
					 .tls_version = TLS_1_3 };

static void fill_certificate(struct client_certificate *c, const char *name)
{
	c->present = true;
	c->expires = clock_now() + 86400;
	snprintf(c->login.name, sizeof(c->login.name), "%s", name);
	snprintf(c->names.subject, sizeof(c->names.subject), "CN=%s", name);
}

static void set(enum setting_id id, const char *value)
{
	struct error e = ERROR_INIT;

	CHECK_OK(settings_set(device.services.settings, id, value, &e), &e);
}

static void fill_trust_store(void)
{
	struct error e = ERROR_INIT;
	char *pem = test_cert_pem(&(struct test_cert_options){
	    .subject = "/CN=Root", .key = test_key("ecP256", 1), .ca = true });
	size_t count;

	CHECK_OK(trust_store_replace(device.services.trust, TRUST_HTTPS,
				     view_str(pem), &count, NULL, &e),
		 &e);
	free(pem);
}

static void empty_trust_store(void)
{
	struct error e = ERROR_INIT;
	size_t ignored;

	if (trust_store_delete(device.services.trust, TRUST_HTTPS, &ignored,
			       &e) < 0)
		CU_ASSERT_EQUAL(e.kind, ERR_TRUST_EMPTY);
}

/* As they were before each test. */
static void reset(void)
{
	static bool made;
	struct error e = ERROR_INIT;
	const struct setting_change none = { SETTING_CLIENT_CERTIFICATE,
					     "notRequired" };
	size_t ignored;

	CHECK_OK(
	    settings_rescue(device.services.settings, &none, 1, &ignored, &e),
	    &e);
	for (int i = 0; i < SETTING_COUNT; i++)
		set((enum setting_id)i,
		    settings_default(device.services.settings,
				     (enum setting_id)i));
	device.service_state =
	    (struct service_state){ .listening = true, .port = 443 };
	if (made)
		return;
	make_user("ann", PRIVILEGE_ADMINISTRATOR);
	fill_certificate(&of_ann, "ann");
	fill_certificate(&of_nobody, "nobody");
	made = true;
}

static struct value *text_param(const char *name, const char *text)
{
	struct value *s = value_new_struct();

	value_put_string(s, name, text);
	return s;
}

static struct value *yes_no_param(const char *name, bool on)
{
	struct value *s = value_new_struct();

	value_put_boolean(s, name, on);
	return s;
}

static struct value *service_param(const char *name, bool on)
{
	struct value *s = value_new_struct();
	struct value *row = value_add_struct(value_put_array(s, "services"));

	value_put_string(row, "name", name);
	value_put_boolean(row, "setting", on);
	return s;
}

static struct value *forced(struct value *s)
{
	value_put_boolean(s, "force", true);
	return s;
}

static struct value *on_trial(struct value *s)
{
	value_put_int(s, "confirmWithinSeconds", 60);
	return s;
}

/* --- who would be locked out */

static void test_modes(void)
{
	static const struct {
		const struct door *door;
		const char *mode;
		int fault;
	} rows[] = {
		{ &https, "notRequired", 0 },
		{ &https, "verify", 1007 },
		{ &https, "allowed", 1007 },
		{ &https, "required", 1007 },
		{ &with_nobody, "verify", 0 },
		{ &with_nobody, "allowed", 0 },
		{ &with_nobody, "required", 1007 },
		{ &with_ann, "verify", 0 },
		{ &with_ann, "allowed", 0 },
		{ &with_ann, "required", 0 },
		{ &http, "verify", 0 },
		{ &http, "allowed", 0 },
		{ &http, "required", 1007 },
		{ &door_local, "required", 0 },
	};

	fill_trust_store();
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		reset();
		CU_ASSERT_EQUAL(
		    fault_of(rows[i].door, "verification.configure",
			     text_param("clientCertificate", rows[i].mode),
			     rows[i].fault ? "would lock out the caller"
					   : NULL),
		    rows[i].fault);
		reset();
		CU_ASSERT_EQUAL(fault_of(rows[i].door, "verification.configure",
					 forced(text_param("clientCertificate",
							   rows[i].mode)),
					 NULL),
				0);
	}
	reset();
	CU_ASSERT_EQUAL(
	    fault_of(&https, "verification.configure",
		     on_trial(text_param("clientCertificate", "required")),
		     NULL),
	    0);
	reset();
	empty_trust_store();
}

static void test_empty_trust_store(void)
{
	reset();
	empty_trust_store();
	CU_ASSERT_EQUAL(fault_of(&door_local, "verification.configure",
				 text_param("clientCertificate", "verify"),
				 "trust store empty"),
			1012);
	CU_ASSERT_EQUAL(
	    fault_of(&door_local, "verification.configure",
		     on_trial(text_param("clientCertificate", "verify")), NULL),
	    1012);
	CU_ASSERT_EQUAL(
	    fault_of(&door_local, "verification.configure",
		     forced(text_param("clientCertificate", "verify")), NULL),
	    0);
	/* Other settings do not need it. */
	CU_ASSERT_EQUAL(fault_of(&door_local, "verification.configure",
				 text_param("sip", "outgoing"), NULL),
			0);
	CU_ASSERT_EQUAL(count_audit("settingChanged", "System", "local",
				    "setting: verification.sip; from: none; "
				    "to: outgoing"),
			1);
	reset();
}

static void test_other_doors(void)
{
	static const struct {
		const struct door *door;
		const char *service; /* switched off, NULL: the version */
		const char *words;
	} rows[] = {
		{ &https, "https", "you call over HTTPS" },
		{ &https, "http", NULL },
		{ &http, "http", "you call over HTTP, which" },
		{ &http, "https", NULL },
		{ &https, "sips_tcp", NULL },
		{ &door_local, "https", NULL },
		{ &https_old, NULL, "TLS 1.2, which would be refused" },
		{ &https, NULL, NULL },
		{ &http, NULL, NULL },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		const char *method =
		    rows[i].service ? "services.modify" : "security.modify";

		reset();
		CU_ASSERT_EQUAL(
		    fault_of(rows[i].door, method,
			     rows[i].service
				 ? service_param(rows[i].service, false)
				 : text_param("minimumVersion", "1.3"),
			     rows[i].words),
		    rows[i].words ? 1007 : 0);
	}
	reset();
}

/* Whoever is verified by a store does not delete it by the way. */
static void test_deleting_the_store(void)
{
	reset();
	fill_trust_store();
	set(SETTING_CLIENT_CERTIFICATE, "verify");
	CU_ASSERT_EQUAL(fault_of(&with_ann, "trustStore.delete",
				 text_param("trustStore", "https"),
				 "is on, and without this store nobody"),
			1007);
	CU_ASSERT_EQUAL(fault_of(&with_ann, "trustStore.delete",
				 text_param("trustStore", "sip"), NULL),
			1012);
	CU_ASSERT_EQUAL(fault_of(&http, "trustStore.delete",
				 text_param("trustStore", "https"), NULL),
			0);
	fill_trust_store();
	CU_ASSERT_EQUAL(fault_of(&with_ann, "trustStore.delete",
				 forced(text_param("trustStore", "https")),
				 NULL),
			0);
	reset();
	fill_trust_store();
	CU_ASSERT_EQUAL(fault_of(&https, "trustStore.delete",
				 text_param("trustStore", "https"), NULL),
			0);
}

/* The control socket asks for a login, and the mode allows none there. */
static void test_local(void)
{
	reset();
	CU_ASSERT_EQUAL(fault_of(&door_local, "security.modify",
				 yes_no_param("requireLogin", true), NULL),
			0);
	reset();
	set(SETTING_CLIENT_CERTIFICATE, "required");
	CU_ASSERT_EQUAL(fault_of(&door_local, "security.modify",
				 yes_no_param("requireLogin", true),
				 "would lock out the caller"),
			1007);
	CU_ASSERT_EQUAL(fault_of(&door_local, "security.modify",
				 forced(yes_no_param("requireLogin", true)),
				 NULL),
			0);
	reset();
}

/* Whoever comes over HTTP would be sent to HTTPS. */
static void test_redirect(void)
{
	reset();
	CU_ASSERT_EQUAL(fault_of(&http, "security.modify",
				 yes_no_param("redirectHttp", true), NULL),
			0);
	reset();
	device.service_state.listening = false;
	strcpy(device.service_state.problem, "port 443 is taken");
	CU_ASSERT_EQUAL(fault_of(&http, "security.modify",
				 yes_no_param("redirectHttp", true),
				 "is not there: port 443 is taken"),
			1007);
	CU_ASSERT_EQUAL(fault_of(&https, "security.modify",
				 yes_no_param("redirectHttp", true), NULL),
			0);
	reset();
	fill_trust_store();
	set(SETTING_CLIENT_CERTIFICATE, "verify");
	CU_ASSERT_EQUAL(fault_of(&http, "security.modify",
				 yes_no_param("redirectHttp", true), NULL),
			1007);
	reset();
	empty_trust_store();
	set(SETTING_HTTP_ENABLED, "no");
	CU_ASSERT_EQUAL(fault_of(&https, "security.modify",
				 yes_no_param("redirectHttp", true),
				 "switch both on first"),
			201);
	reset();
}

static void check_preview(const struct door *d, const char *mode, bool out,
			  const char *session)
{
	struct answer a;

	call_by(d, "verification.preview",
		text_param("clientCertificate", mode), &a);
	CU_ASSERT_EQUAL(a.response.fault_code, 0);
	CU_ASSERT_EQUAL(
	    value_boolean(value_member(a.response.result, "wouldLockOut")),
	    out);
	CU_ASSERT_EQUAL(text_of(&a, "reason")[0] != '\0', out);
	CU_ASSERT_PTR_NOT_NULL(strstr(text_of(&a, "session"), session));
	answer_free(&a);
}

static void test_preview(void)
{
	reset();
	fill_trust_store();
	check_preview(&https, "verify", true, "not get in any more");
	check_preview(&https, "notRequired", false, "user name and password");
	check_preview(&with_ann, "verify", false, "user name and password");
	check_preview(&with_ann, "required", false, "by your certificate");
	check_preview(&with_nobody, "required", true, "not get in any more");
	check_preview(&door_local, "required", false, "device itself");
	empty_trust_store();
	check_preview(&with_ann, "verify", true, "not get in any more");
	CU_ASSERT_EQUAL(settings_choice(device.services.settings,
					SETTING_CLIENT_CERTIFICATE),
			0);
}

/* --- trials */

static void begin_trial(char id[TRIAL_ID_SIZE])
{
	struct answer a;

	call_by(&https, "security.modify",
		on_trial(text_param("minimumVersion", "1.3")), &a);
	CU_ASSERT_EQUAL(a.response.fault_code, 0);
	CU_ASSERT_EQUAL(strlen(text_of(&a, "changeId")), TRIAL_ID_SIZE - 1);
	CU_ASSERT_EQUAL(
	    value_int(value_member(a.response.result, "secondsLeft")), 60);
	snprintf(id, TRIAL_ID_SIZE, "%s", text_of(&a, "changeId"));
	answer_free(&a);
}

static void check_listed(const struct door *d, const char *id, bool can)
{
	const struct value *row, *setting;
	struct answer a;

	call_by(d, "change.query", NULL, &a);
	row = value_item(value_member(a.response.result, "changes"), 0);
	CU_ASSERT_STRING_EQUAL(value_string(value_member(row, "changeId")), id);
	CU_ASSERT_STRING_EQUAL(value_string(value_member(row, "userName")),
			       "ann");
	CU_ASSERT_STRING_EQUAL(value_string(value_member(row, "peer")),
			       "192.0.2.1");
	CU_ASSERT_EQUAL(value_boolean(value_member(row, "canConfirm")), can);
	setting = value_item(value_member(row, "settings"), 0);
	CU_ASSERT_STRING_EQUAL(value_string(value_member(setting, "from")),
			       "1.2");
	answer_free(&a);
}

static void test_trials(void)
{
	struct door later = https;
	char id[TRIAL_ID_SIZE];

	reset();
	begin_trial(id);
	later.opened_ms = clock_monotonic_ms() + 1;
	check_listed(&https, id, false);
	check_listed(&later, id, true);
	CU_ASSERT_EQUAL(fault_of(&https, "change.confirm",
				 text_param("changeId", id),
				 "opened before the change"),
			201);
	CU_ASSERT_EQUAL(fault_of(&later, "security.modify",
				 text_param("minimumVersion", "1.2"),
				 "is on trial"),
			201);
	CU_ASSERT_EQUAL(fault_of(&later, "change.confirm",
				 text_param("changeId", id), NULL),
			0);
	CU_ASSERT_EQUAL(fault_of(&later, "change.revert",
				 text_param("changeId", id), "no such change"),
			1008);
	CU_ASSERT_EQUAL(count_audit("trialStarted", "API", "ann", id), 1);
	CU_ASSERT_EQUAL(count_audit("trialConfirmed", "API", "ann", id), 1);
	reset();
	begin_trial(id);
	CU_ASSERT_EQUAL(
	    fault_of(&https, "change.revert", text_param("changeId", id), NULL),
	    0);
	CU_ASSERT_EQUAL(count_audit("trialReverted", "API", "ann", id), 1);
	CU_ASSERT_EQUAL(settings_choice(device.services.settings,
					SETTING_TLS_MINIMUM_VERSION),
			0);
}

/* --- rescue */

static void test_rescue(void)
{
	const struct door service_user = { .via = PEER_CONTROL,
					   .uid = 4242,
					   .gid = getegid(),
					   .address = "local" };
	char id[TRIAL_ID_SIZE];

	reset();
	set(SETTING_CLIENT_CERTIFICATE, "required");
	set(SETTING_CONSOLE_REQUIRE_LOGIN, "yes");
	set(SETTING_HTTP_ENABLED, "no");
	CU_ASSERT_EQUAL(fault_of(&https, "change.rescue", NULL, NULL), 14);
	CU_ASSERT_EQUAL(fault_of(&service_user, "change.rescue", NULL, NULL),
			14);
	set(SETTING_CONSOLE_REQUIRE_LOGIN, "no");
	CU_ASSERT_EQUAL(fault_of(&service_user, "change.rescue", NULL,
				 "insufficient privileges"),
			15);
	CU_ASSERT_EQUAL(count_audit("rescued", "System", "local", ""), 0);
	set(SETTING_CONSOLE_REQUIRE_LOGIN, "yes");
	set(SETTING_HTTPS_PORT, "80"); /* where HTTP would be, were it on */
	CU_ASSERT_EQUAL(fault_of(&door_local, "change.rescue", NULL, NULL), 0);
	CU_ASSERT_EQUAL(settings_choice(device.services.settings,
					SETTING_CLIENT_CERTIFICATE),
			0);
	CU_ASSERT_TRUE(
	    settings_bool(device.services.settings, SETTING_HTTP_ENABLED));
	CU_ASSERT_EQUAL(
	    settings_int(device.services.settings, SETTING_HTTPS_PORT), 443);
	CU_ASSERT_EQUAL(
	    count_audit("rescued", "System", "local", "reverted: 0"), 1);
	reset();
	begin_trial(id);
	CU_ASSERT_EQUAL(fault_of(&door_local, "change.rescue", NULL, NULL), 0);
	CU_ASSERT_EQUAL(
	    count_audit("rescued", "System", "local", "reverted: 1"), 1);
	CU_ASSERT_FALSE(settings_has_trials(device.services.settings));
}

int main(int argc, char **argv)
{
	static const struct unit_test tests[] = {
		{ "modes that would lock out", test_modes },
		{ "an empty trust store", test_empty_trust_store },
		{ "services and versions that would lock out",
		  test_other_doors },
		{ "the control socket", test_local },
		{ "deleting the trust store", test_deleting_the_store },
		{ "the redirect", test_redirect },
		{ "preview", test_preview },
		{ "trials", test_trials },
		{ "rescue", test_rescue },
		{ NULL, NULL },
	};

	return unit_main(argc, argv, "api-settings", tests, api_device_open,
			 api_device_close);
}
