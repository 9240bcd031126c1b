// SPDX-License-Identifier: GPL-3.0-or-later
// A field for a secret that is kept but never shown: whether there is one, Change
// and Clear. For the draw of a row of app/form.js:
//
//   name, label, help, maxLength   as there
//   isSet                          whether there is one
//
// It reads as undefined (as it is), "" (none any more) or the new secret; what is
// written to it is whether there is one now.

import { button, fill, make, newId } from "/app/dom.js";

class SecretField {
	constructor(row) {
		const id = newId(row.name);
		this.row = row;
		this.isSet = row.isSet;
		this.error = make("p", { class: "field-error", id: `${id}-error`, hidden: true });
		this.control = make("input", { type: "password", id, name: row.name,
			autocomplete: "new-password", maxlength: row.maxLength,
			"aria-describedby": `${id}-help ${id}-error` });
		this.state = make("span", { id: `${id}-state` });
		this.change = button("Change", () => this.#open(), { class: "small",
			"aria-label": `Change ${row.label.toLowerCase()}` });
		this.clear = button("Clear", () => this.#clear(), { class: "small",
			"aria-label": `Clear ${row.label.toLowerCase()}` });
		this.keep = button("Leave as it is", () => this.#close(), { class: "small",
			"aria-label": `Leave ${row.label.toLowerCase()} as it is` });
		this.kept = make("div", { class: "secret", role: "status" });
		this.element = make("div", { class: "field" },
			make("label", { for: id }, row.label), this.control, this.kept, this.error,
			make("p", { class: "field-help", id: `${id}-help` }, row.help));
		this.#close(false);
	}

	read() {
		if (this.cleared)
			return "";
		return this.control.value === "" ? undefined : this.control.value;
	}

	write(isSet) {
		this.isSet = isSet;
		this.#close(false);
	}

	#show(open, text, ...buttons) {
		this.control.hidden = !open;
		this.kept.hidden = !text && buttons.length === 0;
		fill(this.state, text);
		fill(this.kept, text ? this.state : null, buttons);
	}

	#open() {
		this.#show(true, "", this.keep);
		this.control.focus();
	}

	#clear() {
		this.cleared = true;
		this.#show(false, `${this.row.label} goes when the changes are applied.`, this.keep);
		this.keep.focus();
	}

	#close(focus = true) {
		this.cleared = false;
		this.control.value = "";
		if (!this.isSet) {
			this.#show(true, "");
			return;
		}
		this.#show(false, `A ${this.row.label.toLowerCase()} is set.`, this.change, this.clear);
		if (focus)
			this.change.focus();
	}
}

export function drawSecretField(row) {
	return new SecretField(row);
}
