// SPDX-License-Identifier: GPL-3.0-or-later
// What a new password must be, checked while it is typed. The service decides;
// this only says beforehand what it will say.

import { badge, fill, make } from "/app/dom.js";
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

function drawRule(rule, text) {
	const check = CHECKS[rule.id];
	const met = Boolean(check) && text !== "" && check(text, rule.number);
	const failed = Boolean(check) && text !== "" && !met;
	return make("li", { "data-rule": rule.id, "data-met": check ? String(met) : undefined },
		badge(met ? "ok" : failed ? "warning" : "quiet", rule.text),
		make("span", { class: "visually-hidden" },
			met ? ": met" : failed ? ": not met yet" : ""));
}

// The list of rules for what is typed into a control, which it describes.
export function drawCriteria({ rules }, control) {
	const id = `${control.id}-criteria`;
	const list = make("ul", { class: "marks" });
	const draw = () => fill(list, rules.map((rule) => drawRule(rule, control.value)));
	control.addEventListener("input", draw);
	control.form?.addEventListener("reset", () => setTimeout(draw));
	control.setAttribute("aria-describedby",
		`${control.getAttribute("aria-describedby") ?? ""} ${id}`.trim());
	draw();
	return make("div", { class: "field password-criteria", id },
		make("p", { class: "field-help" }, "A password needs:"), list);
}
