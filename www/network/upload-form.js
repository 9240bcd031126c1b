// SPDX-License-Identifier: GPL-3.0-or-later
// Upload certificate and key: what the file holds is shown before it is sent.

import { badge, fill, icon, make, notice } from "/app/dom.js";
import { drawForm, FieldError, sentence } from "/app/form.js";
import { plural, shortName } from "/app/format.js";
import { expiryElement } from "/network/certificate-view.js";
import { isSendable } from "/app/rpc.js";
import { call } from "/app/session.js";

const FILE_BYTES_MAX = 1024 * 1024;

const FAULTS = {
	1001: ["certificate", "Nothing was changed."],
	1002: ["privateKey", "Choose the key file in PEM form. Nothing was changed."],
	1003: ["privateKeyPassword",
		"Type the password that was given when the key file was made. Nothing was changed."],
	1004: ["privateKey",
		"Choose the key that the signing request was made with. Nothing was changed."],
	1005: ["privateKey",
		"Use RSA with 2048 to 4096 bits, P-256 or P-384. Nothing was changed."],
};

const ROWS = [
	{ name: "certificate", label: "Certificate", type: "file",
	  accept: ".pem,.cer,.crt,.cert,.txt,application/x-pem-file,application/x-x509-ca-cert",
	  required: "Choose the signed certificate, for example MCU.cer.",
	  help: "PEM. Intermediate certificates may stand in the same file, in any order." },
	{ name: "privateKey", label: "Private key", type: "file",
	  accept: ".pem,.key,.txt,application/x-pem-file",
	  help: "PEM. Leave empty when the token holds the key already, because it was made there." },
	{ name: "privateKeyPassword", label: "Private key encryption password", type: "password",
	  autocomplete: "off",
	  help: "The passphrase of the key file. Leave empty when the file has none." },
];

// The text of a chosen PEM file; says at the field what is wrong with another.
export async function readPem(field, file) {
	if (file.size > FILE_BYTES_MAX)
		throw new FieldError(field,
			`${file.name} is larger than 1 MiB: this is not a certificate or key file.`);
	const text = await file.text();
	if (!isSendable(text) || text.includes("\uFFFD"))
		throw new FieldError(field, binaryText(file.name));
	return text;
}

function binaryText(name) {
	if (/\.(p12|pfx)$/i.test(name))
		return `${name} is a PKCS#12 file. Take it apart first: openssl pkcs12 -in ${name} -out all.pem`;
	return `${name} is a binary file, not PEM. If it is a certificate in DER form, convert it: ` +
		`openssl x509 -inform der -in ${name} -out certificate.pem`;
}

function memberLine(certificate, role) {
	return make("li", {},
		make("strong", {}, shortName(certificate.subject)),
		make("span", { class: "quiet small-text" }, role),
		make("span", { class: "small-text" }, "expires ", expiryElement(certificate)));
}

function chainLines(chain) {
	return chain.map((certificate, i) =>
		memberLine(certificate, i === 0 ? "local certificate" : "intermediate"));
}

function droppedLines(dropped) {
	return dropped.map((certificate) => make("li", {},
		make("span", {}, shortName(certificate.subject)),
		badge("warning", "left out")));
}

// The service's own notes, on the order and on what is left out among others.
function drawWarnings(warnings = []) {
	return warnings.length === 0 ? null : make("ul", { class: "notes small-text" },
		warnings.map((text) => make("li", {}, icon("warning"), " ", sentence(text))));
}

function drawPreview(found) {
	const dropped = found.dropped ?? [];
	const count = found.chain.length + dropped.length;
	return make("div", { class: "preview" },
		make("p", {}, make("strong", {}, `This file holds ${plural(count, "certificate")}`)),
		make("ul", { class: "chain" }, chainLines(found.chain), droppedLines(dropped)),
		drawWarnings(found.warnings));
}

// What a file holds, by the service's own reading; it changes nothing.
async function previewOf(file) {
	try {
		const certificate = await readPem("certificate", file);
		return drawPreview(await call("certificate.examine", { certificate }));
	} catch (error) {
		return notice("error", sentence(error.message));
	}
}

// Keep the preview in step with the chosen file, also when files are chosen
// faster than they are read.
function bindPreview(control, preview) {
	let latest = 0;
	return async () => {
		latest += 1;
		const mine = latest;
		fill(preview);
		const [file] = control.files;
		const content = file ? await previewOf(file) : null;
		if (mine === latest)
			fill(preview, content);
	};
}

async function upload(values) {
	const key = values.privateKey;
	return call("certificate.upload", {
		certificate: await readPem("certificate", values.certificate),
		privateKey: key ? await readPem("privateKey", key) : undefined,
		privateKeyPassword: values.privateKeyPassword || undefined,
	});
}

function successText(reply) {
	return [
		make("p", {}, make("strong", {}, "Certificate and key uploaded. "),
			"Connections get the new certificate after the next restart, or at once with Activate now. The key is in the token; the file is no longer needed here."),
		drawWarnings(reply.warnings),
	];
}

// Returns the element. onUploaded: async, after success.
export function drawUploadForm(onUploaded) {
	const preview = make("div", { class: "preview-place", "aria-live": "polite" });
	const form = drawForm({
		rows: ROWS, submit: "Upload certificate and key", faults: FAULTS,
		onSubmit: async (values) => {
			const reply = await upload(values);
			form.reset();
			fill(preview);
			await onUploaded();
			return successText(reply);
		},
	});
	form.element.id = "upload-form";
	const file = form.control("certificate");
	file.closest(".field").after(preview);
	file.addEventListener("change", form.clear);
	file.addEventListener("change", bindPreview(file, preview));
	return form.element;
}
