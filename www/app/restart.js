// SPDX-License-Identifier: GPL-3.0-or-later
// Restart and shut down: ask, do, and wait until the service answers again.

import { make } from "/app/dom.js";
import { confirmDialog, progressDialog } from "/app/dialog.js";
import { callMethod, Fault, Unreachable } from "/app/rpc.js";
import { call, FAULT_AUTHORIZATION_FAILED } from "/app/session.js";

const POLL_MS = 400;
const POLL_TIMEOUT_MS = 3000;
const PATIENCE_MS = 15000;
const GIVE_UP_MS = 120000;

function sleep(ms) {
	return new Promise((resolve) => setTimeout(resolve, ms));
}

// Sessions live in the memory of the process: as soon as a service answers that
// does not know ours, it is the new one.
async function isNewService() {
	try {
		await callMethod("session.query", {}, {}, POLL_TIMEOUT_MS);
		return false;
	} catch (error) {
		return error instanceof Fault && error.code === FAULT_AUTHORIZATION_FAILED;
	}
}

async function isGone() {
	try {
		await callMethod("session.query", {}, {}, POLL_TIMEOUT_MS);
		return false;
	} catch (error) {
		return error instanceof Unreachable;
	}
}

function loginLink(label) {
	return make("p", { class: "buttons" },
		make("a", { class: "button primary", href: "/login.html" }, label));
}

async function waitForService(progress, newCertificate) {
	const started = Date.now();
	let told = false;
	while (Date.now() - started < GIVE_UP_MS) {
		await sleep(POLL_MS);
		if (await isNewService()) {
			progress.finish("Restarted");
			progress.say(make("p", {}, "The service is back. All sessions have ended."),
				loginLink("Log in"));
			progress.dialog.querySelector("a").focus();
			return;
		}
		if (!told && Date.now() - started > PATIENCE_MS) {
			told = true;
			progress.say(make("p", {}, newCertificate
				? "No answer yet. The browser may not trust the new certificate: open the log-in page and look at what it says."
				: "No answer yet. Still waiting."),
			loginLink("Open the log-in page"));
		}
	}
	progress.finish("No answer");
	progress.say(make("p", {},
		"The service has not answered for two minutes. Look at its log on the machine, or at the restart log here when it is back."),
	loginLink("Open the log-in page"));
}

// certificate: what certificate.query said, to name what the restart changes.
export async function restartFlow(certificate) {
	const changes = certificate?.restartRequired === true;
	const yes = await confirmDialog({
		title: "Restart?",
		text: [
			"All connections end, yours too. The service answers again after a few seconds, and everybody logs in again.",
			changes && "The new local certificate goes into service.",
		].filter(Boolean),
		action: "Restart",
		danger: true,
	});
	if (!yes)
		return;
	await call("device.restart", {});
	const progress = progressDialog("Restarting",
		"Waiting for the service to answer again. This page can be left.");
	await waitForService(progress, changes);
}

export async function shutDownFlow() {
	const yes = await confirmDialog({
		title: "Shut down?",
		text: [
			"All connections end and the service stops. No page and no call is answered until somebody starts it on the machine itself.",
		],
		action: "Shut down",
		danger: true,
	});
	if (!yes)
		return;
	await call("device.restart", { shutDown: true });
	const progress = progressDialog("Shutting down", "Waiting for the service to end.");
	const started = Date.now();
	while (Date.now() - started < GIVE_UP_MS && !await isGone())
		await sleep(POLL_MS);
	progress.finish("Shut down");
	progress.say(make("p", {},
		"The service has ended. Start it on the machine, for example with: systemctl start sealbridged"));
}
