// SPDX-License-Identifier: GPL-3.0-or-later
// Home: is all well, the device at a glance, the usual tasks.

import { badge, byId, facts, fill, make, notice } from "/app/dom.js";
import { sentence } from "/app/form.js";
import { durationText, shortName } from "/app/format.js";
import { openPage } from "/app/shell.js";
import { warningsOf } from "/app/warnings.js";
import { expiryElement } from "/network/certificate-view.js";
import { newWarnings } from "/status/security-warnings.js";

const TASKS = [
	["/network/ssl-certificates.html", "Replace the certificate"],
	["/users/users.html", "Add or change users"],
	["/status/status.html", "Look at health and the token"],
	["/settings/shutdown.html", "Restart the service"],
	["/users/change-password.html", "Change your password"],
];

// The warning line in the header has what the service knows of; here stands what
// could not be found out, what of security is new, or that all is well.
async function drawAttention(page) {
	const problems = Object.values(page.problems);
	let security = null;
	try {
		security = await newWarnings();
	} catch (error) {
		problems.push(error);
	}
	fill(byId("security-place"), security);
	const fine = !security && warningsOf(page.state).length === 0;
	fill(byId("attention-place"), problems.length > 0
		? problems.map((problem) => notice("error", sentence(problem.message)))
		: fine ? notice("ok", "Nothing needs your attention.") : null);
}

function card(id, title, ...content) {
	return make("section", { class: "card", "aria-labelledby": id },
		make("h2", { id }, title), content);
}

function drawDevice({ device }) {
	return device && card("device-title", "Device", facts(
		["Host name", device.hostName],
		["Model", device.model],
		["Serial number", device.serial],
		["Software version", device.softwareVersion],
		["Uptime", durationText((device.currentTime - device.restartTime) / 1000)],
	));
}

const TOKEN_STATES = {
	ready: ["ok", "Ready"],
	unavailable: ["error", "Unavailable"],
	pinRefused: ["error", "PIN refused"],
};

function drawCertificate({ certificate, token }) {
	const served = certificate?.active ?? certificate?.local;
	return served && card("certificate-title", "Certificate in service", facts(
		["Name", shortName(served.subject)],
		["Issuer", shortName(served.issuer)],
		["Expires", expiryElement(served)],
		token && ["Token", badge(...TOKEN_STATES[token.state] ?? ["error", token.state]),
			" ", token.label],
	), make("p", {}, make("a", { href: "/network/ssl-certificates.html" },
		"Open SSL certificates")));
}

function drawTasks(tasks) {
	const element = card("tasks-title", "Usual tasks", make("ul", {},
		tasks.map(([path, label]) => make("li", {}, make("a", { href: path }, label)))));
	element.classList.add("tasks");
	return element;
}

function drawOrdinaryUser(page) {
	fill(byId("attention-place"), make("p", {},
		`You are logged in as ${page.session.userName} with the privilege "${page.session.privilege}".`));
	fill(byId("glance-place"), drawTasks(TASKS.slice(-1)));
}

function drawAdministrator(page) {
	fill(byId("glance-place"),
		drawDevice(page.state), drawCertificate(page.state), drawTasks(TASKS));
	return drawAttention(page);
}

openPage({
	start: async (page) => {
		const draw = () => page.isAdministrator
			? drawAdministrator(page) : drawOrdinaryUser(page);
		page.onChange(draw);
		await draw();
	},
});
