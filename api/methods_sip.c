/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <stdlib.h>

#include "api/setting_call.h"
#include "base/log.h"
#include "config/trial.h"
#include "sip/sip_control.h"
#include "sip/sip_credentials.h"
#include "sip/sip_own_certificate.h"

/* SIP: where calls go, the registration, the settings of both. */

static const enum setting_id ids[] = {
	SETTING_SIP_OUTBOUND,           SETTING_SIP_OUTBOUND_ADDRESS,
	SETTING_SIP_OUTBOUND_DOMAIN,    SETTING_SIP_USER_NAME,
	SETTING_SIP_OUTGOING_TRANSPORT, SETTING_SIP_USE_LOCAL_CERTIFICATE,
	SETTING_SIP_CLOSE_CONNECTIONS,  SETTING_SIP_MEDIA_TIMEOUT_SECONDS,
	SETTING_SIP_SESSION_SECONDS,    SETTING_SIP_REGISTRATION_SECONDS,
};
enum { IDS = sizeof(ids) / sizeof(*ids) };

/* In the order of the choices of sip.outboundConfiguration. */
enum { CALL_DIRECT, USE_TRUNK, USE_REGISTRAR };

static int outbound(const struct call *c)
{
	return settings_choice(c->services->settings, SETTING_SIP_OUTBOUND);
}

/* --- sip.query ------------------------------------------------------------ */

/* As the original has them: "" for what is not in use. */
static void put_configured(const struct call *c, struct value *s)
{
	static const struct {
		const char *name;
		int mode;
	} members[] = { { "configuredRegistrar", USE_REGISTRAR },
			{ "configuredProxy", USE_TRUNK } };
	char *address =
	    settings_text(c->services->settings, SETTING_SIP_OUTBOUND_ADDRESS);

	for (size_t i = 0; i < sizeof(members) / sizeof(*members); i++)
		value_put_string(s, members[i].name,
				 outbound(c) == members[i].mode ? address : "");
	free(address);
}

static void put_registration(const struct call *c, struct value *s)
{
	struct sip_registration_facts f;

	sip_control_registration(c->services->sip, &f);
	value_put_string(s, "registrationState",
			 sip_registration_state_name(f.state));
	value_put_string(s, "registeredAs", f.registered_as);
	value_put_string(s, "registrationProblem", f.problem);
	if (f.expires)
		value_put_time(s, "registrationExpires", f.expires);
	if (f.next_try)
		value_put_time(s, "registrationNextTry", f.next_try);
}

static void put_certificate_problem(const struct call *c, struct value *s)
{
	char text[SIP_OWN_NAMES_TEXT];

	sip_own_certificate_problem(c->services->identity,
				    c->services->settings, text);
	value_put_string(s, "certificateProblem", text);
}

static struct value *query(struct call *c, struct error *e)
{
	struct settings *settings = c->services->settings;
	struct value *s = value_new_struct(), *list;

	(void)e;
	put_configured(c, s);
	for (size_t i = 0; i < IDS; i++)
		setting_put_value(settings, ids[i], s);
	value_put_boolean(s, "passwordSet",
			  sip_credentials_given(c->services->credentials));
	put_registration(c, s);
	put_certificate_problem(c, s);
	list = value_put_array(s, "settings");
	for (size_t i = 0; i < IDS; i++)
		setting_describe(settings, ids[i], list);
	return s;
}

/* --- sip.modify ----------------------------------------------------------- */

static int gather(const struct call *c, struct setting_wishes *w,
		  struct error *e)
{
	w->count = 0;
	for (size_t i = 0; i < IDS; i++) {
		const struct value *v =
		    value_member(c->params, setting_last_name(ids[i]));

		if (v && setting_wish(w, ids[i], v, e) < 0)
			return -1;
	}
	return 0;
}

/* All that can be said before anything changes. */
static int check_password(const struct call *c, const struct value *password,
			  struct error *e)
{
	if (value_member(c->params, "confirmWithinSeconds"))
		return error_set(e, ERR_INPUT,
				 "password: it cannot be on trial; change it "
				 "by itself");
	if (sip_credentials_check(value_string(password), e) < 0)
		return error_prefix(e, "password");
	return 0;
}

/* The former one comes back when the settings are refused: they are stored
 * after it, since a registration begins as soon as they are. */
static void put_back(const struct call *c, const struct secret *former)
{
	struct error e = ERROR_INIT;

	if (sip_credentials_set(c->services->credentials,
				former->ptr ? (const char *)former->ptr : "",
				&e) < 0)
		log_failure(LOG_LEVEL_ERROR, "sip", &e);
}

static void tell_password(const struct call *c, bool given, bool wanted)
{
	if (!given && !wanted)
		return;
	call_audit(c, AUDIT(SIP_PASSWORD_CHANGED, .action = !wanted ? "removed"
							    : given ? "changed"
								    : "set"));
	/* Registrations that failed were made with the former one. */
	if (outbound(c) == USE_REGISTRAR)
		sip_control_password_changed(c->services->sip);
}

