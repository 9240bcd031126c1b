// SPDX-License-Identifier: GPL-3.0-or-later
// Where calls go, and how the registration stands, while it is looked at.

import { badge, facts, fill, make, notice } from "/app/dom.js";
import { actionButton, sentence } from "/app/form.js";
import { durationText, timeElement } from "/app/format.js";
import { call } from "/app/session.js";

const POLL_MS = 5000;
const SOON_MS = 1000; // while it registers

const STATES = {
	off: ["quiet", "Off"],
	registering: ["info", "Registering"],
	registered: ["ok", "Registered"],
	failed: ["error", "Not registered"],
};

// What helps, by a word of the problem; the first that fits.
const CURES = [
	[/certificate/i, "Look at the SIP trust store and its verification setting, and at the local certificate, on ",
		"/network/ssl-certificates.html#sip-trust", "SSL certificates"],
	[/password|user name|40[137]\b/i, "Check user name and password below with whoever runs the registrar."],
	[/DNS|not found|resolve/i, "Check the outbound address below, and the DNS of this device."],
	[/connect|refused|answer|time|unreach|503/i, "Check the outbound address and transport below, and whether the registrar runs and is reached from here."],
];

function drawCure(problem) {
	const cure = CURES.find(([pattern]) => pattern.test(problem));
	if (!cure)
		return null;
	const [, text, path, label] = cure;
	return make("div", { class: "quiet" }, text, path && make("a", { href: path }, label), path && ".");
}

const WAYS = {
	callDirect: () => ["Calls go to", "the host of the address that is called"],
	useTrunk: (reply) => ["Calls go to", "the trunk ", make("strong", {}, reply.configuredProxy || reply.outboundAddress)],
	useRegistrar: (reply) => ["Calls go to", "the registrar ", make("strong", {}, reply.configuredRegistrar || reply.outboundAddress)],
};

const OFF_TEXTS = {
	callDirect: "This device registers nowhere. To register, choose Use registrar below.",
	useTrunk: "With a trunk this device does not register.",
};

function drawExpiry(expires) {
	const seconds = (expires - Date.now()) / 1000;
	return [seconds > 0 ? `in ${durationText(seconds)}, at ` : "at ",
		timeElement(expires, { seconds: true }), "; it is refreshed before"];
}

function drawNextTry(at) {
	const seconds = (at - Date.now()) / 1000;
	return ["tries again by itself ", seconds > 0 ? `in ${durationText(seconds)}, at ` : "at ",
		timeElement(at, { seconds: true })];
}

function drawState(reply) {
	const { registrationState: state, registrationProblem: problem } = reply;
	return facts(
		["State", badge(...STATES[state] ?? ["warning", state]),
			OFF_TEXTS[reply.outboundConfiguration] && state === "off"
				? make("div", { class: "quiet" }, OFF_TEXTS[reply.outboundConfiguration]) : null],
		reply.registeredAs ? [state === "registered" ? "Registered as" : "Registers as", make("span", { class: "mono" }, reply.registeredAs)] : null,
		reply.registrationExpires ? ["Expires", drawExpiry(reply.registrationExpires)] : null,
		problem ? [state === "registered" ? "But" : "Problem", sentence(problem), drawCure(problem)] : null,
		reply.registrationNextTry ? ["Next try", drawNextTry(reply.registrationNextTry)] : null,
		WAYS[reply.outboundConfiguration]?.(reply),
	);
}

function drawCertificateProblem(problem) {
	return problem ? notice("warning", sentence(problem), " ", make("a",
		{ href: "/network/ssl-certificates.html" }, "Show the local certificate"), ".") : null;
}

class SipStatus {
	// places: { registration, certificate }. answered(reply): called with each answer.
	constructor(places, answered) {
		this.answered = answered;
		this.places = places;
		this.facts = make("div");
		this.lost = make("div", { role: "status" });
		this.told = make("span", { class: "visually-hidden", role: "status" });
		const [again, result] = actionButton("Register again now", () => this.#register());
		this.again = make("div", { class: "buttons" }, again);
		fill(places.registration, this.facts, this.lost, this.again, result, this.told);
		this.again.hidden = true;
		document.addEventListener("visibilitychange", () => {
			if (!document.hidden)
				this.#look();
		});
	}

	show(reply) {
		this.#lose();
		fill(this.facts, drawState(reply));
		if (reply.certificateProblem !== this.problem) {
			this.problem = reply.certificateProblem;
			fill(this.places.certificate, drawCertificateProblem(this.problem));
		}
		this.again.hidden = reply.outboundConfiguration !== "useRegistrar";
		if (this.state !== undefined && this.state !== reply.registrationState)
			this.told.textContent = (STATES[reply.registrationState] ?? [])[1] ?? "";
		this.state = reply.registrationState;
		this.#later();
	}

	async ask() {
		const reply = await call("sip.query");
		this.show(reply);
		this.answered(reply);
		return reply;
	}

	// At first; what fails is tried again.
	async begin() {
		try {
			await this.ask();
		} catch (error) {
			fill(this.facts, notice("error", sentence(error.message)));
			this.#later();
		}
	}

	async #register() {
		await call("sip.register");
		await this.ask();
		return "Asked. The state above shows what comes of it.";
	}

	#later() {
		clearTimeout(this.timer);
		this.timer = setTimeout(() => this.#look(),
			this.state === "registering" ? SOON_MS : POLL_MS);
	}

	async #look() {
		if (document.hidden)
			return;
		try {
			await this.ask();
		} catch (error) {
			this.#lose(error);
			this.#later();
		}
	}

	// What stands on the page is old while there is no answer.
	#lose(error) {
		if (this.wasLost === error?.message)
			return;
		this.wasLost = error?.message;
		fill(this.lost, error ? notice("warning", sentence(error.message),
			" What stands here is from before; it is tried again.") : null);
	}
}

export function makeSipStatus(places, answered) {
	return new SipStatus(places, answered);
}
