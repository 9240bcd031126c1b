// SPDX-License-Identifier: GPL-3.0-or-later
// A log in pages, newest first: the table, its filter, and where one is in it.
// The service reads and filters; a page holds only what it shows.

import { button, fill, make, notice } from "/app/dom.js";
import { sentence } from "/app/form.js";
import { call } from "/app/session.js";
import { drawCell, drawHead, drawTable } from "/app/table.js";
import { makeLogFilter } from "/logs/log-filter.js";

const PAGE_RECORDS = 50;
const SHOWN_MAX = 2000; // as the original shows
const BEFORE_WANTED = 5;

function capital(text) {
	return text.charAt(0).toUpperCase() + text.slice(1);
}

// What the address asks for by ?record=.
function recordOfAddress() {
	const text = new URLSearchParams(location.search).get("record") ?? "";
	return /^\d{1,9}$/.test(text) ? Number(text) : undefined;
}

class LogView {
	constructor(options) {
		this.options = options;
		this.pageRecords = options.pageRecords ?? PAGE_RECORDS;
		this.filter = makeLogFilter(options.filters, () => this.load());
		this.wanted = recordOfAddress();
		this.starts = [this.wanted === undefined ? undefined : this.wanted + BEFORE_WANTED];
		this.open = new Set(this.wanted === undefined ? [] : [this.wanted]);
		this.rows = [];
		this.more = false;
		this.body = make("div", { class: "table-body log-body" });
		this.body.addEventListener("keydown", (event) => this.#key(event));
		this.place = make("p", { class: "quiet log-place" });
		this.told = make("p", { class: "visually-hidden", role: "status" });
		this.pager = this.#drawPager();
		this.element = make("div", { class: "log" }, this.filter.element, options.above,
			this.body, this.pager, this.told);
	}

	#drawPager() {
		this.newest = button("Newest", () => this.#pressed(() => this.load()));
		this.newer = button("Newer", () => this.#pressed(() => this.#turn(-1)));
		this.older = button("Older", () => this.#pressed(() => this.#turn(1)));
		return make("div", { class: "buttons pager" }, this.newest, this.newer, this.older, this.place);
	}

	// The call that gives the page to show; for a batch with others.
	get request() {
		return [this.options.method, {
			newestFirst: true, numEvents: this.pageRecords, index: this.starts.at(-1),
			filter: this.options.filterOf ? this.options.filterOf(this.filter.members)
				: this.filter.members,
		}];
	}

	get isNewest() {
		return this.starts.length === 1 && this.starts[0] === undefined;
	}

	// From the newest again.
	load() {
		this.starts = [undefined];
		this.wanted = undefined;
		return this.#read();
	}

	async #read() {
		const asked = {};
		this.asked = asked;
		this.body.setAttribute("aria-busy", "true");
		let answer;
		try {
			answer = { value: await call(...this.request) };
		} catch (error) {
			answer = { error };
		}
		// A later question counts, whichever answer comes last.
		if (this.asked === asked)
			this.show(answer);
	}

	async #tryAgain() {
		await this.#read();
		(this.body.querySelector("button") ?? this.newest).focus();
	}

	async #turn(by) {
		if (by > 0)
			this.starts.push(this.next);
		else
			this.starts.pop();
		await this.#read();
	}

