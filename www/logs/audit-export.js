// SPDX-License-Identifier: GPL-3.0-or-later
// Download as XML: the pieces of auditlog.export are one document when joined.

import { notice } from "/app/dom.js";
import { call } from "/app/session.js";
import { download } from "/logs/download.js";
import { logFileName } from "/logs/file-names.js";

// Resolves to whether the file was saved.
export function saveLog(audit) {
	const first = audit.query?.firstIndex ?? 1;
	let last;
	return download({
		title: "Download the audit log", type: "application/xml",
		fileName: logFileName(audit.host, new Date()),
		next: async (from) => {
			const piece = await call("auditlog.export", { from, to: last });
			last = piece.last;
			return { text: piece.xml, cursor: piece.next || undefined,
				done: (piece.next || last + 1) - first, total: last + 1 - first };
		},
	});
}

export async function run(audit) {
	const saved = await saveLog(audit);
	audit.say(saved
		? notice("ok", `${logFileName(audit.host, new Date())} is saved by the browser. Check it with the audit key, below.`)
		: notice("info", "The download was called off. Nothing was saved."));
	await audit.ask();
}
