// SPDX-License-Identifier: GPL-3.0-or-later
// Rules of accessibility that can be computed on a drawn page. checkPage()
// returns a list of sentences, empty when the page keeps them all.

const RULES = [];

function rule(check) {
	RULES.push(check);
}

function isVisible(element) {
	return element.checkVisibility({ checkOpacity: true, checkVisibilityCSS: true }) &&
		element.getClientRects().length > 0;
}

function isClipped(element) {
	return Boolean(element.closest(".visually-hidden, .off-screen, .skip")) ||
		getComputedStyle(element).clipPath !== "none" ||
		Boolean(element.closest("thead") &&
			getComputedStyle(element.closest("thead")).clipPath !== "none");
}

function all(css) {
	return [...document.querySelectorAll(css)].filter(isVisible);
}

function nameOf(element) {
	const labelled = (element.getAttribute("aria-labelledby") ?? "").split(/\s+/)
		.map((id) => document.getElementById(id)?.textContent ?? "").join(" ");
	return (element.getAttribute("aria-label") || labelled.trim() ||
		element.labels?.[0]?.textContent || element.getAttribute("alt") ||
		element.textContent || "").trim();
}

function show(element) {
	const copy = element.cloneNode(false).outerHTML;
	return `${copy.slice(0, 120)} "${element.textContent.trim().slice(0, 40)}"`;
}

// --- structure

rule(() => document.documentElement.lang ? [] : ["html has no lang"]);
rule(() => document.title.trim() ? [] : ["the page has no title"]);
rule(() => {
	const count = all("h1").length;
	return count === 1 ? [] : [`${count} h1`];
});
rule(() => {
	const count = all("main").length;
	return count === 1 ? [] : [`${count} main`];
});
rule(() => {
	let last = 0;
	const wrong = [];
	for (const heading of all("h1, h2, h3, h4, h5, h6")) {
		const level = Number(heading.tagName[1]);
		if (level > last + 1)
			wrong.push(`heading level ${last} is followed by ${show(heading)}`);
		last = level;
	}
	return wrong;
});
rule(() => {
	const seen = new Set();
	return [...document.querySelectorAll("[id]")].filter((element) => {
		const twice = seen.has(element.id);
		seen.add(element.id);
		return twice;
	}).map((element) => `id twice: ${show(element)}`);
});
rule(() => ["aria-labelledby", "aria-describedby", "aria-controls", "for"].flatMap((name) =>
	[...document.querySelectorAll(`[${name}]`)].flatMap((element) =>
		element.getAttribute(name).split(/\s+/)
			.filter((id) => id && !document.getElementById(id))
			.map((id) => `${name} names the missing "${id}": ${show(element)}`))));
rule(() => all("nav, section, [role=region]")
	.filter((element) => !element.hasAttribute("aria-label") &&
		!element.hasAttribute("aria-labelledby") && element.querySelector("h1") === null)
	.map((element) => `a landmark without name: ${show(element)}`));

// --- names

rule(() => all("input, select, textarea").filter((element) => element.type !== "hidden" &&
	!element.labels?.length && !element.getAttribute("aria-label"))
	.map((element) => `a field without label: ${show(element)}`));
rule(() => all("button, a[href], [role=button]").filter((element) => !nameOf(element))
	.map((element) => `nothing to call it by: ${show(element)}`));
rule(() => [...document.querySelectorAll("img:not([alt])")]
	.map((element) => `an image without alt: ${show(element)}`));
rule(() => all("table").filter((table) => !table.querySelector("th"))
	.map((table) => `a table without header cells: ${show(table)}`));
rule(() => all("[tabindex]").filter((element) => element.tabIndex > 0)
	.map((element) => `a tab order of its own: ${show(element)}`));

// --- nothing inline (the Content-Security-Policy would drop it)

rule(() => [...document.querySelectorAll("[style], style, script:not([src])")]
	.map((element) => `inline style or script: ${show(element)}`));

// --- contrast: WCAG 2.2, 1.4.3 and 1.4.11

function parseColour(text) {
	const numbers = text.match(/[\d.]+/g).map(Number);
	const [r, g, b, a = 1] = numbers;
	return { r, g, b, a };
}

function over(top, bottom) {
	const mix = (x, y) => x * top.a + y * (1 - top.a);
	return { r: mix(top.r, bottom.r), g: mix(top.g, bottom.g), b: mix(top.b, bottom.b), a: 1 };
}

function groundOf(element) {
	const layers = [];
	for (let e = element; e; e = e.parentElement)
		layers.push(parseColour(getComputedStyle(e).backgroundColor));
	return layers.reduceRight((below, layer) => over(layer, below),
		{ r: 255, g: 255, b: 255, a: 1 });
}

function luminance({ r, g, b }) {
	const [x, y, z] = [r, g, b].map((part) => {
		const c = part / 255;
		return c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
	});
	return 0.2126 * x + 0.7152 * y + 0.0722 * z;
}

function contrast(a, b) {
	const [light, dark] = [luminance(a), luminance(b)].sort((x, y) => y - x);
	return (light + 0.05) / (dark + 0.05);
}

function textElements() {
	const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
	const found = new Set();
	while (walker.nextNode()) {
		const element = walker.currentNode.parentElement;
		if (walker.currentNode.textContent.trim() && isVisible(element) &&
		    !isClipped(element) && !element.closest(":disabled, dialog:not([open]), noscript"))
			found.add(element);
	}
	return [...found];
}

rule(() => textElements().flatMap((element) => {
	const style = getComputedStyle(element);
	const size = Number.parseFloat(style.fontSize);
	const large = size >= 24 || (size >= 18.66 && Number(style.fontWeight) >= 700);
	const ground = groundOf(element);
	const ratio = contrast(over(parseColour(style.color), ground), ground);
	return ratio >= (large ? 3 : 4.5) ? []
		: [`contrast ${ratio.toFixed(2)}: ${show(element)}`];
}));
rule(() => all("input:not([type=checkbox], [type=radio], [type=file]), select, textarea")
	.filter((element) => !element.disabled).flatMap((element) => {
		const ratio = contrast(parseColour(getComputedStyle(element).borderTopColor),
			groundOf(element.parentElement));
		return ratio >= 3 ? [] : [`the edge has contrast ${ratio.toFixed(2)}: ${show(element)}`];
	}));

// --- size

rule(() => {
	const { scrollWidth, clientWidth } = document.documentElement;
	return scrollWidth <= clientWidth ? []
		: [`the page is ${scrollWidth} wide in a window of ${clientWidth}`];
});

function targetSize(element) {
	// A label extends what can be touched.
	const boxes = [element, ...(element.labels ?? [])].map((e) => e.getBoundingClientRect());
	return {
		width: Math.max(...boxes.map((box) => box.width)),
		height: Math.max(...boxes.map((box) => box.height)),
	};
}

rule(() => {
	const coarse = matchMedia("(pointer: coarse)").matches;
	const least = coarse ? 44 : 24;
	// Links in running text are exempt (WCAG 2.2, 2.5.8).
	return all("button, .button, nav a, input, select, .help-link").filter((element) =>
		!isClipped(element) && !element.closest("p, dd, td li")).flatMap((element) => {
		const { width, height } = targetSize(element);
		const narrow = ["checkbox", "radio"].includes(element.type) ? 24 : least;
		return width >= Math.min(least, narrow) - 0.5 && height >= Math.min(least, narrow) - 0.5
			? [] : [`${width.toFixed(0)} x ${height.toFixed(0)}: ${show(element)}`];
	});
});

function checkPage() {
	return RULES.flatMap((check) => check());
}
