// SPDX-License-Identifier: GPL-3.0-or-later
// Forms drawn from rows. A row describes one field:
//
//   name, label           required
//   type                  text, password, file, select, checkbox, textarea, number,
//                         date, radio
//   help                  a sentence under the field
//   value                 what it holds at first (checkbox: boolean, number: integer)
//   options               select: [value, label] pairs; radio: [value, label, sentence]
//   minimum, maximum      number: its range
//   disabled              why it cannot be changed now; stands in place of the help
//   required              the text to show when it is left empty
//   maxLength, autocomplete, accept, rows, inputMode, spellcheck
//   draw                  a field of its own kind: (row) => { row, control, error, element,
//                         read(), write(value) }
//
// Errors stand at the field they belong to, results at the button.

import { button, fill, make, newId, notice } from "/app/dom.js";
import { Fault } from "/app/rpc.js";

// Something the user can mend at one field of a form.
export class FieldError extends Error {
	constructor(field, text) {
		super(text);
		this.field = field;
	}
}

const CONTROLS = {
	text: (row, attributes) => make("input", { type: "text", ...attributes }),
	password: (row, attributes) => make("input", { type: "password", ...attributes }),
	file: (row, attributes) => make("input", { type: "file", ...attributes }),
	checkbox: (row, attributes) =>
		make("input", { type: "checkbox", ...attributes, checked: Boolean(row.value) }),
	textarea: (row, attributes) => make("textarea", { ...attributes, rows: row.rows ?? 4 }),
	select: (row, attributes) => make("select", attributes,
		row.options.map(([value, label]) =>
			make("option", { value, selected: value === row.value }, label))),
	date: (row, attributes) => make("input", { type: "date", ...attributes }),
	number: (row, attributes) => make("input", { type: "text", ...attributes,
		inputmode: "numeric", autocomplete: "off", class: "number" }),
};

const WITH_TEXT = ["text", "password", "textarea", "number"];

function drawControl(row, id, helpId, errorId) {
	const control = CONTROLS[row.type ?? "text"](row, {
		id, name: row.name,
		"aria-describedby": row.help || row.disabled ? `${helpId} ${errorId}` : errorId,
		"aria-required": row.required ? "true" : undefined,
		maxlength: row.maxLength, autocomplete: row.autocomplete, accept: row.accept,
		inputmode: row.inputMode, spellcheck: row.spellcheck,
		disabled: Boolean(row.disabled),
	});
	if (row.value !== undefined && WITH_TEXT.includes(row.type ?? "text"))
		control.value = row.value;
	return control;
}

function drawHelp(row, id) {
	const text = row.disabled || row.help;
	return text ? make("p", { class: "field-help", id }, text) : null;
}

// One choice of several, each with a sentence on what it does.
function drawRadios(row) {
	const id = newId(row.name);
	const error = make("p", { class: "field-error", id: `${id}-error`, hidden: true });
	const options = row.options.map(([value, label, text], i) => {
		const input = make("input", { type: "radio", id: `${id}-${i}`, name: id, value,
			checked: value === row.value, disabled: Boolean(row.disabled),
			"aria-describedby": text ? `${id}-${i}-help ${error.id}` : error.id });
		return { input, element: make("div", { class: "radio" }, input,
			make("label", { for: input.id }, label),
			text ? make("p", { class: "field-help", id: `${id}-${i}-help` }, text) : null) };
	});
	return {
		row, error, inputs: options.map((option) => option.input),
		get control() {
			return this.inputs.find((input) => input.checked) ?? this.inputs[0];
		},
		element: make("fieldset", { class: "radios" }, make("legend", {}, row.label),
			drawHelp(row, `${id}-help`), options.map((option) => option.element), error),
	};
}

function drawField(row) {
	if (row.draw)
		return row.draw(row);
	if (row.type === "radio")
		return drawRadios(row);
	const id = newId(row.name);
	const control = drawControl(row, id, `${id}-help`, `${id}-error`);
	const label = make("label", { for: id }, row.label);
	const error = make("p", { class: "field-error", id: `${id}-error`, hidden: true });
	const help = drawHelp(row, `${id}-help`);
	const check = row.type === "checkbox";
	return {
		row, control, error, help,
		element: make("div", { class: check ? "field field-check" : "field" },
			check ? [control, label] : [label, control], error, help),
	};
}

function numberOf({ row, control }) {
	const text = control.value.trim();
	const value = Number(text);
	if (!/^\d{1,9}$/.test(text) || value < row.minimum || value > row.maximum)
		throw new FieldError(row.name,
			`Type a whole number from ${row.minimum} to ${row.maximum}.`);
	return value;
}

function valueOf(field) {
	const { row, control } = field;
	if (field.read)
		return field.read();
	switch (row.type) {
	case "number": return numberOf(field);
	case "radio":
		if (!control.checked)
			throw new FieldError(row.name, "Choose one of these.");
		return control.value;
	case "checkbox": return control.checked;
	case "file": return control.files[0];
	default: return control.value;
	}
}

function setValue(field, value) {
	const { row, control, inputs } = field;
	if (field.write)
		field.write(value);
	else if (row.type === "radio")
		inputs.forEach((input) => { input.checked = input.value === value; });
	else if (row.type === "checkbox")
		control.checked = value;
	else
		control.value = value;
}

