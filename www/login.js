// SPDX-License-Identifier: GPL-3.0-or-later
// Log in. Whoever is logged in already, also by certificate, goes on at once.

import { button, byId, fill, make, notice } from "/app/dom.js";
import { drawForm, sentence } from "/app/form.js";
import { Fault } from "/app/rpc.js";
import {
	currentSession, FAULT_AUTHORIZATION_FAILED, logIn, logInByCertificate, loginWay,
	pathAfterLogin,
} from "/app/session.js";

const REASONS = {
	ended: ["info", "The session has ended: it was idle for too long, the account changed, or the service was restarted. Log in again."],
	out: ["ok", "Logged out."],
	password: ["ok", "Password changed. All sessions of this account have ended. Log in with the new password."],
};

// The refusal says no more than the service does: not which of the two is wrong.
const REFUSED = "Access denied: the user name or the password is not right. After several failures each attempt waits a little longer, and the account may be disabled: that of an administrator for 30 minutes, any other until an administrator enables it.";

function goOn(session) {
	location.assign(session.mustChangePassword
		? "/users/change-password.html?forced=1" : pathAfterLogin(location.search));
}

function refusal(error) {
	if (!(error instanceof Fault) || error.code !== FAULT_AUTHORIZATION_FAILED)
		return error;
	const [, cause] = error.text.split(" - ");
	return new Error(cause ? `Access denied: ${cause}` : REFUSED);
}

function drawPassword() {
	const form = drawForm({
		rows: [
			{ name: "userName", label: "Username", autocomplete: "username",
			  spellcheck: "false", required: "Type your user name." },
			{ name: "password", label: "Password", type: "password",
			  autocomplete: "current-password" },
		],
		submit: "Log in",
		onSubmit: async ({ userName, password }) => {
			try {
				goOn(await logIn(userName, password));
			} catch (error) {
				form.control("password").value = "";
				form.control("password").focus();
				throw refusal(error);
			}
		},
	});
	form.element.id = "login-form";
	form.element.classList.add("stacked");
	form.control("userName").setAttribute("autocapitalize", "none");
	fill(byId("login-place"), form.element);
	form.control("userName").focus();
}

function fail(error) {
	fill(byId("failure-place"), notice("error", sentence(error.message)));
}

async function enterByCertificate() {
	fill(byId("failure-place"));
	try {
		goOn(await logInByCertificate());
	} catch (error) {
		fail(refusal(error));
	}
}

// Who has just logged out, or was logged out, is not logged in again unasked.
function drawCertificate(way) {
	const enter = button(`Log in as ${way.userName}`, enterByCertificate,
		{ class: "primary", id: "certificate-login" });
	fill(byId("login-place"),
		make("p", {}, "The client certificate of this browser logs in ",
			make("strong", {}, way.userName), "."),
		make("p", { class: "small-text" }, way.certificateSubject),
		enter);
	if (new URLSearchParams(location.search).has("reason")) {
		enter.focus();
		return undefined;
	}
	return enterByCertificate();
}

function drawNothing(way) {
	fill(byId("login-place"),
		notice("warning", make("strong", {}, "Nobody can log in over this connection. "),
			sentence(way.reason)),
		button("Try again", () => location.reload(), { id: "try-again" }));
}

function drawWhyPassword(way) {
	fill(byId("way-place"), way.reason && notice("info",
		`The client certificate of this browser is trusted but logs nobody in (${way.reason}). Log in with user name and password.`));
}

const WAYS = {
	password: (way) => {
		drawWhyPassword(way);
		drawUnencrypted();
		drawPassword();
	},
	certificate: drawCertificate,
	none: drawNothing,
};

function drawUnencrypted() {
	fill(byId("unencrypted-place"),
		location.protocol === "http:" && notice("warning",
			make("p", {}, "This connection is not encrypted: the password can be read on the way. Use the HTTPS address.")));
}

function drawReason() {
	const reason = REASONS[new URLSearchParams(location.search).get("reason")];
	fill(byId("reason-place"), reason && notice(...reason));
}

async function start() {
	drawReason();
	try {
		const [session, way] = await Promise.all([currentSession(), loginWay()]);
		if (session)
			goOn(session);
		else
			await WAYS[way.way](way);
	} catch (error) {
		fail(error);
	} finally {
		document.documentElement.dataset.ready = "yes";
	}
}

start();
