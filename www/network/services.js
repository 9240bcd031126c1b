// SPDX-License-Identifier: GPL-3.0-or-later
// Network > Services: which services listen, and on which port.

import { badge, byId, fill, make, newId, notice } from "/app/dom.js";
import { applyChanges } from "/app/apply.js";
import { FieldError, sentence, setBusy } from "/app/form.js";
import { Fault } from "/app/rpc.js";
import { ADMINISTRATOR, openPage } from "/app/shell.js";
import { call } from "/app/session.js";
import { addressOf } from "/network/address.js";

const FAULT_PORT_CONFLICT = 42;
const PORT_MAX = 65535;
const OTHER = { http: "https", https: "http" };

// The service over which this page came.
function ownName() {
	return location.protocol === "https:" ? "https" : "http";
}

function stateElement({ available, setting, enabled, problem, type, port }) {
	if (!available)
		return badge("quiet", "Not available in this release");
	if (enabled)
		return badge("ok", `Listens on ${type.toUpperCase()} port ${port}`);
	if (!setting)
		return badge("quiet", "Off");
	return [badge("error", "Does not listen"),
		problem ? make("div", { class: "service-problem" }, sentence(problem)) : null];
}

function wantedText({ setting, port }) {
	return setting ? `on, port ${port}` : "off";
}

// What a change of services does to a page that came over one of them.
//   before, after   name -> { setting, port }
function outlookOf(before, after) {
	const own = ownName();
	const other = OTHER[own];
	const label = own.toUpperCase();
	if (!after[own].setting && !after[other].setting)
		return { wouldLockOut: true, reason: "With HTTP and HTTPS both off, no page and no call is answered",
			session: "this page does not work any more" };
	if (!after[own].setting)
		return { session: `you are connected over ${label}, which is then off; go on at ${addressOf(other, after[other].port)}` };
	if (after[own].port !== before[own].port)
		return { session: `you are connected over ${label} on port ${before[own].port}; go on at ${addressOf(own, after[own].port)}`,
			newAddress: addressOf(own, after[own].port) };
	return { session: `you are connected over ${label}, which stays as it is` };
}

function newAddressOf(before, after) {
	const own = ownName();
	if (after[own].setting)
		return outlookOf(before, after).newAddress;
	return after[OTHER[own]].setting
		? addressOf(OTHER[own], after[OTHER[own]].port) : undefined;
}

// One row of the table.
class ServiceRow {
	constructor(service) {
		const id = newId(service.name);
		const why = service.available ? undefined : "Not available in this release";
		this.check = make("input", { type: "checkbox", id: `${id}-on`, disabled: Boolean(why),
			title: why, "aria-label": `${service.label} enabled` });
		this.port = make("input", { type: "text", id: `${id}-port`, inputmode: "numeric",
			class: "number", autocomplete: "off", disabled: Boolean(why), title: why,
			"aria-label": `${service.label} port`, "aria-describedby": `${id}-error` });
		this.error = make("p", { class: "field-error", id: `${id}-error`, hidden: true });
		this.state = make("div", { class: "service-state" });
		this.element = make("tr", { role: "row", id: `service-${service.name}` },
			make("th", { scope: "row", role: "rowheader" }, service.label),
			this.#cell("Enabled", make("label", { class: "service-on" }, this.check)),
			this.#cell("Port", make("div", {}, this.port, this.error)),
			this.#cell("Transport", make("div", {}, service.type.toUpperCase())),
			this.#cell("State", this.state));
		this.show(service);
	}

	#cell(label, content) {
		return make("td", { role: "cell", "data-label": label }, content);
	}

	show(service) {
		this.service = service;
		this.check.checked = service.setting;
		this.port.value = service.port;
		fill(this.state, stateElement(service));
	}

	fail(text) {
		this.error.textContent = text;
		this.error.hidden = !text;
		if (text)
			this.port.setAttribute("aria-invalid", "true");
		else
			this.port.removeAttribute("aria-invalid");
	}

