// SPDX-License-Identifier: GPL-3.0-or-later
// Verify: has the log stayed as it was written? The answer stays until the next.

import { facts, make, notice } from "/app/dom.js";
import { sentence } from "/app/form.js";
import { fingerprintText, timeElement } from "/app/format.js";
import { call } from "/app/session.js";
import { addressOf } from "/logs/audit-record.js";

const TIMEOUT_MS = 600000;

const ROLLBACK = {
	ruledOut: "ruled out: the token knows of nothing newer than this log",
	tokenUnavailable: "not ruled out: the token cannot be asked. When it is back, verify again",
	notSupported: "not ruled out: this token keeps no data objects. Compare with an export or syslog records that are kept elsewhere",
	detected: "detected: the token has signed newer records than this log holds",
};

// What a break means.
const REASONS = {
	changed: "This record is not as it was written: somebody changed a field, or its hash.",
	missing: "A record that stood here has been removed.",
	inserted: "A record stands here that this service did not write.",
	moved: "Records stand in another order than they were written in.",
	rewritten: "The records hang together, but not as the token signed them: they were written anew from here on.",
	headSignature: "A signature of the token over the log is not genuine, or it was made by another key.",
	rolledBack: "The whole log is older than the newest that the token has signed: an earlier copy of the database was put in its place.",
	end: "The end of the log is not as it was written: newest records are missing, or there are more than were written.",
	unreadable: "The log cannot be read here: the database is damaged.",
};

// Breaks that leave no part of the log above doubt.
const OF_THE_WHOLE = ["headSignature", "rolledBack", "unreadable"];

const CURE = "Keep it as evidence before anything else changes: download it, and copy the state directory. Then compare it with earlier exports or with the syslog server.";

function drawSigned({ signedUpTo }, { headIndex, headTime }) {
	if (!signedUpTo)
		return "no record yet";
	return [`up to record ${signedUpTo.toLocaleString()}`,
		headIndex === signedUpTo ? [", ", timeElement(headTime, { seconds: true })] : null];
}

function drawFacts(verdict, query) {
	return facts(
		["Records checked", verdict.checked.toLocaleString()],
		["Signed by the token", drawSigned(verdict, query)],
		["Signatures checked", verdict.heads.toLocaleString()],
		["Audit key", make("span", { class: "mono" },
			query.keyId ? fingerprintText(query.keyId) : "none yet")],
		["Older copy put back", ROLLBACK[verdict.rollback] ?? verdict.rollback]);
}

function drawIntact(verdict, query) {
	const certain = verdict.rollback === "ruledOut";
	return notice(certain ? "ok" : "warning",
		make("p", {}, make("strong", {}, "Intact. "),
			`${verdict.checked.toLocaleString()} records are as they were written, none is missing.`),
		verdict.problem ? make("p", {}, sentence(verdict.problem)) : null,
		drawFacts(verdict, query));
}

function drawBroken(verdict, query) {
	const { firstBroken, reason, problem } = verdict;
	return notice("error",
		make("p", {}, make("strong", {}, firstBroken
			? ["Broken at record ", make("a", { href: addressOf(firstBroken) },
				firstBroken.toLocaleString()), ". "]
			: "Broken. "), REASONS[reason] ?? `Reason: ${reason}.`),
		problem ? make("p", {}, sentence(problem)) : null,
		make("p", {}, OF_THE_WHOLE.includes(reason) ? "The log as a whole proves nothing."
			: "What stands before is as it was written. From there on the log proves nothing."),
		make("p", {}, CURE),
		drawFacts(verdict, query));
}

export async function run(audit) {
	audit.say(make("div", {},
		make("p", {}, `Checking ${(audit.query?.numEvents ?? 0).toLocaleString()} records. This page can be left.`),
		make("progress", { "aria-label": "Verify" })));
	const verdict = await call("auditlog.verify", {}, TIMEOUT_MS);
	await audit.ask();
	audit.say((verdict.intact ? drawIntact : drawBroken)(verdict, audit.query ?? {}));
}
