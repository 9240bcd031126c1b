// SPDX-License-Identifier: GPL-3.0-or-later
// Place a call, and what comes of it, which stays until the next one.

import { button, facts, fill, make, notice } from "/app/dom.js";
import { drawForm, FieldError, sentence, setBusy } from "/app/form.js";
import { Fault } from "/app/rpc.js";
import { call } from "/app/session.js";
import {
	drawCure, drawPeerCertificate, encryptionText, isAsWanted, reasonText, transportText,
} from "/status/call-words.js";
import { identityOf, isCalled } from "/status/participants.js";

const ADDRESS_CHARS = 255;
const NAME_CHARS = 31;
const CONFERENCE = "Calls";
const FAULT_DUPLICATE_NAME = 3;
const FAULT_NO_PARTICIPANT = 5;
const FAULT_INVALID_PARAMETER = 102;

const TRANSPORTS = { tcp: "TCP", udp: "UDP", tls: "TLS" };
const WAYS = { useTrunk: "trunk", useRegistrar: "registrar" };

function rowsFor({ outboundConfiguration, outgoingTransport }) {
	const way = WAYS[outboundConfiguration];
	return [
		{ name: "address", label: "Address", maxLength: ADDRESS_CHARS, autocomplete: "off", spellcheck: "false",
		  required: "Type whom to call, such as alice@example.com.",
		  help: `alice@example.com, 192.0.2.10, [2001:db8::10]:5061${way ? ", a number" : ""}; with sips: in front always over TLS.` },
		{ name: "transportProtocol", label: "Transport", type: "select", value: "default",
		  options: [["default", `As set (${TRANSPORTS[outgoingTransport] ?? outgoingTransport})`],
			["tls", "TLS"], ["tcp", "TCP"], ["udp", "UDP"]],
		  help: "As set: the outgoing transport of Settings > SIP, if the address does not say it." },
		way ? { name: "useSIPRegistrar", label: `By the ${way}`, type: "checkbox", value: true,
			help: "Off: directly to the host of the address." } : null,
		{ name: "conferenceName", label: "Conference", maxLength: NAME_CHARS, value: CONFERENCE, autocomplete: "off",
		  required: "Type the name of a conference.", help: "Calls of one name stand together in lists and records." },
		{ name: "participantName", label: "Participant", maxLength: NAME_CHARS, autocomplete: "off",
		  required: "Type a name for the other side.",
		  help: "How the other side is called here; made of the address until you type one." },
		{ name: "keep", label: "Keep this participant", type: "checkbox", value: false,
		  help: "It stays in the list below, to be called again." },
	].filter(Boolean);
}

// "alice" of sips:alice@example.com:5061;x=y, else the host.
function nameOf(address) {
	const bare = address.trim().replace(/^(sips?|tel):/i, "").split(/[;?]/)[0];
	const [user, host] = bare.includes("@") ? bare.split("@") : ["", bare];
	return user || host.replace(/^\[(.*)\](:\d+)?$/, "$1").replace(/^([^:]*):\d+$/, "$1");
}

// A name that nobody has yet: "alice", "alice 2", ...
function freeName(wanted, taken) {
	const base = wanted.slice(0, NAME_CHARS);
	for (let n = 1; ; n++) {
		const name = n === 1 ? base : `${base.slice(0, NAME_CHARS - String(n).length - 1)} ${n}`;
		if (!taken.has(name))
			return name;
	}
}

// What the service says of one member belongs to its field.
function placed(error) {
	if (!(error instanceof Fault))
		return error;
	const found = /^(?:[a-z ]+ - )?(address|conferenceName|participantName|transportProtocol|useSIPRegistrar)\b:? (.*)$/.exec(error.text);
	if (found)
		return new FieldError(found[1], sentence(found[2]));
	if (error.code === FAULT_DUPLICATE_NAME)
		return new FieldError("participantName", "There is a participant of this name: type another one.");
	// What dialling has against it.
	return error.code === FAULT_INVALID_PARAMETER ? new FieldError("address", sentence(error.message)) : error;
}

// One call that was placed here, until it has ended.
class Placed {
	constructor(participant, { again, changed }) {
		this.participant = participant;
		this.changed = changed;
		this.again = again;
		this.body = make("div");
		this.buttons = make("div", { class: "buttons" });
		this.element = make("div", { class: "part", id: "placed" }, this.body, this.buttons);
		this.drawn = "";
	}

	get isOver() {
		return this.participant.callState === "disconnected";
	}

	// It is called once more; what is known of the time before counts no more.
	begin() {
		this.standing = undefined;
		this.drawn = undefined;
		this.participant = { ...this.participant, callState: "alerting", connectTime: undefined,
			disconnectReason: "", disconnectText: "" };
		this.show({});
	}

