// SPDX-License-Identifier: GPL-3.0-or-later
// What surrounds every page: header, warning line, menu; and who may see it.

import { button, fill, icon, make, notice } from "/app/dom.js";
import { sentence } from "/app/form.js";
import {
	call, callAll, currentSession, goToLogin, hasPrivilege, logOut,
} from "/app/session.js";
import { warningsOf } from "/app/warnings.js";

export const ADMINISTRATOR = "administrator";

// One row a page. group: the heading it stands under.
export const MENU = [
	{ path: "/index.html", label: "Home" },
	{ path: "/status/status.html", label: "Status", privilege: ADMINISTRATOR },
	{ path: "/status/calls.html", label: "Calls", privilege: ADMINISTRATOR },
	{ path: "/users/users.html", label: "Users", privilege: ADMINISTRATOR },
	{ path: "/network/services.html", label: "Services", group: "Network",
	  privilege: ADMINISTRATOR },
	{ path: "/network/ssl-certificates.html", label: "SSL certificates", group: "Network",
	  privilege: ADMINISTRATOR },
	{ path: "/network/transition.html", label: "Certificate-based security", group: "Network",
	  privilege: ADMINISTRATOR },
	{ path: "/settings/security.html", label: "Security", group: "Settings",
	  privilege: ADMINISTRATOR },
	{ path: "/settings/sip.html", label: "SIP", group: "Settings",
	  privilege: ADMINISTRATOR },
	{ path: "/settings/shutdown.html", label: "Shutdown", group: "Settings",
	  privilege: ADMINISTRATOR },
	{ path: "/logs/event-log.html", label: "Event log", group: "Logs",
	  privilege: ADMINISTRATOR },
	{ path: "/logs/audit-log.html", label: "Audit log", group: "Logs",
	  privilege: ADMINISTRATOR },
	{ path: "/logs/cdr-log.html", label: "CDR log", group: "Logs",
	  privilege: ADMINISTRATOR },
	{ path: "/help/index.html", label: "Help" },
];

const CHANGE_PASSWORD = "/users/change-password.html";

// The common name of a certificate that logs in is the user name.
const VIA_TEXTS = {
	session: () => "logged in by password",
	certificate: (session) => `logged in by certificate CN ${session.userName}`,
};

function here() {
	return location.pathname === "/" ? "/index.html" : location.pathname;
}

function isCurrent(row) {
	if (row.path === here())
		return "page";
	return row.path === "/help/index.html" && here().startsWith("/help/") ? "true" : undefined;
}

function menuItem(row) {
	return make("li", {},
		make("a", { href: row.path, "aria-current": isCurrent(row) }, row.label));
}

function menuGroup(group, rows) {
	const id = `menu-${group.toLowerCase()}`;
	return make("li", { class: "menu-group" },
		make("span", { id }, group),
		make("ul", { "aria-labelledby": id },
			rows.filter((row) => row.group === group).map(menuItem)));
}

function drawMenu(session) {
	const rows = MENU.filter((row) => session
		? hasPrivilege(session, row.privilege) : row.path.startsWith("/help/"));
	const seen = new Set();
	const items = rows.map((row) => {
		if (!row.group)
			return menuItem(row);
		if (seen.has(row.group))
			return null;
		seen.add(row.group);
		return menuGroup(row.group, rows);
	});
	return make("ul", {}, items);
}

function drawMenuButton(nav) {
	const toggle = button("Menu", () => {
		const open = nav.classList.toggle("open");
		toggle.setAttribute("aria-expanded", String(open));
	}, { class: "menu-button", "aria-expanded": "false", "aria-controls": "menu" });
	nav.addEventListener("keydown", (event) => {
		if (event.key === "Escape" && nav.classList.contains("open")) {
			toggle.click();
			toggle.focus();
		}
	});
	return toggle;
}

function drawAccount(session) {
	if (!session)
		return make("div", { class: "account" },
			make("a", { class: "button small", href: "/login.html" }, "Log in"));
	return make("div", { class: "account" },
		make("span", { class: "account-user" },
			make("strong", {}, session.userName),
			make("span", { class: "account-via", title: session.certificateSubject || undefined },
				VIA_TEXTS[session.via]?.(session) ?? "")),
		make("a", { href: CHANGE_PASSWORD }, "Change password"),
		button("Log out", () => logOut(), { class: "small", id: "log-out" }));
}

// The header stands in the document before anything is known, so nothing jumps.
class Frame {
	constructor() {
		this.main = document.querySelector("main");
		this.device = make("div", { class: "device" });
		this.nav = make("nav", { id: "menu", "aria-label": "Main" });
		this.top = make("header", { class: "top" });
		this.warnings = make("section", { class: "warnings", "aria-label": "Warnings",
			"aria-live": "polite" });
		this.main.before(
			make("a", { class: "skip", href: "#content" }, "Skip to content"),
			this.top, this.warnings, this.nav);
		this.drawTop(undefined, false);
	}

	drawTop(session, known = true) {
		fill(this.top,
			make("a", { class: "brand", href: "/index.html" },
				make("img", { src: "/style/icons/seal.svg", alt: "", width: "28", height: "28" }),
				"Sealbridge"),
			this.device,
			known ? drawAccount(session) : null,
			drawMenuButton(this.nav));
		fill(this.nav, known ? drawMenu(session) : null);
	}

	drawDevice(device) {
		fill(this.device, make("strong", { id: "host-name" }, device.hostName),
			make("span", {}, device.model));
		document.title = `${document.querySelector("h1").textContent} - ${device.hostName}`;
	}

