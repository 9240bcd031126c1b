// SPDX-License-Identifier: GPL-3.0-or-later
// The live view of a log: new events come by themselves while the page is looked
// at, and never under the eyes of somebody who reads.

import { button, fill, make } from "/app/dom.js";
import { call } from "/app/session.js";

const POLL_MS = 2000;
const BATCH = 200;
// What screen readers hear, at most this often.
const TELL_MS = 15000;

class Live {
	constructor(view, method) {
		this.view = view;
		this.method = method;
		this.running = true;
		this.waiting = [];
		this.toldAt = 0;
		this.untold = 0;
		this.toggle = button("Pause", () => this.#setRunning(!this.running), { class: "small" });
		this.state = make("span", { class: "quiet" });
		this.show = button("", () => {
			this.#release();
			this.toggle.focus();
		}, { class: "small primary", hidden: true });
		this.told = make("span", { class: "visually-hidden", role: "status" });
		this.element = make("div", { class: "live" }, this.toggle, this.state, this.show, this.told);
		document.addEventListener("visibilitychange", () => {
			if (!document.hidden)
				this.#tick();
		});
	}

	// Events from this index on are new.
	begin(next) {
		this.next = next;
		setInterval(() => this.#tick(), POLL_MS);
	}

	// The view has asked for a page and shows it.
	follow() {
		this.next = Math.max(this.next, (this.view.rows[0]?.index ?? 0) + 1);
		this.waiting = [];
		this.#draw();
	}

	#setRunning(running) {
		this.running = running;
		this.toggle.textContent = running ? "Pause" : "Go on";
		this.#draw();
		if (running)
			this.#tick();
	}

	// Only the newest page, without an end in time, has anything new to show.
	get #follows() {
		return this.view.isNewest && !this.view.filter.has("until");
	}

	get #isRead() {
		const body = this.view.body;
		const selection = getSelection();
		return body.matches(":hover") || body.contains(document.activeElement) ||
			body.getBoundingClientRect().top < 0 ||
			(!selection.isCollapsed && body.contains(selection.anchorNode));
	}

	async #tick() {
		if (!this.running || document.hidden || !this.#follows || this.busy)
			return;
		this.busy = true;
		const next = this.next;
		try {
			const answer = await call(this.method, { index: next, numEvents: BATCH,
				filter: this.view.filter.members });
			this.failed = false;
			// Meanwhile the filter may have changed.
			if (next === this.next && this.running && this.#follows)
				this.#take(answer);
		} catch {
			this.failed = true;
		} finally {
			this.busy = false;
		}
		this.#draw();
	}

	#take({ events, nextIndex, eventsRemaining }) {
		const fresh = events.filter((event) => event.index >= this.next);
		this.next = Math.max(this.next, nextIndex ?? 0, ...fresh.map((event) => event.index + 1));
		// More than one page of them is never shown.
		this.waiting = [...fresh.reverse(), ...this.waiting].slice(0, BATCH);
		this.untold += fresh.length;
		if (this.#isRead)
			return;
		if (eventsRemaining)
			this.view.load();
		else
			this.#release();
	}

	#release() {
		this.view.addNewest(this.waiting);
		this.waiting = [];
		this.#draw();
	}

	#stateText() {
		if (!this.running)
			return "Paused.";
		if (!this.#follows)
			return this.view.isNewest ? "Live view waits: the filter has an end."
				: "Live view waits: it goes on from the newest page.";
		return this.failed ? "The service does not answer; trying again."
			: "Live: new events come by themselves.";
	}

	#draw() {
		const text = this.#stateText();
		if (this.state.textContent !== text)
			this.state.textContent = text;
		const count = this.waiting.length;
		this.show.hidden = count === 0;
		this.show.textContent = `Show ${count} new event${count === 1 ? "" : "s"}`;
		if (this.untold > 0 && Date.now() - this.toldAt > TELL_MS) {
			fill(this.told, `${this.untold} new event${this.untold === 1 ? "" : "s"}`);
			this.toldAt = Date.now();
			this.untold = 0;
		}
	}
}

// view: of logs/log-view.js; each page it shows is told by follow(). method: whose
// answers are { events, eventsRemaining, nextIndex }.
export function makeLive(view, method) {
	return new Live(view, method);
}
