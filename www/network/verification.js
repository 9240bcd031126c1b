// SPDX-License-Identifier: GPL-3.0-or-later
// Whose certificates are demanded: the settings under the trust stores.

import { fill, make, notice } from "/app/dom.js";
import { sentence } from "/app/form.js";
import { drawSettingsForm, membersOf } from "/app/settings-form.js";
import { call, callAll } from "/app/session.js";

export const SENTENCES = {
	sip: {
		none: "Calls over TLS are set up in both directions without a look at the certificate of the other side.",
		outgoing: "Who is called must have a certificate that chains to the SIP trust store and names the host that was dialled; otherwise the call fails. Who calls is not checked.",
		outgoingAndIncoming: "As before, and who calls must have a certificate that chains to the SIP trust store, whatever names it holds; otherwise the connection is refused.",
	},
	clientCertificate: {
		notRequired: "Browsers and programs need no certificate and log in with user name and password. Client certificates are ignored.",
		verify: "HTTPS: only browsers and programs with a certificate that chains to the HTTPS trust store are let in, and they still log in with user name and password. Plain HTTP and the console: as now.",
		allowed: "HTTPS: such a certificate is needed too. If its common name (CN) is a user ID, that user is logged in and a password is ignored; if not, user name and password are asked for. Plain HTTP and the console: as now.",
		required: "HTTPS: only a certificate whose common name (CN) is a user ID gets in, passwords never do. Plain HTTP: no log-in and no call. Console: where it requires a login, only what needs none.",
	},
	serverCertificate: {
		none: "OCSP servers, HTTPS feedback receivers and the syslog server are not checked.",
		verify: "They must have a certificate that chains to the HTTPS trust store and names their host. Otherwise the OCSP request or the feedback message is not sent.",
	},
};

// Which setting stands under which trust store, in the original's order.
const PLACES = [
	["sip", ["sip"]],
	["https", ["clientCertificate", "serverCertificate"]],
];

const NOT_ASKED = "Over HTTPS the service asks for certificates in the new mode only, so it cannot tell yet whether this browser has one. The trial shows it.";

// What the service foresees; of a certificate that it has not asked for it knows
// nothing.
async function foresee(members, changes) {
	const outlook = await call("verification.preview", members);
	const unasked = location.protocol === "https:" &&
		changes.some(({ name, was }) => name === "clientCertificate" && was === "notRequired");
	return { ...outlook, note: outlook.wouldLockOut && unasked ? NOT_ASKED : undefined };
}

// Ask, then apply, on trial if wanted. changes: of app/settings-form.js.
export async function applyVerification(page, changes, trialSeconds) {
	const { applyChanges } = await import("/app/apply.js");
	const members = membersOf(changes);
	return applyChanges({
		page, method: "verification.configure", members, changes, trialSeconds,
		preview: () => foresee(members, changes),
	});
}

function drawWay() {
	return make("p", {}, "The safe way from passwords to certificates, step by step: ",
		make("a", { href: "/network/transition.html" }, "Certificate-based security"), ".");
}

// The settings, drawn once; later replies go into the same forms.
class Settings {
	constructor(page, places) {
		this.page = page;
		this.places = places;
		this.reply = {};
		this.forms = new Map();
	}

	show(reply) {
		Object.assign(this.reply, reply);
		if (this.forms.size > 0) {
			this.forms.forEach((form, name) => form.set({ [name]: reply[name] }));
			return;
		}
		for (const [store, names] of PLACES)
			fill(this.places.get(store), names.map((name) => this.#draw(name)));
	}

	#draw(name) {
		const form = drawSettingsForm({
			reply: this.reply, names: [name], submit: "Apply changes", sentences: SENTENCES,
			apply: (changes) => applyVerification(this.page, changes),
		});
		form.element.id = `${name}-form`;
		this.forms.set(name, form);
		return make("div", { class: "part" }, form.element,
			name === "clientCertificate" ? drawWay() : null);
	}

	fail(error) {
		this.forms.clear();
		for (const [store] of PLACES)
			fill(this.places.get(store), notice("error", sentence(error.message)));
	}
}

// Draw the settings into places: name of the trust store -> element. first: of
// verification.query, { value } or { error }.
export function drawVerification(page, places, first) {
	const settings = new Settings(page, places);
	const draw = ({ value, error }) =>
		error ? settings.fail(error) : settings.show(value);
	page.onChange(async () => draw((await callAll(["verification.query"]))[0]));
	draw(first);
}