	deny(session, privilege) {
		const head = document.querySelector(".page-head");
		fill(this.main, head, notice("error",
			make("strong", {}, "Access denied. "),
			`This page needs the privilege "${privilege}". You are logged in as ${session.userName} with "${session.privilege}". Log out and log in as an administrator.`));
	}

	fail(error) {
		this.main.append(notice("error", sentence(error.message)));
	}
}

const FACTS = {
	device: "device.query", certificate: "certificate.query", token: "token.query",
	trials: "change.query",
};

// What the pages work with. state holds device, certificate, token and trials as the
// service told them; a part that it could not tell is missing there and its
// error stands in problems.
class Page {
	constructor(frame, session) {
		this.frame = frame;
		this.main = frame.main;
		this.session = session;
		this.state = {};
		this.problems = {};
		this.listeners = [];
		this.loaded = Promise.resolve();
	}

	get isAdministrator() {
		return hasPrivilege(this.session, ADMINISTRATOR);
	}

	onChange(listener) {
		this.listeners.push(listener);
	}

	// One after the other, so that no answer is shown behind a newer one.
	load() {
		this.loaded = this.loaded.catch(() => {}).then(() => this.#load());
		return this.loaded;
	}

	async #load() {
		const wanted = this.isAdministrator ? FACTS : { device: FACTS.device };
		this.problems = {};
		this.state = {};
		try {
			const answers = await callAll(
				...Object.values(wanted).map((method) => [method]));
			Object.keys(wanted).forEach((part, i) => this.#keep(part, answers[i]));
		} catch (error) {
			Object.keys(wanted).forEach((part) => this.#keep(part, { error }));
		}
		if (this.state.device)
			this.frame.drawDevice(this.state.device);
		await this.#showTrials(this.state.trials?.changes);
		this.drawWarnings();
	}

	#keep(part, { value, error }) {
		if (error)
			this.problems[part] = error;
		else
			this.state[part] = value;
	}

	async #trialBar() {
		if (!this.trials) {
			const { makeTrialBar } = await import("/app/trial.js");
			this.trials = makeTrialBar(this);
		}
		return this.trials;
	}

	async #showTrials(changes) {
		if (changes && (changes.length > 0 || this.trials))
			(await this.#trialBar()).show(changes);
	}

	// A change on trial that this page has just made.
	async beginTrial(change) {
		const bar = await this.#trialBar();
		this.drawWarnings();
		await bar.begin(change);
	}

	// Somebody else is logged in now, or in another way.
	async renewSession() {
		this.session = await currentSession();
		this.frame.drawTop(this.session);
		await this.refresh();
	}

	// Ask again and show it everywhere; after a change.
	async refresh() {
		await this.load();
		for (const listener of this.listeners)
			await listener(this);
	}

	drawWarnings() {
		fill(this.frame.warnings, this.trials?.element, this.told,
			warningsOf(this.state).map((warning) => this.#drawWarning(warning)));
	}

	#drawWarning(warning) {
		return make("div", { class: `warning warning-${warning.level}`, id: warning.id },
			icon(warning.level),
			make("p", {}, warning.text,
				warning.detail ? ` (${warning.detail})` : null),
			make("div", { class: "buttons" },
				warning.actions.map((name) => ACTIONS[name](this))));
	}

	// A line in the header that stays until it is closed.
	tell(level, text) {
		const close = () => {
			this.told.remove();
			this.told = undefined;
		};
		this.told = make("div", { class: `warning warning-${level}`, id: "told" },
			icon(level), make("p", {}, text),
			make("div", { class: "buttons" }, button("Close", close, { class: "small" })));
		this.drawWarnings();
	}

	async activate() {
		try {
			await call("certificate.activate");
			await this.refresh();
			this.tell("ok", "In service: new connections get the new certificate. Connections that stand keep theirs until they end.");
		} catch (error) {
			this.tell("error", `Not activated: ${sentence(error.message)}`);
		}
	}

	async restart() {
		try {
			const { restartFlow } = await import("/app/restart.js");
			await restartFlow(this.state.certificate);
		} catch (error) {
			this.tell("error", `Not restarted: ${sentence(error.message)}`);
		}
	}
}

function linkUnless(path, label) {
	return here() === path ? null : make("a", { class: "button small", href: path }, label);
}

// What a warning offers to do.
const ACTIONS = {
	activate: (page) => button("Activate now", () => page.activate(), { class: "small" }),
	restart: (page) => button("Restart", () => page.restart(), { class: "small" }),
	token: () => linkUnless("/status/status.html", "Show token"),
	certificate: () => linkUnless("/network/ssl-certificates.html", "Show certificate"),
};

// Start a page. privilege: who may see it (nothing: everybody who is logged in);
// start: async (page) => void; open: also without log-in (help).
export async function openPage({ privilege, start, open = false } = {}) {
	const frame = new Frame();
	try {
		const session = await currentSession();
		if (!session && !open) {
			goToLogin();
			return;
		}
		if (session?.mustChangePassword && here() !== CHANGE_PASSWORD && !open) {
			location.replace(`${CHANGE_PASSWORD}?forced=1`);
			return;
		}
		frame.drawTop(session);
		if (!session || session.mustChangePassword && open)
			return;
		if (!hasPrivilege(session, privilege)) {
			frame.deny(session, privilege);
			return;
		}
		const page = new Page(frame, session);
		await page.load();
		await start?.(page);
	} catch (error) {
		frame.fail(error);
	} finally {
		// Tests wait for it, and measure until then.
		document.documentElement.dataset.ready = "yes";
		performance.mark("drawn");
	}
}
