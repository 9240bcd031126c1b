// SPDX-License-Identifier: GPL-3.0-or-later
// The section Syslog: where events go besides, and how that goes.

import { badge, byId, facts, fill, notice } from "/app/dom.js";
import { actionButton, sentence } from "/app/form.js";
import { drawSettingsForm, membersOf } from "/app/settings-form.js";
import { call, callAll } from "/app/session.js";

const STATES = {
	off: ["quiet", "Off"],
	connecting: ["info", "Connecting"],
	connected: ["ok", "Connected"],
	failed: ["error", "Not connected"],
};

// A connection that is being made is looked at again.
const AGAIN_MS = 1000;

function drawState({ state, problem, sent, waiting, dropped }) {
	return facts(
		["State", badge(...STATES[state] ?? ["warning", state])],
		// A connection that stands may still have something against it.
		problem ? [state === "connected" ? "But" : "Problem", sentence(problem)] : null,
		state === "off" ? null : ["Messages",
			`${sent.toLocaleString()} sent, ${waiting.toLocaleString()} waiting, ${
				dropped.toLocaleString()} dropped`],
	);
}

class Syslog {
	// answer: { value } or { error } of syslog.query.
	show({ value, error }) {
		if (error) {
			fill(byId("syslog-state"), notice("error", sentence(error.message)));
			return;
		}
		fill(byId("syslog-state"), drawState(value));
		if (value.state === "connecting")
			this.#lookAgain();
		if (!this.form) {
			this.#draw(value);
			return;
		}
		Object.assign(this.reply, value);
	}

	async #look() {
		const [answer] = await callAll(["syslog.query"]);
		this.show(answer);
		return answer.value;
	}

	#lookAgain() {
		clearTimeout(this.timer);
		this.timer = setTimeout(() => {
			if (document.hidden)
				this.#lookAgain();
			else
				this.#look().catch(() => this.#lookAgain());
		}, AGAIN_MS);
	}

	#draw(reply) {
		this.reply = reply;
		this.form = drawSettingsForm({
			reply, names: ["enabled", "server", "audit"], submit: "Apply changes",
			apply: async (changes) => {
				await call("syslog.configure", membersOf(changes));
				const now = await this.#look();
				if (now)
					this.form.set({ enabled: now.enabled, server: now.server, audit: now.audit });
				return "Applied. It counts from now on.";
			},
		});
		fill(byId("syslog-place"), this.form.element);
		const [button, result] = actionButton("Send a test message", async () => {
			const { sent, problem } = await call("syslog.test");
			await this.#look();
			if (!sent)
				throw new Error(`Not sent: ${problem}`);
			return "Sent: the server's host has acknowledged it. Look there whether it is in its log.";
		});
		const [refresh, trouble] = actionButton("Refresh", async () => { await this.#look(); });
		byId("syslog-buttons").after(result, trouble);
		fill(byId("syslog-buttons"), button, refresh);
	}
}

export function makeSyslog() {
	return new Syslog();
}
