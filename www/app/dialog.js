// SPDX-License-Identifier: GPL-3.0-or-later
// Dialogs on <dialog>: the browser keeps the focus inside and Escape closes.

import { button, fill, make, newId } from "/app/dom.js";

// Open a modal dialog with a title and content. Focus returns to where it was.
export function openDialog(title, ...content) {
	const before = document.activeElement;
	const titleId = newId("dialog-title");
	const dialog = make("dialog", { "aria-labelledby": titleId },
		make("h2", { id: titleId }, title), content);
	dialog.addEventListener("close", () => {
		dialog.remove();
		if (before?.isConnected)
			before.focus();
	});
	document.body.append(dialog);
	dialog.showModal();
	return dialog;
}

// Ask before a deed. text: one or more paragraphs. Resolves to true or false.
export function confirmDialog({ title, text, action, danger = false }) {
	return new Promise((resolve) => {
		let answer = false;
		const choose = (yes) => () => {
			answer = yes;
			dialog.close();
		};
		const dialog = openDialog(title,
			[text].flat().map((paragraph) => make("p", {}, paragraph)),
			make("div", { class: "buttons" },
				button(action, choose(true), { class: danger ? "danger" : "primary" }),
				button("Cancel", choose(false), { autofocus: danger })));
		dialog.addEventListener("close", () => resolve(answer));
	});
}

// Show long work. cancel: what Cancel and Escape do; without it the work cannot
// be left. Returns say(...content) to change the text, measure(done, total) to
// show how far it is, finish(title), and the dialog, which stays until the page
// closes it or is left.
export function progressDialog(title, text, { cancel } = {}) {
	const body = make("div", { role: "status", "aria-live": "polite" }, make("p", {}, text));
	const bar = make("progress", { "aria-label": title });
	const dialog = openDialog(title, bar, body, cancel
		? make("div", { class: "buttons" }, button("Cancel", cancel, { autofocus: true })) : null);
	// Escape would hide work that goes on.
	dialog.addEventListener("cancel", (event) => {
		event.preventDefault();
		cancel?.();
	});
	return {
		dialog,
		say: (...content) => fill(body, content),
		measure: (done, total) => {
			bar.max = Math.max(total, 1);
			bar.value = Math.min(done, total);
		},
		finish: (newTitle) => {
			bar.remove();
			dialog.querySelector("h2").textContent = newTitle;
		},
	};
}