static struct value *apply_with_password(struct call *c,
					 const struct setting_wishes *w,
					 const char *password, struct error *e)
{
	struct sip_credentials *credentials = c->services->credentials;
	struct secret former;
	struct value *s = NULL;

	if (sip_credentials_get(credentials, &former, e) < 0)
		return NULL;
	if (sip_credentials_set(credentials, password, e) < 0) {
		error_prefix(e, "password");
		goto out;
	}
	s = w->count ? setting_call_apply(c, w, e) : result_ok();
	if (s)
		tell_password(c, former.len > 0, *password != '\0');
	else
		put_back(c, &former);
out:
	secret_free(&former);
	return s;
}

static struct value *modify(struct call *c, struct error *e)
{
	const struct value *password = value_member(c->params, "password");
	struct setting_wishes w;

	if (gather(c, &w, e) < 0 ||
	    (password && check_password(c, password, e) < 0))
		return NULL;
	if (password)
		return apply_with_password(c, &w, value_string(password), e);
	if (w.count > 0)
		return setting_call_apply(c, &w, e);
	error_set(e, ERR_INPUT, "no setting is named");
	return NULL;
}

/* --- sip.register --------------------------------------------------------- */

static struct value *register_now(struct call *c, struct error *e)
{
	char *registrar;

	if (outbound(c) != USE_REGISTRAR) {
		error_set(e, ERR_CONFLICT,
			  "no registrar is in use; choose \"Use registrar\" in "
			  "the SIP settings first");
		return NULL;
	}
	sip_control_register_now(c->services->sip);
	registrar =
	    settings_text(c->services->settings, SETTING_SIP_OUTBOUND_ADDRESS);
	call_audit(c,
		   AUDIT(SIP_REGISTRATION_REQUESTED, .registrar = registrar));
	free(registrar);
	return result_ok();
}

static const struct param modify_rows[] = {
	{ .name = "outboundConfiguration",
	  .type = VALUE_STRING,
	  .help = "callDirect, useTrunk or useRegistrar" },
	{ .name = "outboundAddress",
	  .type = VALUE_STRING,
	  .chars = 263,
	  .help = "HOST or HOST:PORT, an IPv6 address in brackets; where no "
		  "port is named, the DNS says it" },
	{ .name = "outboundDomain", .type = VALUE_STRING, .chars = 255 },
	{ .name = "userName", .type = VALUE_STRING, .chars = 64 },
	{ .name = "password",
	  .type = VALUE_STRING,
	  .chars = SECRET_CHARS_MAX,
	  .help = "for the trunk or registrar; \"\": none" },
	{ .name = "outgoingTransport",
	  .type = VALUE_STRING,
	  .help = "tcp, udp or tls" },
	{ .name = "useLocalCertificate", .type = VALUE_BOOLEAN },
	{ .name = "closeConnections", .type = VALUE_BOOLEAN },
	{ .name = "mediaTimeoutSeconds",
	  .type = VALUE_INT,
	  .least = 10,
	  .most = 3600 },
	{ .name = "sessionSeconds",
	  .type = VALUE_INT,
	  .least = 90,
	  .most = 86400 },
	{ .name = "registrationSeconds",
	  .type = VALUE_INT,
	  .least = 60,
	  .most = 86400 },
	SETTING_CALL_ROWS,
	{ 0 },
};

const struct method methods_sip[] = {
	{ "sip.query", PRIVILEGE_ADMINISTRATOR,
	  METHOD_WITHOUT_CSRF | METHOD_WITHOUT_TOUCH, NULL, query,
	  "configuredRegistrar, configuredProxy string (\"\" when not in use); "
	  "outboundConfiguration, outboundAddress, outboundDomain, userName, "
	  "outgoingTransport string; useLocalCertificate, closeConnections "
	  "boolean; mediaTimeoutSeconds, sessionSeconds, registrationSeconds "
	  "int; passwordSet boolean; registrationState string (off, "
	  "registering, registered, failed); registeredAs, registrationProblem "
	  "string; registrationExpires time, left out when not registered; "
	  "registrationNextTry time, when it is tried again by itself after a "
	  "failure, left out when nothing is planned; "
	  "certificateProblem string; settings array as in verification.query",
	  "The settings of Settings > SIP, and how the registration goes." },
	{ "sip.modify", PRIVILEGE_ADMINISTRATOR, METHOD_CHANGES, modify_rows,
	  modify, SETTING_CALL_RESULT,
	  "Change any of these settings, and the password, which no method "
	  "gives out." },
	{ "sip.register", PRIVILEGE_ADMINISTRATOR, METHOD_CHANGES, NULL,
	  register_now, NULL,
	  "Register again now; what comes of it is in sip.query." },
	{ 0 },
};
