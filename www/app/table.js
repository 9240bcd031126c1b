// SPDX-License-Identifier: GPL-3.0-or-later
// Tables with sorting, filter, paging, choice of rows and a teaching empty state.
//
// A column: label, and
//   value(row)    what it sorts and filters by
//   render(row)   what it shows (default: the value as text)
//   numeric       align to the right
//   header        this column names the row
//   class         of its cells
//
// Roles are written out: on narrow screens the style sheet makes each row a block,
// and browsers then forget that it was a table.

import { button, fill, make, newId } from "/app/dom.js";

const PAGE_ROWS = 50;
const FILTER_FROM_ROWS = 8;

// What a table is made of; logs/log-view.js draws with it too.

export function drawTable(caption, head, rows) {
	return make("div", { class: "table-scroll" },
		make("table", { role: "table" },
			make("caption", { class: "visually-hidden" }, caption),
			make("thead", { role: "rowgroup" }, make("tr", { role: "row" }, head)),
			make("tbody", { role: "rowgroup" }, rows)));
}

export function drawHead(column, content = column.label, attributes = {}) {
	return make("th", {
		scope: "col", role: "columnheader", class: column.numeric ? "numeric" : undefined,
		...attributes,
	}, content);
}

export function drawCell(column, row) {
	const content = column.render ? column.render(row) : String(column.value(row) ?? "");
	return make(column.header ? "th" : "td", {
		scope: column.header ? "row" : undefined,
		role: column.header ? "rowheader" : "cell",
		class: [column.class, column.numeric && "numeric", content === "" && "nothing"]
			.filter(Boolean).join(" ") || undefined,
		"data-label": column.label,
	}, column.header ? content : make("div", {}, content));
}

function compare(a, b) {
	if (typeof a === "string" && typeof b === "string")
		return a.localeCompare(b, undefined, { numeric: true });
	return a < b ? -1 : Number(a > b);
}

class Table {
	constructor(options) {
		this.options = options;
		this.rows = [];
		this.chosen = new Set();
		this.sortBy = options.sortBy ?? 0;
		this.descending = options.descending ?? false;
		this.page = 0;
		this.filterText = "";
		this.filter = this.#drawFilter();
		this.body = make("div", { class: "table-body" });
		this.count = make("p", { class: "quiet table-count", role: "status" });
		this.element = make("div", { class: "table" }, this.filter, this.body, this.count);
	}

	setRows(rows) {
		this.rows = rows;
		const keys = new Set(rows.map(this.options.key));
		this.chosen = new Set([...this.chosen].filter((key) => keys.has(key)));
		this.filter.hidden = rows.length < FILTER_FROM_ROWS;
		this.#draw();
	}

	chosenRows() {
		return this.rows.filter((row) => this.chosen.has(this.options.key(row)));
	}

	#drawFilter() {
		const id = newId("filter");
		const input = make("input", { id, type: "search", autocomplete: "off" });
		input.addEventListener("input", () => {
			this.filterText = input.value.trim().toLowerCase();
			this.page = 0;
			this.#draw();
		});
		return make("div", { class: "table-filter", hidden: true },
			make("label", { for: id }, "Filter"), input);
	}

	#visible() {
		const { columns } = this.options;
		const column = columns[this.sortBy];
		const sign = this.descending ? -1 : 1;
		return this.rows
			.filter((row) => !this.filterText || columns.some((c) =>
				String(c.value(row) ?? "").toLowerCase().includes(this.filterText)))
			.toSorted((a, b) => sign * compare(column.value(a), column.value(b)));
	}

	#draw() {
		const visible = this.#visible();
		const pages = Math.max(1, Math.ceil(visible.length / PAGE_ROWS));
		this.page = Math.min(this.page, pages - 1);
		const shown = visible.slice(this.page * PAGE_ROWS, (this.page + 1) * PAGE_ROWS);
		if (this.rows.length === 0)
			fill(this.body, make("p", { class: "empty" }, this.options.empty));
		else if (shown.length === 0)
			fill(this.body, make("p", { class: "empty" }, "Nothing matches the filter."));
		else
			fill(this.body, this.#drawTable(shown), this.#drawPager(pages));
		this.count.textContent = this.filterText
			? `${visible.length} of ${this.rows.length} match` : "";
	}

	#drawTable(shown) {
		return drawTable(this.options.caption,
			[this.options.choose ? make("td", { role: "cell" }) : null,
				this.options.columns.map((column, i) => this.#drawHead(column, i))],
			shown.map((row) => this.#drawRow(row)));
	}

	#drawHead(column, index) {
		const sorted = index === this.sortBy;
		const direction = this.descending ? "descending" : "ascending";
		const sort = () => {
			this.descending = sorted ? !this.descending : false;
			this.sortBy = index;
			this.#draw();
			this.body.querySelectorAll("th button")[index].focus();
		};
		return drawHead(column,
			make("button", { type: "button", class: "sort", onclick: sort }, column.label),
			{ "aria-sort": sorted ? direction : undefined });
	}

	#drawRow(row) {
		return make("tr", { role: "row" },
			this.options.choose
				? make("td", { class: "choose", role: "cell" }, this.#drawChoice(row)) : null,
			this.options.columns.map((column) => drawCell(column, row)));
	}

	#drawChoice(row) {
		const key = this.options.key(row);
		const refused = this.options.choose.refused?.(row);
		const box = make("input", {
			type: "checkbox", "aria-label": this.options.choose.label(row),
			checked: this.chosen.has(key), disabled: Boolean(refused), title: refused,
		});
		box.addEventListener("change", () => {
			if (box.checked)
				this.chosen.add(key);
			else
				this.chosen.delete(key);
			this.options.choose.changed?.(this.chosen.size);
		});
		// The label makes the whole cell a target.
		return make("label", {}, box);
	}

	#drawPager(pages) {
		if (pages === 1)
			return null;
		const turn = (by) => () => {
			this.page += by;
			this.#draw();
		};
		return make("div", { class: "buttons pager" },
			button("Previous", turn(-1), { disabled: this.page === 0 }),
			make("span", {}, `Page ${this.page + 1} of ${pages}`),
			button("Next", turn(1), { disabled: this.page === pages - 1 }));
	}
}

// options: caption, columns, key(row), empty, sortBy (index), descending,
// choose { label(row), refused(row) -> why not, changed(count) }.
// Returns { element, setRows(rows), chosenRows() }.
export function makeTable(options) {
	return new Table(options);
}
