// SPDX-License-Identifier: GPL-3.0-or-later
// How values look: dates, durations, fingerprints, names. Pure, but for the
// elements they return.

import { make } from "/app/dom.js";

const DAY_MS = 86400000;

function pad(number) {
	return String(number).padStart(2, "0");
}

export function localDate(date) {
	return `${date.getFullYear()}-${pad(date.getMonth() + 1)}-${pad(date.getDate())}`;
}

export function localTime(date) {
	return `${pad(date.getHours())}:${pad(date.getMinutes())}`;
}

export function utcText(date) {
	return `${date.toISOString().slice(0, 19).replace("T", " ")} UTC`;
}

// The viewer's own zone; UTC on hover.
export function timeElement(date, { seconds = false, milliseconds } = {}) {
	const text = `${localDate(date)} ${localTime(date)}` +
		(seconds ? `:${pad(date.getSeconds())}` : "") +
		(milliseconds === undefined ? "" : `.${String(milliseconds).padStart(3, "0")}`);
	return make("time", { datetime: date.toISOString(), title: utcText(date) }, text);
}

export function zoneName() {
	return Intl.DateTimeFormat().resolvedOptions().timeZone || "local time";
}

// Whole days from now to date, rounded down; negative when it is past.
export function daysLeft(date, now = new Date()) {
	return Math.floor((date - now) / DAY_MS);
}

function plural(count, word) {
	return `${count} ${word}${count === 1 ? "" : "s"}`;
}

export { plural };

export function daysLeftText(date, now = new Date()) {
	const days = daysLeft(date, now);
	if (days < -1)
		return `expired ${plural(-days - 1, "day")} ago`;
	if (date <= now)
		return "expired today";
	return days === 0 ? "expires today" : `${plural(days, "day")} left`;
}

// "3 days 4 h", "12 min", "40 s": two parts at most.
export function durationText(seconds) {
	const parts = [
		[Math.floor(seconds / 86400), (n) => plural(n, "day")],
		[Math.floor(seconds / 3600) % 24, (n) => `${n} h`],
		[Math.floor(seconds / 60) % 60, (n) => `${n} min`],
		[Math.floor(seconds) % 60, (n) => `${n} s`],
	];
	const first = parts.findIndex(([n]) => n > 0);
	if (first < 0)
		return "0 s";
	return parts.slice(first, first + 2).filter(([n]) => n > 0)
		.map(([n, text]) => text(n)).join(" ");
}

function groups(hex, size, joint) {
	return hex.replace(/[^0-9a-fA-F]/g, "").toUpperCase()
		.match(new RegExp(`.{1,${size}}`, "g"))?.join(joint) ?? "";
}

// "AB12 CD34 ..." in groups of four.
export function fingerprintText(hex) {
	return groups(hex, 4, " ");
}

export function serialText(hex) {
	return groups(hex, 2, ":");
}

// The parts of a name in the original's order; several lines of "CN = ...".
const NAME_PARTS = ["c", "st", "l", "o", "ou", "cn"];

export function nameElement(name) {
	const parts = NAME_PARTS.filter((part) => name[part]);
	if (parts.length === 0)
		return make("span", {}, name.text || "(empty)");
	return make("ul", { class: "name-parts" }, parts.map((part) =>
		make("li", {},
			make("span", { class: "name-part" }, part.toUpperCase()),
			make("span", {}, name[part]))));
}

// One line for lists: the common name, else the whole.
export function shortName(name) {
	return name.cn || name.text || "(no name)";
}
