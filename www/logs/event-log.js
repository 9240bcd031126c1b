// SPDX-License-Identifier: GPL-3.0-or-later
// Logs > Event log: what the service tells while it works.

import { badge, byId, fill, make, notice } from "/app/dom.js";
import { confirmDialog } from "/app/dialog.js";
import { actionButtons, sentence } from "/app/form.js";
import { plural, timeElement } from "/app/format.js";
import { drawSettingsForm, membersOf } from "/app/settings-form.js";
import { ADMINISTRATOR, openPage } from "/app/shell.js";
import { call, callAll } from "/app/session.js";
import { makeLive } from "/logs/live.js";
import { makeLogView } from "/logs/log-view.js";
import { makeSyslog } from "/logs/syslog.js";

const EVENTS_A_CALL = 200;

// Level, words, mark; gravest first.
const LEVELS = [
	["error", "Error", "error"],
	["warning", "Warning", "warning"],
	["info", "Info", "info"],
	["trace", "Trace", "quiet"],
	["detailedTrace", "Detailed trace", "quiet"],
];

const SENTENCES = {
	level: {
		error: "Only what failed.",
		warning: "And what somebody should look at.",
		info: "And what happens: starts, changes, connections refused.",
		trace: "And the steps of connections and calls. For finding a fault.",
		detailedTrace: "And every detail. Old events go soon: turn it back when the fault is found.",
	},
};

function drawLevel({ level }) {
	const [, words, mark] = LEVELS.find(([name]) => name === level) ?? [level, level, "quiet"];
	return badge(mark, words);
}

const COLUMNS = [
	{ label: "Index", value: (e) => e.index, header: true },
	{ label: "Time", value: (e) => e.time, render: (e) =>
		timeElement(e.time, { seconds: true, milliseconds: e.milliseconds }) },
	{ label: "Level", value: (e) => e.level, render: drawLevel },
	{ label: "Group", value: (e) => e.group },
	{ label: "Message", class: "log-what", value: (e) => e.message,
	  render: (e) => make("span", { class: "log-message" }, e.message) },
];

const FILTERS = [
	{ name: "since", label: "From", time: "from", wide: true },
	{ name: "until", label: "To", time: "to", wide: true },
	{ name: "level", label: "Level, and graver", wide: true,
	  options: LEVELS.map(([name, words]) => [name, words]) },
	{ name: "group", label: "Group", options: [] },
	{ name: "text", label: "Text", wide: true },
];

// One line of the file, sortable and in UTC.
function lineOf({ time, milliseconds, level, group, message }) {
	const second = time.toISOString().slice(0, 19);
	return `${second}.${String(milliseconds).padStart(3, "0")}Z ${level} ${group} ${message}\n`;
}

class EventPage {
	constructor(page) {
		this.page = page;
		this.view = makeLogView({
			method: "eventlog.enumerate", caption: "Events", columns: COLUMNS, filters: FILTERS,
			one: "event", many: "events", empty: "No event yet.",
			above: make("div", { id: "live-place" }),
			shown: () => this.live.follow(),
		});
		this.live = makeLive(this.view, "eventlog.enumerate");
		this.syslog = makeSyslog();
		this.deeds = actionButtons(byId("event-result"), [
			["Download as text", () => this.#download()],
			["Clear log", () => this.#clear(), { class: "danger" }],
		]);
	}

	async load() {
		fill(byId("event-place"), this.view.element);
		fill(byId("live-place"), this.live.element);
		fill(byId("event-buttons"), this.deeds.buttons);
		const [query, syslog, answer] = await callAll(
			["eventlog.query"], ["syslog.query"], this.view.request);
		this.#showQuery(query);
		this.live.begin((query.value?.lastIndex ?? 0) + 1);
		this.view.show(answer);
		this.syslog.show(syslog);
	}

	async #ask() {
		this.#showQuery((await callAll(["eventlog.query"]))[0]);
	}

	#showQuery({ value, error }) {
		if (error) {
			fill(byId("event-state"), notice("error", sentence(error.message)));
			return;
		}
		this.view.filter.setOptions("group", value.groups.map((group) => [group, group]));
		fill(byId("event-state"), make("p", {}, make("strong", {},
			`${value.numEvents.toLocaleString()} event${value.numEvents === 1 ? "" : "s"}`), " kept. When there is no more room, the oldest go.",
		value.suppressed > 0 ? ` ${plural(value.suppressed, "event")} left out: too many of a kind in a short time.` : "",
		" ", make("a", { href: "#level-title" }, "What is kept"), ", ",
		make("a", { href: "#syslog-title" }, "Syslog"), "."));
		this.#showLevel(value);
	}

	#showLevel(value) {
		if (this.levelForm) {
			this.levelForm.set({ level: value.level });
			Object.assign(this.levelReply, value);
			return;
		}
		this.levelReply = value;
		this.levelForm = drawSettingsForm({
			reply: this.levelReply, names: ["level"], submit: "Apply changes", sentences: SENTENCES,
			apply: async (changes) => {
				await call("eventlog.configure", membersOf(changes));
				await this.#ask();
				return "Applied. It counts for events from now on.";
			},
		});
		fill(byId("level-place"), this.levelForm.element);
	}

	// All that fit the filter, oldest first.
	async #download() {
		const [{ download }, { eventsFileName }] = await Promise.all([
			import("/logs/download.js"), import("/logs/file-names.js")]);
		const fileName = eventsFileName(this.page.state.device?.hostName ?? "device", new Date());
		const { firstIndex, lastIndex } = await call("eventlog.query");
		const filter = this.view.filter.members;
		const saved = await download({
			title: "Download the event log", fileName, type: "text/plain;charset=utf-8",
			next: async (index = firstIndex) => {
				const piece = await call("eventlog.enumerate",
					{ index, numEvents: EVENTS_A_CALL, filter });
				return { text: piece.events.map(lineOf).join(""),
					cursor: piece.eventsRemaining ? piece.nextIndex : undefined,
					done: (piece.eventsRemaining ? piece.nextIndex : lastIndex + 1) - firstIndex,
					total: lastIndex + 1 - firstIndex };
			},
		});
		this.deeds.say(saved ? notice("ok", `${fileName} is saved by the browser. It holds what fits the filter.`)
			: notice("info", "The download was called off. Nothing was saved."));
	}

	async #clear() {
		const yes = await confirmDialog({
			title: "Clear the event log?",
			text: ["All events go; they cannot be brought back. The audit log stays as it is and records this.",
				"What a syslog server has already, it keeps."],
			action: "Clear log", danger: true,
		});
		if (!yes)
			return;
		await call("eventlog.delete");
		await this.#ask();
		await this.view.load();
		this.deeds.say(notice("ok", "The event log is cleared. The audit log has a record of it."));
	}
}

openPage({
	privilege: ADMINISTRATOR,
	start: async (page) => {
		const events = new EventPage(page);
		await events.load();
	},
});
