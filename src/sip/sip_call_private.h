/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SB_SIP_SIP_CALL_PRIVATE_H
#define SB_SIP_SIP_CALL_PRIVATE_H

#include <pthread.h>
#include <stdatomic.h>
#include <sys/time.h>
#include <osip2/osip.h>

#include "front/list.h"
#include "sip/sdp.h"
#include "sip/session_timer.h"
#include "sip/sip_calls.h"
#include "sip/sip_dialog.h"
#include "sip/sip_exchange.h"
#include "sip/sip_owner.h"

/* Private to sip_calls.c and sip_call*.c. */

enum {
	CALL_BUCKETS = 512,
	CALL_TAG_SIZE = 33,
	CALL_BODY_MAX = SDP_BYTES_MAX,
	CALL_RETRY_AFTER_MAX = 10, /* seconds, RFC 3261 14.2 */
	CALL_PARTED_MAX = 32,      /* 2xx of other forks that get ACK and BYE */
	CALL_ERRANDS_MAX = 8,      /* under way to somebody who is located */
	/* As long somebody else than the neighbour is tried before the flow of
	 * the call is used after all; and that when the service ends. */
	CALL_DETOUR_MS = 10000,
	CALL_HURRY_MS = 1000,
	/* Copies of a 2xx whose ACK looks for the next hop once more: as many
	 * as come in 64*T1 (13.3.1.4). */
	CALL_ACKS_MAX = 11,
};

/* What is done to a call when its time has come (sip_call.c has the table). */
enum call_timer {
	CALL_RINGS,     /* theirs is answered */
	CALL_REFRESHES, /* we refresh the session */
	CALL_EXPIRES,   /* nobody has refreshed it */
	CALL_TIMERS
};

/* Our requests in a call (sip_call_send.c has the table). */
enum call_request { CALL_BYE, CALL_REFRESH, CALL_REQUESTS };

/* The audio of one call (sip_call_media.c). */
struct call_media {
	media_id id; /* 0: none */
	char address[INET6_ADDRSTRLEN];
	uint16_t port;
	uint64_t session, version; /* "o=" */
	struct sdp_crypto key;     /* ours; present: it was said */
	struct buf said;           /* our last description, with the key */
	bool agreed;
};

struct sip_call {
	struct sip_owner owner; /* of all its transactions */
	struct sip_calls *calls;
	struct list all, bucket;
	unsigned references; /* transactions, and the table until it ends */
	struct sip_call_facts facts;
	char local_tag[CALL_TAG_SIZE];
	char *user;  /* in Contact; may be NULL */
	bool secure; /* sips: in Contact (RFC 5630 4) */
	struct sip_dialog *dialog;
	struct sip_flow *flow;       /* held; NULL: lost */
	char here[INET6_ADDRSTRLEN]; /* our address at it, or the last one */
	/* What the other end of it calls itself: topmost Via of its newest
	 * request, or the next hop that was found there; "": unknown. */
	char neighbour[SIP_NAME_MAX];
	uint16_t neighbour_port; /* 0: none was given */
	struct call_media media;
	struct sip_call_rules rules;

	/* Theirs: the newest INVITE that waits for its ACK, or, while it
	 * rings, for our answer. */
	struct sip_transaction *invite;
	bool answered; /* it has its 2xx */
	bool offered;  /* with an offer of ours: the answer is in the ACK */
	bool bye_owed; /* after the ACK (15) */

	/* Ours within the call that wait for their answers, by kind: over the
	 * flow of the call, or, when that does not lead to the next hop or is
	 * lost, or a challenge has come, as an exchange. */
	struct call_sending {
		struct sip_call *call;
		enum call_request what;
		struct sip_transaction *t;
		struct sip_exchange *x;
		bool invite; /* the method, of a refresh */
		/* Each way is gone once. */
		bool tried_flow, tried_elsewhere;
		bool large; /* no datagram, if it can be helped */
	} sending[CALL_REQUESTS];

	/* Calls of ours. */
	struct sip_dialled *to; /* NULL: it is theirs */
	char *from;             /* URI, or NULL */
	char *user_name;        /* for challenges, or NULL */
	char *routes;           /* of the INVITE, or NULL */
	struct secret password;
	unsigned parted; /* 2xx of other forks so far */
	/* Who answers for the host that was dialled. */
	char answers[INET6_ADDRSTRLEN];
	struct sip_exchange *inviting; /* the INVITE */

	/* Those whose answers nobody waits for (sip_call_errand.c). */
	struct list errands;
	unsigned errands_count;
	uint32_t acked_cseq; /* the newest INVITE of ours with a 2xx, */
	unsigned acked;      /* and how often that came */

