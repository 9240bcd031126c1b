// SPDX-License-Identifier: GPL-3.0-or-later
// Logs > Audit log: how the log is, what can be done with it, and its records.

import { byId, fill, make, notice } from "/app/dom.js";
import { actionButtons, sentence } from "/app/form.js";
import { plural, timeElement } from "/app/format.js";
import { ADMINISTRATOR, openPage } from "/app/shell.js";
import { callAll } from "/app/session.js";
import { drawKey } from "/logs/audit-key.js";
import { COLUMNS, drawRecord, MODULES, SEVERITIES } from "/logs/audit-record.js";
import { makeLogView } from "/logs/log-view.js";

const RECORDS_MAX = 100000;

function asOptions(names) {
	return names.map((name) => [name, name]);
}

const FILTERS = [
	{ name: "since", label: "From", time: "from", wide: true },
	{ name: "until", label: "To", time: "to", wide: true },
	{ name: "severity", label: "Severity", options: asOptions(SEVERITIES) },
	{ name: "module", label: "Module", options: asOptions(MODULES) },
	{ name: "event", label: "Event", wide: true, options: [] },
	{ name: "userName", label: "User" },
	{ name: "text", label: "Text", wide: true },
];

// Records that could not be written, and what to do.
function drawTrouble({ lost, writable, problem }) {
	return [
		writable === false ? notice("error", make("strong", {}, "No record can be written. "),
			problem ? sentence(problem) : "The log of the service says why.",
			" Until then changes are refused; everything can still be read, and this log can be cleared.") : null,
		lost > 0 ? notice("warning", make("strong", {},
			`${plural(lost, "record")} could not be written since the service started. `),
		writable && problem ? sentence(problem) : "",
		" The event log names the causes.") : null,
	];
}

function drawState(query, oldest) {
	const { numEvents, percentageCapacity } = query;
	return [
		make("p", { id: "audit-count" },
			make("strong", {}, `${numEvents.toLocaleString()} of ${RECORDS_MAX.toLocaleString()}`),
			` records (${percentageCapacity} %)`,
			oldest ? [", the oldest of ", timeElement(oldest.time)] : "",
			". When the log is full, the oldest go."),
		drawTrouble(query),
	];
}

class AuditPage {
	constructor(page) {
		this.page = page;
		this.view = makeLogView({
			method: "auditlog.enumerate", caption: "Records of the audit log", columns: COLUMNS,
			filters: FILTERS, one: "record", many: "records",
			empty: "No record yet. What administrators change and who logs in is written here.",
			detail: drawRecord,
		});
		// Each module exports run(auditPage).
		const by = (path) => async () => (await import(path)).run(this);
		this.deeds = actionButtons(byId("audit-result"), [
			["Verify", by("/logs/audit-verify.js"), { class: "primary", id: "audit-verify" }],
			["Download as XML", by("/logs/audit-export.js")],
			["Clear log", by("/logs/audit-clear.js"), { class: "danger" }],
		]);
		fill(byId("audit-buttons"), this.deeds.buttons);
	}

	get host() {
		return this.page.state.device?.hostName ?? "device";
	}

	// The state of the log, and in the same request what else is to be called.
	async ask(...more) {
		const [query, oldest, ...others] = await callAll(
			["auditlog.query"], ["auditlog.enumerate", { numEvents: 1 }], ...more);
		if (query.error) {
			fill(byId("audit-state"), notice("error", sentence(query.error.message)));
		} else {
			this.query = query.value;
			this.view.filter.setOptions("event",
				query.value.events.map(({ event, label }) => [event, label || event]));
			fill(byId("audit-state"), drawState(query.value, oldest.value?.events[0]));
			fill(byId("audit-key"), drawKey(query.value, this.host));
		}
		return others;
	}

	async load() {
		fill(byId("audit-place"), this.view.element);
		const [answer] = await this.ask(this.view.request);
		this.view.show(answer);
	}

	// After a deed that changed the log.
	async refresh() {
		await this.ask().catch((error) =>
			fill(byId("audit-state"), notice("error", sentence(error.message))));
		await this.view.load();
	}

	say(...content) {
		this.deeds.say(...content);
	}
}

openPage({
	privilege: ADMINISTRATOR,
	start: async (page) => {
		const audit = new AuditPage(page);
		await audit.load();
	},
});
