/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "api/lock_out.h"

#include "auth/certificate_mode.h"
#include "base/clock.h"

/* The way by which somebody would come in again. */
struct way_in {
	enum certificate_door door;
	const struct client_certificate *certificate; /* NULL: none */
};

static bool is_on(const struct setting_numbers *n, enum setting_id id)
{
	return n->of[id] != 0;
}

/* Behind the redirect, whoever came over HTTP comes over HTTPS, and no
 * certificate of his is known. */
static struct way_in way_of(const struct call *c,
			    const struct setting_numbers *n)
{
	const struct peer *p = &c->request->peer;

	switch (p->via) {
	case PEER_CONTROL: return (struct way_in){ DOOR_LOCAL, NULL };
	case PEER_HTTP:
		return (struct way_in){ is_on(n, SETTING_REDIRECT_HTTP)
					    ? DOOR_HTTPS
					    : DOOR_HTTP,
					NULL };
	default: return (struct way_in){ DOOR_HTTPS, &p->certificate };
	}
}

static int check_service(const struct call *c, const struct setting_numbers *n,
			 struct error *e)
{
	const struct peer *p = &c->request->peer;

	if (p->via == PEER_HTTP && !is_on(n, SETTING_HTTP_ENABLED))
		return error_set(e, ERR_LOCK_OUT,
				 "you call over HTTP, which would be off");
	if (p->via == PEER_HTTPS && !is_on(n, SETTING_HTTPS_ENABLED))
		return error_set(e, ERR_LOCK_OUT,
				 "you call over HTTPS, which would be off");
	return 0;
}

static int check_redirect(const struct call *c, const struct setting_numbers *n,
			  struct error *e)
{
	struct service_state state;

	if (c->request->peer.via != PEER_HTTP ||
	    !is_on(n, SETTING_REDIRECT_HTTP))
		return 0;
	c->services->service_state(c->services->app, "https", &state);
	if (state.listening)
		return 0;
	return error_set(e, ERR_LOCK_OUT,
			 "you call over HTTP and would be sent to HTTPS, which "
			 "is not there%s%s",
			 state.problem[0] ? ": " : "", state.problem);
}

/* The control socket counts where it asks for a login. */
static int check_mode(const struct call *c, const struct setting_numbers *n,
		      uint64_t changed, struct error *e)
{
	const uint64_t local = setting_bit(SETTING_CLIENT_CERTIFICATE) |
			       setting_bit(SETTING_CONSOLE_REQUIRE_LOGIN);
	const uint64_t remote = setting_bit(SETTING_CLIENT_CERTIFICATE) |
				setting_bit(SETTING_REDIRECT_HTTP);
	struct way_in way = way_of(c, n);

	if (way.door == DOOR_LOCAL && !is_on(n, SETTING_CONSOLE_REQUIRE_LOGIN))
		return 0;
	if (!(changed & (way.door == DOOR_LOCAL ? local : remote)))
		return 0;
	return certificate_mode_check_caller(
	    c->services->users,
	    (enum certificate_mode)n->of[SETTING_CLIENT_CERTIFICATE], way.door,
	    way.certificate, e);
}

static int check_version(const struct call *c, const struct setting_numbers *n,
			 uint64_t changed, struct error *e)
{
	const struct peer *p = &c->request->peer;

	if (p->via != PEER_HTTPS || p->tls_version != TLS_1_2 ||
	    !is_on(n, SETTING_TLS_MINIMUM_VERSION) ||
	    !(changed & setting_bit(SETTING_TLS_MINIMUM_VERSION)))
		return 0;
	return error_set(e, ERR_LOCK_OUT,
			 "you call over TLS 1.2, which would be refused");
}

int lock_out_check(const struct call *c, const struct setting_numbers *n,
		   uint64_t changed, struct error *e)
{
	if (check_service(c, n, e) < 0 || check_redirect(c, n, e) < 0 ||
	    check_version(c, n, changed, e) < 0)
		return -1;
	return check_mode(c, n, changed, e);
}

int lock_out_check_trust(const struct call *c, const struct setting_numbers *n,
			 uint64_t changed, struct error *e)
{
	struct trust_snapshot *t;
	bool empty;

	if (!(changed & setting_bit(SETTING_CLIENT_CERTIFICATE)) ||
	    n->of[SETTING_CLIENT_CERTIFICATE] == CERTIFICATE_NOT_REQUIRED)
		return 0;
	t = trust_snapshot(c->services->trust, TRUST_HTTPS);
	empty = !t || t->certificates.count == 0;
	trust_snapshot_unref(t);
	if (!empty)
		return 0;
	return error_set(e, ERR_TRUST_EMPTY,
			 "the HTTPS trust store holds no certificate, so no "
			 "client certificate could be accepted; upload one "
			 "first");
}

int lock_out_check_no_trust(const struct call *c, struct error *e)
{
	if (c->request->peer.via != PEER_HTTPS ||
	    certificate_mode_in_force(c->services->settings) ==
		CERTIFICATE_NOT_REQUIRED)
		return 0;
	return error_set(e, ERR_LOCK_OUT,
			 "\"%s\" is on, and without this store nobody would "
			 "get a connection over HTTPS; set it to Not required "
			 "first, or delete with force",
			 setting_row(SETTING_CLIENT_CERTIFICATE)->label);
}

static const char *describe_offer(const struct call *c, struct way_in way,
				  enum certificate_mode mode)
{
	struct certificate_user who = { .offer = OFFER_NONE };
	struct error e = ERROR_INIT;

	if (way.certificate && way.certificate->present &&
	    users_find_by_certificate(c->services->users, way.certificate,
				      clock_now(), &who, &e) < 0)
		return "";
	switch (certificate_mode_rule(mode, way.door, who.offer)->way) {
	case LOGIN_BY_CERTIFICATE:
		return "You would be logged in by your certificate, without a "
		       "password.";
	case LOGIN_BY_PASSWORD:
		return "You would log in with user name and password, as "
		       "before.";
	default: return "Nobody could log in on a connection like yours.";
	}
}

const char *lock_out_describe(const struct call *c,
			      const struct setting_numbers *n)
{
	struct way_in way = way_of(c, n);

	if (way.door == DOOR_LOCAL)
		return "You work on the device itself; your session goes on.";
	return describe_offer(
	    c, way, (enum certificate_mode)n->of[SETTING_CLIENT_CERTIFICATE]);
}
