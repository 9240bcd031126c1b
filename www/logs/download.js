// SPDX-License-Identifier: GPL-3.0-or-later
// A log as one file, asked for piece by piece, with progress, to be called off.

import { make, saveFile } from "/app/dom.js";
import { progressDialog } from "/app/dialog.js";

// title, fileName, type (of the file)
// next: async (cursor) => { text, cursor (undefined: that was the last), done, total },
//       cursor being undefined at first
// Resolves to whether it was saved; rejects with the error of a piece.
export async function download({ title, fileName, type, next }) {
	let cancelled = false;
	let callOff;
	const calledOff = new Promise((resolve) => { callOff = resolve; });
	const progress = progressDialog(title, `The file will be ${fileName}.`, {
		cancel: () => {
			cancelled = true;
			callOff();
			progress.dialog.close();
		},
	});
	const parts = [];
	let cursor;
	try {
		do {
			// A piece that is long in coming does not hold up who wants no more.
			const piece = await Promise.race([next(cursor), calledOff]);
			if (cancelled)
				break;
			parts.push(piece.text);
			cursor = piece.cursor;
			progress.measure(piece.done, piece.total);
			progress.say(make("p", {}, `${Math.min(piece.done, piece.total).toLocaleString()} of ${
				piece.total.toLocaleString()}`));
		} while (cursor !== undefined);
	} finally {
		progress.dialog.close();
	}
	if (!cancelled)
		saveFile(parts, fileName, type);
	return !cancelled;
}
