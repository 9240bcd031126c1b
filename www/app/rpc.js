// SPDX-License-Identifier: GPL-3.0-or-later
// The XML-RPC client of the pages: one struct in, one struct out.
//
//   string          <-> string
//   boolean         <-> boolean
//   int             <-> integral number; double <-> any other number
//   dateTime        <-> Date (UTC)
//   base64          <-> Uint8Array
//   array, struct   <-> Array, plain object (members that are undefined are left out)

// Faults whose words say nothing beside their cause.
const BARE_CODES = [102, 201];

// "words - cause" as people read it.
function readable(code, text) {
	const at = text.indexOf(" - ");
	if (at < 0)
		return text;
	const cause = text.slice(at + 3);
	return BARE_CODES.includes(code) && cause.includes(" ")
		? cause : `${text.slice(0, at)}: ${cause}`;
}

// The service said no: code, text of the fault, and message for people.
export class Fault extends Error {
	constructor(code, text) {
		super(readable(code, text));
		this.name = "Fault";
		this.code = code;
		this.text = text;
	}
}

// No answer, or one that is not XML-RPC.
export class Unreachable extends Error {
	constructor(text) {
		super(text);
		this.name = "Unreachable";
	}
}

const TIMEOUT_MS = 60000;
const INT_MAX = 2147483647;

// Characters that XML 1.0 cannot carry at all, lone surrogates among them.
const UNSENDABLE = /[^\t\n\r\u{20}-\u{D7FF}\u{E000}-\u{FFFD}\u{10000}-\u{10FFFF}]/u;

export function isSendable(text) {
	return !UNSENDABLE.test(text);
}

function escapeText(text) {
	if (!isSendable(text))
		throw new TypeError("the text holds a control character that cannot be sent");
	return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;")
		.replaceAll(">", "&gt;").replaceAll("\r", "&#13;");
}

function encodeDate(date) {
	return date.toISOString().slice(0, 19).replaceAll("-", "");
}

function encodeBytes(bytes) {
	let text = "";
	for (const byte of bytes)
		text += String.fromCharCode(byte);
	return btoa(text);
}

function encodeStruct(object) {
	const members = Object.entries(object)
		.filter(([, value]) => value !== undefined)
		.map(([name, value]) =>
			`<member><name>${escapeText(name)}</name>${encodeValue(value)}</member>`);
	return `<struct>${members.join("")}</struct>`;
}

function encodeNumber(value) {
	if (Number.isInteger(value) && Math.abs(value) <= INT_MAX)
		return `<int>${value}</int>`;
	if (Number.isFinite(value))
		return `<double>${value}</double>`;
	throw new TypeError("only finite numbers can be sent");
}

function encodeInner(value) {
	switch (typeof value) {
	case "string": return `<string>${escapeText(value)}</string>`;
	case "boolean": return `<boolean>${value ? 1 : 0}</boolean>`;
	case "number": return encodeNumber(value);
	}
	if (value instanceof Date)
		return `<dateTime.iso8601>${encodeDate(value)}</dateTime.iso8601>`;
	if (value instanceof Uint8Array)
		return `<base64>${encodeBytes(value)}</base64>`;
	if (Array.isArray(value))
		return `<array><data>${value.map(encodeValue).join("")}</data></array>`;
	if (value !== null && typeof value === "object")
		return encodeStruct(value);
	throw new TypeError("a value of this kind cannot be sent");
}

function encodeValue(value) {
	return `<value>${encodeInner(value)}</value>`;
}

export function encodeCall(method, members) {
	return `<?xml version="1.0" encoding="UTF-8"?>\n` +
		`<methodCall><methodName>${escapeText(method)}</methodName>` +
		`<params><param>${encodeValue(members)}</param></params></methodCall>`;
}

function decodeDate(text) {
	const m = /^(\d{4})-?(\d\d)-?(\d\d)T(\d\d):(\d\d):(\d\d)Z?$/.exec(text.trim());
	if (!m)
		throw new Unreachable("The reply holds a date that cannot be read.");
	const [year, month, day, hour, minute, second] = m.slice(1).map(Number);
	return new Date(Date.UTC(year, month - 1, day, hour, minute, second));
}

function decodeStruct(element) {
	const object = {};
	for (const member of element.children) {
		const name = member.getElementsByTagName("name")[0];
		object[name.textContent] = decodeValue(name.nextElementSibling);
	}
	return object;
}

const DECODERS = {
	string: (e) => e.textContent,
	int: (e) => Number.parseInt(e.textContent, 10),
	i4: (e) => Number.parseInt(e.textContent, 10),
	double: (e) => Number.parseFloat(e.textContent),
	boolean: (e) => e.textContent.trim() === "1",
	"dateTime.iso8601": (e) => decodeDate(e.textContent),
	base64: (e) => Uint8Array.from(atob(e.textContent.replace(/\s+/g, "")),
		(c) => c.charCodeAt(0)),
	array: (e) => [...e.firstElementChild.children].map(decodeValue),
	struct: decodeStruct,
};

function decodeValue(value) {
	const inner = value.firstElementChild;
	if (!inner)
		return value.textContent;
	const decode = DECODERS[inner.tagName];
	if (!decode)
		throw new Unreachable(`The reply holds the unknown type "${inner.tagName}".`);
	return decode(inner);
}

export function decodeResponse(text) {
	const xml = new DOMParser().parseFromString(text, "text/xml");
	const root = xml.documentElement;
	if (!root || root.tagName !== "methodResponse")
		throw new Unreachable("The answer is not an XML-RPC reply.");
	const value = root.querySelector(":scope > fault > value") ??
		root.querySelector(":scope > params > param > value");
	if (!value)
		throw new Unreachable("The answer is an empty XML-RPC reply.");
	const result = decodeValue(value);
	if (root.firstElementChild.tagName === "fault")
		throw new Fault(result.faultCode, result.faultString);
	return result;
}

const HTTP_TEXTS = {
	413: "The request is larger than the service accepts (4 MiB).",
	429: "Too many requests at once. Wait a few seconds and try again.",
	503: "The service is busy or starting. Wait a few seconds and try again.",
};

// Call a method. headers: what the session adds. timeoutMs: give up after.
// Throws Fault or Unreachable.
export async function callMethod(method, members = {}, headers = {},
	timeoutMs = TIMEOUT_MS) {
	const body = encodeCall(method, members);
	let response;
	let text;
	try {
		response = await fetch("/RPC2", {
			method: "POST",
			headers: { "Content-Type": "text/xml; charset=utf-8", ...headers },
			body,
			cache: "no-store",
			credentials: "same-origin",
			signal: AbortSignal.timeout(timeoutMs),
		});
		text = await response.text();
	} catch {
		throw new Unreachable(
			"The service does not answer. Check that it runs and that this computer reaches it.");
	}
	if (!response.ok)
		throw new Unreachable(HTTP_TEXTS[response.status] ??
			`The service refused the request (HTTP ${response.status}).`);
	return decodeResponse(text);
}
