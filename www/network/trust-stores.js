// SPDX-License-Identifier: GPL-3.0-or-later
// The trust stores of Network > SSL certificates: one section each.

import { badge, button, fill, make, newId, notice } from "/app/dom.js";
import { confirmDialog } from "/app/dialog.js";
import { sentence, setBusy } from "/app/form.js";
import { fingerprintText, nameElement, plural, timeElement } from "/app/format.js";
import { isSendable, Unreachable } from "/app/rpc.js";
import { call } from "/app/session.js";
import { makeTable } from "/app/table.js";
import { expiryElement, isSelfIssued } from "/network/certificate-view.js";

const FILE_BYTES_MAX = 3 * 1024 * 1024;
const PROGRESS_MS = 300;
// A thousand certificates take half a minute, on slow tokens much longer.
const UPLOAD_MS = 600000;

const STORES = [
	{ name: "sip", title: "SIP trust store",
	  text: "Authorities whose SIP peers are trusted.",
	  empty: "No SIP trust store. SIP peers cannot be verified until one is uploaded." },
	{ name: "https", title: "HTTPS trust store",
	  text: "Authorities whose client certificates are trusted for log-in, and whose servers are trusted for OCSP and feedback.",
	  empty: "No HTTPS trust store. Client certificates cannot be verified until one is uploaded." },
	{ name: "callHome", title: "Call Home trust store",
	  text: "Authorities whose Call Home servers are trusted.",
	  empty: "No Call Home trust store. Call Home servers cannot be verified until one is uploaded, or the default is brought back.",
	  factory: true },
];

const SOURCES = { none: "Empty", uploaded: "Uploaded", default: "Default" };

const MARKS = {
	notYetValid: ["warning", "not valid yet"],
	weakKey: ["warning", "weak key"],
	weakSignature: ["warning", "weak signature"],
	notAuthority: ["warning", "not an authority"],
};

function marksElement({ marks, keyType }) {
	return marks.filter((mark) => MARKS[mark]).map((mark) => {
		const [level, text] = MARKS[mark];
		return [" ", badge(level, mark === "weakKey" ? `${text}: ${keyType}` : text)];
	});
}

function drawTable(store) {
	return makeTable({
		caption: `Certificates of the ${store.title}`,
		key: (row) => row.sha256Fingerprint,
		empty: store.empty,
		columns: [
			{ label: "Subject", header: true, value: (row) => row.subject.text,
			  render: (row) => make("div",
				{ title: `SHA-256 ${fingerprintText(row.sha256Fingerprint)}` },
				nameElement(row.subject), marksElement(row)) },
			{ label: "Issuer", value: (row) => row.issuer.text,
			  render: (row) => isSelfIssued(row)
				? make("span", { class: "quiet" }, "itself") : nameElement(row.issuer) },
			{ label: "Issued", value: (row) => row.issued.getTime(),
			  render: (row) => timeElement(row.issued) },
			{ label: "Expires", value: (row) => row.expires.getTime(),
			  render: (row) => expiryElement(row) },
		],
	});
}

async function readBundle(file) {
	if (!file)
		throw new Error("Choose a PEM file with the certificates.");
	if (file.size > FILE_BYTES_MAX)
		throw new Error(`${file.name} is larger than 3 MiB.`);
	const text = await file.text();
	if (!isSendable(text) || text.includes("\uFFFD"))
		throw new Error(`${file.name} is a binary file, not PEM. Convert a DER certificate: openssl x509 -inform der -in ${file.name} -out certificates.pem`);
	return text;
}

function pause(milliseconds) {
	return new Promise((resolve) => setTimeout(resolve, milliseconds));
}

function planText({ count, added, removed, kept }) {
	const verb = (n, word) => `${n} ${word}${n === 1 ? "s" : ""}`;
	const goes = `${removed} ${removed === 1 ? "goes" : "go"}`;
	return `${plural(count, "certificate")} in the file: ${verb(added, "come")}, ${goes}, ${verb(kept, "stay")}.`;
}

function doneText({ count, added, removed, kept }) {
	return `It holds ${plural(count, "certificate")}: ${added} came, ${removed} went, ${kept} stayed.`;
}

