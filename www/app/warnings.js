// SPDX-License-Identifier: GPL-3.0-or-later
// What needs an administrator's attention, from what the service says. Pure.
// Each: level, text, and actions by name (app/shell.js knows what they do).

import { daysLeft, daysLeftText } from "/app/format.js";

const EXPIRY_NOTICE_DAYS = 30;

function restartWarning({ device, certificate }) {
	if (certificate?.restartRequired)
		return {
			level: "warning", id: "restart-required",
			text: "Restart required: the local certificate has changed, and connections still get the old one.",
			actions: ["activate", "restart"],
		};
	if (device?.rebootRequired)
		return {
			level: "warning", id: "restart-required",
			text: "Restart required: a change takes effect at the next restart.",
			actions: ["restart"],
		};
	return null;
}

const TOKEN_TEXTS = {
	unavailable: "The token is not available. New TLS connections fail until it is back; it is tried again by itself.",
	pinRefused: "The token refused the PIN, so it is not tried again until the PIN changes. Correct the PIN file; the service then tries it by itself, or after a restart when the file is a systemd credential.",
};

function tokenWarning({ token }) {
	if (!token || token.state === "ready")
		return null;
	return {
		level: "error", id: "token-unavailable",
		text: TOKEN_TEXTS[token.state] ?? `The token is ${token.state}.`,
		detail: token.reason,
		actions: ["token"],
	};
}

// A token that cannot be asked does not tell whether it has the key.
function keyWarning({ certificate, token }) {
	const status = certificate?.local?.keyStatus;
	if (token?.state !== "ready" || (status !== "doesNotMatch" && status !== "missing"))
		return null;
	return {
		level: "error", id: "key-status",
		text: status === "missing"
			? "The private key of the local certificate is not in the token."
			: "The private key in the token does not match the local certificate.",
		actions: ["certificate"],
	};
}

function expiryWarning({ certificate }, now) {
	// What is on the wire counts; when it is being replaced, so does its successor.
	const served = certificate?.active ?? certificate?.local;
	if (!served)
		return null;
	const days = daysLeft(served.expires, now);
	if (days >= EXPIRY_NOTICE_DAYS)
		return null;
	const expired = served.expires <= now;
	return {
		level: expired ? "error" : "warning", id: "certificate-expiry",
		text: expired
			? `The certificate in service has ${daysLeftText(served.expires, now)}. Clients refuse the connection.`
			: `The certificate in service expires soon: ${daysLeftText(served.expires, now)}.`,
		actions: ["certificate"],
	};
}

export function warningsOf(state, now = new Date()) {
	return [
		tokenWarning(state), keyWarning(state), restartWarning(state), expiryWarning(state, now),
	].filter(Boolean);
}
