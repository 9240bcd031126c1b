/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/unit/registration_fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct registration_stage reg;

int registration_set_up(void)
{
	struct error e = ERROR_INIT;

	reg.config = config_load("/dev/null", NULL, 0, &e);
	reg.store = reg.config ? store_open(unit_temp_dir(), &e) : NULL;
	reg.settings =
	    reg.store ? settings_new(reg.config, reg.store, &e) : NULL;
	reg.credentials =
	    reg.settings ? sip_credentials_new(reg.store, &e) : NULL;
	return reg.credentials ? 0 : -1;
}

int registration_tear_down(void)
{
	sip_credentials_free(reg.credentials);
	settings_free(reg.settings);
	store_close(reg.store);
	config_free(reg.config);
	return 0;
}

static void on_changed(void *arg, const struct sip_registration_facts *f)
{
	CU_ASSERT_PTR_EQUAL(arg, &reg);
	reg.facts = *f;
}

void registration_done(void *arg)
{
	CU_ASSERT_PTR_EQUAL(arg, &reg);
	reg.done++;
}

void registration_set(enum setting_id id, const char *value)
{
	struct error e = ERROR_INIT;

	CHECK_OK(settings_set(reg.settings, id, value, &e), &e);
}

void registration_begin(void)
{
	struct error e = ERROR_INIT;
	struct sip_registration_options o = { .settings = reg.settings,
					      .credentials = reg.credentials,
					      .changed = on_changed,
					      .arg = &reg };

	for (int i = 0; i < SETTING_COUNT; i++)
		registration_set(
		    (enum setting_id)i,
		    settings_default(reg.settings, (enum setting_id)i));
	CHECK_OK(sip_credentials_set(reg.credentials, "secret", &e), &e);
	agent_start();
	memset(&reg.facts, 0, sizeof(reg.facts));
	reg.done = 0;
	o.agent = stage.agent;
	reg.registration = sip_registration_new(&o, &e);
	CHECK_OBJECT(reg.registration, &e);
}

void registration_end(void)
{
	sip_agent_end(stage.agent);
	sip_registration_free(reg.registration);
	agent_stop();
}

void registration_use(const char *address)
{
	registration_set(SETTING_SIP_USER_NAME, "bridge");
	registration_set(SETTING_SIP_OUTBOUND_DOMAIN, "example.org");
	registration_set(SETTING_SIP_OUTBOUND_ADDRESS, address);
	registration_set(SETTING_SIP_OUTBOUND, "useRegistrar");
	sip_registration_settings(reg.registration);
}

struct agent_flow *registration_flow(void)
{
	CU_ASSERT_FATAL(stage.count > 0);
	return &stage.flows[stage.count - 1];
}

struct agent_flow *registration_reach(enum sip_transport transport)
{
	agent_resolve(transport, 1);
	agent_connect(SIP_END_NONE);
	agent_run(0);
	return registration_flow();
}

bool registration_sent(const struct agent_flow *f, const char *name,
		       const char *wanted)
{
	const char *value = agent_field(f->last, name);

	if (strcmp(value, wanted) != 0)
		unit_note("%s: \"%s\", not \"%s\"", name, value, wanted);
	return strcmp(value, wanted) == 0;
}

unsigned registration_cseq(const struct agent_flow *f)
{
	return (unsigned)strtoul(agent_field(f->last, "CSeq"), NULL, 10);
}

const char registration_challenge[] =
    "WWW-Authenticate: Digest realm=\"example.org\", nonce=\"abc\", "
    "qop=\"auth\", algorithm=MD5\r\n";

struct agent_flow *registration_stand(enum sip_transport transport,
				      const char *fields)
{
	struct agent_flow *f;

	registration_use("pbx.example");
	f = registration_reach(transport);
	agent_answer(f, 200, fields);
	agent_run(0);
	CU_ASSERT_EQUAL(reg.facts.state, SIP_REGISTERED);
	return f;
}
