// SPDX-License-Identifier: GPL-3.0-or-later
// Network > SSL certificates: the local certificate, its configuration, the trust
// stores, whose certificates are demanded, and the test of a certificate.

import { byId, button, fill, make, notice } from "/app/dom.js";
import { confirmDialog } from "/app/dialog.js";
import { actionButton, sentence } from "/app/form.js";
import { ADMINISTRATOR, openPage } from "/app/shell.js";
import { call, callAll } from "/app/session.js";
import { certificateFacts } from "/network/certificate-view.js";
import { drawKeyRequests } from "/network/key-requests.js";
import { drawCertificateTest } from "/network/test-certificate.js";
import { drawTrustStores } from "/network/trust-stores.js";
import { drawUploadForm } from "/network/upload-form.js";
import { drawVerification } from "/network/verification.js";

function card(id, title, text, action, content) {
	return make("section", { class: "card", id, "aria-labelledby": `${id}-title` },
		make("div", { class: "card-head" },
			make("div", {},
				make("h3", { id: `${id}-title` }, title),
				make("p", { class: "quiet small-text" }, text)),
			action),
		content);
}

function waitingTitle(local) {
	return local.source === "custom" ? "Uploaded" : "Device default";
}

function drawBoth(page, { local, active }) {
	return make("div", { class: "columns compare" },
		card("in-service", "In service", "Connections get this one now.",
			null, certificateFacts(active, page.state.token)),
		card("stored", waitingTitle(local),
			"Takes over after a restart, or at once.",
			button("Activate now", () => page.activate(), { class: "primary" }),
			certificateFacts(local, page.state.token)));
}

function drawOne(page, { local }) {
	return make("div", { class: "card", id: "local" },
		certificateFacts(local, page.state.token, { wide: true }));
}

function drawLocal(page) {
	const place = byId("local-certificate");
	const { certificate } = page.state;
	if (!certificate)
		fill(place, notice("error", sentence(page.problems.certificate.message)));
	else if (!certificate.local)
		fill(place, notice("warning",
			"The token has not been read since the start, so the local certificate is not known. It appears here when the token is back."));
	else if (certificate.restartRequired)
		fill(place, drawBoth(page, certificate));
	else
		fill(place, drawOne(page, certificate));
}

const DELETE_TEXT = [
	"The device goes back to the certificate that it made for itself. Browsers and SIP peers that trust your authority do not trust that one.",
	"The custom certificate stays in service until the restart or Activate now. Its key is then removed from the token and cannot be brought back from here.",
];

async function deleteCustom(page) {
	const yes = await confirmDialog({
		title: "Delete custom certificate and key?",
		text: DELETE_TEXT,
		action: "Delete custom certificate and key",
		danger: true,
	});
	if (!yes)
		return undefined;
	await call("certificate.delete");
	await page.refresh();
	return "Custom certificate and key deleted. Connections get the device's default certificate after the next restart, or at once with Activate now.";
}

function drawDelete(page) {
	const [deleteButton, result] = actionButton("Delete custom certificate and key",
		() => deleteCustom(page), { class: "danger", id: "delete-custom",
			"aria-describedby": "delete-why" });
	const why = make("p", { class: "quiet", id: "delete-why" });
	fill(byId("delete-place"), why, deleteButton, result);
	return () => {
		const custom = page.state.certificate?.local?.source === "custom";
		deleteButton.disabled = !custom;
		why.textContent = custom
			? "Back to the certificate that this device made for itself."
			: "No custom certificate: the device uses the one that it made for itself.";
	};
}

async function callBoth(...methods) {
	try {
		return await callAll(...methods.map((method) => [method]));
	} catch (error) {
		return methods.map(() => ({ error }));
	}
}

openPage({
	privilege: ADMINISTRATOR,
	start: async (page) => {
		fill(byId("upload-place"), drawUploadForm(() => page.refresh()));
		const requests = drawKeyRequests(page.state.device?.hostName ?? "",
			() => page.refresh());
		fill(byId("requests-place"), requests.element);
		fill(byId("test-place"), drawCertificateTest());
		const updateDelete = drawDelete(page);
		const draw = () => {
			drawLocal(page);
			updateDelete();
			requests.setRows(page.state.certificate?.pendingRequests ?? [],
				page.state.certificate?.pendingProblem);
		};
		page.onChange(draw);
		draw();
		const [stores, settings] = await callBoth("trustStore.query", "verification.query");
		const places = drawTrustStores(byId("trust-stores"), stores);
		drawVerification(page, places, settings);
		// What a link named was not there yet when the browser went there.
		byId(location.hash.slice(1))?.scrollIntoView();
	},
});
