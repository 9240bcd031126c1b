// SPDX-License-Identifier: GPL-3.0-or-later
// What a new password must be, checked while it is typed. The service decides;
// this only says beforehand what it will say.

import { fill, icon, make } from "/app/dom.js";
import { call } from "/app/session.js";

// { advanced, rules }: rules are structs id, text, number.
export function passwordRules() {
	return call("user.passwordRules");
}

function count(text, pattern) {
	return (text.match(pattern) ?? []).length;
}

function longestRun(text) {
	let longest = 0;
	let run = 0;
	let before;
	for (const character of text) {
		run = character === before ? run + 1 : 1;
		longest = Math.max(longest, run);
		before = character;
	}
	return longest;
}

// By id of a rule; the others are for the service alone to judge.
const CHECKS = {
	maximum: (text, number) => [...text].length <= number,
	minimum: (text, number) => [...text].length >= number,
	capitals: (text, number) => count(text, /[A-Z]/g) >= number,
	small: (text, number) => count(text, /[a-z]/g) >= number,
	digits: (text, number) => count(text, /[0-9]/g) >= number,
	others: (text, number) => count(text, /[ -/:-@[-`{-~]/g) >= number,
	repeats: (text, number) => longestRun(text) <= number,
};

// true, false, or undefined where nothing is typed or the service alone knows.
function isMet(rule, text) {
	return CHECKS[rule.id] && text !== "" ? CHECKS[rule.id](text, rule.number) : undefined;
}

function drawRule(rule, text) {
	const met = isMet(rule, text);
	return make("li", {
		"data-rule": rule.id, "data-met": met === undefined ? undefined : String(met),
	}, met === undefined ? null : icon(met ? "ok" : "warning"), rule.text,
	met === undefined ? null
		: make("span", { class: "visually-hidden" }, met ? ": met" : ": not met yet"));
}

// Rules for whoever changes his own; an administrator sets others as often as he
// likes.
const OWN = ["frequency", "age"];

// The list of rules for what is typed into a control, which it describes. own:
// the user's own password.
export function drawCriteria({ rules }, control, { own = false } = {}) {
	const id = `${control.id}-criteria`;
	const shown = rules.filter((rule) => own || !OWN.includes(rule.id));
	const list = make("ul", { class: "criteria" });
	const draw = () => fill(list, shown.map((rule) => drawRule(rule, control.value)));
	control.addEventListener("input", draw);
	control.form?.addEventListener("reset", () => setTimeout(draw));
	control.setAttribute("aria-describedby",
		`${control.getAttribute("aria-describedby") ?? ""} ${id}`.trim());
	draw();
	return make("div", { class: "field", id },
		make("p", { class: "field-help" }, "A password needs:"), list);
}
