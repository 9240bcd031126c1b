/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sip/sip_kept_flow.h"

#include "base/secret.h"

int64_t sip_spread_ms(int64_t n)
{
	uint8_t chance;

	random_bytes(&chance, sizeof(chance));
	return n * chance / UINT8_MAX;
}

static void on_ping(struct sip_timer *t)
{
	static const char ping[] = "\r\n\r\n";
	struct sip_kept_flow *k = list_owner(t, struct sip_kept_flow, ping);

	/* What cannot be sent is heard of as a lost flow. */
	if (k->flow && k->flow->ops->send(k->flow, ping, sizeof(ping) - 1))
		sip_timer_set(sip_agent_timers(k->agent), &k->ping,
			      sip_agent_now(k->agent) + SIP_PING_MS +
				  sip_spread_ms(SIP_PING_SPREAD_MS),
			      on_ping);
}

static void drop(struct sip_kept_flow *k)
{
	struct sip_flow *f = k->flow;

	sip_timer_stop(&k->ping);
	k->flow = NULL;
	sip_flow_release(f);
}

static void on_lost(struct sip_flow_watch *w, struct sip_flow *flow)
{
	struct sip_kept_flow *k = list_owner(w, struct sip_kept_flow, watch);

	if (flow != k->flow)
		return;
	drop(k);
	k->lost(k);
}

void sip_kept_flow_init(struct sip_kept_flow *k, struct sip_agent *agent,
			void (*lost)(struct sip_kept_flow *k))
{
	*k = (struct sip_kept_flow){ .agent = agent, .lost = lost };
	k->watch.lost = on_lost;
	sip_agent_watch(agent, &k->watch);
}

void sip_kept_flow_set(struct sip_kept_flow *k, struct sip_flow *f)
{
	if (f && !sip_flow_is_reliable(f))
		f = NULL;
	if (f == k->flow)
		return;
	drop(k);
	if (!f)
		return;
	k->flow = sip_flow_hold(f);
	sip_timer_set(sip_agent_timers(k->agent), &k->ping,
		      sip_agent_now(k->agent) + SIP_PING_MS, on_ping);
}

void sip_kept_flow_close(struct sip_kept_flow *k)
{
	struct sip_flow *f = k->flow;

	if (!f)
		return;
	sip_flow_hold(f);
	drop(k);
	f->ops->close(f);
	sip_flow_release(f);
}

void sip_kept_flow_end(struct sip_kept_flow *k)
{
	sip_agent_unwatch(&k->watch);
	drop(k);
}
