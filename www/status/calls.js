// SPDX-License-Identifier: GPL-3.0-or-later
// Status > Calls: the calls that stand, a call to be placed, the participants.

import { byId, fill, make, notice } from "/app/dom.js";
import { sentence } from "/app/form.js";
import { ADMINISTRATOR, openPage } from "/app/shell.js";
import { call, callAll } from "/app/session.js";
import { drawNoCalls, makeCallsTable } from "/status/calls-table.js";
import { makeParticipants, ParticipantList } from "/status/participants.js";
import { makePlaceCall } from "/status/place-call.js";

const POLL_MS = 2000;
const SOON_MS = 500; // while a call that was placed here is on its way
const SHARE = 5; // many calls take long to tell: so many times as long is waited

class CallsPage {
	constructor() {
		const changed = () => this.#look({ all: true });
		this.list = new ParticipantList();
		this.calls = makeCallsTable(changed);
		this.participants = makeParticipants(changed);
		this.changed = changed;
	}

	async load() {
		const [sip, services] = await callAll(["sip.query"], ["services.query"]);
		this.calls.showNoCalls(services.error ? notice("error", sentence(services.error.message))
			: drawNoCalls(services.value.services));
		if (sip.error) {
			fill(byId("place-place"), notice("error", sentence(sip.error.message)));
		} else {
			this.place = makePlaceCall(sip.value, this.changed);
			fill(byId("place-place"), this.place.element);
		}
		// However many calls stand above the form, it is one press away.
		byId("page-tools").prepend(make("a", { href: "#place-title" }, "Place a call"));
		fill(byId("calls-place"), this.calls.element);
		fill(byId("participants-place"), this.participants.element);
		await this.#look();
		document.addEventListener("visibilitychange", () => this.#lookAgain());
	}

	#lookAgain() {
		if (!document.hidden)
			this.#look();
	}

	// Ask and show; then again after a while, as long as the page is looked at.
	async #look(how) {
		clearTimeout(this.timer);
		const asked = {};
		this.asked = asked;
		const began = performance.now();
		try {
			const [{ calls }, participants] = await Promise.all([
				call("calls.enumerate"), this.list.ask(how)]);
			// A later question counts, whichever answer comes last.
			if (this.asked !== asked)
				return;
			this.calls.show(calls);
			this.participants.show(participants);
			this.place?.show(participants, calls);
			this.#lost();
		} catch (error) {
			if (this.asked !== asked)
				return;
			this.calls.lose();
			this.#lost(error);
		}
		if (!document.hidden)
			this.timer = setTimeout(() => this.#lookAgain(), Math.max(
				SHARE * (performance.now() - began), this.place?.isWaiting ? SOON_MS : POLL_MS));
	}

	// What stands on the page is old while there is no answer.
	#lost(error) {
		if (this.wasLost === error?.message)
			return;
		this.wasLost = error?.message;
		fill(byId("lost-place"), error ? notice("warning", sentence(error.message),
			" What stands here is from before; it is tried again.") : null);
	}
}

openPage({
	privilege: ADMINISTRATOR,
	start: () => new CallsPage().load(),
});