	struct session_timer asked; /* agreed when their INVITE is answered */
	struct session_timer session;
	unsigned session_least;      /* Min-SE that we were told with 422 */
	bool peer_updates;           /* UPDATE stands in its Allow */
	int64_t timers[CALL_TIMERS]; /* 0: off */
};

struct sip_calls {
	struct sip_calls_options o;
	struct list all; /* the eldest first */
	struct list buckets[CALL_BUCKETS];
	size_t live; /* of them, those that have not ended */
	atomic_uint_fast64_t ids;
	bool closed;        /* no new ones */
	int64_t next;       /* -1: no timer runs */
	int64_t limit_told; /* 0: never */
	/* Streams that fell silent, told by the media's thread. */
	pthread_mutex_t lock;
	media_id *silent;
	size_t silent_count, silent_max;
};

/* --- sip_calls.c */
int64_t call_now(const struct sip_calls *c);
void call_arm(struct sip_call *k, enum call_timer which, int64_t in_ms);
void call_disarm(struct sip_call *k, enum call_timer which);
void call_silent(void *calls, media_id id); /* media_stream_options.silent */
/* NULL: ERR_NOMEM. It is in the table. */
struct sip_call *call_new(struct sip_calls *c, uint64_t id, const char *tag,
			  struct error *e) MUST_CHECK;
void call_set_tag(struct sip_call *k, const char *tag);

/* --- sip_call.c */
void call_bind(struct sip_call *k);
void call_changed(struct sip_call *k);
void call_set_flow(struct sip_call *k, struct sip_flow *flow);
void call_connected(struct sip_call *k);
/* Nothing else happens to it after this but its own BYE. text: printf, one
 * line. bye: the other side is to hear of it. */
void call_end(struct sip_call *k, enum sip_end why, unsigned status,
	      const char *text);
void call_end_without_bye(struct sip_call *k, enum sip_end why, unsigned status,
			  const char *text);
bool call_is_over(const struct sip_call *k);
/* A transaction is the call's, and no more. */
void call_own(struct sip_call *k, struct sip_transaction *t);
void call_disown(struct sip_call *k, struct sip_transaction *t);
void call_release(struct sip_call *k); /* sip_calls.c */
void call_due(struct sip_call *k, enum call_timer which);

/* --- sip_call_message.c: parts of messages */
/* The description in it; empty: none. */
struct view call_body(const struct osip_message *m);
/* -1: a field that cannot be read. */
int call_words(const struct osip_message *m, struct session_words *out);
/* Does the list of words, in all fields of that name, hold it? */
bool call_lists(const struct osip_message *m, const char *field,
		const char *word);
/* Contact as it is at that end of a flow; NULL: at the one that is lost. */
int call_add_contact(const struct sip_call *k, const struct sip_flow *flow,
		     struct osip_message *m, struct error *e) MUST_CHECK;
int call_add_body(struct osip_message *m, struct view sdp,
		  struct error *e) MUST_CHECK;
void call_name_peer(struct sip_call *k, const osip_from_t *peer);
/* The Contact that answers it has to be sips: (RFC 5630 5.1.1). */
bool call_wants_sips(const struct osip_message *request);

/* --- sip_call_reply.c: answers to their requests */
/* fields: pairs of name and value, then NULL; may be NULL. */
void call_refuse(struct sip_transaction *t, unsigned status,
		 const char *const *fields);
void call_refuse_later(struct sip_transaction *t, unsigned status,
		       unsigned most_seconds);
void call_refuse_media(struct sip_transaction *t, const struct error *why);
/* What their request makes of the session timer; false: it was refused. */
bool call_ask_session(const struct sip_call_rules *rules,
		      struct sip_transaction *t, struct session_timer *out);
/* A 2xx with Contact, abilities, the session timer and a description, which
 * may be empty. */
int call_accept(struct sip_call *k, struct sip_transaction *t,
		const struct session_timer *timer, struct view sdp,
		struct error *e) MUST_CHECK;

/* --- sip_call_media.c */
int call_media_open(struct sip_call *k, const char *address,
		    struct error *e) MUST_CHECK;
/* Takes their offer, and our answer to it becomes media.said. The stream is
 * bound if it was not, in the family that the offer names, and moves when that
 * is another. On -1 (as sdp_read(), media_open(), or media_set_remote()) all is
 * as before; ERR_UNSUPPORTED with EAFNOSUPPORT: no address of ours reaches
 * theirs. */
int call_media_answer(struct sip_call *k, struct view offer,
		      struct error *e) MUST_CHECK;
