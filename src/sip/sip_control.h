/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SB_SIP_SIP_CONTROL_H
#define SB_SIP_SIP_CONTROL_H

#include "config/settings.h"
#include "sip/sip_calls.h"
#include "sip/sip_uri.h"

/* The door between the loop, where calls live, and all other threads: what is
 * wanted goes in, what is known of calls and the registration comes out. A
 * wish is an entry in a table and a wake-up, so nobody waits for the loop. */

enum {
	SIP_ENDED_KEPT = 512, /* calls that have ended and can be asked for */
	SIP_FOLLOWERS_MAX = 4
};

struct sip_control;

/* --- any thread */

struct sip_place {
	const char *address; /* as somebody types it */
	bool use_registrar;  /* by trunk or registrar, as the settings say;
			      * else directly */
	bool has_transport;  /* a wish for this one call */
	enum sip_transport transport;
};

/* A call is to be placed: it is "alerting" from here on, whatever becomes of
 * it. ERR_INPUT, ERR_CONFIG as sip_dial(); ERR_LIMIT: SIP_CALLS_MAX;
 * ERR_CANCELLED: the service is stopping. */
int sip_control_place(struct sip_control *c, const struct sip_place *p,
		      uint64_t *id_out, struct error *e) MUST_CHECK;
/* It is to end. ERR_NOT_FOUND: no such call, or it has ended. */
int sip_control_end(struct sip_control *c, uint64_t id,
		    struct error *e) MUST_CHECK;
/* Those under way, the oldest first; how many there are, also when that is more
 * than max. */
size_t sip_control_calls(struct sip_control *c, struct sip_call_facts *out,
			 size_t max);
/* Also of those that ended last. False: no such call. */
bool sip_control_call(struct sip_control *c, uint64_t id,
		      struct sip_call_facts *out);
void sip_control_registration(struct sip_control *c,
			      struct sip_registration_facts *out);
/* Register again now, if there is a registrar. */
void sip_control_register_now(struct sip_control *c);
/* The password is another one; what was begun with it already, because the
 * settings came with it, is not begun twice. */
void sip_control_password_changed(struct sip_control *c);

/* At start: changed is called on the loop with each change of a call, the last
 * one SIP_CALL_DISCONNECTED; it must not block. More than SIP_FOLLOWERS_MAX:
 * ERR_LIMIT. */
int sip_control_follow(struct sip_control *c,
		       void (*changed)(void *arg,
				       const struct sip_call_facts *f),
		       void *arg, struct error *e) MUST_CHECK;

/* --- at start and end */

struct sip_control_options {
	struct settings *settings; /* how to dial */
};

/* NULL: ERR_NOMEM. */
struct sip_control *sip_control_new(const struct sip_control_options *o,
				    struct error *e) MUST_CHECK;
void sip_control_free(struct sip_control *c); /* NULL is fine */

/* Who does what is wanted. */
struct sip_control_ops {
	/* Any thread; from within the control, so they call nothing here. The
	 * number of a call that is to begin; and: sip_control_run() is wanted
	 * soon. */
	uint64_t (*new_id)(void *arg);
	void (*wake)(void *arg);
	/* Loop. What becomes of it is told by sip_control_changed(). NULL: such
	 * a call ends as SIP_END_SERVICE_UNAVAILABLE. */
	void (*place)(void *arg, uint64_t id, const struct sip_dialled *to);
	void (*end)(void *arg, uint64_t id);
	void (*register_now)(void *arg);
	void (*password_changed)(void *arg);
	void *arg;
};

/* Loop. Copied; NULL: nobody is there (any more), and no call is placed. */
void sip_control_attach(struct sip_control *c,
			const struct sip_control_ops *ops);

/* --- on the loop */

/* Carries out what is wanted. */
void sip_control_run(struct sip_control *c);
/* Something has changed: those that follow are told. */
void sip_control_changed(struct sip_control *c, const struct sip_call_facts *f);
/* Only numbers have (packets): nobody is told. */
void sip_control_counted(struct sip_control *c, const struct sip_call_facts *f);
void sip_control_registered(struct sip_control *c,
			    const struct sip_registration_facts *f);

#endif
