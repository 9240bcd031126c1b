// SPDX-License-Identifier: GPL-3.0-or-later
// Delete records of a log: which, how many go and from which to which, the download
// first.

import { button, fill, make, notice } from "/app/dom.js";
import { openDialog } from "/app/dialog.js";
import { drawForm, FieldError, sentence } from "/app/form.js";

const WHICH = {
	name: "which", label: "Which records", type: "radio", value: "all",
	options: [["all", "All records"], ["older", "Records older than a date"]],
};
const BEFORE = { name: "before", label: "Older than", type: "date",
	help: "Records of this day and later stay." };
const NONE_OLDER = "No record is older than that.";

export function countText(count) {
	return `${count.toLocaleString()} record${count === 1 ? "" : "s"}`;
}

class ClearDialog {
	constructor(log) {
		this.log = log;
		this.note = make("div", { role: "status" });
		this.form = drawForm({
			rows: [WHICH, BEFORE], submit: "Delete", danger: true,
			onSubmit: (values) => this.#delete(values),
			buttons: [button("Download first", () => this.#save()),
				button("Cancel", () => this.dialog.close(), { autofocus: true })],
		});
		this.form.element.addEventListener("change", () => this.#foresee());
		this.form.element.querySelector(".buttons").before(this.note);
	}

	open() {
		this.dialog = openDialog(this.log.title, make("p", {}, this.log.text), this.form.element);
		this.#foresee();
		return new Promise((resolve) => this.dialog.addEventListener("close", resolve))
			.then(() => this.done?.());
	}

	// The index that records must be smaller than to go.
	async #limitOf({ which, before }) {
		if (which === "all")
			return this.log.lastIndex + 1;
		const day = new Date(`${before}T00:00`);
		if (Number.isNaN(day.getTime()))
			throw new FieldError("before", "Choose a date.");
		return this.log.firstSince(day);
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
				limit = await this.#limitOf(values);
			} catch {
				limit = undefined;
			}
		}
		if (this.asked === asked)
			this.#count(limit);
	}

	#count(limit) {
		const { firstIndex } = this.log;
		const count = limit === undefined ? undefined : limit - firstIndex;
		const submit = this.form.element.querySelector("[type=submit]");
		submit.textContent = count ? `Delete ${countText(count)}` : "Delete";
		fill(this.note, count === undefined ? null : make("p", {}, count === 0 ? NONE_OLDER
			: `${countText(count)} would go, ${firstIndex.toLocaleString()} to ${
				(limit - 1).toLocaleString()}.`));
	}

	async #save() {
		try {
			const saved = await this.log.save();
			fill(this.note, saved ? notice("ok", "The browser saves the download. Look whether it is there before you delete.")
				: notice("info", "The download was called off."));
		} catch (error) {
			fill(this.note, notice("error", sentence(error.message)));
		}
	}

	async #delete(values) {
		const limit = await this.#limitOf(values);
		if (limit <= this.log.firstIndex)
			throw new FieldError(values.which === "older" ? "before" : "which", NONE_OLDER);
		const deleted = await this.log.remove(limit);
		this.done = () => this.log.done(deleted, limit);
		this.dialog.close();
	}
}

// log:
//   title, text            what is asked, what is lost
//   firstIndex, lastIndex  of the records that there are
//   firstSince(day)        async: the index of the first record of that day or later
//   save()                 async: download; whether a file was saved
//   remove(limit)          async: delete those with a smaller index; how many went
//   done(deleted, limit)   async: after that, when the dialog is closed
// Resolves when the dialog is closed and done has done, rejects with what it throws.
export function openClearDialog(log) {
	return new ClearDialog(log).open();
}
