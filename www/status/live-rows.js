// SPDX-License-Identifier: GPL-3.0-or-later
// A table whose rows come, change and go while it is looked at. Cells are drawn
// anew only when what they show has changed, rows keep their places and new ones
// come below, so nothing jumps and the focus stays.
//
// Columns are those of app/table.js, and
//   shows(row)    what a cell depends on, as text (default: value(row))

import { fill, make } from "/app/dom.js";
import { drawCell, drawHead, drawTable } from "/app/table.js";

const SHOWN_MAX = 200;
const READ_MAX_MS = 60000; // a page that nobody watches may have the focus in a row

function signature(column, row) {
	return String((column.shows ?? column.value)(row) ?? "");
}

class Cell {
	constructor(column, row) {
		this.column = column;
		this.signature = signature(column, row);
		this.element = drawCell(column, row);
	}

	show(row) {
		const now = signature(this.column, row);
		if (now === this.signature)
			return;
		this.signature = now;
		const element = drawCell(this.column, row);
		const focused = this.element.contains(document.activeElement);
		this.element.replaceWith(element);
		this.element = element;
		if (focused)
			(element.querySelector("button") ?? element.closest("tr")?.querySelector("button"))?.focus();
	}
}

class Row {
	constructor(columns, row, detail) {
		this.row = row;
		this.cells = columns.map((column) => new Cell(column, row));
		this.element = make("tr", { role: "row" }, this.cells.map((cell) => cell.element));
		this.detail = detail;
	}

	show(row) {
		this.row = row;
		this.cells.forEach((cell) => cell.show(row));
		this.showDetail();
	}

	// The row below that tells all; drawn while it is open.
	toggle(columns) {
		this.more ??= make("tr", { role: "row", class: "log-detail", hidden: true },
			make("td", { role: "cell", colspan: columns }));
		if (!this.more.isConnected)
			this.element.after(this.more);
		this.more.hidden = !this.more.hidden;
		this.drawn = undefined;
		this.showDetail();
		return !this.more.hidden;
	}

	showDetail() {
		if (!this.more || this.more.hidden)
			return;
		const now = JSON.stringify(this.row);
		if (now !== this.drawn && !this.more.contains(document.activeElement)) {
			this.drawn = now;
			fill(this.more.firstChild, this.detail(this.row));
		}
	}

	get hasFocus() {
		return [this.element, this.more].some((element) => element?.contains(document.activeElement));
	}

	get isRead() {
		return this.hasFocus || [this.element, this.more].some((element) => element?.matches(":hover"));
	}

	remove() {
		this.element.remove();
		this.more?.remove();
	}
}

class LiveRows {
	constructor(options) {
		this.options = options;
		this.rows = new Map();
		this.leaving = new Map();
		this.table = drawTable(options.caption,
			options.columns.map((column) => drawHead(column)), []);
		this.body = this.table.querySelector("tbody");
		this.empty = make("div", { class: "empty", tabindex: "-1" });
		this.more = make("p", { class: "quiet" });
		this.element = make("div", { class: "table-body log-body" }, this.empty, this.table, this.more);
		this.table.hidden = true;
	}

	// The rows as they are now. What is gone stays a while, as options.gone makes it.
	setRows(rows) {
		const { key } = this.options;
		const shown = rows.slice(0, SHOWN_MAX);
		const keys = new Set(shown.map(key));
		for (const [name, row] of this.rows) {
			if (!keys.has(name))
				this.#leave(name, row);
		}
		for (const row of shown)
			this.#show(key(row), row);
		this.more.textContent = rows.length > SHOWN_MAX
			? `And ${(rows.length - SHOWN_MAX).toLocaleString()} more that are not shown here.` : "";
		this.#mark();
	}

	#show(name, row) {
		if (this.leaving.delete(name) || this.rows.has(name)) {
			this.rows.get(name).show(row);
			return;
		}
		const drawn = new Row(this.options.columns, row, this.options.detail);
		this.rows.set(name, drawn);
		this.body.append(drawn.element);
	}

	#leave(name, row) {
		const { gone, goneMs } = this.options;
		if (!gone) {
			this.#remove(name, row);
			return;
		}
		const since = this.leaving.get(name);
		if (since === undefined) {
			this.leaving.set(name, Date.now());
			row.show(gone(row.row));
			row.element.classList.add("row-gone");
		} else if (Date.now() - since > (row.isRead ? READ_MAX_MS : goneMs)) {
			this.#remove(name, row);
		}
	}

	#remove(name, row) {
		this.leaving.delete(name);
		this.rows.delete(name);
		const focused = row.hasFocus;
		row.remove();
		this.#mark();
		if (focused)
			(this.body.querySelector("button") ?? this.empty).focus();
	}

	#mark() {
		const none = this.rows.size === 0;
		this.table.hidden = none;
		this.empty.hidden = !none;
	}

	setEmpty(...content) {
		fill(this.empty, content);
	}

	// Open or close what a row tells beside its cells. Returns whether it is open.
	toggle(name) {
		return this.rows.get(name)?.toggle(this.options.columns.length) ?? false;
	}

	isOpen(name) {
		return this.rows.get(name)?.more?.hidden === false;
	}

	// [row, cell] of each row in the column of that label.
	cells(label) {
		const at = this.options.columns.findIndex((column) => column.label === label);
		return [...this.rows.values()].map(({ row, cells }) => [row, cells[at].element]);
	}
}

// options: caption, columns, key(row), detail(row) -> all of a row, gone(row) -> the
// row that is shown in its place for goneMs and as long as it is being read.
// Returns { element, setRows(rows), setEmpty(...), toggle(key), isOpen(key),
// cells(label) }.
export function makeLiveRows(options) {
	return new LiveRows(options);
}
