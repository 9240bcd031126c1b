// SPDX-License-Identifier: GPL-3.0-or-later
// Delete records: which, how many go and from which to which, the download first.

import { button, fill, make, notice } from "/app/dom.js";
import { openDialog } from "/app/dialog.js";
import { drawForm, FieldError } from "/app/form.js";
import { call } from "/app/session.js";
import { saveCdrLog } from "/logs/cdr-download.js";

const WHICH = {
	name: "which", label: "Which records", type: "radio", value: "all",
	options: [["all", "All records"], ["older", "Records older than a date"]],
};
const BEFORE = { name: "before", label: "Older than", type: "date",
	help: "Records of this day and later stay." };

function countText(count) {
	return `${count.toLocaleString()} record${count === 1 ? "" : "s"}`;
}

async function timeAt(index) {
	const { events } = await call("cdrlog.enumerate", { index, numEvents: 1 });
	return events[0]?.time;
}

// The first record of that day or later, by halves: times rise with the index.
async function firstSince(day, { firstIndex, deleteableIndex }) {
	let low = firstIndex;
	let high = deleteableIndex + 1;
	while (low < high) {
		const middle = Math.floor((low + high) / 2);
		const time = await timeAt(middle);
		if (time === undefined || time >= day)
			high = middle;
		else
			low = middle + 1;
	}
	return low;
}

// The index that records must be smaller than to go.
async function limitOf({ which, before }, query) {
	if (which === "all")
		return query.deleteableIndex + 1;
	const day = new Date(`${before}T00:00`);
	if (Number.isNaN(day.getTime()))
		throw new FieldError("before", "Choose a date.");
	return firstSince(day, query);
}

class ClearDialog {
	// cdr: { host, query, done(content) }
	constructor(cdr) {
		this.cdr = cdr;
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
			make("p", {}, "Deleted records cannot be brought back. The audit log has a record of the deletion."),
			this.form.element);
	}

	open() {
		this.dialog = openDialog("Delete call detail records?", this.element);
		this.#foresee();
	}

	// Say what would go before anybody presses.
	async #foresee() {
		const values = this.form.values();
		this.form.control("before").closest(".field").hidden = values.which === "all";
		const asked = {};
		this.asked = asked;
		let limit;
		if (values.which === "all" || values.before) {
			try {
				limit = await limitOf(values, this.cdr.query);
			} catch {
				limit = undefined;
			}
		}
		if (this.asked === asked)
			this.#count(limit);
	}

	#count(limit) {
		const { firstIndex } = this.cdr.query;
		const count = limit === undefined ? undefined : limit - firstIndex;
		const submit = this.form.element.querySelector("[type=submit]");
		submit.textContent = count ? `Delete ${countText(count)}` : "Delete";
		fill(this.note, count === undefined ? null : make("p", {}, count === 0
			? "No record is older than that."
			: `${countText(count)} would go, ${firstIndex.toLocaleString()} to ${
				(limit - 1).toLocaleString()}.`));
	}

	async #save() {
		try {
			const saved = await saveCdrLog({ host: this.cdr.host });
			fill(this.note, saved ? notice("ok", "The browser saves the download. Look whether it is there before you delete.")
				: notice("info", "The download was called off."));
		} catch (error) {
			fill(this.note, notice("error", error.message));
		}
	}

	async #delete(values) {
		const limit = await limitOf(values, this.cdr.query);
		if (limit <= this.cdr.query.firstIndex)
			throw new FieldError(values.which === "older" ? "before" : "which",
				"No record is older than that.");
		const { deleted } = await call("cdrlog.delete", { deleteIndex: limit });
		this.dialog.close();
		await this.cdr.done(notice("ok", `Deleted: ${countText(deleted)}, up to ${
			(limit - 1).toLocaleString()}. The audit log has a record of it.`));
	}
}

export function openClearDialog(cdr) {
	new ClearDialog(cdr).open();
}