function markCounts(certificates) {
	const words = { expired: "expired", ...Object.fromEntries(
		Object.entries(MARKS).map(([mark, [, text]]) => [mark, text])) };
	return Object.entries(words)
		.map(([mark, text]) => [certificates.filter((c) => c.marks.includes(mark)).length, text])
		.filter(([count]) => count > 0)
		.map(([count, text]) => `${count} ${text}`).join(", ");
}

// One section of the page.
class TrustStore {
	constructor(store) {
		this.store = store;
		const id = newId("trust-file");
		this.file = make("input", { type: "file", id, "aria-describedby": `${id}-error`,
			accept: ".pem,.cer,.crt,.cert,.txt,application/x-pem-file" });
		this.error = make("p", { class: "field-error", id: `${id}-error`, hidden: true });
		this.file.addEventListener("change", () => this.#fieldError());
		this.table = drawTable(store);
		this.state = make("p", { class: "quiet", id: `${store.name}-trust-state` });
		this.problem = make("div", {});
		this.bar = make("div", { class: "trust-progress", role: "status", "aria-live": "polite" });
		this.result = make("div", { class: "result", "aria-live": "polite" });
		this.settings = make("div", { id: `${store.name}-settings` });
		this.buttons = this.#drawButtons();
		this.element = this.#draw(id);
	}

	#draw(id) {
		const { store } = this;
		const titleId = `${store.name}-trust-title`;
		return make("section", { class: "card trust-store", id: `${store.name}-trust`,
			"aria-labelledby": titleId },
			make("h2", { id: titleId }, store.title),
			make("p", {}, store.text), this.state, this.problem, this.table.element,
			make("div", { class: "part" },
				make("div", { class: "field" },
					make("label", { for: id }, "Trust store file"), this.file, this.error,
					make("p", { class: "field-help" },
						"PEM, with up to 1000 certificates. It replaces what is there.")),
				make("div", { class: "buttons" }, Object.values(this.buttons)),
				this.bar, this.result),
			this.settings);
	}

	#drawButtons() {
		const { store } = this;
		const of = (label) => ({ "aria-label": `${label}, ${store.title}` });
		return {
			upload: button("Upload trust store", () => this.#run(() => this.#upload()),
				{ class: "primary", ...of("Upload trust store") }),
			remove: button("Delete trust store", () => this.#run(() => this.#remove()),
				{ class: "danger", ...of("Delete trust store") }),
			...(store.factory ? { reset: button("Reset trust store to default",
				() => this.#run(() => this.#reset())) } : {}),
		};
	}

	#fieldError(text = "") {
		this.error.textContent = text;
		this.error.hidden = !text;
		if (text)
			this.file.setAttribute("aria-invalid", "true");
		else
			this.file.removeAttribute("aria-invalid");
	}

	#busy(busy) {
		Object.values(this.buttons).forEach((one) => setBusy(one, busy));
		this.working = busy;
	}

