// SPDX-License-Identifier: GPL-3.0-or-later
// Clear log: which records, how many go, the download first.

import { button, fill, make, notice } from "/app/dom.js";
import { openDialog } from "/app/dialog.js";
import { drawForm, FieldError } from "/app/form.js";
import { call } from "/app/session.js";
import { saveLog } from "/logs/audit-export.js";

const WHICH = {
	name: "which", label: "Which records", type: "radio", value: "all",
	options: [["all", "All records"], ["older", "Records older than a date"]],
};
const BEFORE = { name: "before", label: "Older than", type: "date",
	help: "Records of this day and later stay." };

function countText(count) {
	return `${count.toLocaleString()} record${count === 1 ? "" : "s"}`;
}

// The index that records must be smaller than to go.
async function limitOf({ which, before }, { firstIndex, lastIndex }) {
	if (which === "all")
		return lastIndex + 1;
	const day = new Date(`${before}T00:00`);
	if (Number.isNaN(day.getTime()))
		throw new FieldError("before", "Choose a date.");
	const { events } = await call("auditlog.enumerate", {
		newestFirst: true, numEvents: 1, filter: { until: new Date(day.getTime() - 1000) } });
	return events.length === 0 ? firstIndex : events[0].index + 1;
}

class ClearDialog {
	constructor(audit) {
		this.audit = audit;
		this.query = audit.query;
		this.note = make("div", { role: "status" });
		this.form = drawForm({
			rows: [WHICH, BEFORE], submit: "Delete", danger: true,
			onSubmit: (values) => this.#delete(values),
			buttons: [button("Download first", () => this.#save()),
				button("Cancel", () => this.dialog.close(), { autofocus: true })],
		});
		this.form.element.addEventListener("change", () => this.#foresee());
		this.form.element.querySelector(".buttons").before(this.note);
		this.element = make("div", {},
			make("p", {}, "Deleted records cannot be brought back. The deletion is itself recorded, with your name and how many records went, and the rest of the log can still be verified."),
			this.form.element);
	}

	open() {
		this.dialog = openDialog("Clear the audit log?", this.element);
		this.#foresee();
		return new Promise((resolve) => this.dialog.addEventListener("close", resolve));
	}

	get #field() {
		return this.form.control("before").closest(".field");
	}

	// Say what would go before anybody presses.
	async #foresee() {
		const values = this.form.values();
		this.#field.hidden = values.which === "all";
		if (values.which === "older" && !values.before) {
			this.#count(undefined);
			return;
		}
		const asked = {};
		this.asked = asked;
		try {
			const limit = await limitOf(values, this.query);
			if (this.asked === asked)
				this.#count(limit - this.query.firstIndex, limit);
		} catch {
			this.#count(undefined);
		}
	}

	#count(count, limit) {
		const submit = this.form.element.querySelector("[type=submit]");
		submit.textContent = count ? `Delete ${countText(count)}` : "Delete";
		fill(this.note, count === undefined ? null : make("p", {}, count === 0
			? "No record is older than that."
			: `${countText(count)} would go, ${this.query.firstIndex.toLocaleString()} to ${
				(limit - 1).toLocaleString()}.`));
	}

	async #save() {
		const saved = await saveLog(this.audit);
		fill(this.note, saved ? notice("ok", "The browser saves the download. Look whether it is there before you delete.")
			: notice("info", "The download was called off."));
	}

	async #delete(values) {
		const limit = await limitOf(values, this.query);
		if (limit <= this.query.firstIndex)
			throw new FieldError(values.which === "older" ? "before" : "which",
				"No record is older than that.");
		const { deleted } = await call("auditlog.delete", { deleteIndex: limit });
		this.dialog.close();
		await this.audit.refresh();
		this.audit.say(notice("ok", `Deleted: ${countText(deleted)}. That is recorded.`));
	}
}

export async function run(audit) {
	audit.say();
	await audit.ask();
	if (audit.query.numEvents === 0) {
		audit.say(notice("info", "The log is empty."));
		return;
	}
	await new ClearDialog(audit).open();
}