	// row: its participant as it is now; standing: its call, while there is one.
	show(row, standing) {
		this.participant = { ...this.participant, connectTime: undefined, ...row };
		this.standing = standing ?? this.standing;
		const { callState, disconnectReason, disconnectText } = this.participant;
		const now = [callState, disconnectReason, disconnectText, standing?.mediaEncryption,
			standing?.peerIdentity, standing?.cipher].join("\n");
		if (now === this.drawn)
			return;
		const focused = this.buttons.contains(document.activeElement);
		this.drawn = now;
		fill(this.body, this.#drawState());
		fill(this.buttons, this.isOver ? button("Call again", () => this.again())
			: this.#drawHangUp());
		if (focused)
			this.buttons.querySelector("button").focus();
	}

	#drawState() {
		const { address, callState } = this.participant;
		if (callState === "connected")
			return [notice("ok", make("strong", {}, "Connected: "), address, "."),
				this.standing ? this.#drawConnection() : null];
		if (!this.isOver)
			return notice("info", make("strong", {}, "Calling "), address, "\u2026");
		return this.#drawEnd();
	}

	#drawConnection() {
		return facts(
			["Connection", [transportText(this.standing), this.standing.cipher].filter(Boolean).join(", ")],
			["Its certificate", drawPeerCertificate(this.standing)],
			["Media", encryptionText(this.standing.mediaEncryption)],
		);
	}

	#drawEnd() {
		const { address, disconnectReason: reason, disconnectText: text, connectTime } = this.participant;
		const wanted = connectTime && isAsWanted(reason);
		return notice(wanted ? "info" : "error",
			make("strong", {}, connectTime ? "Ended: " : "Not connected: "), address, ". ",
			sentence(reasonText(reason) || "The service does not say why"),
			text && sentence(text) !== sentence(reasonText(reason)) ? make("div", {}, sentence(text)) : null,
			wanted ? null : make("div", {}, drawCure(reason)));
	}

	#drawHangUp() {
		const press = button("Hang up", async () => {
			if (press.getAttribute("aria-disabled") === "true")
				return;
			setBusy(press, true);
			try {
				await call("participant.disconnect", identityOf(this.participant));
			} catch (error) {
				this.body.append(notice("error", `Not hung up: ${sentence(error.message)}`));
			}
			setBusy(press, false);
			this.changed();
		}, { class: "danger" });
		return press;
	}
}

class PlaceCall {
	constructor(sip, changed) {
		this.changed = changed;
		this.taken = new Set();
		this.place = make("div", { "aria-live": "polite" });
		this.form = drawForm({
			rows: rowsFor(sip), submit: "Call", onSubmit: (values) => this.#call(values),
		});
		this.form.element.id = "place-form";
		this.#prefill();
		this.element = make("div", {}, this.form.element, this.place);
	}

	#prefill() {
		const name = this.form.control("participantName");
		let own = "";
		this.form.control("address").addEventListener("input", (event) => {
			if (name.value !== own)
				return;
			const wanted = nameOf(event.target.value);
			own = wanted ? freeName(wanted, this.taken) : "";
			name.value = own;
		});
		this.refill = () => {
			if (name.value === own)
				this.form.control("address").dispatchEvent(new Event("input"));
		};
	}

	async #call({ keep, address, ...values }) {
		const members = { ...values, address: address.trim(), participantProtocol: "sip",
			participantType: keep ? "by_address" : "ad_hoc", addResponse: true };
		let reply;
		try {
			reply = await call("participant.add", members);
		} catch (error) {
			throw placed(error);
		}
		this.placed = new Placed({ ...members, ...reply.participant },
			{ again: () => this.#again(members), changed: this.changed });
		fill(this.place, this.placed.element);
		this.placed.show({});
		await this.changed();
		this.refill();
	}

	// The same once more; one that is no longer listed is added anew.
	async #again(members) {
		const { placed } = this;
		try {
			await call("participant.connect", identityOf(members)).catch((error) => {
				if (error.code !== FAULT_NO_PARTICIPANT)
					throw error;
				return call("participant.add", members);
			});
			placed.begin();
		} catch (error) {
			placed.body.append(notice("error", sentence(error.message)));
		}
		this.changed();
	}

	get isWaiting() {
		return this.placed?.participant.callState === "alerting";
	}

	// What is known now: all participants, all calls.
	show(participants, calls) {
		// One that was called once gives its name away.
		this.taken = new Set(participants
			.filter((row) => row.participantType === "by_address" || isCalled(row))
			.map((row) => row.participantName));
		const mine = this.placed && participants.find((row) =>
			row.conferenceName === this.placed.participant.conferenceName &&
			row.participantName === this.placed.participant.participantName &&
			row.participantType === this.placed.participant.participantType);
		if (mine)
			this.placed.show(mine, calls.find((row) => row.callId === mine.callId));
	}
}

// sip: of sip.query. changed(): asks again at once.
export function makePlaceCall(sip, changed) {
	return new PlaceCall(sip, changed);
}
