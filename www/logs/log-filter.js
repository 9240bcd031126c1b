// SPDX-License-Identifier: GPL-3.0-or-later
// What of a log is wanted: fields above its table, their state in the address of
// the page, so that it can be linked to.
//
// A field: name (of the member of the filter and in the address), label, and
//   options   [value, label] pairs to choose from
//   time      "from" or "to": a minute; "to" takes the whole minute in
//   wide      it needs room
// Without either it is text.

import { button, fill, make, newId } from "/app/dom.js";
import { localDate, localTime } from "/app/format.js";

const PAUSE_MS = 300;
const TEXT_CHARS = 255;
const LAST_OF_MINUTE_MS = 59000;

// In the address times are UTC, in the field those of the viewer.
function timeOfAddress(text) {
	const time = new Date(/^\d{4}-\d\d-\d\dT\d\d:\d\dZ$/.test(text) ? text : NaN);
	return Number.isNaN(time.getTime()) ? undefined : time;
}

function fieldOfTime(time) {
	return time ? `${localDate(time)}T${localTime(time)}` : "";
}

function timeOfField(text) {
	const time = new Date(text || NaN);
	return Number.isNaN(time.getTime()) ? undefined : time;
}

function addressOfTime(time) {
	return time ? `${time.toISOString().slice(0, 16)}Z` : "";
}

// What is chosen stays so, also when it is not among the options.
function fillOptions(select, options, chosen) {
	const missing = chosen && !options.some(([value]) => value === chosen);
	fill(select, make("option", { value: "" }, "any"),
		[...options, ...missing ? [[chosen, chosen]] : []].map(([value, label]) =>
			make("option", { value }, label)));
	select.value = chosen;
}

function drawControl(field, id) {
	if (field.options)
		return make("select", { id });
	return make("input", field.time ? { id, type: "datetime-local" }
		: { id, type: "search", autocomplete: "off", spellcheck: "false", maxlength: TEXT_CHARS });
}

class LogFilter {
	constructor(fields, changed) {
		this.changed = changed;
		this.fields = fields.map((field) => {
			const id = newId(`filter-${field.name}`);
			return { ...field, id, control: drawControl(field, id) };
		});
		this.clearButton = button("Clear the filter", () => this.clear(), { class: "small" });
		this.element = this.#draw();
		this.#fromAddress();
		this.applied = JSON.stringify(this.#texts());
		this.#mark();
	}

	#draw() {
		const form = make("form", { class: "log-filter", role: "search", "aria-label": "Filter" },
			this.fields.map(({ id, label, control, wide }) =>
				make("div", { class: wide ? "log-field log-field-wide" : "log-field" },
					make("label", { for: id }, label), control)),
			this.clearButton);
		const soon = () => {
			clearTimeout(this.timer);
			this.timer = setTimeout(() => this.#apply(), PAUSE_MS);
		};
		form.addEventListener("input", soon);
		form.addEventListener("change", soon);
		form.addEventListener("submit", (event) => {
			event.preventDefault();
			this.#apply();
		});
		return form;
	}

	#fromAddress() {
		const query = new URLSearchParams(location.search);
		for (const { name, time, options, control } of this.fields) {
			const text = (query.get(name) ?? "").slice(0, TEXT_CHARS);
			if (options)
				fillOptions(control, options, text);
			else
				control.value = time ? fieldOfTime(timeOfAddress(text)) : text;
		}
	}

	// Options that the service has named meanwhile.
	setOptions(name, options) {
		const { control } = this.fields.find((field) => field.name === name);
		fillOptions(control, options, control.value);
	}

	// What the fields hold, as the address has it; empty ones are left out.
	#texts() {
		return this.fields
			.map(({ name, time, control }) => [name, time
				? addressOfTime(timeOfField(control.value)) : control.value.trim()])
			.filter(([, text]) => text !== "");
	}

	#apply() {
		clearTimeout(this.timer);
		const texts = this.#texts();
		if (JSON.stringify(texts) === this.applied)
			return;
		this.applied = JSON.stringify(texts);
		// The log-in page brings people back to what needs no more than these.
		const query = String(new URLSearchParams(texts)).replaceAll("+", "%20").replaceAll("*", "%2A");
		history.replaceState(null, "", query ? `?${query}` : location.pathname);
		this.#mark();
		this.changed();
	}

	#mark() {
		this.clearButton.hidden = this.isEmpty;
	}

	get isEmpty() {
		return this.applied === "[]";
	}

	// Whether a field is set.
	has(name) {
		return JSON.parse(this.applied).some(([field]) => field === name);
	}

	// The filter as the service takes it; undefined when everything is wanted.
	get members() {
		if (this.isEmpty)
			return undefined;
		const members = new Map(JSON.parse(this.applied));
		for (const { name, time } of this.fields) {
			if (time && members.has(name))
				members.set(name, new Date(timeOfAddress(members.get(name)).getTime() +
					(time === "to" ? LAST_OF_MINUTE_MS : 0)));
		}
		return Object.fromEntries(members);
	}

	clear() {
		this.fields.forEach(({ control }) => { control.value = ""; });
		this.#apply();
		this.fields[0].control.focus();
	}
}

// changed: called after each change of what is wanted.
export function makeLogFilter(fields, changed) {
	return new LogFilter(fields, changed);
}
