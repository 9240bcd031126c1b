// SPDX-License-Identifier: GPL-3.0-or-later
// The calls that stand, as they are now, and Hang up.

import { button, copyButton, facts, fill, make, notice } from "/app/dom.js";
import { confirmDialog } from "/app/dialog.js";
import { sentence, setBusy } from "/app/form.js";
import { plural, timeElement } from "/app/format.js";
import { call } from "/app/session.js";
import {
	clockText, DIRECTIONS, drawPeerCertificate, encryptionBadge, stateBadge, transportText,
} from "/status/call-words.js";
import { makeLiveRows } from "/status/live-rows.js";

const GONE_MS = 10000;
const SECOND_MS = 1000;
// What screen readers hear, at most this often.
const TELL_MS = 15000;

function peerText({ peer, peerName }) {
	return peerName ? `${peerName}, ${peer}` : peer;
}

// How this device is called: one address a service that listens.
const ADDRESSES = {
	sips_tcp: ({ port }) => `sips:${location.hostname}${port === 5061 ? "" : `:${port}`}`,
	sip_tcp: ({ port }) => `sip:${location.hostname}${port === 5060 ? "" : `:${port}`};transport=tcp`,
	sip_udp: ({ port }) => `sip:${location.hostname}${port === 5060 ? "" : `:${port}`}`,
};

// What to say where no call stands.
export function drawNoCalls(services) {
	const listening = services.filter(({ name, enabled }) => enabled && ADDRESSES[name]);
	if (listening.length === 0)
		return [make("p", {}, make("strong", {}, "No call, and none can come in: "),
			"no SIP service listens. Turn one on under ",
			make("a", { href: "/network/services.html" }, "Services"), ".")];
	return [make("p", {}, make("strong", {}, "No call at the moment.")),
		make("p", {}, "Call this device to see one here; who calls hears himself:"),
		facts(...listening.toReversed().map((service) => {
			const address = ADDRESSES[service.name](service);
			return [service.label, make("span", { class: "with-copy" },
				make("span", { class: "mono" }, address), copyButton(address, address))];
		}))];
}

function packetLines(row) {
	return [`${row.packetsReceived.toLocaleString()} in`, `${row.packetsSent.toLocaleString()} out`];
}

class CallsTable {
	constructor(changed) {
		this.changed = changed;
		this.takenAt = Date.now();
		this.toldAt = 0;
		this.told = make("span", { class: "visually-hidden", role: "status" });
		this.count = make("p", { class: "calls-count" });
		this.result = make("div", { class: "result", "aria-live": "polite" });
		this.rows = makeLiveRows({
			caption: "Calls", key: (row) => row.callId, columns: this.#columns(),
			detail: (row) => this.#drawDetail(row),
			gone: (row) => ({ ...row, state: "disconnected", held: false }), goneMs: GONE_MS,
		});
		this.element = make("div", { id: "calls" }, this.count, this.rows.element, this.result, this.told);
		setInterval(() => this.#tick(), SECOND_MS);
	}

	#columns() {
		return [
			{ label: "Other side", header: true, value: peerText, class: "call-peer",
			  render: (row) => this.#drawToggle(row) },
			{ label: "State", value: (row) => `${row.state} ${row.held}`, render: stateBadge },
			{ label: "Connection", value: (row) => `${transportText(row)} ${row.cipher}`,
			  render: (row) => [make("div", {}, transportText(row)),
				row.cipher ? make("div", { class: "quiet call-cipher" }, row.cipher) : null] },
			{ label: "Its certificate", value: (row) => `${row.transport} ${row.peerIdentity} ${row.verified}`,
			  render: drawPeerCertificate },
			{ label: "Media", value: (row) => `${row.mediaEncryption} ${row.codec}`,
			  render: (row) => [encryptionBadge(row.mediaEncryption),
				row.codec ? make("div", { class: "quiet small-text" }, row.codec) : null] },
			{ label: "Duration", numeric: true, value: (row) => row.state,
			  render: (row) => make("span", { class: "call-clock" }, this.#clock(row)) },
			{ label: "Packets", numeric: true, value: (row) => `${packetLines(row)} ${row.packetsLost}`,
			  render: (row) => [packetLines(row).map((line) => make("div", {}, line)), make("div",
				{ class: row.packetsLost > 0 ? "call-lost" : "quiet" },
				`${row.packetsLost.toLocaleString()} lost`)] },
			{ label: "Action", value: (row) => row.state, render: (row) => this.#drawHangUp(row) },
		];
	}

	#clock(row) {
		const since = row.state === "connected" ? (Date.now() - this.takenAt) / 1000 : 0;
		return row.connectTime ? clockText(row.durationSeconds + since) : "";
	}

	#drawToggle(row) {
		const toggle = button(row.peerName || row.peer, () =>
			toggle.setAttribute("aria-expanded", String(this.rows.toggle(row.callId))),
		{ class: "link-button log-toggle", "aria-label": `${peerText(row)}, all of this call`,
			"aria-expanded": String(this.rows?.isOpen(row.callId) ?? false) });
		return make("div", {}, toggle,
			row.peerName ? make("div", { class: "quiet small-text" }, row.peer) : null,
			make("div", { class: "quiet small-text" }, DIRECTIONS[row.direction] ?? row.direction));
	}

	#drawHangUp(row) {
		if (row.state === "disconnected")
			return make("span", { class: "quiet" }, "Ended; see the ",
				make("a", { href: "/logs/cdr-log.html" }, "CDR log"));
		const press = button("Hang up", () => this.#hangUp(row, press), { class: "small danger",
			"aria-label": `Hang up ${peerText(row)}` });
		return press;
	}

