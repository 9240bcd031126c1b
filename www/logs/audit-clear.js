// SPDX-License-Identifier: GPL-3.0-or-later
// Clear log.

import { notice } from "/app/dom.js";
import { call } from "/app/session.js";
import { saveLog } from "/logs/audit-export.js";
import { countText, openClearDialog } from "/logs/clear-dialog.js";

async function firstSince(day, { firstIndex }) {
	const { events } = await call("auditlog.enumerate", {
		newestFirst: true, numEvents: 1, filter: { until: new Date(day.getTime() - 1000) } });
	return events.length === 0 ? firstIndex : events[0].index + 1;
}

export async function run(audit) {
	await audit.ask();
	const { query } = audit;
	if (query.numEvents === 0) {
		audit.say(notice("info", "The log is empty."));
		return;
	}
	await openClearDialog({
		title: "Clear the audit log?",
		text: "Deleted records cannot be brought back. The deletion is itself recorded, with your name and how many records went, and the rest of the log can still be verified.",
		firstIndex: query.firstIndex, lastIndex: query.lastIndex,
		firstSince: (day) => firstSince(day, query),
		save: () => saveLog(audit),
		remove: async (limit) =>
			(await call("auditlog.delete", { deleteIndex: limit })).deleted,
		done: async (deleted) => {
			await audit.refresh();
			audit.say(notice("ok", `Deleted: ${countText(deleted)}. That is recorded.`));
		},
	});
}
