// SPDX-License-Identifier: GPL-3.0-or-later
// How a record of the audit log looks: its columns, and all of it.

import { badge, copyButton, facts, make } from "/app/dom.js";
import { fingerprintText, timeElement, utcText } from "/app/format.js";

// The original's words, gravest first.
export const SEVERITIES = ["Error", "Severe Warning", "Warning", "Status Warning", "Info"];
export const MODULES = ["Web", "Serial", "API", "SIP", "System"];

const LEVELS = {
	"Error": "error", "Severe Warning": "error", "Warning": "warning",
	"Status Warning": "warning", "Info": "info",
};

const VIA = {
	password: "by password", certificate: "by certificate",
	session: "in a browser session", local: "on the machine itself",
};

export function drawSeverity(severity) {
	return badge(LEVELS[severity] ?? "quiet", severity);
}

// "serialNumber" as people read it.
function words(name) {
	return name.replace(/[A-Z]+(?![a-z])|[A-Z]/g, (part) =>
		` ${part.length > 1 ? part : part.toLowerCase()}`);
}

function withSmallStart(text) {
	return text.charAt(0).toLowerCase() + text.slice(1);
}

// How fields that belong together are named: of what, and whether they hold the
// old or the new value of it.
const PAIRS = [
	[/^from$/, "from"], [/^to$/, "to"], [/^(.+)From$/, "from"], [/^(.+)To$/, "to"],
	[/^former([A-Z].*)$/, "from"], [/^new([A-Z].*)$/, "to"],
];

function placeOf(name) {
	for (const [pattern, role] of PAIRS) {
		const m = pattern.exec(name);
		if (m)
			return { base: withSmallStart(m[1] ?? ""), role };
	}
	return { base: name, role: "value" };
}

// [label, { value, from, to }] in the order of the record. A setting is named by a
// field of its own.
function changesOf(fields) {
	const changes = new Map();
	for (const [name, value] of Object.entries(fields)) {
		const { base, role } = placeOf(name);
		changes.set(base, { ...changes.get(base), [role]: value });
	}
	const { setting = "change" } = fields;
	if (changes.has(""))
		changes.delete("setting");
	return [...changes].map(([base, change]) => [base ? words(base) : setting, change]);
}

function orNothing(value) {
	return value ?? make("em", {}, "nothing");
}

function drawChange([name, { value, from, to }]) {
	const label = make("span", { class: "quiet" }, `${name}: `);
	if (from === undefined && to === undefined)
		return make("li", {}, label, value);
	const old = from ?? (to === undefined ? undefined : value);
	return make("li", {}, label, orNothing(old), " \u2192 ",
		make("strong", {}, orNothing(to ?? (from === undefined ? undefined : value))));
}

// The fields, old and new value together.
function drawFields({ fields, detail }) {
	const changes = changesOf(fields ?? {});
	return changes.length === 0 ? detail
		: make("ul", { class: "log-fields" }, changes.map(drawChange));
}

function drawFrom({ peer, via }) {
	if (!peer && !via)
		return "";
	const where = peer === "local" && via === "local" ? "" : peer;
	return [where, where && via ? make("br") : null,
		via ? make("span", { class: where ? "quiet small-text" : undefined }, VIA[via] ?? via) : null];
}

export const COLUMNS = [
	{ label: "Index", value: (r) => r.index },
	{ label: "Time", value: (r) => r.time, render: (r) => timeElement(r.time, { seconds: true }) },
	{ label: "Severity", value: (r) => r.severity, render: (r) => drawSeverity(r.severity) },
	{ label: "Module", value: (r) => r.module },
	{ label: "User", class: "log-user", value: (r) => r.userName },
	{ label: "From", class: "log-from", value: (r) => r.peer, render: drawFrom },
	{ label: "Event", class: "log-event", value: (r) => r.label || r.event },
	{ label: "What changed", class: "log-what", value: (r) => r.detail, render: drawFields },
];

export function addressOf(index) {
	return `/logs/audit-log.html?record=${index}`;
}

function drawHash(hash) {
	return make("span", { class: "with-copy" },
		make("span", { class: "mono" }, fingerprintText(hash)), copyButton(hash, "hash"));
}

// All of a record.
export function drawRecord(r) {
	return [facts(
		["Index", make("a", { href: addressOf(r.index) }, r.index.toLocaleString()),
			make("span", { class: "quiet" }, " (link to this record)")],
		["Time", timeElement(r.time, { seconds: true }),
			make("div", { class: "quiet small-text" }, utcText(r.time))],
		["Severity", r.severity],
		["Module", r.module],
		["User", r.userName || "none known"],
		["From", r.peer || "no address"],
		["Identified", VIA[r.via] ?? (r.via || "not at all")],
		["Event", r.event, r.label ? make("div", { class: "quiet small-text" }, r.label) : null],
		...Object.entries(r.fields ?? {}).map(([name, value]) => [words(name), value]),
		Object.keys(r.fields ?? {}).length === 0 && r.detail ? ["Detail", r.detail] : null,
		r.format === 1 ? ["Format", "1, of an earlier version: one text in place of fields"] : null,
		r.hash ? ["Hash (SHA-256)", drawHash(r.hash)] : null,
	)];
}