	// Who presses a button that does no more at the end keeps his place among them.
	async #pressed(deed) {
		const button = document.activeElement;
		await deed();
		if (button.disabled)
			[this.older, this.newer, this.newest].find((each) => !each.disabled).focus();
	}

	// The answer to request: { value } or { error }.
	show({ value, error }) {
		this.body.removeAttribute("aria-busy");
		if (error) {
			this.rows = [];
			this.more = false;
			this.#drawEmpty([notice("error", sentence(error.message)),
				button("Try again", () => this.#tryAgain(), { class: "small" })]);
		} else {
			this.rows = value.events;
			this.more = value.eventsRemaining;
			this.next = value.nextIndex;
			this.#draw();
		}
		// Somebody asked for this page; what comes by itself is not read out.
		this.told.textContent = this.place.textContent || this.body.textContent;
		this.options.shown?.();
	}

	// Events that came since, newest first. Only for the newest page.
	addNewest(events) {
		if (events.length === 0)
			return;
		const all = [...events, ...this.rows];
		this.rows = all.slice(0, this.pageRecords);
		if (all.length > this.pageRecords) {
			this.more = true;
			this.next = this.rows.at(-1).index - 1;
		}
		this.#draw();
	}

	#draw() {
		if (this.rows.length === 0)
			this.#drawEmpty(this.#drawNothing());
		else
			this.#drawRows();
		if (this.wanted !== undefined)
			this.#showWanted();
	}

	#drawRows() {
		const { columns, caption } = this.options;
		fill(this.body, drawTable(caption, columns.map((column) => drawHead(column)),
			this.rows.flatMap((row) => this.#drawRow(row))));
		const first = this.rows[0].index.toLocaleString();
		const last = this.rows.at(-1).index.toLocaleString();
		const full = this.more && this.starts.length >= SHOWN_MAX / this.pageRecords;
		this.#mark(`${capital(this.options.many)} ${first} to ${last}${
			this.filter.isEmpty ? "" : ", as far as the filter lets them through"}. ${
			full ? `No more than ${SHOWN_MAX.toLocaleString()} are shown here: ${
				this.options.filters.some(({ time }) => time) ? "choose a time, or " : ""}download the log.`
				: this.more ? "Older ones follow." : "There are no older ones."}`);
		this.older.disabled = !this.more || full;
	}

	#drawNothing() {
		if (this.filter.isEmpty)
			return make("p", {}, this.options.empty);
		return [make("p", {}, `No ${this.options.one} fits the filter.`),
			button("Clear the filter", () => this.filter.clear(), { class: "small" })];
	}

	#drawEmpty(content) {
		fill(this.body, make("div", { class: "empty" }, content));
		this.#mark("");
		this.older.disabled = true;
	}

	#mark(text) {
		this.place.textContent = text;
		this.newer.disabled = this.starts.length === 1;
		this.pager.hidden = this.isNewest && this.rows.length === 0;
	}

	#drawRow(row) {
		const { columns, detail } = this.options;
		if (!detail)
			return [make("tr", { role: "row" }, columns.map((column) => drawCell(column, row)))];
		const more = make("tr", { role: "row", class: "log-detail", hidden: !this.open.has(row.index) },
			make("td", { role: "cell", colspan: columns.length + 1 }));
		const drawMore = () => {
			if (!more.hidden && !more.firstChild.firstChild)
				fill(more.firstChild, detail(row));
		};
		const toggle = this.#drawToggle(row, more, drawMore);
		drawMore();
		return [make("tr", { role: "row", id: `record-${row.index}` },
			make("th", { role: "rowheader", scope: "row", class: "log-index" }, toggle),
			columns.slice(1).map((column) => drawCell(column, row))), more];
	}

	#drawToggle(row, more, drawMore) {
		const toggle = button(row.index.toLocaleString(), () => {
			more.hidden = !more.hidden;
			if (more.hidden)
				this.open.delete(row.index);
			else
				this.open.add(row.index);
			toggle.setAttribute("aria-expanded", String(!more.hidden));
			drawMore();
		}, { class: "link-button log-toggle",
			"aria-label": `${capital(this.options.one)} ${row.index.toLocaleString()}, all of it`,
			"aria-expanded": String(!more.hidden) });
		return toggle;
	}

	// A page that was opened for one record shows it, or says that it is not there.
	#showWanted() {
		const row = document.getElementById(`record-${this.wanted}`);
		if (row) {
			row.classList.add("log-wanted");
			row.querySelector("button").focus({ preventScroll: true });
			row.scrollIntoView({ block: "center" });
			return;
		}
		this.body.prepend(notice("warning", `There is no ${this.options.one} ${
			this.wanted.toLocaleString()}${this.filter.isEmpty ? "" : " that fits the filter"}.${
			this.rows.length ? " Its neighbours are shown." : ""}`));
	}

	// Among the records: arrows, Home and End; Page Up and Page Down turn pages.
	#key(event) {
		const toggles = [...this.body.querySelectorAll(".log-toggle")];
		const at = toggles.indexOf(event.target);
		if (at < 0 || event.ctrlKey || event.altKey || event.metaKey)
			return;
		const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: toggles.length - 1 }[event.key];
		const page = { PageDown: this.older, PageUp: this.newer }[event.key];
		if (to === undefined && !page)
			return;
		event.preventDefault();
		toggles[to]?.focus();
		if (page && !page.disabled)
			this.#turn(event.key === "PageDown" ? 1 : -1)
				.then(() => this.body.querySelector(".log-toggle")?.focus());
	}
}

// options:
//   method    whose answers are { events, eventsRemaining, nextIndex }
//   caption, columns   of app/table.js; the first is the index
//   filters   fields of logs/log-filter.js
//   one, many how an entry is called
//   empty     what to say of an empty log
//   detail(row)  all of an entry, to be opened by its index; may be left out
//   pageRecords  entries a page, if not 50
//   filterOf(members)  the filter as the method takes it
//   above     an element between filter and table
//   shown()   called after each page
export function makeLogView(options) {
	return new LogView(options);
}
