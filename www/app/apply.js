// SPDX-License-Identifier: GPL-3.0-or-later
// Changes that can lock people out: what changes, what happens to this session,
// and a trial that reverts by itself.

import { button, facts, make, notice } from "/app/dom.js";
import { confirmDialog, openDialog } from "/app/dialog.js";
import { sentence } from "/app/form.js";
import { plural } from "/app/format.js";
import { Fault } from "/app/rpc.js";
import { call } from "/app/session.js";
// Loaded before the change: afterwards this page may be out of reach of the service.
import "/app/trial.js";

const TRIAL_SECONDS = 120;
const FAULT_WOULD_LOCK_OUT = 1007;

const RESCUE = "The way back is then a shell on the machine itself: sealbridgectl rescue.";

function drawOutlook({ wouldLockOut, reason, session, note }) {
	return [
		session ? notice(wouldLockOut ? "warning" : "info",
			make("strong", {}, "Your session: "), sentence(session)) : null,
		wouldLockOut ? notice("error", make("strong", {}, "This would lock you out. "),
			reason ? sentence(reason) : "") : null,
		note ? make("p", {}, note) : null,
	];
}

// "try", "apply" or undefined.
function ask({ title, changes, outlook, trialSeconds }) {
	const time = plural(trialSeconds / 60, "minute");
	return new Promise((resolve) => {
		let answer;
		const choose = (what) => () => {
			answer = what;
			dialog.close();
		};
		const dialog = openDialog(title,
			facts(...changes.map(({ label, from, to }) =>
				[label, make("span", { class: "quiet" }, from), " \u2192 ",
					make("strong", {}, to)])),
			drawOutlook(outlook),
			make("p", {}, `A trial is in force at once. After ${time} everything is as it was, unless you press Keep: nobody stays locked out.`),
			make("div", { class: "buttons" },
				button(`Try for ${time}`, choose("try"), { class: "primary", autofocus: true }),
				button("Apply for good", choose("apply"),
					{ class: outlook.wouldLockOut ? "danger" : undefined }),
				button("Cancel", choose(undefined))));
		dialog.classList.add("apply-dialog");
		dialog.addEventListener("close", () => resolve(answer));
	});
}

function askAgain(reason) {
	return confirmDialog({
		title: "Apply for good although it locks you out?",
		text: [reason ? sentence(reason) : null, RESCUE].filter(Boolean),
		action: "Apply for good", danger: true,
	});
}

// Apply for good; ask once more when it would lock the caller out.
async function applyForGood({ method, members, outlook }) {
	let force = false;
	if (outlook.wouldLockOut) {
		if (!await askAgain(outlook.reason))
			return false;
		force = true;
	}
	try {
		await call(method, { ...members, ...force && { force } });
	} catch (error) {
		if (!(error instanceof Fault) || error.code !== FAULT_WOULD_LOCK_OUT || force)
			throw error;
		if (!await askAgain(error.message))
			return false;
		await call(method, { ...members, force: true });
	}
	return true;
}

// Apply changes to settings.
//   page      of app/shell.js
//   method    verification.configure, security.modify or services.modify
//   members   what to send
//   changes   [{ label, from, to, canLockOut }] in words
//   preview   async () => { wouldLockOut, reason, session, note }
//   newAddress  where this page is afterwards, when it moves
//   trialSeconds  a multiple of 60
// Returns what to say at the button; undefined when it was called off.
export async function applyChanges({
	page, method, members, changes, preview, newAddress, trialSeconds = TRIAL_SECONDS,
}) {
	if (!changes.some(({ canLockOut }) => canLockOut)) {
		await call(method, members);
		await page.refresh();
		return "Applied. It counts from now on.";
	}
	const outlook = await preview?.() ?? {};
	const answer = await ask({ title: "Apply these changes?", changes, outlook,
		trialSeconds });
	if (!answer)
		return undefined;
	if (answer === "try") {
		const trial = await call(method, { ...members, confirmWithinSeconds: trialSeconds });
		await page.beginTrial({ ...trial, settings: changes, newAddress });
		return "In force, on trial. Press Keep in the line at the top when all is well; otherwise it reverts by itself.";
	}
	if (!await applyForGood({ method, members, outlook }))
		return undefined;
	if (newAddress)
		return ["Applied. This page is from now on at ",
			make("a", { href: newAddress }, newAddress), "."];
	await page.refresh();
	return "Applied. It counts from now on.";
}