// Why a field cannot be changed now; nothing: it can. Its row has a help.
function setDisabled({ row, control, help }, why) {
	control.disabled = Boolean(why);
	help.textContent = why || row.help;
}

function showFieldError(field, text) {
	field.error.textContent = text;
	field.error.hidden = false;
	field.control.setAttribute("aria-invalid", "true");
}

function clearFieldError(field) {
	field.error.hidden = true;
	field.error.textContent = "";
	field.control.removeAttribute("aria-invalid");
}

// Draw a form.
//   rows      the fields
//   submit    label of the button
//   onSubmit  async (values) => content of the success message, or undefined
//   faults    code of a fault -> [name of the field, cure], where the text of
//             the fault belongs; other errors stand at the button
//   buttons   more buttons beside submit
// Returns { element, control(name), values(), set(values), disable(name, why), reset(),
// clear() }.
export function drawForm({ rows, submit, onSubmit, faults = {}, buttons = [], danger = false }) {
	const fields = new Map(rows.map((row) => [row.name, drawField(row)]));
	const submitButton = make("button",
		{ type: "submit", class: danger ? "danger" : "primary" }, submit);
	const result = make("div", { class: "result", "aria-live": "polite" });
	const element = make("form", { novalidate: true },
		[...fields.values()].map((field) => field.element),
		make("div", { class: "buttons" }, submitButton, buttons), result);

	const clear = () => {
		fields.forEach(clearFieldError);
		fill(result);
	};
	const values = () =>
		Object.fromEntries([...fields].map(([name, field]) => [name, valueOf(field)]));

	const fail = (error) => {
		const place = placeOf(error, faults);
		const field = fields.get(place?.field);
		if (!field) {
			fill(result, notice("error", sentence(error.message)));
			return;
		}
		showFieldError(field, place.text);
		field.control.focus();
	};
	const missing = () => {
		const empty = [...fields.values()].filter((field) =>
			field.row.required && !field.control.value);
		empty.forEach((field) => showFieldError(field, field.row.required));
		empty[0]?.control.focus();
		return empty.length > 0;
	};

	element.addEventListener("submit", async (event) => {
		event.preventDefault();
		if (submitButton.getAttribute("aria-disabled") === "true")
			return;
		clear();
		if (missing())
			return;
		setBusy(submitButton, true);
		try {
			const message = await onSubmit(values());
			if (message)
				fill(result, notice("ok", message));
		} catch (error) {
			fail(error);
		} finally {
			setBusy(submitButton, false);
		}
	});
	return {
		element, values, clear,
		control: (name) => fields.get(name).control,
		set: (changed) => Object.entries(changed).forEach(([name, value]) =>
			setValue(fields.get(name), value)),
		disable: (name, why) => setDisabled(fields.get(name), why),
		reset: () => element.reset(),
	};
}

// Where an error of a submission belongs.
function placeOf(error, faults) {
	if (error instanceof FieldError)
		return { field: error.field, text: error.message };
	if (error instanceof Fault && faults[error.code]) {
		const [field, cure] = faults[error.code];
		return { field, text: [sentence(error.message), cure].filter(Boolean).join(" ") };
	}
	return undefined;
}

// A host or a file in front stays as it is written.
const NAME_IN_FRONT = /^[\w-]+\.\w/;

// Faults begin in lower case and have no full stop; sentences do.
export function sentence(text) {
	const trimmed = text.trim();
	const start = NAME_IN_FRONT.test(trimmed) ? trimmed
		: trimmed.charAt(0).toUpperCase() + trimmed.slice(1);
	return /[.!?]$/.test(start) ? start : `${start}.`;
}

// A busy button keeps the focus and ignores presses.
export function setBusy(button, busy) {
	if (busy)
		button.setAttribute("aria-disabled", "true");
	else
		button.removeAttribute("aria-disabled");
	button.classList.toggle("busy", busy);
}

// A button for one deed: runs it, shows its result or error beside itself.
// Returns [button, result region].
export function actionButton(label, deed, attributes = {}) {
	const result = make("div", { class: "result", "aria-live": "polite" });
	const element = make("button", { type: "button", ...attributes }, label);
	element.addEventListener("click", async () => {
		if (element.getAttribute("aria-disabled") === "true")
			return;
		fill(result);
		setBusy(element, true);
		try {
			const message = await deed();
			if (message)
				fill(result, notice("ok", message));
		} catch (error) {
			fill(result, notice("error", sentence(error.message)));
		} finally {
			setBusy(element, false);
		}
	});
	return [element, result];
}

// Buttons for deeds of which one is done at a time; what comes of it stands in result
// until the next one. deeds: [label, async () => ..., attributes] each.
// Returns { buttons, say(...content) }.
export function actionButtons(result, deeds) {
	const say = (...content) => fill(result, content);
	const run = async (deed) => {
		if (buttons.some((each) => each.getAttribute("aria-disabled") === "true"))
			return;
		say();
		buttons.forEach((each) => setBusy(each, true));
		try {
			await deed();
		} catch (error) {
			say(notice("error", sentence(error.message)));
		} finally {
			buttons.forEach((each) => setBusy(each, false));
		}
	};
	const buttons = deeds.map(([label, deed, attributes]) =>
		button(label, () => run(deed), attributes));
	return { buttons, say };
}
