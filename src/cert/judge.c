/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "cert/judge.h"

#include <stdio.h>
#include <string.h>

#include "base/utf8.h"
#include "cert/host_identity.h"
#include "cert/judge_private.h"
#include "cert/sip_identity.h"

/* Most names of a certificate that a message lists. */
enum { NAMES_SHOWN_MAX = 4 };

static const struct {
	const char *name;
	unsigned alert;
} reasons[JUDGE_REASON_COUNT] = {
	[JUDGE_NOT_JUDGED] = { "notJudged", 80 },
	[JUDGE_ACCEPTED] = { "accepted", 0 },
	[JUDGE_NOTHING_SENT] = { "nothingSent", 116 },
	[JUDGE_TOO_MANY] = { "tooMany", 42 },
	[JUDGE_TOO_COMPLEX] = { "tooComplex", 46 },
	[JUDGE_MALFORMED] = { "malformed", 42 },
	[JUDGE_UNKNOWN_AUTHORITY] = { "unknownAuthority", 48 },
	[JUDGE_BAD_SIGNATURE] = { "badSignature", 42 },
	[JUDGE_NOT_YET_VALID] = { "notYetValid", 45 },
	[JUDGE_EXPIRED] = { "expired", 45 },
	[JUDGE_NOT_AUTHORITY] = { "notAuthority", 48 },
	[JUDGE_PATH_LENGTH] = { "pathLength", 48 },
	[JUDGE_NAME_CONSTRAINT] = { "nameConstraint", 42 },
	[JUDGE_POLICY] = { "policy", 46 },
	[JUDGE_CRITICAL_EXTENSION] = { "criticalExtension", 43 },
	[JUDGE_WRONG_USE] = { "wrongUse", 43 },
	[JUDGE_WEAK_SIGNATURE] = { "weakSignature", 42 },
	[JUDGE_WEAK_KEY] = { "weakKey", 42 },
	[JUDGE_UNSUPPORTED_KEY] = { "unsupportedKey", 43 },
	[JUDGE_WRONG_HOST] = { "wrongHost", 42 },
	[JUDGE_REVOKED] = { "revoked", 44 },
};

const char *judge_reason_name(enum judge_reason r)
{
	return r < JUDGE_REASON_COUNT ? reasons[r].name : "unknown";
}

unsigned judge_reason_alert(enum judge_reason r)
{
	const unsigned certificate_unknown = 46;

	return r < JUDGE_REASON_COUNT ? reasons[r].alert : certificate_unknown;
}

void judge_name_text(const struct cert_name *n, char out[JUDGE_NAME_SIZE])
{
	static const char cut[] = "...";
	size_t len = strlen(n->text);

	if (len < JUDGE_NAME_SIZE) {
		memcpy(out, n->text, len + 1);
		return;
	}
	utf8_line(view_of(n->text, len), out, JUDGE_NAME_SIZE - strlen(cut));
	strcat(out, cut);
}

static void refuse(struct judgement *out, enum judge_reason reason,
		   const char *text)
{
	out->reason = reason;
	snprintf(out->text, sizeof(out->text), "%s", text);
}

/* "DNS:a, DNS:b and 3 more", cut to size. */
static void list_names(const struct cert *c, char *out, size_t size)
{
	size_t shown = 0, used = 0, count = cert_alt_name_count(c);
	char name[JUDGE_NAME_SIZE];

	out[0] = '\0';
	for (size_t i = 0; i < count && shown < NAMES_SHOWN_MAX; i++) {
		const char *full = cert_alt_name(c, i);

		if (used + JUDGE_NAME_SIZE >= size)
			break;
		utf8_line(view_str(full), name, sizeof(name));
		used += (size_t)snprintf(out + used, size - used, "%s%s",
					 shown++ ? ", " : "", name);
	}
	if (shown < count)
		snprintf(out + used, size - used, " and %zu more",
			 count - shown);
}

static void refuse_host(struct judgement *out, const struct cert *leaf,
			const char *host)
{
	char subject[JUDGE_NAME_SIZE], names[JUDGE_NAME_SIZE * 2];

	judge_name_text(cert_subject(leaf), subject);
	list_names(leaf, names, sizeof(names));
	out->reason = JUDGE_WRONG_HOST;
	out->at = 0;
	snprintf(out->text, sizeof(out->text),
		 "certificate 1 of the chain (%s): is not for %.256s (%s)",
		 *subject ? subject : "no subject", host,
		 *names ? names : "no subjectAltName");
}

static bool names_host(const struct judge_question *q, const struct host *h)
{
	const struct cert *leaf = q->sent->items[0];

	return q->role == JUDGE_SIP ? sip_host_is_named_by(h, leaf)
				    : host_is_named_by(h, leaf);
}

static int judge_sent(const struct judge_question *q, const struct host *host,
		      struct judgement *out, struct error *e)
{
	const struct cert *leaf;
	int rc;

	if (!q->sent->count) {
		refuse(out, JUDGE_NOTHING_SENT, "no certificate was sent");
		return 0;
	}
	if (q->sent->count > JUDGE_SENT_MAX) {
		out->reason = JUDGE_TOO_MANY;
		snprintf(out->text, sizeof(out->text),
			 "%zu certificates were sent: at most %d",
			 q->sent->count, JUDGE_SENT_MAX);
		return 0;
	}
	rc = judge_search(q, out, e);
	if (rc <= 0)
		return rc;
	leaf = q->sent->items[0];
	if (q->host && !names_host(q, host)) {
		refuse_host(out, leaf, q->host);
		return 0;
	}
	refuse(out, JUDGE_ACCEPTED, "");
	out->at = 0;
	out->accepted = true;
	if (q->role == JUDGE_CLIENT)
		login_name_of(leaf, &out->login);
	return 0;
}

int judge(const struct judge_question *q, struct judgement *out,
	  struct error *e)
{
	struct host host;

	memset(out, 0, sizeof(*out));
	if (q->host && host_parse(q->host, &host, e) < 0)
		return -1;
	if (judge_sent(q, &host, out, e) == 0)
		return 0;
	refuse(out, JUDGE_NOT_JUDGED, "");
	return -1;
}

void judgement_free(struct judgement *j)
{
	cert_list_free(&j->path);
}
