// SPDX-License-Identifier: GPL-3.0-or-later
// Test a certificate: verdict, reason, path and user, by the judge of the
// service itself.

import { badge, facts, fill, make, notice } from "/app/dom.js";
import { drawForm, FieldError, sentence } from "/app/form.js";
import { shortName } from "/app/format.js";
import { call } from "/app/session.js";
import { expiryElement, isSelfIssued } from "/network/certificate-view.js";
import { readPem } from "/network/upload-form.js";

const HOST_NEEDED = "Type the name or the address by which this device calls the server.";

const FAULTS = {
	102: ["host", "Type a name such as ocsp.example.com, or an address such as 192.0.2.1."],
	1001: ["certificate"],
};

const ROWS = [
	{ name: "certificate", label: "Certificate to test", type: "file",
	  accept: ".pem,.cer,.crt,.cert,.txt,application/x-pem-file,application/x-x509-ca-cert",
	  required: "Choose the certificate to test.",
	  help: "PEM, as the other side would send it: its own certificate first, then any intermediates in any order. No private key." },
	{ name: "role", label: "Whose certificate", type: "select", value: "client",
	  options: [["client", "A client that connects to this device"],
		["server", "A server that this device calls"]] },
	{ name: "host", label: "Host name or address of the server", autocomplete: "off",
	  spellcheck: "false", maxLength: 255, help: "The certificate must hold for it." },
	{ name: "trustStore", label: "Trusted by", type: "select", value: "https",
	  options: [["https", "HTTPS trust store"], ["sip", "SIP trust store"],
		["callHome", "Call Home trust store"]] },
];

function drawMember(certificate, toBlame) {
	return make("li", {},
		make("strong", { title: certificate.subject.text }, shortName(certificate.subject)),
		make("span", { class: "quiet small-text" }, isSelfIssued(certificate)
			? "issued by itself" : `issued by ${shortName(certificate.issuer)}`),
		make("span", { class: "small-text" }, expiryElement(certificate)),
		toBlame ? badge("error", "refused because of this one") : null);
}

function drawPath({ chain, reasonAt }) {
	return chain.length === 0
		? make("span", { class: "quiet" }, "none")
		: make("ol", { class: "chain" },
			chain.map((certificate, i) => drawMember(certificate, i + 1 === reasonAt)));
}

function drawUser({ userName, userReason }) {
	return userName === ""
		? [make("div", {}, "Nobody"),
			make("div", { class: "quiet small-text" }, sentence(userReason))]
		: [make("strong", {}, userName),
			make("div", { class: "quiet small-text" },
				"Where certificate login is allowed or required.")];
}

function drawVerdict(found, { role }) {
	const accepted = found.verdict === "accepted";
	return [
		notice(accepted ? "ok" : "error",
			make("strong", {}, accepted ? "Accepted. " : "Refused. "), sentence(found.reason)),
		found.problem ? notice("warning", sentence(found.problem)) : null,
		facts(
			["Path", drawPath(found)],
			role === "client" ? ["Would log in as", drawUser(found)] : null),
	];
}

async function ask({ certificate, role, host, trustStore }) {
	if (role === "server" && host.trim() === "")
		throw new FieldError("host", HOST_NEEDED);
	return call("verification.test", {
		certificate: await readPem("certificate", certificate),
		role, trustStore,
		host: role === "server" ? host.trim() : undefined,
	});
}

// Returns the content of the section.
export function drawCertificateTest() {
	const verdict = make("div", {
		class: "result", id: "test-verdict", "aria-live": "polite",
	});
	// A verdict never stands beside another question than its own.
	let question = 0;
	const forget = () => {
		question += 1;
		fill(verdict);
	};
	const form = drawForm({
		rows: ROWS, submit: "Test certificate", faults: FAULTS,
		onSubmit: async (values) => {
			forget();
			const mine = question;
			const found = await ask(values);
			if (mine === question)
				fill(verdict, drawVerdict(found, values));
		},
	});
	const role = form.control("role");
	const hostField = form.control("host").closest(".field");
	const showHost = () => {
		hostField.hidden = role.value !== "server";
	};
	role.addEventListener("change", showHost);
	form.element.addEventListener("input", forget);
	form.element.addEventListener("change", forget);
	form.element.id = "test-form";
	showHost();
	return [form.element, verdict];
}
