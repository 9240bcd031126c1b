// SPDX-License-Identifier: GPL-3.0-or-later
// Download as XML: all records that fit the filter, oldest first, page by page.

import { call } from "/app/session.js";
import { DOCUMENT_END, documentEvent, documentHead } from "/logs/cdr-words.js";
import { download } from "/logs/download.js";

export const FILE_NAME = "cdr_log.xml";

const EVENTS_A_CALL = 20;

// Resolves to whether the file was saved.
export async function saveCdrLog({ host, filter }) {
	const { firstIndex, deleteableIndex: lastIndex } = await call("cdrlog.query");
	const total = lastIndex + 1 - firstIndex;
	return download({
		title: "Download the CDR log", type: "application/xml", fileName: FILE_NAME,
		next: async (index) => {
			const piece = await call("cdrlog.enumerate",
				{ index: index ?? firstIndex, numEvents: EVENTS_A_CALL, filter });
			// What comes meanwhile stays for the next download.
			const events = piece.events.filter((event) => event.index <= lastIndex);
			const more = piece.eventsRemaining && piece.nextIndex <= lastIndex;
			return {
				text: (index === undefined ? documentHead({ host_name: host,
					time: `${piece.currentTime.toISOString().slice(0, 19)}Z` }) : "") +
					events.map(documentEvent).join("") + (more ? "" : DOCUMENT_END),
				cursor: more ? piece.nextIndex : undefined,
				done: more ? piece.nextIndex - firstIndex : total, total,
			};
		},
	});
}
