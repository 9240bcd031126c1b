// SPDX-License-Identifier: GPL-3.0-or-later
// Forms drawn from the settings that the API describes (verification.query,
// security.query): kinds, labels, help, ranges and choices are the service's.

import { drawForm } from "/app/form.js";

const KINDS = { boolean: "checkbox", int: "number", choice: "radio", text: "text" };

// The settings of a reply by their name.
function settingsByName(reply) {
	return new Map(reply.settings.map((setting) => [setting.name, setting]));
}

// A value as people read it.
function valueText(setting, value) {
	if (setting.type === "boolean")
		return value ? "On" : "Off";
	return setting.choices?.find((choice) => choice.value === value)?.label ?? String(value);
}

function drawRow(setting, value, { sentences, disabled, only }) {
	const offered = only?.[setting.name];
	const texts = sentences?.[setting.name] ?? {};
	return {
		name: setting.name, label: setting.label, value,
		type: KINDS[setting.type],
		help: setting.help,
		minimum: setting.minimum, maximum: setting.maximum,
		disabled: disabled?.[setting.name],
		options: setting.choices
			?.filter((choice) => !offered || offered.includes(choice.value))
			.map((choice) => [choice.value, choice.label, texts[choice.value]]),
	};
}

// What of the values differs from the reply, as { name, label, from, to (as people
// read them), was, value (as they are sent), canLockOut }.
export function changesOf(reply, values) {
	return reply.settings
		.filter(({ name }) => name in values && values[name] !== reply[name])
		.map((setting) => ({
			name: setting.name, label: setting.label,
			from: valueText(setting, reply[setting.name]),
			to: valueText(setting, values[setting.name]),
			was: reply[setting.name], value: values[setting.name], canLockOut: setting.canLockOut,
		}));
}

// A form for some settings of a reply.
//   names      which, in this order; a row of app/form.js stands for what is no setting
//   more       (values) => changes of what is no setting
//   submit     label of the button
//   sentences  name -> value of a choice -> what it does, in plain words
//   disabled   name -> why it cannot be changed now
//   only       name -> the choices to offer, if not all
//   apply      async (changes) => message, or undefined when it was called off
// Returns the form of drawForm.
export function drawSettingsForm({ reply, names, submit, apply, more, ...how }) {
	const known = settingsByName(reply);
	return drawForm({
		rows: names.map((name) => typeof name === "string"
			? drawRow(known.get(name), reply[name], how) : name),
		submit,
		onSubmit: async (values) => {
			const changes = [...changesOf(reply, values), ...more?.(values) ?? []];
			return changes.length === 0
				? "Nothing to change: this is what is set already." : apply(changes);
		},
	});
}

// The members to send for changes.
export function membersOf(changes) {
	return Object.fromEntries(changes.map(({ name, value }) => [name, value]));
}
