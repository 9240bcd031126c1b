// SPDX-License-Identifier: GPL-3.0-or-later
// Security warnings: the table on Status, and what is new on Home.

import { badge, button, fill, make, notice } from "/app/dom.js";
import { sentence, setBusy } from "/app/form.js";
import { plural } from "/app/format.js";
import { call } from "/app/session.js";
import { makeTable } from "/app/table.js";

const STATES = {
	new: ["warning", "New"],
	acknowledged: ["quiet", "Acknowledged"],
};

const isNew = (warning) => warning.state === "new";

async function load() {
	const { warnings } = await call("security.warnings");
	return warnings;
}

function actionLink(warning) {
	return make("a", { href: warning.page }, warning.action);
}

// For Home: a block with the new warnings; null when there is none.
export async function newWarnings() {
	const found = (await load()).filter(isNew);
	return found.length === 0 ? null : notice("warning",
		make("strong", {}, plural(found.length, "new security warning")),
		make("ul", { id: "new-security-warnings" }, found.map((warning) =>
			make("li", {}, `${warning.warning}. `, actionLink(warning)))),
		make("a", { href: "/status/status.html#security-title" },
			"All security warnings"));
}

class WarningsSection {
	constructor() {
		this.result = make("div", { class: "result", "aria-live": "polite" });
		this.button = button("Acknowledge selected", () => this.#acknowledge(),
			{ id: "acknowledge-warnings", disabled: true });
		this.table = makeTable({
			caption: "Security warnings",
			// So that one that was acknowledged is chosen no more.
			key: (warning) => `${warning.id} ${warning.state}`,
			empty: "No security warnings. What is amiss later stands here.",
			sortBy: 1,
			choose: {
				label: (warning) => `Select warning: ${warning.warning}`,
				refused: (warning) => isNew(warning) ? undefined
					: "This warning is acknowledged already.",
				changed: (count) => {
					this.button.disabled = count === 0;
				},
			},
			columns: [
				{ label: "Warning", header: true, value: (warning) => warning.warning },
				// New ones first.
				{ label: "State", value: (warning) => isNew(warning) ? 0 : 1,
				  render: (warning) =>
					badge(...STATES[warning.state] ?? ["quiet", warning.state]) },
				{ label: "Action", value: (warning) => warning.action,
				  render: actionLink },
			],
		});
		this.element = make("div", {}, this.table.element,
			make("div", { class: "buttons" }, this.button), this.result);
	}

	async draw() {
		this.table.setRows(await load());
		this.button.disabled = this.table.chosenRows().length === 0;
	}

	async #acknowledge() {
		const chosen = this.table.chosenRows();
		fill(this.result);
		setBusy(this.button, true);
		try {
			await call("security.acknowledgeWarnings",
				{ ids: chosen.map((warning) => warning.id) });
			await this.draw();
			fill(this.result, notice("ok",
				`${plural(chosen.length, "warning")} acknowledged, until the next restart.`));
		} catch (error) {
			fill(this.result, notice("error", sentence(error.message)));
		} finally {
			setBusy(this.button, false);
		}
	}
}

// Returns { element, draw() }; draw asks the service anew.
export function makeWarningsSection() {
	return new WarningsSection();
}
