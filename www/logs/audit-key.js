// SPDX-License-Identifier: GPL-3.0-or-later
// The audit key: what an export is checked with where there is no token.

import { copyButton, downloadLink, facts, make } from "/app/dom.js";
import { fingerprintText, timeElement } from "/app/format.js";
import { keyFileName, logFileName } from "/logs/file-names.js";

function drawHead({ headIndex, headTime, unsigned }) {
	if (!headIndex)
		return "none yet";
	return [`up to record ${headIndex.toLocaleString()}, `,
		timeElement(headTime, { seconds: true }),
		unsigned ? make("div", { class: "quiet small-text" },
			`${unsigned.toLocaleString()} newer: signed after 1,000 records or 15 minutes`) : null];
}

// query: of auditlog.query.
export function drawKey(query, host) {
	if (!query.publicKey)
		return make("p", {}, "There is no audit key yet. The token makes it when the log is signed for the first time.");
	const command = `sealbridgectl audit verify --file ${logFileName(host, new Date())} --key ${keyFileName(host)}`;
	return [
		make("p", {}, "The token signs the log with a key of its own, which never leaves it. With the public half below a downloaded log is checked on any machine that has sealbridgectl, without token and service. Keep a copy elsewhere: who can rewrite the log here could also show another key."),
		facts(
			["Key ID (SHA-1)", make("span", { class: "with-copy" },
				make("span", { class: "mono" }, fingerprintText(query.keyId)),
				copyButton(query.keyId, "key ID"))],
			["Signed", drawHead(query)]),
		make("pre", { class: "mono log-pem" }, query.publicKey),
		make("div", { class: "buttons" }, copyButton(query.publicKey, "public key"),
			downloadLink(query.publicKey, keyFileName(host), "Download the key")),
		make("h3", {}, "Check a downloaded log"),
		make("pre", { class: "mono log-pem" }, command),
		make("div", { class: "buttons" }, copyButton(command, "command")),
	];
}
