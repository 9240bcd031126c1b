// SPDX-License-Identifier: GPL-3.0-or-later
// Delete records.

import { notice } from "/app/dom.js";
import { call } from "/app/session.js";
import { saveCdrLog } from "/logs/cdr-download.js";
import { countText, openClearDialog } from "/logs/clear-dialog.js";

async function timeAt(index) {
	const { events } = await call("cdrlog.enumerate", { index, numEvents: 1 });
	return events[0]?.time;
}

// The first record of that day or later, by halves: times rise with the index.
async function firstSince(day, { firstIndex, deleteableIndex }) {
	let low = firstIndex;
	let high = deleteableIndex + 1;
	while (low < high) {
		const middle = Math.floor((low + high) / 2);
		const time = await timeAt(middle);
		if (time === undefined || time >= day)
			high = middle;
		else
			low = middle + 1;
	}
	return low;
}

// cdr: { host, query, done(content) }. Resolves when the dialog is closed.
export function clearCdrLog({ host, query, done }) {
	return openClearDialog({
		title: "Delete call detail records?",
		text: "Deleted records cannot be brought back. The audit log has a record of the deletion.",
		firstIndex: query.firstIndex, lastIndex: query.deleteableIndex,
		firstSince: (day) => firstSince(day, query),
		save: () => saveCdrLog({ host }),
		remove: async (limit) => (await call("cdrlog.delete", { deleteIndex: limit })).deleted,
		done: (deleted, limit) => done(notice("ok", `Deleted: ${countText(deleted)}, up to ${
			(limit - 1).toLocaleString()}. The audit log has a record of it.`)),
	});
}