	get wanted() {
		const text = this.port.value.trim();
		const port = Number(text);
		if (!/^\d{1,5}$/.test(text) || port < 1 || port > PORT_MAX)
			throw new FieldError(this.service.name,
				`Type a port from 1 to ${PORT_MAX}.`);
		return { name: this.service.name, setting: this.check.checked, port };
	}

	get isChanged() {
		const { setting, port } = this.wanted;
		return setting !== this.service.setting || port !== this.service.port;
	}
}

class ServicesForm {
	constructor(page, services) {
		this.page = page;
		this.rows = new Map(services.map((service) =>
			[service.name, new ServiceRow(service)]));
		this.submit = make("button", { type: "submit", class: "primary" }, "Apply changes");
		this.result = make("div", { class: "result", "aria-live": "polite" });
		this.element = make("form", { novalidate: true, class: "wide", id: "services-form" },
			make("div", { class: "table-body" }, this.#drawTable()),
			make("div", { class: "buttons" }, this.submit), this.result);
		this.element.addEventListener("submit", (event) => {
			event.preventDefault();
			this.#run();
		});
	}

	#drawTable() {
		const labels = ["Service", "Enabled", "Port", "Transport", "State"];
		return make("table", { role: "table" },
			make("caption", { class: "visually-hidden" }, "Services"),
			make("thead", { role: "rowgroup" }, make("tr", { role: "row" },
				labels.map((label) => make("th", { scope: "col", role: "columnheader" }, label)))),
			make("tbody", { role: "rowgroup" },
				[...this.rows.values()].map((row) => row.element)));
	}

	show(services) {
		services.forEach((service) => this.rows.get(service.name)?.show(service));
	}

	async #run() {
		if (this.submit.getAttribute("aria-disabled") === "true")
			return;
		this.rows.forEach((row) => row.fail(""));
		fill(this.result);
		setBusy(this.submit, true);
		try {
			const message = await this.#apply();
			if (message)
				fill(this.result, notice("ok", message));
		} catch (error) {
			this.#fail(error);
		} finally {
			setBusy(this.submit, false);
		}
	}

	async #apply() {
		const changed = [...this.rows.values()].filter((row) => row.isChanged);
		if (changed.length === 0)
			return "Nothing to change: this is what is set already.";
		const before = this.#table(({ service }) => service);
		const after = this.#table(({ wanted }) => wanted);
		return applyChanges({
			page: this.page, method: "services.modify",
			members: { services: changed.map((row) => row.wanted) },
			changes: changed.map((row) => ({
				label: row.service.label,
				from: wantedText(row.service), to: wantedText(row.wanted),
				canLockOut: row.service.name in OTHER,
			})),
			preview: async () => outlookOf(before, after),
			newAddress: newAddressOf(before, after),
		});
	}

	#table(part) {
		return Object.fromEntries([...this.rows].map(([name, row]) => [name, part(row)]));
	}

	// The row that an error is about; a conflict names ports and services.
	#rowOf(error) {
		if (error instanceof FieldError)
			return this.rows.get(error.field);
		if (!(error instanceof Fault) || error.code !== FAULT_PORT_CONFLICT)
			return undefined;
		const changed = [...this.rows.values()].filter((row) => row.isChanged);
		return changed.find((row) => new RegExp(`\\b${row.wanted.port}\\b`).test(error.text)) ??
			changed[0];
	}

	#fail(error) {
		const row = this.#rowOf(error);
		if (!row) {
			fill(this.result, notice("error", sentence(error.message)));
			return;
		}
		row.fail(error instanceof FieldError ? error.message
			: `${sentence(error.message)} Nothing was changed.`);
		row.port.focus();
	}
}

openPage({
	privilege: ADMINISTRATOR,
	start: async (page) => {
		const place = byId("services-place");
		let form;
		const load = async () => {
			try {
				const { services } = await call("services.query");
				if (!form) {
					form = new ServicesForm(page, services);
					fill(place, form.element);
				}
				form.show(services);
			} catch (error) {
				form = undefined;
				fill(place, notice("error", sentence(error.message)));
			}
		};
		page.onChange(load);
		await load();
	},
});
