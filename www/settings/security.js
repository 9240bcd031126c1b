// SPDX-License-Identifier: GPL-3.0-or-later
// Settings > Security: the security settings and those of the console.

import { byId, fill, notice } from "/app/dom.js";
import { applyChanges } from "/app/apply.js";
import { confirmDialog } from "/app/dialog.js";
import { sentence } from "/app/form.js";
import { drawSettingsForm, membersOf } from "/app/settings-form.js";
import { ADMINISTRATOR, openPage } from "/app/shell.js";
import { call } from "/app/session.js";
import { addressOf } from "/network/address.js";

const SENTENCES = {
	minimumVersion: {
		"1.2": "Everything that is in use today gets in.",
		"1.3": "Older browsers, programs and SIP devices that know TLS 1.2 only are refused.",
	},
};

const FORMS = [
	{ place: "security-place", submit: "Update security settings",
	  names: ["advancedAccounts", "redirectHttp", "webSessionTimeoutMinutes", "minimumVersion"] },
	{ place: "console-place", submit: "Update console settings",
	  names: ["requireLogin", "timeoutMinutes"] },
];

const ADVANCED_ON = [
	"Every password expires now. Each user, you too, must choose a new one at the next log-in: at least 15 characters, with 2 capital letters, 2 small letters, 2 digits and 2 other characters, none more than twice in a row, and none of the last 10.",
	"From then on passwords expire after 60 days, and users other than administrators may change theirs once in 24 hours. After 3 wrong passwords an administrator's account is closed for 30 minutes, and any other account until an administrator opens it again. An account that is not used for 30 days is disabled, except those of administrators.",
	"Before you go on: keep a copy of the state directory, make sure that a second administrator can log in, and give the account \"admin\" another user ID.",
];

const ADVANCED_OFF = [
	"Passwords may be of any kind again, and they do not expire. Accounts that were disabled stay so until an administrator opens them.",
];

function valueOf(changes, name) {
	return changes.find((change) => change.name === name)?.value;
}

async function mayGoOn(changes) {
	const advanced = valueOf(changes, "advancedAccounts");
	if (advanced === undefined)
		return true;
	return confirmDialog({
		title: advanced ? "Turn on advanced account security mode?"
			: "Turn off advanced account security mode?",
		text: advanced ? ADVANCED_ON : ADVANCED_OFF,
		action: advanced ? "Turn on" : "Turn off", danger: advanced,
	});
}

const OUTLOOKS = {
	redirectHttp: (on) => on && location.protocol === "http:"
		? "you are connected over plain HTTP: the next request leads to the HTTPS address, and you log in there"
		: "it goes on",
	advancedAccounts: (on) => on ? "it goes on, and your password has expired: choose a new one" : "it goes on",
	requireLogin: () => "it goes on; this is about the console alone",
	minimumVersion: () => location.protocol === "https:"
		? "if your browser knows no newer version of TLS, new connections fail" : "it goes on",
};

// Where a page that came over plain HTTP is once that leads to HTTPS.
function newAddressOf(changes, services) {
	const https = services.find(({ name }) => name === "https");
	return valueOf(changes, "redirectHttp") && location.protocol === "http:"
		? addressOf("https", https.port) : undefined;
}

function outlookOf(changes) {
	const texts = changes.map(({ name, value }) => OUTLOOKS[name]?.(value)).filter(Boolean);
	const telling = texts.filter((text) => text !== "it goes on");
	return { session: [...new Set(telling.length ? telling : texts)].join("; ") };
}

// Why a setting cannot be changed now.
function disabledBy(services) {
	const off = ["http", "https"].filter((name) =>
		!services.find((service) => service.name === name)?.setting);
	return off.length === 0 ? {} : {
		redirectHttp: `Not to be had while ${off.map((name) => name.toUpperCase()).join(" and ")} is off: turn it on under Network > Services first.`,
	};
}

class SecurityPage {
	constructor(page) {
		this.page = page;
	}

	async load() {
		try {
			const [reply, { services }] = await Promise.all([
				call("security.query"), call("services.query")]);
			this.services = services;
			this.#draw(reply, disabledBy(services));
		} catch (error) {
			for (const { place } of FORMS)
				fill(byId(place), notice("error", sentence(error.message)));
			this.forms = undefined;
		}
	}

	#draw(reply, disabled) {
		const state = JSON.stringify([disabled]);
		if (this.forms && state === this.state) {
			Object.assign(this.reply, reply);
			FORMS.forEach(({ names }, i) => this.forms[i].set(
				Object.fromEntries(names.map((name) => [name, reply[name]]))));
			return;
		}
		this.state = state;
		this.reply = reply;
		this.forms = FORMS.map(({ place, names, submit }) => {
			const form = drawSettingsForm({ reply, names, submit, disabled,
				sentences: SENTENCES, apply: (changes) => this.#apply(changes) });
			fill(byId(place), form.element);
			return form;
		});
	}

	async #apply(changes) {
		if (!await mayGoOn(changes))
			return undefined;
		return applyChanges({
			page: this.page, method: "security.modify", members: membersOf(changes), changes,
			preview: async () => outlookOf(changes),
			newAddress: newAddressOf(changes, this.services),
		});
	}
}

openPage({
	privilege: ADMINISTRATOR,
	start: async (page) => {
		const security = new SecurityPage(page);
		page.onChange(() => security.load());
		await security.load();
	},
});
