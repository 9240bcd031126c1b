/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SB_TESTS_UNIT_REGISTRATION_FIXTURE_H
#define SB_TESTS_UNIT_REGISTRATION_FIXTURE_H

#include "sip/sip_registration.h"
#include "tests/lib/unit.h"
#include "tests/unit/agent_fixture.h"

/* A registration on an agent without sockets, with settings of its own and a
 * registrar that the test is. */

enum { SECOND = 1000, DAY = 86400 * SECOND };

extern struct registration_stage {
	struct config *config;
	struct store *store;
	struct settings *settings;
	struct sip_credentials *credentials;
	struct sip_registration *registration;
	struct sip_registration_facts facts; /* told last */
	unsigned done;                       /* with &reg: how often */
} reg;

int registration_set_up(void);
int registration_tear_down(void);

/* With factory settings and the password "secret". */
void registration_begin(void);
void registration_end(void);
/* For sip_registration_leave(), with &reg. */
void registration_done(void *arg);

void registration_set(enum setting_id id, const char *value);
/* Settings of a registrar, which hold from here on. */
void registration_use(const char *address);

/* The flow that was asked for last. */
struct agent_flow *registration_flow(void);
/* Up to the request, which is there then. */
struct agent_flow *registration_reach(enum sip_transport transport);
/* Registered, by an answer with these fields. */
struct agent_flow *registration_stand(enum sip_transport transport,
				      const char *fields);

/* Of what was sent last. */
bool registration_sent(const struct agent_flow *f, const char *name,
		       const char *wanted);
unsigned registration_cseq(const struct agent_flow *f);

extern const char registration_challenge[]; /* of a 401 */

#endif
