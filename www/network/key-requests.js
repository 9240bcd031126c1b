// SPDX-License-Identifier: GPL-3.0-or-later
// Keys made in the token, and signing requests for them.

import { button, copyButton, downloadLink, fill, make, notice } from "/app/dom.js";
import { confirmDialog, openDialog } from "/app/dialog.js";
import { drawForm, FieldError, sentence } from "/app/form.js";
import { makeTable } from "/app/table.js";
import { call } from "/app/session.js";

const KEY_TYPES = [
	["ecP256", "EC P-256 (recommended)"],
	["ecP384", "EC P-384"],
	["rsa2048", "RSA 2048"],
	["rsa3072", "RSA 3072"],
	["rsa4096", "RSA 4096"],
];

const KEY_TYPE_LABELS = {
	ecP256: "EC P-256", ecP384: "EC P-384",
	rsa2048: "RSA 2048", rsa3072: "RSA 3072", rsa4096: "RSA 4096",
};

function keyTypeLabel(row) {
	return KEY_TYPE_LABELS[row.keyType] ?? row.keyType;
}

function drawKeyForm(onMade) {
	const form = drawForm({
		rows: [{ name: "keyType", label: "Key type", type: "select", options: KEY_TYPES,
			value: "ecP256",
			help: "The private key is made inside the token and never leaves it. RSA 4096 can take some seconds." }],
		submit: "Make a key in the token",
		onSubmit: async ({ keyType }) => {
			const { keyId } = await call("certificate.generateKey", { keyType });
			await onMade();
			return [make("strong", {}, "Key made. "),
				"Next: create a signing request for it below. Its ID is ",
				make("span", { class: "mono" }, keyId), "."];
		},
	});
	form.element.id = "key-form";
	return form.element;
}

function requestRows(hostName) {
	return [
		{ name: "cn", label: "Common name (CN)", value: hostName, maxLength: 64,
		  required: "Type the host name or address that clients connect to.",
		  help: "The host name or IP address that clients connect to." },
		{ name: "o", label: "Organization (O)", maxLength: 64 },
		{ name: "ou", label: "Organizational unit (OU)", maxLength: 64 },
		{ name: "l", label: "Locality (L)", maxLength: 128 },
		{ name: "st", label: "State or province (ST)", maxLength: 128 },
		{ name: "c", label: "Country (C)", maxLength: 2,
		  help: "Two letters, for example DE." },
		{ name: "names", label: "Subject alternative names", type: "textarea", rows: 4,
		  value: defaultNames(hostName), spellcheck: "false",
		  help: "One a line: DNS:mcu.example.com, IP:192.0.2.10 or URI:sip:mcu.example.com. SIP peers look for the address here." },
	];
}

function isAddress(host) {
	return /^[0-9.]+$/.test(host) || host.includes(":");
}

function defaultNames(hostName) {
	const own = location.hostname.replace(/^\[|\]$/g, "");
	const names = [
		hostName && !isAddress(hostName) ? `DNS:${hostName}` : null,
		isAddress(own) ? `IP:${own}` : own === hostName ? null : `DNS:${own}`,
	];
	return [...new Set(names.filter(Boolean))].join("\n");
}

function splitNames(text) {
	const names = text.split(/[\n,]+/).map((name) => name.trim()).filter(Boolean);
	const wrong = names.find((name) => !/^(DNS|IP|URI):\S+$/.test(name));
	if (wrong)
		throw new FieldError("names", `"${wrong}" must begin with DNS:, IP: or URI:.`);
	return names;
}

function subjectOf(values) {
	const subject = {};
	for (const part of ["c", "st", "l", "o", "ou", "cn"]) {
		const text = values[part].trim();
		if (text)
			subject[part] = part === "c" ? text.toUpperCase() : text;
	}
	return subject;
}

