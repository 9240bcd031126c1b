/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SB_TESTS_UNIT_TLS_POLICY_WORLD_H
#define SB_TESTS_UNIT_TLS_POLICY_WORLD_H

#include "app/tls_policy.h"
#include "auth/certificate_mode.h"
#include "tests/lib/unit.h"
#include "tests/unit/judge_fixture.h"

/* A policy between stand-ins for everything around it. */

struct tls_context {
	unsigned refs;
	struct tls_verifier verifier;
	enum tls_version minimum;
	const struct local_identity *identity;
	struct ticket_keys *tickets;
};

struct settings {
	int mode, minimum, sip;
	bool no_local; /* certificate for servers */
};

struct ticket_keys {
	unsigned rotations;
};

struct policy_world {
	struct settings settings;
	/* generation 0: not read yet */
	struct trust_snapshot stores[TRUST_STORE_COUNT];
	bool failing, failing_client; /* contexts cannot be made */
	/* What the policy has registered. */
	struct identity_presenter presenter;
	settings_listener_fn *on_settings;
	void (*on_trust)(enum trust_store_id, const struct trust_snapshot *,
			 void *);
	void *on_settings_arg, *on_trust_arg;
	/* What it did. */
	struct tls_context *posted[PEER_VIA_COUNT]; /* the last ones */
	unsigned posts[PEER_VIA_COUNT], records, tellings;
	struct ticket_keys keys[4];
	unsigned keys_made;
	char last_record[256], last_module[8];
	const char *last_direction, *last_host;
	enum audit_event last_event;
};

extern struct policy_world around;
extern struct local_identity one, other;
extern struct world world; /* who certifies whom */

/* One at a time; nothing is set. */
struct tls_policy *policy_open(void);
void policy_close(struct tls_policy *p);

/* What the policy hears. */
int present(const struct local_identity *l);
void set_mode(enum certificate_mode mode);
/* The certificates that these letters are of judge_fixture.h. */
void set_store(enum trust_store_id id, const char *letters);
void set_trust(const char *letters); /* for HTTPS */

/* Whether the context would let these in. */
struct tls_verdict verdict_of(const struct tls_context *c, const char *letters,
			      const char *host);
/* That of HTTPS: whether it lets these in, and asks for certificates at all. */
bool lets_in(const char *letters);
bool asks(void);

#endif
