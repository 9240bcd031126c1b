// SPDX-License-Identifier: GPL-3.0-or-later
// What is known of calls, in words: for Status > Calls and Logs > CDR log.

import { badge, make } from "/app/dom.js";

export const DIRECTIONS = { incoming: "Incoming", outgoing: "Outgoing" };

const CERTIFICATES = ["/network/ssl-certificates.html#sip-trust", "SSL certificates"];
const SERVICES = ["/network/services.html", "Services"];
const SIP = ["/settings/sip.html", "SIP"];

// Reason -> what happened, what helps, and where.
const REASONS = {
	remoteTeardown: ["The other side hung up"],
	disconnectAll: ["Ended here"],
	busy: ["Busy", "Try again later."],
	rejected: ["Declined", "The other side did not want the call."],
	noAnswer: ["No answer", "Try again later."],
	destinationUnreachable: ["Nobody at that address", "Check the address."],
	dnsFailed: ["Host not found in the DNS", "Check the address, and the DNS of this device."],
	failedToConnectToServer: ["No connection", "Check the address, and whether the other side takes calls over this transport."],
	authenticationFailed: ["User name or password not accepted", "Check them on", SIP],
	capabilityNegotiationError: ["No codec or encryption in common", "Try another transport, or look at what the other side offers."],
	networkError: ["Connection or media stopped", "Look at the network between here and the other side."],
	protocolError: ["The other side broke the rules of SIP", "The event log says more."],
	serviceUnavailable: ["The other side cannot take calls now", "Try again later."],
	portAllocationExceeded: ["No room for another call here", "End a call and try again."],
	moved: ["The other side has another address", "Call it there."],
	peerCertificateMissing: ["The other side has no certificate", "It needs one, or change the verification setting on", CERTIFICATES],
	peerCertificateUntrusted: ["Certificate of the other side not trusted", "Put its authority into the SIP trust store on", CERTIFICATES],
	peerCertificateExpired: ["Certificate of the other side not valid now", "Look at its dates and at the clock here; it needs a new one."],
	peerCertificateWrongHost: ["Certificate of the other side is for another host", "Call it by a name that stands in its certificate, or have that mended."],
	peerCertificateRefused: ["Certificate of the other side refused", "The audit log says why."],
	ownCertificateRefused: ["The other side did not accept our certificate", "It must trust who issued the local certificate, shown on", CERTIFICATES],
	tlsFailed: ["No secure connection", "Check that the other side speaks TLS 1.2 or newer on that port, and the minimum version under Settings > Security."],
	serviceInterrupted: ["This device was interrupted", "The service was killed, crashed or lost power during the call. The time is that of its next start; the call lasted at least as long as is said here."],
};

export function reasonText(reason) {
	return reason ? REASONS[reason]?.[0] ?? reason : "";
}

// What helps; null when there is nothing to do.
export function drawCure(reason) {
	const [, text, link] = REASONS[reason] ?? [];
	return text ? make("span", {}, text,
		link ? [" ", make("a", { href: link[0] }, link[1]), "."] : null) : null;
}

export function isAsWanted(reason) {
	return ["remoteTeardown", "disconnectAll"].includes(reason);
}

const STATES = {
	dormant: ["quiet", "Not called yet"],
	alerting: ["info", "Ringing"],
	connected: ["ok", "Connected"],
	disconnected: ["quiet", "Disconnected"],
};

export function stateBadge({ state, held }) {
	return [badge(...STATES[state] ?? ["warning", state]), held ? badge("warning", "On hold") : null];
}

const ENCRYPTIONS = {
	encrypted: ["ok", "Encrypted"],
	unencrypted: ["warning", "Not encrypted"],
	mixed: ["warning", "Partly encrypted"],
	unknown: ["quiet", "No media yet"],
};

export function encryptionBadge(encryption) {
	return badge(...ENCRYPTIONS[encryption] ?? ["quiet", encryption || "Unknown"]);
}

export function encryptionText(encryption) {
	return (ENCRYPTIONS[encryption] ?? [])[1] ?? encryption;
}

// "TLS 1.3" of TLSv1.3; the transport where there is no TLS.
export function transportText({ transport, tlsVersion }) {
	return tlsVersion ? tlsVersion.replace(/^TLSv/, "TLS ") : transport;
}

// "CN=a,O=b" with room to break the line.
function nameText(identity) {
	return identity.replace(/,(?=[A-Za-z.0-9]+=)/g, ", ");
}

// Who the certificate of the other side says it is, and whether that was checked.
export function drawPeerCertificate({ transport, peerIdentity, verified }) {
	if (transport !== "TLS")
		return make("span", { class: "quiet" }, transport ? "None without TLS" : "");
	return [
		make("div", { class: "call-identity" }, peerIdentity ? nameText(peerIdentity)
			: make("span", { class: "quiet" }, "None shown")),
		peerIdentity ? badge(verified ? "ok" : "warning", verified ? "Verified" : "Not verified") : null,
	];
}

export function certificateText({ transport, peerIdentity, verified }) {
	if (transport !== "TLS" || !peerIdentity)
		return "";
	return `${nameText(peerIdentity)}, ${verified ? "verified" : "not verified"}`;
}

function pad(number) {
	return String(number).padStart(2, "0");
}

// 65 -> "1:05", 3725 -> "1:02:05"
export function clockText(seconds) {
	const whole = Math.max(0, Math.floor(seconds));
	const [h, m, s] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
	return h > 0 ? `${h}:${pad(m)}:${pad(s)}` : `${m}:${pad(s)}`;
}
