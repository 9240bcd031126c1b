// SPDX-License-Identifier: GPL-3.0-or-later
// Logs > CDR log: who was connected with whom, from when to when.

import { badge, byId, facts, fill, icon, make, notice } from "/app/dom.js";
import { actionButtons, sentence } from "/app/form.js";
import { durationText, plural, timeElement } from "/app/format.js";
import { ADMINISTRATOR, openPage } from "/app/shell.js";
import { call, callAll } from "/app/session.js";
import { TYPES } from "/logs/cdr-words.js";
import { makeLogView } from "/logs/log-view.js";
import {
	certificateText, DIRECTIONS, drawCure, drawPeerCertificate, encryptionBadge, isAsWanted,
	reasonText, transportText,
} from "/status/call-words.js";

const PAGE_RECORDS = 20; // what the service gives at a time

function drawEnd(row) {
	if (row.type !== "participantLeft")
		return "";
	const text = reasonText(row.disconnectReason);
	return isAsWanted(row.disconnectReason) || !text ? text
		: make("span", { class: "call-reason" }, icon("warning"), text);
}

function drawMedia({ mediaEncryption }) {
	return mediaEncryption === "unknown" ? badge("quiet", "None") : encryptionBadge(mediaEncryption);
}

// What is said of a call whose end nobody saw is the least.
function durationOf({ type, disconnectReason, durationSeconds }) {
	if (type !== "participantLeft")
		return "";
	const text = durationText(durationSeconds);
	return disconnectReason === "serviceInterrupted" ? `${text} or more` : text;
}

function durationDetail(row) {
	return row.durationSeconds === 0 && row.disconnectReason !== "serviceInterrupted"
		? "0 s; a call that was never connected has this record alone" : durationOf(row);
}

const COLUMNS = [
	{ label: "Index", value: (row) => row.index, header: true },
	{ label: "Time", value: (row) => row.time, render: (row) => timeElement(row.time, { seconds: true }) },
	{ label: "Type", value: (row) => TYPES[row.type] ?? row.type },
	{ label: "Address", class: "log-from", value: (row) => row.address },
	{ label: "Direction", value: (row) => DIRECTIONS[row.direction] ?? row.direction },
	{ label: "Connection", value: transportText },
	{ label: "Media", value: (row) => row.mediaEncryption, render: drawMedia },
	{ label: "Duration", class: "call-duration", value: durationOf },
	{ label: "How it ended", class: "log-event", value: (row) => row.disconnectReason, render: drawEnd },
];

const FILTERS = [
	{ name: "type", label: "Type", wide: true, options: Object.entries(TYPES) },
];

function drawDetail(row) {
	const left = row.type === "participantLeft";
	const list = facts(
		["Participant", row.participantName],
		["Conference", row.conferenceName],
		["Address", make("span", { class: "mono" }, row.address)],
		["Direction", DIRECTIONS[row.direction] ?? row.direction],
		["Transport", row.transport || "No connection"],
		row.tlsVersion ? ["TLS", `${transportText(row)}, ${row.cipher}`] : null,
		certificateText(row) ? ["Its certificate", drawPeerCertificate(row)] : null,
		["Media", drawMedia(row)],
		left ? ["Duration", durationDetail(row)] : null,
		left ? ["How it ended", reasonText(row.disconnectReason),
			isAsWanted(row.disconnectReason) ? null
				: make("div", { class: "quiet" }, drawCure(row.disconnectReason)),
			make("div", { class: "mono quiet" }, row.disconnectReason)] : null,
	);
	list.classList.add("facts-columns");
	return list;
}

class CdrPage {
	constructor(page) {
		this.page = page;
		this.view = makeLogView({
			method: "cdrlog.enumerate", caption: "Call detail records", columns: COLUMNS,
			filters: FILTERS, pageRecords: PAGE_RECORDS, detail: drawDetail,
			filterOf: (members) => members && [members.type],
			one: "record", many: "records",
			empty: "No call yet. Each call leaves a record when somebody joins and one when he leaves.",
		});
		this.deeds = actionButtons(byId("cdr-result"), [
			["Download as XML", () => this.#download()],
			["Delete records", () => this.#clear(), { class: "danger" }],
		]);
	}

	async load() {
		fill(byId("cdr-place"), this.view.element);
		fill(byId("cdr-buttons"), this.deeds.buttons);
		const [query, answer] = await callAll(["cdrlog.query"], this.view.request);
		this.#showQuery(query);
		this.view.show(answer);
	}

	#showQuery({ value, error }) {
		this.query = value;
		fill(byId("cdr-state"), error ? notice("error", sentence(error.message)) : make("p", {},
			make("strong", {}, plural(value.numEvents, "record").replace(/^\d+/, (n) => Number(n).toLocaleString())),
			value.numEvents === 0 ? " kept." : ` kept, ${value.firstIndex.toLocaleString()} to ${
				value.deleteableIndex.toLocaleString()}; ${value.percentageCapacity} % of the room. `,
			"When there is no more room, the oldest go.",
			value.lost > 0 ? ` ${plural(value.lost, "record")} since the start could not be written: look at the disk.` : ""));
	}

	get #host() {
		return this.page.state.device?.hostName ?? "";
	}

	async #download() {
		const { FILE_NAME, saveCdrLog } = await import("/logs/cdr-download.js");
		const filter = this.view.request[1].filter;
		const saved = await saveCdrLog({ host: this.#host, filter });
		this.deeds.say(saved ? notice("ok", `${FILE_NAME} is saved by the browser.${
			filter ? " It holds what fits the filter." : ""}`)
			: notice("info", "The download was called off. Nothing was saved."));
	}

	async #clear() {
		this.#showQuery({ value: await call("cdrlog.query") });
		if (this.query.numEvents === 0) {
			this.deeds.say(notice("info", "There is no record to delete."));
			return;
		}
		const { clearCdrLog } = await import("/logs/cdr-clear.js");
		await clearCdrLog({
			host: this.#host, query: this.query,
			done: async (content) => {
				// What cannot be asked now does not hide that they are deleted.
				const [query] = await callAll(["cdrlog.query"]).catch((error) => [{ error }]);
				this.#showQuery(query);
				await this.view.load();
				this.deeds.say(content);
			},
		});
	}
}

openPage({
	privilege: ADMINISTRATOR,
	start: (page) => new CdrPage(page).load(),
});
