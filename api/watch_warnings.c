/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "api/watch_warnings.h"

#include <string.h>

#include "auth/account_security.h"
#include "auth/certificate_mode.h"
#include "auth/security_warnings.h"
#include "base/clock.h"
#include "base/log.h"
#include "sip/sip_own_certificate.h"

struct counting {
	struct security_facts *facts;
	time_t now;
};

static int count_user(void *arg, const struct user_row *row, struct error *e)
{
	struct counting *c = arg;
	struct security_facts *f = c->facts;
	bool open =
	    account_block(row, f->advanced_accounts, c->now) == ACCOUNT_OPEN;

	(void)e;
	if (row->built_in == USER_GUEST)
		f->guest_enabled = !row->disabled;
	if (row->built_in == USER_ADMIN)
		f->admin_has_default_name = !strcmp(row->id, "admin");
	if (open && password_is_expired(row, f->advanced_accounts, c->now))
		f->expired_passwords++;
	return 0;
}

static bool serves_default(struct identity *id)
{
	struct local_identity *l = identity_in_service(id);
	bool is_default = l && l->source == IDENTITY_DEFAULT;

	local_identity_unref(l);
	return is_default;
}

static bool is_misnamed(const struct api_services *sv)
{
	char text[SIP_OWN_NAMES_TEXT];

	sip_own_certificate_problem(sv->identity, sv->settings, text);
	return text[0] != '\0';
}

static bool trusts_no_sip_peer(const struct api_services *sv)
{
	struct trust_snapshot *t = trust_snapshot(sv->trust, TRUST_SIP);
	bool empty = t && t->certificates.count == 0;

	trust_snapshot_unref(t);
	return empty &&
	       settings_choice(sv->settings, SETTING_SIP_VERIFICATION) != 0;
}

static bool lacks_audit_room(struct audit *a)
{
	struct error e = ERROR_INIT;

	return audit_ready(a, &e) < 0;
}

static int gather(const struct api_services *sv, struct security_facts *f,
		  struct error *e)
{
	enum certificate_mode mode = certificate_mode_in_force(sv->settings);
	struct counting c = { .facts = f, .now = clock_now() };

	memset(f, 0, sizeof(*f));
	f->advanced_accounts =
	    settings_bool(sv->settings, SETTING_ADVANCED_ACCOUNTS);
	f->console_login =
	    settings_bool(sv->settings, SETTING_CONSOLE_REQUIRE_LOGIN);
	f->http = settings_bool(sv->settings, SETTING_HTTP_ENABLED) &&
		  mode != CERTIFICATE_REQUIRED;
	f->redirect_http = settings_bool(sv->settings, SETTING_REDIRECT_HTTP);
	f->certificate_login = mode >= CERTIFICATE_ALLOWED;
	f->default_certificate = serves_default(sv->identity);
	f->sip_misnamed = is_misnamed(sv);
	f->sip_shut = trusts_no_sip_peer(sv);
	f->no_audit_room = lacks_audit_room(sv->audit);
	return users_each(sv->users, count_user, &c, e);
}

/* What is fixed, as bits. What cannot be found out stays as it was. */
static unsigned look(const struct api_services *sv)
{
	uint64_t ticket = security_warnings_ticket(sv->warnings);
	struct error e = ERROR_INIT;
	struct security_facts f;

	if (gather(sv, &f, &e) < 0) {
		error_prefix(&e, "security warnings");
		log_failure(LOG_LEVEL_WARNING, "api", &e);
		return 0;
	}
	return security_warnings_update(sv->warnings, ticket,
					security_warnings_of(&f));
}

void warnings_begin(const struct api_services *services)
{
	(void)look(services);
}

void warnings_look(const struct api_services *services)
{
	const struct audit_actor nobody = { "System", "", "", "" };
	const struct security_warning_row *row;
	unsigned fixed = look(services);
	struct error e = ERROR_INIT;

	for (size_t i = 0; (row = security_warning_row(i)); i++)
		if (fixed & 1u << i)
			(void)audit_append(services->audit,
					   AUDIT(SECURITY_WARNING_FIXED,
						 .warning = row->warning),
					   &nobody, &e);
}

/* Areas whose methods can change what a warning is about. */
static bool may_matter(const char *method)
{
	static const char *const areas[] = { "user.",     "security.",
					     "services.", "verification.",
					     "change.",   "certificate.",
					     "sip.",      "trustStore." };

	for (size_t i = 0; i < sizeof(areas) / sizeof(*areas); i++)
		if (!strncmp(method, areas[i], strlen(areas[i])))
			return true;
	return false;
}

void warnings_after_call(const struct call *c)
{
	const struct security_warning_row *row;
	unsigned fixed;

	if (c->caller.user.privilege != PRIVILEGE_ADMINISTRATOR ||
	    !may_matter(c->method->name))
		return;
	fixed = look(c->services);
	for (size_t i = 0; (row = security_warning_row(i)); i++)
		if (fixed & 1u << i)
			call_audit(c, AUDIT(SECURITY_WARNING_FIXED,
					    .warning = row->warning));
}