function showRequest(dialog, request, cn) {
	const fileName = `${cn.replace(/[^A-Za-z0-9.-]+/g, "-")}.csr`;
	const area = make("textarea", { readonly: true, rows: 14, id: "request-pem",
		"aria-label": "Signing request in PEM form" });
	area.value = request;
	fill(dialog,
		make("h2", {}, "Signing request"),
		make("p", {}, "Send this to your certificate authority. When the signed certificate comes back, upload it with Private key left empty: the key is in the token."),
		area,
		make("div", { class: "buttons" },
			downloadLink(request, fileName, "Download"),
			copyButton(request, "the signing request"),
			button("Close", () => dialog.close(), { class: "primary" })));
	dialog.setAttribute("aria-label", "Signing request");
	dialog.removeAttribute("aria-labelledby");
	area.focus();
}

function openRequestDialog(keyId, hostName) {
	const form = drawForm({
		rows: requestRows(hostName),
		submit: "Create a signing request",
		buttons: [button("Cancel", () => dialog.close())],
		onSubmit: async (values) => {
			const { request } = await call("certificate.createRequest", {
				keyId, subject: subjectOf(values), subjectAltNames: splitNames(values.names),
			});
			showRequest(dialog, request, values.cn);
		},
	});
	const dialog = openDialog("Create a signing request", form.element);
	form.control("cn").focus();
}

function shortId(keyId) {
	return keyId.length > 16 ? `${keyId.slice(0, 16)}\u2026` : keyId;
}

// report: where the outcome stands; the row and its buttons may be gone by then.
async function deleteKey(row, onChange, report) {
	const yes = await confirmDialog({
		title: "Delete this key?",
		text: [`${row.label}, ${keyTypeLabel(row)}, ID ${shortId(row.keyId)}. The key goes from the token and cannot be brought back.`,
			"A certificate that your authority makes for a request with this key can then not be used."],
		action: "Delete key", danger: true,
	});
	if (!yes)
		return;
	try {
		await call("certificate.deleteKey", { keyId: row.keyId });
		await onChange();
		report("ok", "Key deleted.");
	} catch (error) {
		report("error", sentence(error.message));
	}
}

function drawPendingTable(hostName, onChange, report) {
	return makeTable({
		caption: "Keys that wait for a certificate",
		key: (row) => row.keyId,
		empty: "No key waits for a certificate. Make a key in the token to begin.",
		columns: [
			{ label: "Label", header: true, value: (row) => row.label },
			{ label: "Key type", value: keyTypeLabel },
			{ label: "Key ID", value: (row) => row.keyId,
			  render: (row) => make("span", { class: "mono", title: row.keyId },
				shortId(row.keyId)) },
			{ label: "Request", value: () => "",
			  render: (row) => make("div", { class: "buttons" },
				button("Create a signing request",
					() => openRequestDialog(row.keyId, hostName), { class: "small" }),
				button("Delete key", () => deleteKey(row, onChange, report),
					{ class: "small danger" })) },
		],
	});
}

// Returns { element, setRows(pendingRequests, problem) }. onChange: async, after
// a key was made or deleted. problem: why the token did not tell of its keys.
export function drawKeyRequests(hostName, onChange) {
	const result = make("div", { class: "result", id: "pending-result",
		"aria-live": "polite", tabindex: "-1" });
	const trouble = make("div", {});
	const report = (level, text) => {
		fill(result, notice(level, text));
		result.focus();
	};
	const table = drawPendingTable(hostName, onChange, report);
	const element = make("div", {},
		make("h3", {}, "Key in the token"),
		make("p", {}, "Instead of uploading a key, have one made here, send a signing request to your certificate authority, and upload the certificate alone."),
		drawKeyForm(onChange),
		make("h3", { id: "pending-title" }, "Pending requests"),
		trouble, table.element, result);
	table.element.id = "pending-requests";
	return {
		element,
		setRows: (rows, problem) => {
			fill(trouble, problem ? notice("warning", sentence(problem)) : null);
			table.setRows(rows);
		},
	};
}
