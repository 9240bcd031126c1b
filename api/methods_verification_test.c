/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "api/method.h"

#include <stdio.h>
#include <string.h>

#include "api/key_value.h"
#include "auth/certificate_mode.h"
#include "base/clock.h"
#include "cert/bundle.h"
#include "cert/judge.h"

/* verification.test: the window of the one judge. An administrator sees what a
 * connection with that certificate would meet, before anything depends on it.
 * Nothing changes, so nothing is written to the audit trail. */

enum { REASON_MAX = JUDGE_TEXT_SIZE + 64 };

/* A call, taken apart. */
struct test {
	enum judge_role role;
	enum trust_store_id store;
	const char *host; /* NULL for a client */
	struct cert_list sent;
};

static int read_host(const struct call *c, struct test *t, struct error *e)
{
	if (t->role == JUDGE_CLIENT)
		return 0;
	t->host = value_string(value_member(c->params, "host"));
	if (!t->host[0])
		return error_set(e, ERR_INPUT,
				 "host: a server's certificate is judged for "
				 "the host that was asked for; name it");
	return 0;
}

static int read_test(const struct call *c, struct test *t, struct error *e)
{
	const char *role = value_string(value_member(c->params, "role"));
	const char *store = value_string(value_member(c->params, "trustStore"));

	t->role = !strcmp(role, "server") ? JUDGE_SERVER : JUDGE_CLIENT;
	t->store = TRUST_HTTPS;
	/* The row's choices let nothing else through; left out: HTTPS. */
	(void)trust_store_from_name(store, &t->store);
	if (read_host(c, t, e) < 0)
		return -1;
	return cert_bundle_parse(
	    value_bytes(value_member(c->params, "certificate")), &t->sent, e);
}

static int ask_judge(const struct test *t, const struct trust_snapshot *trusted,
		     struct judgement *out, struct error *e)
{
	struct judge_store *store = judge_store_new(&trusted->certificates, e);
	struct judge_question q = {
		.store = store,
		.sent = &t->sent,
		.role = t->store == TRUST_SIP ? JUDGE_SIP : t->role,
		.host = t->host,
		.now = clock_now(),
	};
	int rc;

	if (!store)
		return -1;
	rc = judge(&q, out, e);
	judge_store_unref(store);
	if (rc < 0 && e->kind == ERR_INPUT)
		error_prefix(e, "host");
	return rc;
}

/* --- the reply --- */

/* A verdict that says why in both cases. */
static void put_reason(struct value *out, const struct test *t,
		       const struct judgement *j)
{
	char text[REASON_MAX];

	if (!j->accepted) {
		value_put_string(out, "reason", j->text);
		return;
	}
	snprintf(text, sizeof(text), "the path ends at %.512s in the %s",
		 cert_subject(j->path.items[j->path.count - 1])->text,
		 trust_store_title(t->store));
	value_put_string(out, "reason", text);
}

static int put_verdict(struct value *out, const struct test *t,
		       const struct judgement *j, struct error *e)
{
	value_put_string(out, "verdict", j->accepted ? "accepted" : "refused");
	put_reason(out, t, j);
	value_put_string(out, "reasonName", judge_reason_name(j->reason));
	if (!j->accepted && j->at < j->path.count)
		value_put_int(out, "reasonAt", (int32_t)j->at + 1);
	return cert_list_to_value(&j->path, value_put_array(out, "chain"), e);
}

static int put_user(struct value *out, const char *name, const char *reason)
{
	value_put_string(out, "userName", name);
	value_put_string(out, "userReason", reason);
	return 0;
}

/* The account it logs in as in the modes with certificate login, by the same
 * rules as then. */
static int put_account(struct value *out, const struct call *c,
		       const struct judgement *j, struct error *e)
{
	const struct client_certificate own = { .present = true,
						.login = j->login };
	struct certificate_user found;
	char text[2 * USER_ID_MAX + 128];

	if (users_find_by_certificate(c->services->users, &own, clock_now(),
				      &found, e) < 0)
		return -1;
	if (found.offer != OFFER_MATCHING)
		return put_user(out, "", found.why);
	if (found.usable)
		return put_user(out, found.user.id, "");
	snprintf(text, sizeof(text), "user \"%s\": %s", found.user.id,
		 found.why);
	return put_user(out, "", text);
}

static int put_login(struct value *out, const struct call *c,
		     const struct test *t, const struct judgement *j,
		     struct error *e)
{
	if (t->role == JUDGE_SERVER)
		return put_user(out, "", "servers do not log in");
	if (t->store != TRUST_HTTPS)
		return put_user(out, "",
				"only the HTTPS trust store lets users in");
	if (!j->accepted)
		return put_user(out, "", "the certificate is refused");
	return put_account(out, c, j, e);
}

static struct value *report(const struct call *c, const struct test *t,
			    const struct trust_snapshot *trusted,
			    struct error *e)
{
	struct value *s = value_new_struct();
	struct judgement j = { .accepted = false };

	if (ask_judge(t, trusted, &j, e) < 0 || put_verdict(s, t, &j, e) < 0 ||
	    put_login(s, c, t, &j, e) < 0) {
		value_free(s);
		s = NULL;
	}
	/* Damaged in the token: it trusts nobody until it is mended. */
	if (trusted->problem[0])
		value_put_string(s, "problem", trusted->problem);
	judgement_free(&j);
	return s;
}

static struct value *run_test(struct call *c, struct error *e)
{
	struct trust_snapshot *trusted;
	struct test t = { .host = NULL };
	struct value *s = NULL;

	if (read_test(c, &t, e) < 0)
		return NULL;
	trusted = call_trust_snapshot(c, t.store, e);
	if (trusted)
		s = report(c, &t, trusted, e);
	trust_snapshot_unref(trusted);
	cert_list_free(&t.sent);
	return s;
}

/* --- rows --- */

static const struct param test_rows[] = {
	{ .name = "certificate",
	  .type = VALUE_STRING,
	  .required = true,
	  .chars = PEM_CHARS_MAX,
	  .help = "PEM as the peer would send it: its own certificate first, "
		  "then any intermediates in any order." },
	{ .name = "trustStore",
	  .type = VALUE_STRING,
	  .choices = "https|sip|callHome",
	  .help = "Who is trusted, and by whose rules: a certificate for the "
		  "SIP trust store is judged as that of a SIP peer; default "
		  "https." },
	{ .name = "role",
	  .type = VALUE_STRING,
	  .choices = "client|server",
	  .help = "What the peer is; default client." },
	{ .name = "host",
	  .type = VALUE_STRING,
	  .chars = 255,
	  .help = "The server that was asked for, a name or an address; needed "
		  "for role server, passed over for role client." },
	{ 0 },
};

const struct method methods_verification_test[] = {
	{ "verification.test", PRIVILEGE_ADMINISTRATOR, 0, test_rows, run_test,
	  "verdict string (accepted, refused); reason, reasonName string; "
	  "reasonAt int, the certificate of the chain that is to blame; chain "
	  "array of certificate structs, the path built; userName string, the "
	  "account it would log in as, else userReason; problem string when "
	  "the token's copy of the trust store is damaged",
	  "Judge a certificate as a connection would; changes nothing." },
	{ 0 },
};