	async #run(deed) {
		if (this.working)
			return;
		let failed = false;
		this.#fieldError();
		fill(this.result);
		this.#busy(true);
		try {
			const message = await deed();
			if (message)
				fill(this.result, notice("ok", message));
		} catch (error) {
			failed = true;
			fill(this.result, notice("error", sentence(error.message), " ",
				error instanceof Unreachable ? "" : "Nothing was changed."));
		} finally {
			this.#busy(false);
		}
		// An upload may go on though its answer is lost: show what is.
		if (failed)
			await this.load();
	}

	// --- content

	async load() {
		try {
			this.show(await call("trustStore.query", { trustStore: this.store.name }));
		} catch (error) {
			this.showProblem(error.message);
		}
	}

	showProblem(text) {
		this.state.textContent = "";
		fill(this.problem, notice("error", sentence(text)));
		this.table.element.hidden = true;
	}

	// One of the stores that trustStore.query lists.
	showListed(listed) {
		if (listed.unread)
			this.showProblem(listed.unread);
		else
			this.show(listed);
	}

	show({ certificates, source, problem, progress }) {
		this.count = certificates.length;
		this.table.element.hidden = false;
		this.state.textContent = certificates.length === 0 ? ""
			: `${SOURCES[source] ?? source}: ${plural(certificates.length, "certificate")}.`;
		fill(this.problem, problem ? notice("error", make("strong", {}, "Not usable. "),
			sentence(problem), " Nobody is trusted by this store until it is uploaded again, deleted or reset.")
			: null);
		this.table.setRows(certificates);
		this.buttons.remove.disabled = certificates.length === 0 && !problem;
		if (progress && !this.working)
			this.#follow();
	}

	// --- long work

	#drawProgress({ done, total }) {
		if (!this.meter) {
			this.meter = make("progress", { "aria-label": `Writing the ${this.store.title}` });
			this.said = make("p", {});
			fill(this.bar, this.meter, this.said);
		}
		this.meter.max = Math.max(total, 1);
		this.meter.value = done;
		this.said.textContent = `Writing certificates into the token: ${done} of ${total}. You may leave this page; the upload goes on.`;
	}

	// Show how far a change is: until isOver(progress).
	async #watch(isOver) {
		for (;;) {
			await pause(PROGRESS_MS);
			const progress = await call("trustStore.progress",
				{ trustStore: this.store.name });
			if (isOver(progress))
				break;
			if (progress.running)
				this.#drawProgress(progress);
		}
		this.meter = undefined;
		fill(this.bar);
	}

	// A change that somebody began before this page was opened.
	async #follow() {
		this.#busy(true);
		try {
			await this.#watch(({ running }) => !running);
		} finally {
			this.#busy(false);
		}
		await this.load();
	}

	// --- deeds

	async #upload() {
		const trustStore = this.store.name;
		let certificates;
		let found;
		try {
			certificates = await readBundle(this.file.files[0]);
			found = await call("trustStore.examine", { trustStore, certificates });
		} catch (error) {
			this.#fieldError(`${sentence(error.message)} Nothing was changed.`);
			this.file.focus();
			return undefined;
		}
		const marked = markCounts(found.certificates);
		const yes = await confirmDialog({
			title: `Replace the ${this.store.title}?`,
			text: [planText(found), marked ? `Look again at: ${marked}.` : null].filter(Boolean),
			action: "Upload trust store",
		});
		if (!yes)
			return undefined;
		let over = false;
		const watching = this.#watch(() => over).catch(() => {});
		let reply;
		try {
			reply = await call("trustStore.upload", { trustStore, certificates }, UPLOAD_MS);
		} finally {
			over = true;
			await watching;
		}
		this.file.value = "";
		await this.load();
		return [make("strong", {}, "Trust store uploaded. "), doneText(reply)];
	}

	async #remove() {
		const yes = await confirmDialog({
			title: `Delete the ${this.store.title}?`,
			text: this.count ? `${plural(this.count, "certificate")} will be removed. The store is then empty and trusts nobody.`
				: "The store is then empty and trusts nobody.",
			action: "Delete trust store", danger: true,
		});
		if (!yes)
			return undefined;
		await call("trustStore.delete", { trustStore: this.store.name }, UPLOAD_MS);
		await this.load();
		return "Trust store deleted.";
	}

	async #reset() {
		const yes = await confirmDialog({
			title: `Reset the ${this.store.title} to default?`,
			text: "What is in the store goes; the certificate that the device comes with takes its place.",
			action: "Reset trust store to default",
		});
		if (!yes)
			return undefined;
		await call("trustStore.reset", { trustStore: this.store.name }, UPLOAD_MS);
		await this.load();
		return "Trust store reset to default.";
	}
}

// Put the sections of all stores into place. answer: of trustStore.query for all
// stores, { value } or { error }. Returns where the settings of each store belong:
// its name -> element.
export function drawTrustStores(place, { value, error }) {
	const stores = STORES.map((store) => new TrustStore(store));
	fill(place, stores.map((store) => store.element));
	const listed = new Map(value?.stores.map((one) => [one.trustStore, one]));
	stores.forEach((store) => error ? store.showProblem(error.message)
		: store.showListed(listed.get(store.store.name)));
	return new Map(stores.map((store) => [store.store.name, store.settings]));
}
