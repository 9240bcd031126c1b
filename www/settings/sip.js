// SPDX-License-Identifier: GPL-3.0-or-later
// Settings > SIP: where calls go, who this device is there, and its timers.

import { byId, fill } from "/app/dom.js";
import { FieldError, sentence } from "/app/form.js";
import { Fault } from "/app/rpc.js";
import { drawSecretField } from "/app/secret-field.js";
import { drawSettingsForm, membersOf } from "/app/settings-form.js";
import { ADMINISTRATOR, openPage } from "/app/shell.js";
import { call } from "/app/session.js";
import { makeSipStatus } from "/settings/sip-status.js";

const PASSWORD_CHARS = 255;

const SENTENCES = {
	outboundConfiguration: {
		callDirect: "A call goes to the host of the address that is called. This device registers nowhere; outbound address and domain are not used.",
		useTrunk: "Every call goes to the outbound address, such as a call manager, which passes it on. This device does not register there.",
		useRegistrar: "This device registers at the outbound address and is called there by its user name. Every call goes there; calls fail while it does not answer.",
	},
	outgoingTransport: {
		tcp: "Not encrypted: who is on the way reads along, and the media is not encrypted either.",
		udp: "As TCP, and for devices that know nothing else.",
		tls: "Encrypted, with the local certificate and the checks of the SIP trust store.",
	},
};

const DIRECT_UNUSED = "Not used with Call direct.";

const PASSWORD = {
	name: "password", label: "Password", maxLength: PASSWORD_CHARS, draw: drawSecretField,
	help: "For the trunk or registrar, if it asks for one. It is kept and never shown again.",
};

const FORMS = [
	{ place: "sip-place", submit: "Apply changes",
	  names: ["outboundConfiguration", "outboundAddress", "outboundDomain", "userName", "password",
		"outgoingTransport", "useLocalCertificate", "closeConnections"] },
	{ place: "timers-place", submit: "Update timers",
	  names: ["mediaTimeoutSeconds", "sessionSeconds", "registrationSeconds"] },
];

// What of the values cannot work, before anything is sent.
function check(values) {
	const mode = values.outboundConfiguration;
	if (mode === undefined || mode === "callDirect")
		return;
	if (!values.outboundAddress.trim())
		throw new FieldError("outboundAddress", mode === "useTrunk"
			? "Type the host of the trunk, such as cucm.example.com."
			: "Type the host of the registrar, such as vcs.example.com.");
	if (mode === "useRegistrar" && !values.userName.trim())
		throw new FieldError("userName", "Type the user name to register with.");
}

// What the service says of one setting belongs to its field.
function placed(error, names) {
	const found = error instanceof Fault &&
		new RegExp(`\\b(?:sip\\.)?(${names.join("|")})\\b:? (.*)$`).exec(error.text);
	return found ? new FieldError(found[1], sentence(found[2])) : error;
}

class SipPage {
	constructor() {
		this.status = makeSipStatus({ registration: byId("registration-place"),
			certificate: byId("certificate-place") }, (reply) => {
			if (!this.forms)
				this.#draw(reply);
		});
	}

	load() {
		return this.status.begin();
	}

	#draw(reply) {
		this.reply = reply;
		this.forms = FORMS.map(({ place, names, submit }) => {
			const form = drawSettingsForm({
				reply, submit, sentences: SENTENCES,
				names: names.map((name) => name === "password"
					? { ...PASSWORD, isSet: reply.passwordSet } : name),
				more: ({ password }) => password === undefined ? []
					: [{ name: "password", value: password }],
				apply: (changes) => this.#apply(form, names, changes),
			});
			fill(byId(place), form.element);
			return form;
		});
		this.forms[0].element.addEventListener("change", () => this.#mark());
		this.#mark();
	}

	// Address and domain follow what is chosen, before it is applied.
	#mark() {
		const [form] = this.forms;
		const why = form.control("outboundConfiguration").value === "callDirect"
			? DIRECT_UNUSED : undefined;
		form.disable("outboundAddress", why);
		form.disable("outboundDomain", why);
	}

	async #apply(form, names, changes) {
		check(form.values());
		try {
			await call("sip.modify", membersOf(changes));
		} catch (error) {
			throw placed(error, names);
		}
		await this.#take(form, names);
		return "Applied. It counts from now on.";
	}

	// What is set now, also as the service has it put.
	async #take(form, names) {
		const reply = await this.status.ask();
		Object.assign(this.reply, reply);
		form.set(Object.fromEntries(names.map((name) =>
			[name, name === "password" ? reply.passwordSet : reply[name]])));
		this.#mark();
	}
}

openPage({
	privilege: ADMINISTRATOR,
	start: async (page) => {
		const sip = new SipPage();
		page.onChange(() => sip.load());
		await sip.load();
	},
});
