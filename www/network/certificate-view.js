// SPDX-License-Identifier: GPL-3.0-or-later
// A certificate as a list of facts, with the labels of the original page.

import { badge, copyButton, downloadLink, facts, make } from "/app/dom.js";
import {
	daysLeft, daysLeftText, fingerprintText, nameElement, serialText, shortName, timeElement,
} from "/app/format.js";

const EXPIRY_NOTICE_DAYS = 30;

export function isSelfIssued(certificate) {
	return certificate.subject.text === certificate.issuer.text;
}

export function expiryElement(certificate, now = new Date()) {
	const { expires } = certificate;
	const text = daysLeftText(expires, now);
	const level = expires <= now ? "error"
		: daysLeft(expires, now) < EXPIRY_NOTICE_DAYS ? "warning" : "quiet";
	return [timeElement(expires), " ", badge(level, text)];
}

function issuedElement(certificate, now = new Date()) {
	return [timeElement(certificate.issued),
		certificate.issued > now ? [" ", badge("warning", "not valid yet")] : null];
}

const KEY_STATUS = {
	matches: ["ok", "Key matches certificate"],
	doesNotMatch: ["error", "Key does not match certificate"],
	missing: ["error", "Key is missing from the token"],
};

const TOKEN_SILENT = ["warning", "Not known while the token is unavailable"];

function privateKeyElement(certificate, token) {
	const { keyStatus, keyProblem } = certificate;
	const status = token?.state !== "ready" ? TOKEN_SILENT
		: KEY_STATUS[keyStatus] ?? ["warning", `Not known: ${keyProblem ?? "the token did not say"}`];
	return [
		make("div", {}, badge(...status)),
		make("div", { class: "quiet small-text" },
			token?.label
				? `In the token "${token.label}", never extractable`
				: "In the token, never extractable"),
	];
}

const SOURCES = {
	default: "Device default, made by this device for itself",
	custom: "Custom, uploaded",
};

function namesElement(names) {
	return names.length === 0
		? make("span", { class: "quiet" }, "none")
		: make("ul", {}, names.map((name) => make("li", {}, name)));
}

function chainElement(chain) {
	const issuers = chain.slice(1);
	if (issuers.length === 0)
		return make("span", { class: "quiet" }, "No intermediate certificates are sent");
	return make("ul", { class: "chain" }, issuers.map((member) => make("li", {},
		make("span", {}, shortName(member.subject)),
		make("span", { class: "quiet small-text" }, "until ", timeElement(member.expires)))));
}

// The chain that is sent, leaf first, whether or not the service lists the leaf.
function wholeChain(certificate) {
	const chain = certificate.chain ?? [];
	return chain[0]?.sha256Fingerprint === certificate.sha256Fingerprint
		? chain : [certificate, ...chain];
}

function fingerprintElement(certificate) {
	const text = fingerprintText(certificate.sha256Fingerprint);
	return make("div", { class: "with-copy" },
		make("span", { class: "mono" }, text), copyButton(text, "the SHA-256 fingerprint"));
}

function pemElement(certificate) {
	const chain = wholeChain(certificate);
	return make("div", { class: "with-copy" },
		downloadLink(chain.map((member) => member.pem).join(""),
			"certificate.pem", "Download PEM"),
		copyButton(certificate.pem, "the certificate as PEM"));
}

// The facts of a local certificate; always the same rows, so that two stand
// beside each other line by line. wide: in two columns.
export function certificateFacts(certificate, token, { wide = false } = {}) {
	const list = facts(
		["Subject", nameElement(certificate.subject)],
		["Issuer", nameElement(certificate.issuer),
			isSelfIssued(certificate)
				? make("div", { class: "quiet small-text" }, "Issued by itself") : null],
		["Issued", issuedElement(certificate)],
		["Expires", expiryElement(certificate)],
		["Subject alternative names", namesElement(certificate.subjectAltNames)],
		["Private key", privateKeyElement(certificate, token)],
		["Key type", certificate.keyType],
		["Source", SOURCES[certificate.source] ?? certificate.source ?? ""],
		["Chain", chainElement(wholeChain(certificate))],
		["Serial number", make("span", { class: "mono" },
			serialText(certificate.serialNumber))],
		["SHA-256 fingerprint", fingerprintElement(certificate)],
		["Certificate file", pemElement(certificate)],
	);
	if (wide)
		list.classList.add("facts-columns");
	return list;
}