	async #hangUp(row, press) {
		if (press.getAttribute("aria-disabled") === "true" || !await confirmDialog({
			title: "Hang up?", text: `The call with ${peerText(row)} ends.`,
			action: "Hang up", danger: true,
		}))
			return;
		setBusy(press, true);
		try {
			await call("calls.disconnect", { callId: row.callId });
			fill(this.result, notice("ok", `Hung up: ${peerText(row)}.`));
		} catch (error) {
			fill(this.result, notice("error", `Not hung up: ${sentence(error.message)}`));
		} finally {
			setBusy(press, false);
		}
		this.changed();
	}

	#drawDetail(row) {
		const list = facts(
			["Address", make("span", { class: "mono" }, row.peer)],
			row.peerName ? ["Name", row.peerName] : null,
			["Direction", DIRECTIONS[row.direction] ?? row.direction],
			["Began", timeElement(row.startTime, { seconds: true })],
			row.connectTime ? ["Connected", timeElement(row.connectTime, { seconds: true })] : null,
			["Transport", row.transport],
			row.tlsVersion ? ["TLS", `${transportText(row)}, ${row.cipher}`] : null,
			["Its certificate", drawPeerCertificate(row)],
			["Media", encryptionBadge(row.mediaEncryption), ` ${row.codec}`],
			["Packets", [...packetLines(row), `${row.packetsLost.toLocaleString()} lost`].join(", ")],
			row.conferenceName ? ["Conference", row.conferenceName] : null,
			row.participantName ? ["Participant", row.participantName] : null,
			["Call ID", make("span", { class: "mono" }, row.callId)],
		);
		list.classList.add("facts-columns");
		return list;
	}

	// Only the seconds, between two answers.
	#tick() {
		if (document.hidden || this.isOld)
			return;
		for (const [row, cell] of this.rows.cells("Duration")) {
			const clock = cell.querySelector(".call-clock");
			const text = this.#clock(row);
			if (row.state === "connected" && clock && clock.textContent !== text)
				clock.textContent = text;
		}
	}

	show(calls) {
		this.takenAt = Date.now();
		this.isOld = false;
		this.rows.setRows(calls);
		const text = calls.length === 0 ? "" : `${plural(calls.length, "call")}.`;
		if (this.count.textContent !== text)
			this.count.textContent = text;
		this.count.hidden = text === "";
		if (this.told.textContent !== (text || "No call.") && Date.now() - this.toldAt > TELL_MS) {
			this.told.textContent = text || "No call.";
			this.toldAt = Date.now();
		}
	}

	// There is no answer: nobody knows whether they go on, and the clocks stand.
	lose() {
		this.isOld = true;
	}

	showNoCalls(...content) {
		this.rows.setEmpty(content);
	}
}

// changed(): called after a deed that changes calls.
export function makeCallsTable(changed) {
	return new CallsTable(changed);
}
