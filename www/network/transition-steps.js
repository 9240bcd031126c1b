// SPDX-License-Identifier: GPL-3.0-or-later
// The steps to certificate-based security, and which of them are done. Pure: from
// what the service says to what the page shows.
//
// state: trust { count, problem }, services { http, https }, redirect (boolean),
// mode (of Client certificate security), onTrial (boolean), overHttps (boolean),
// session, way (what session.loginWay gave).
//
// A step: id, title, done (boolean), why (text), and control: the name of what can
// be done here, if anything.

import { plural } from "/app/format.js";

function bothOn({ services }) {
	return services.http.setting && services.https.setting;
}

function isOn({ mode }) {
	return mode !== "notRequired";
}

function isKept(state) {
	return isOn(state) && !state.onTrial;
}

function trustStep({ trust }) {
	const done = trust.count > 0 && !trust.problem;
	return {
		id: "trust", title: "Install the HTTPS trust store", done,
		why: done ? `It holds ${plural(trust.count, "certificate")}. Each browser and program needs a client certificate that chains to one of them.`
			: trust.problem ?? "It is empty: no client certificate could be verified, so nobody would get in over HTTPS.",
		control: done ? undefined : "trust",
	};
}

const OPENED_LATER = "It need not be so any more: the tests have been passed and the change is kept.";

function servicesStep(state) {
	const { http, https } = state.services;
	const on = bothOn(state);
	const off = [[http, "HTTP"], [https, "HTTPS"]]
		.filter(([service]) => !service.setting).map(([, label]) => label).join(" and ");
	return {
		id: "services", title: "Turn HTTP and HTTPS on", done: on || isKept(state),
		why: on ? `HTTP on port ${http.port} is the way back, HTTPS on port ${https.port} is what gets tested.`
			: isKept(state) ? `${off} is off. ${OPENED_LATER}`
				: `${off} is off. With plain HTTP on, there is a way back when a certificate does not work.`,
		control: on || isKept(state) ? undefined : "services",
	};
}

function redirectStep(state) {
	const done = !state.redirect || isKept(state);
	return {
		id: "redirect", title: "Turn the redirect to HTTPS off", done,
		why: !state.redirect ? "Requests over plain HTTP are answered there."
			: isKept(state) ? `It is on. ${OPENED_LATER}`
				: "It is on: plain HTTP leads to HTTPS, so that it is no way back.",
		control: done ? undefined : "redirect",
	};
}

const MODE_TEXTS = {
	verify: "Verify certificate",
	allowed: "Certificate-based authentication allowed",
	required: "Certificate-based authentication required",
};

function isPrepared(state) {
	return [trustStep, servicesStep, redirectStep].every((step) => step(state).done);
}

function modeStep(state) {
	return {
		id: "mode", title: "Demand client certificates", done: isOn(state),
		why: isOn(state)
			? `${MODE_TEXTS[state.mode]}, ${state.onTrial ? "on trial: it reverts by itself unless it is kept" : "for good"}.`
			: isPrepared(state)
				? "Choose how far to go, and apply it on trial. Nobody stays locked out: it reverts by itself."
				: "When steps 1 to 3 are done.",
		control: !isOn(state) && isPrepared(state) || isKept(state) && state.mode === "verify"
			? "mode" : undefined,
	};
}

function passwordStep(state) {
	const { session, way } = state;
	const byPassword = state.overHttps && isOn(state) && session.via !== "certificate";
	const unneeded = state.overHttps && way?.way === "certificate" || state.mode === "required";
	return {
		id: "password", title: "Test: log in with a password over HTTPS",
		done: byPassword || unneeded,
		why: byPassword ? `You are logged in as ${session.userName} with a password, over HTTPS and with a client certificate.`
			: state.mode === "required" ? "No password gets in any more."
				: unneeded ? "This browser's certificate logs in by itself. A browser whose certificate names no user is asked for a password."
					: !isOn(state) ? "When the change is on trial."
						: "Open this page over HTTPS and log in there. The browser asks which certificate to show.",
		control: isOn(state) && !state.overHttps ? "https" : undefined,
	};
}

function certificateWhy(state) {
	const { way } = state;
	if (state.mode === "notRequired")
		return "When the change is on trial.";
	if (state.mode === "verify")
		return "Not in this mode: certificates are verified and log nobody in.";
	if (!state.overHttps)
		return "Open this page over HTTPS. The browser asks which certificate to show.";
	if (way?.way === "certificate")
		return `This browser's certificate (${way.certificateSubject}) logs in as ${way.userName}.`;
	return way?.reason ? `This browser's certificate logs nobody in: ${way.reason}.`
		: "This browser has shown no certificate that logs somebody in.";
}

function certificateStep(state) {
	const tested = state.overHttps && state.way?.way === "certificate";
	return {
		id: "certificate", title: "Test: log in with a certificate",
		done: isOn(state) && (tested || state.mode === "verify"),
		why: certificateWhy(state),
		control: ["allowed", "required"].includes(state.mode) && !tested
			? state.overHttps ? "test" : "https" : undefined,
	};
}

function keepStep(state) {
	return {
		id: "keep", title: "Keep the change", done: isKept(state),
		why: isKept(state) ? "It is in force for good."
			: isOn(state) ? "When the tests are passed, press Keep in the line at the top of this page."
				: "When the tests are passed.",
	};
}

function closeStep(state) {
	const closed = !state.services.http.setting || state.redirect;
	return {
		id: "close", title: "Close plain HTTP, if you wish", done: closed, optional: true,
		why: !state.services.http.setting ? "HTTP is off."
			: state.redirect ? "Plain HTTP leads to HTTPS."
				: isKept(state) ? "HTTP may now be turned off, or redirected. From then on, nobody gets in without a trusted client certificate."
					: "When the change is kept.",
		control: isKept(state) && !closed ? "close" : undefined,
	};
}

function requireStep(state) {
	const ready = isKept(state) && state.overHttps && state.way?.way === "certificate" &&
		state.session.privilege === "administrator";
	const done = state.mode === "required" && !state.onTrial;
	return {
		id: "require", title: "Require certificates", done,
		why: done ? "Only certificates log in, over HTTPS alone."
			: state.mode === "required" ? "On trial. Press Keep in the line at the top when log-in by certificate works."
				: ready ? "Your own certificate logs you in as an administrator, so you will not be locked out."
					: "When steps 1 to 7 are done, and this page is open over HTTPS with a certificate that logs in an administrator.",
		control: ready && state.mode !== "required" ? "require" : undefined,
	};
}

// The two procedures: [{ id, title, text, steps }].
export function proceduresOf(state) {
	return [
		{ id: "enable", title: "Enabling client certificates and certificate login (HTTPS connections)",
		  steps: [trustStep, servicesStep, redirectStep, modeStep, passwordStep,
			certificateStep, keepStep, closeStep].map((step) => step(state)) },
		{ id: "require-all", title: "Requiring certificate-only login (all connections)",
		  steps: [requireStep(state)] },
	];
}