/* Our offer becomes media.said; secure: RTP/SAVP. */
int call_media_offer(struct sip_call *k, bool secure,
		     struct error *e) MUST_CHECK;
/* Takes their answer to media.said. */
int call_media_accept(struct sip_call *k, struct view answer,
		      struct error *e) MUST_CHECK;
void call_media_count(const struct sip_call *k, struct sip_call_facts *out);
void call_media_close(struct sip_call *k);

/* --- sip_call_in.c: they call */
unsigned call_begin(struct sip_calls *c, struct sip_transaction *t,
		    const struct osip_message *request);
void call_answer_now(struct sip_call *k);
void call_acked(struct sip_call *k, struct sip_transaction *t,
		const struct osip_message *ack);

/* --- sip_call_change.c: their requests within a call */
unsigned call_request(struct sip_call *k, struct sip_transaction *t,
		      const struct osip_message *request);

/* --- sip_call_send.c: ours within a call */
bool call_is_sending(const struct sip_call *k, enum call_request what);
/* What becomes of it is heard by the functions of its row. */
void call_send(struct sip_call *k, enum call_request what);
/* The answer to one that went over the flow of the call; false: none such. */
bool call_sent_answered(struct sip_call *k, struct sip_transaction *t,
			const struct osip_message *response);
bool call_sent_failed(struct sip_call *k, struct sip_transaction *t,
		      enum sip_failure why);
void call_sent_ended(struct sip_call *k, const struct sip_transaction *t);
/* Nobody waits for the answer to a re-INVITE of ours any more. */
void call_cancel_refresh(struct sip_call *k);
/* The ACK to a 2xx to that INVITE. d knows of that 2xx already: it goes to its
 * target. */
void call_ack(struct sip_call *k, const struct sip_dialog *d,
	      const struct sip_transaction *invite,
	      const struct osip_message *response);

/* The same for a re-INVITE of ours, whose 2xx may bring another target. */
void call_ack_change(struct sip_call *k, const struct sip_transaction *t,
		     const struct osip_message *response);
bool call_is_credential(const osip_header_t *h);

/* --- sip_call_way.c: which way they go */
/* The other end of the flow of the call calls itself so. */
void call_name_neighbour(struct sip_call *k, const char *host, uint16_t port);
void call_note_via(struct sip_call *k, const struct osip_message *request);
/* Does the flow lead to the next hop of d? Also when nobody can be located. */
bool call_is_near(const struct sip_call *k, const struct sip_dialog *d,
		  const struct sip_flow *flow);
/* Where the next hop is looked for; as long as d is unchanged. */
void call_next_hop(const struct sip_call *k, const struct sip_dialog *d,
		   struct sip_destination *out);
/* It is too large for the datagrams of that flow (RFC 3261 18.1.1): an exchange
 * with the neighbour tries TCP first. */
bool call_needs_stream(const struct sip_call *k, const struct sip_flow *flow,
		       struct osip_message *m);
/* As long as the flow. */
struct sip_destination call_neighbour_of(const struct sip_flow *flow);
/* Only the host that was dialled hears something that is made of the password.
 * address: who is one, not what somebody calls himself. */
bool call_may_hear(const struct sip_call *k, const char *who, bool address);
/* False: the service ends, and nothing is sent any more. */
bool call_may_send(const struct sip_call *k);
/* How long a way other than the flow of the call is tried. */
int64_t call_detour_ms(const struct sip_call *k);

/* --- sip_call_errand.c: what nobody waits for an answer to */
/* Sends and takes m, a request within d; the flow is the way when there is no
 * other. True: it went over that flow. */
bool call_errand(struct sip_call *k, const struct sip_dialog *d,
		 struct sip_flow *flow, struct osip_message *m);
void call_errands_drop(struct sip_call *k);

/* --- sip_call_out.c: we call */
/* Nobody wants it any more, and there is no dialog yet. */
void call_cancel(struct sip_call *k);

/* --- sip_call_refresh.c: session timers */
void call_rules(const struct sip_calls *c, struct sip_call_rules *out);
/* An agreement about it was reached just now. */
void call_session_begin(struct sip_call *k, const struct session_timer *timer);
void call_refresh(struct sip_call *k);
int call_add_session(const struct sip_call *k, struct osip_message *m,
		     const char *refresher, struct error *e) MUST_CHECK;
/* What their 2xx makes of it. */
void call_session_agreed(struct sip_call *k, const struct osip_message *m);
struct osip_message *call_build_refresh(struct sip_call *k,
					struct error *e) MUST_CHECK;
void call_refreshed(struct sip_call *k, const struct osip_message *response);
void call_refresh_failed(struct sip_call *k, bool timeout);

#endif
