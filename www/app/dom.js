// SPDX-License-Identifier: GPL-3.0-or-later
// Small helpers that make elements. Values become text nodes, never markup.

// make("p", {class: "note", hidden: true, onclick: fn}, "text", element, ...)
// Attributes that are undefined, null or false are left out; true sets an empty
// one; functions become listeners. Children that are null or false are left out.
export function make(tag, attributes = {}, ...children) {
	const element = document.createElement(tag);
	for (const [name, value] of Object.entries(attributes)) {
		if (value === undefined || value === null || value === false)
			continue;
		if (typeof value === "function")
			element.addEventListener(name.replace(/^on/, ""), value);
		else
			element.setAttribute(name, value === true ? "" : value);
	}
	append(element, children);
	return element;
}

function append(element, children) {
	for (const child of children.flat(Infinity)) {
		if (child !== null && child !== undefined && child !== false)
			element.append(child);
	}
}

export function byId(id) {
	return document.getElementById(id);
}

// Put these children in place of what an element holds.
export function fill(element, ...children) {
	element.replaceChildren();
	append(element, children);
	return element;
}

let lastId = 0;
export function newId(prefix) {
	lastId += 1;
	return `${prefix}-${lastId}`;
}

// A decorative mark; its meaning always stands beside it as text.
export function icon(name) {
	return make("span", { class: `icon icon-${name}`, "aria-hidden": "true" });
}

// A mark with text: level is ok, info, warning, error or quiet.
export function badge(level, text) {
	return make("span", { class: `badge badge-${level}` },
		level === "quiet" ? null : icon(level), text);
}

// A message block. Put it into a live region (aria-live) to have it announced;
// errors are announced wherever they appear.
export function notice(level, ...content) {
	return make("div", {
		class: `notice notice-${level}`, role: level === "error" ? "alert" : undefined,
	}, icon(level), make("div", { class: "notice-text" }, content));
}

export function button(label, onclick, attributes = {}) {
	return make("button", { type: "button", onclick, ...attributes }, label);
}

// A list of label and value rows; rows that are null are left out.
export function facts(...rows) {
	return make("dl", { class: "facts" }, rows.filter(Boolean).map(([label, ...value]) =>
		make("div", { class: "fact" },
			make("dt", {}, label), make("dd", {}, value))));
}

async function toClipboard(text) {
	if (navigator.clipboard) {
		await navigator.clipboard.writeText(text);
		return;
	}
	// Plain HTTP has no clipboard object; the old command still works.
	const area = make("textarea", { class: "off-screen", "aria-hidden": "true" });
	area.value = text;
	document.body.append(area);
	area.select();
	const done = document.execCommand("copy");
	area.remove();
	if (!done)
		throw new Error("not copied");
}

// A button that copies text and says so in its own label.
export function copyButton(text, what) {
	const label = make("span", { "aria-live": "polite" }, "Copy");
	const element = make("button", {
		type: "button", class: "small", "aria-label": `Copy ${what}`,
	}, label);
	element.addEventListener("click", async () => {
		try {
			await toClipboard(text);
			label.textContent = "Copied";
		} catch {
			label.textContent = "Not copied: select the text instead";
		}
		element.removeAttribute("aria-label");
	});
	return element;
}

function urlOf(parts, type) {
	return URL.createObjectURL(new Blob(parts, { type }));
}

// A link that saves text as a file.
export function downloadLink(text, fileName, label) {
	const url = urlOf([text], "application/x-pem-file");
	return make("a", { class: "button small", href: url, download: fileName }, label);
}

const URL_KEPT_MS = 60000;

// Save parts of a text as one file, as if somebody had followed such a link.
export function saveFile(parts, fileName, type) {
	const url = urlOf(parts, type);
	make("a", { href: url, download: fileName }).click();
	setTimeout(() => URL.revokeObjectURL(url), URL_KEPT_MS);
}
