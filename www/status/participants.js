// SPDX-License-Identifier: GPL-3.0-or-later
// Participants: what the service knows of them, and the table of those that are kept.

import { button, fill, icon, make, notice } from "/app/dom.js";
import { confirmDialog } from "/app/dialog.js";
import { sentence, setBusy } from "/app/form.js";
import { timeElement } from "/app/format.js";
import { call } from "/app/session.js";
import { drawCure, isAsWanted, reasonText, stateBadge } from "/status/call-words.js";
import { makeLiveRows } from "/status/live-rows.js";

export function identityOf({ conferenceName, participantName, participantProtocol, participantType }) {
	return { conferenceName, participantName, participantProtocol, participantType };
}

export function participantKey(row) {
	return JSON.stringify(Object.values(identityOf(row)));
}

// The service nests what is configured and what is, by what was asked for.
function flat({ configuredState, currentState, ...row }) {
	return { ...row, ...configuredState, ...currentState };
}

// Batches of an enumeration; more participants than they hold cannot be configured.
const BATCHES_MAX = 100;

// All participants as they are now; asks for those that have changed or are gone.
export class ParticipantList {
	constructor() {
		this.rows = new Map();
	}

	async ask({ all = false } = {}) {
		const lastRevision = all ? undefined : this.revision;
		// What has changed since then is told of these, whatever comes in between.
		const known = this.rows;
		let rows;
		let enumerateID;
		let revision;
		for (let batch = 0; batch < BATCHES_MAX; batch++) {
			const reply = await call("participant.enumerate", { lastRevision, enumerateID,
				operationScope: ["currentState", "configuredState"] });
			// That of the first batch counts.
			revision ??= reply.currentRevision;
			rows ??= new Map(reply.listAll ? [] : known);
			for (const row of reply.participants.map(flat)) {
				if (row.dead)
					rows.delete(participantKey(row));
				else
					rows.set(participantKey(row), row);
			}
			enumerateID = reply.enumerateID;
			if (!enumerateID)
				break;
		}
		this.revision = revision;
		this.rows = rows;
		return [...rows.values()];
	}
}

export function isCalled({ callState }) {
	return callState === "alerting" || callState === "connected";
}

function drawOutcome(row) {
	if (isCalled(row) || !row.disconnectReason)
		return make("span", { class: "quiet" }, row.callState === "dormant" ? "" : "None yet");
	return [
		make("div", {}, isAsWanted(row.disconnectReason) ? reasonText(row.disconnectReason)
			: make("span", { class: "call-reason" }, icon("warning"), reasonText(row.disconnectReason))),
		row.disconnectText ? make("div", { class: "quiet small-text" }, sentence(row.disconnectText)) : null,
		isAsWanted(row.disconnectReason) ? null
			: make("div", { class: "small-text" }, drawCure(row.disconnectReason)),
		row.disconnectTime ? make("div", { class: "quiet small-text" },
			timeElement(row.disconnectTime, { seconds: true })) : null,
	];
}

function actionShows(row) {
	return isCalled(row) ? "called" : "free";
}

class Participants {
	constructor(changed) {
		this.changed = changed;
		this.result = make("div", { class: "result", "aria-live": "polite" });
		this.rows = makeLiveRows({
			caption: "Participants", key: participantKey, columns: this.#columns(),
		});
		this.rows.setEmpty(make("p", {}, make("strong", {}, "No participant is kept.")),
			make("p", {}, "To call an address again and again, tick ",
				make("em", {}, "Keep this participant"), " when you place a call."));
		this.element = make("div", { id: "participants" }, this.rows.element, this.result);
	}

	#columns() {
		return [
			{ label: "Participant", header: true, value: (row) => row.participantName },
			{ label: "Address", value: (row) => row.address, class: "call-peer",
			  render: (row) => make("span", { class: "mono" }, row.address) },
			{ label: "Conference", value: (row) => row.conferenceName },
			{ label: "State", value: (row) => row.callState,
			  render: (row) => stateBadge({ state: row.callState }) },
			{ label: "Last call", render: drawOutcome, value: (row) =>
				[row.callState, row.disconnectReason, row.disconnectText, row.disconnectTime?.getTime()].join(" ") },
			{ label: "Action", value: actionShows, render: (row) => this.#drawActions(row) },
		];
	}

	#drawActions(row) {
		const of = (label) => ({ class: "small", "aria-label": `${label} ${row.participantName}` });
		return make("div", { class: "buttons call-actions" },
			isCalled(row) ? this.#action("Hang up", row, () => this.#disconnect(row),
				{ ...of("Hang up"), class: "small danger" })
				: this.#action("Connect", row, () => this.#connect(row), of("Connect")),
			this.#action("Remove", row, () => this.#remove(row), { ...of("Remove"), class: "small danger" }));
	}

	#action(label, row, deed, attributes) {
		const press = button(label, async () => {
			if (press.getAttribute("aria-disabled") === "true")
				return;
			fill(this.result);
			setBusy(press, true);
			try {
				const text = await deed();
				fill(this.result, text ? notice("ok", text) : null);
			} catch (error) {
				fill(this.result, notice("error", `${row.participantName}: ${sentence(error.message)}`));
			} finally {
				setBusy(press, false);
			}
			this.changed();
		}, attributes);
		return press;
	}

	async #connect(row) {
		await call("participant.connect", identityOf(row));
		return `Calling ${row.participantName}. Its row shows what comes of it.`;
	}

	async #disconnect(row) {
		const yes = await confirmDialog({ title: "Hang up?", action: "Hang up", danger: true,
			text: `The call with ${row.participantName} ends. The participant is kept.` });
		if (!yes)
			return undefined;
		await call("participant.disconnect", identityOf(row));
		return `Hung up: ${row.participantName}.`;
	}

	async #remove(row) {
		const yes = await confirmDialog({ title: "Remove this participant?", action: "Remove", danger: true,
			text: `${row.participantName} (${row.address}) is no longer kept.${
				isCalled(row) ? " The call with it ends." : ""}` });
		if (!yes)
			return undefined;
		await call("participant.remove", identityOf(row));
		return `Removed: ${row.participantName}.`;
	}

	show(participants) {
		this.rows.setRows(participants
			.filter((row) => row.participantType === "by_address")
			.toSorted((a, b) => participantKey(a).localeCompare(participantKey(b), undefined, { numeric: true })));
	}

	fail(error) {
		fill(this.result, notice("error", sentence(error.message)));
	}
}

// changed(): called after a deed that changes participants or calls.
export function makeParticipants(changed) {
	return new Participants(changed);
}
