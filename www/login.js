// SPDX-License-Identifier: GPL-3.0-or-later
// Log in. Whoever is logged in already, also by certificate, goes on at once.

import { byId, fill, make, notice } from "/app/dom.js";
import { drawForm, sentence } from "/app/form.js";
import { Fault } from "/app/rpc.js";
import {
	currentSession, FAULT_AUTHORIZATION_FAILED, logIn, pathAfterLogin,
} from "/app/session.js";

const REASONS = {
	ended: ["info", "The session has ended: it was idle for too long, the account changed, or the service was restarted. Log in again."],
	out: ["ok", "Logged out."],
	password: ["ok", "Password changed. All sessions of this account have ended. Log in with the new password."],
};

// The refusal says no more than the service does: not which of the two is wrong.
const REFUSED = "Access denied: the user name or the password is not right. After several failures each attempt waits a little longer.";

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

function drawLogin() {
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

function drawReasons() {
	const reason = REASONS[new URLSearchParams(location.search).get("reason")];
	fill(byId("reason-place"),
		reason && notice(...reason),
		location.protocol === "http:" && notice("warning",
			make("p", {}, "This connection is not encrypted: the password can be read on the way. Use the HTTPS address.")));
}

drawReasons();
drawLogin();
document.documentElement.dataset.ready = "yes";
currentSession().then((session) => session && goOn(session))
	.catch((error) => fill(byId("reason-place"), notice("error", sentence(error.message))));
