// SPDX-License-Identifier: GPL-3.0-or-later
// Status: device, health, security, token, restart log.

import { badge, byId, facts, fill, make, notice } from "/app/dom.js";
import { actionButton, sentence } from "/app/form.js";
import { durationText, timeElement, utcText, zoneName } from "/app/format.js";
import { ADMINISTRATOR, openPage } from "/app/shell.js";
import { call } from "/app/session.js";
import { makeTable } from "/app/table.js";
import { makeWarningsSection } from "/status/security-warnings.js";

function drawDevice(device) {
	const features = (device.activatedFeatures ?? []).map((row) => row.feature);
	return facts(
		["Host name", device.hostName],
		["Model", device.model],
		["Serial number", device.serial],
		["Software version", device.softwareVersion],
		["Build version", device.buildVersion],
		["API version", device.apiVersion],
		["Features", features.length ? features.join(", ") : "none"],
		["Current time", timeElement(device.currentTime, { seconds: true }),
			make("div", { class: "quiet small-text" },
				`Your time zone: ${zoneName()}`),
			make("div", { class: "quiet small-text" }, utcText(device.currentTime))],
		["Last restart", timeElement(device.restartTime, { seconds: true })],
		["Uptime", durationText((device.currentTime - device.restartTime) / 1000)],
	);
}

const OPERATION = {
	active: ["ok", "Active"],
	shuttingDown: ["warning", "Shutting down"],
	shutDown: ["error", "Shut down"],
};

const SENSOR = {
	ok: ["ok", "OK"],
	outOfSpec: ["warning", "Out of specification"],
	critical: ["error", "Critical"],
};

const SENSORS = [
	["Fans", "fanStatus"], ["Temperature", "temperatureStatus"],
	["Clock battery", "rtcBatteryStatus"], ["Voltages", "voltagesStatus"],
];

const LOADS = [
	["CPU load", "cpuLoad"], ["Media load", "mediaLoad"],
	["Audio load", "audioLoad"], ["Video load", "videoLoad"],
];

function mark(table, value) {
	return badge(...table[value] ?? ["warning", String(value)]);
}

function drawHealth(health) {
	return facts(
		["Operation", mark(OPERATION, health.operationalStatus)],
		...LOADS.filter(([, name]) => health[name] !== undefined)
			.map(([label, name]) => [label, `${health[name]} %`]),
		...SENSORS.filter(([, name]) => health[name] !== undefined)
			.map(([label, name]) => [label, mark(SENSOR, health[name]),
				health[`${name}Worst`] !== health[name] &&
					[" worst since the start: ", mark(SENSOR, health[`${name}Worst`])]]),
	);
}

const TOKEN_STATES = {
	ready: ["ok", "Ready"],
	unavailable: ["error", "Unavailable"],
	pinRefused: ["error", "PIN refused"],
};

function drawToken(token) {
	const list = facts(
		["State", badge(...TOKEN_STATES[token.state] ?? ["error", token.state]),
			token.reason ? make("div", {}, token.reason) : null],
		["Label", token.label],
		["Manufacturer", token.manufacturer],
		["Model", token.model],
		["Serial number", make("span", { class: "mono" }, token.serial)],
		["Sessions", `${token.sessionsOpen} of ${token.sessionsMax} open`],
		["Signatures", `${token.signatures.toLocaleString()} since the start`],
		["Signing mechanisms", token.mechanisms.length
			? make("ul", { class: "mono" }, token.mechanisms.map((name) => make("li", {}, name)))
			: "none"],
	);
	list.classList.add("facts-columns");
	return list;
}

const KEY_TYPES = {
	ecP256: "EC P-256", ecP384: "EC P-384",
	rsa2048: "RSA 2048", rsa3072: "RSA 3072", rsa4096: "RSA 4096",
};

function makeKeysTable() {
	return makeTable({
		caption: "Keys in the token",
		key: (row) => row.keyId,
		empty: "No key in the token. One is made when the service first starts on it.",
		columns: [
			{ label: "Label", header: true, value: (row) => row.label },
			{ label: "Key type", value: (row) => KEY_TYPES[row.keyType] ?? row.keyType },
			{ label: "Protection", value: (row) => protectionText(row),
			  render: (row) => badge(isProtected(row) ? "ok" : "error", protectionText(row)) },
			{ label: "Key ID", value: (row) => row.keyId,
			  render: (row) => make("span", { class: "mono" }, row.keyId) },
		],
	});
}

function isProtected(row) {
	return row.sensitive && !row.extractable;
}

function protectionText(row) {
	return `${row.sensitive ? "sensitive" : "not sensitive"}, ` +
		`${row.extractable ? "extractable" : "not extractable"}`;
}

function makeLogTable() {
	return makeTable({
		caption: "Restart log",
		key: (row) => `${row.time.toISOString()} ${row.reason}`,
		empty: "No restart is recorded yet.",
		sortBy: 0, descending: true,
		columns: [
			{ label: "Time", header: true, value: (row) => row.time.getTime(),
			  render: (row) => timeElement(row.time, { seconds: true }) },
			{ label: "Reason", value: (row) => row.reason },
			{ label: "Detail", value: (row) => row.detail },
		],
	});
}

// Show what a promise gives, or why it gave nothing.
async function show(place, promise, draw) {
	try {
		fill(place, draw(await promise));
	} catch (error) {
		fill(place, notice("error", sentence(error.message)));
	}
}

function known(page, part) {
	return page.problems[part] ? Promise.reject(page.problems[part])
		: Promise.resolve(page.state[part]);
}

openPage({
	privilege: ADMINISTRATOR,
	start: async (page) => {
		const keys = makeKeysTable();
		const log = makeLogTable();
		const security = makeWarningsSection();
		fill(byId("keys-place"), keys.element);
		const [refresh, result] = actionButton("Refresh", () => page.refresh(),
			{ class: "small" });
		byId("page-tools").prepend(refresh);
		document.querySelector(".page-head").after(result);

		const draw = () => {
			keys.setRows(page.state.token?.keys ?? []);
			return Promise.all([
				show(byId("device-place"), known(page, "device"), drawDevice),
				show(byId("token-place"), known(page, "token"), drawToken),
				show(byId("security-place"), security.draw(), () => security.element),
				show(byId("health-place"), call("device.health.query"), drawHealth),
				show(byId("log-place"), call("device.restartlog.query"), (reply) => {
					log.setRows(reply.log);
					return log.element;
				}),
			]);
		};
		page.onChange(draw);
		await draw();
		// What a link named may have been empty when the browser went there.
		document.querySelector(":target")?.scrollIntoView();
	},
});
