// SPDX-License-Identifier: GPL-3.0-or-later
// Call detail records: in words, and as the document that is downloaded. Pure.

export const TYPES = {
	participantJoined: "Joined",
	participantLeft: "Left",
};

// "participantLeft" -> "participant_left": the names of the document.
export function documentName(name) {
	return name.replaceAll("-", "_").replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

function escapeXml(text) {
	return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;")
		.replaceAll("\"", "&quot;").replaceAll("\r", "&#13;").replaceAll("\n", "&#10;").replaceAll("\t", "&#9;");
}

function timeText(date) {
	return `${date.toISOString().slice(0, 19)}Z`;
}

function attributes(members) {
	return Object.entries(members)
		.map(([name, value]) => ` ${name}="${escapeXml(String(value))}"`).join("");
}

export function documentHead(members) {
	return `<?xml version="1.0" encoding="UTF-8"?>\n<cdr_log${attributes(members)}>\n`;
}

export const DOCUMENT_END = "</cdr_log>\n";

// One record: index, time (UTC) and type, and an element for each thing known of it.
export function documentEvent({ index, time, type, ...members }) {
	const inside = Object.entries(members).filter(([, value]) => value !== "")
		.map(([name, value]) => {
			const tag = documentName(name);
			return `\t\t<${tag}>${escapeXml(String(value))}</${tag}>\n`;
		});
	return `\t<event${attributes({ index, time: timeText(time), type: documentName(type) })}>\n${
		inside.join("")}\t</event>\n`;
}
