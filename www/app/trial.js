// SPDX-License-Identifier: GPL-3.0-or-later
// The line on every page while a change is on trial: what, how long, Keep, Revert.

import { button, fill, icon, make } from "/app/dom.js";
import { sentence, setBusy } from "/app/form.js";
import {
	call, currentSession, goToLogin, logInByCertificate, loginWay,
} from "/app/session.js";

const TICK_MS = 1000;
const RETRY_MS = 2000;
// A browser holds up to six connections to one address.
const KEEP_TRIES = 8;
const KEEP_PAUSE_MS = 150;
const FAULT_NO_SUCH_CHANGE = 1008;

const LOCKED_OUT = "The service no longer lets this page in. There is nothing to do: the change reverts by itself. Still trying.";

const TIME_IS_OVER = "The time is over. If this page stays locked out, somebody else has kept the change. Still trying.";

function pause(milliseconds) {
	return new Promise((resolve) => setTimeout(resolve, milliseconds));
}

function clockText(seconds) {
	return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
}

function settingsText(settings) {
	return settings.map(({ label, from, to, fromText = from, toText = to }) =>
		`${label}: ${fromText} \u2192 ${toText}`).join("; ");
}

// One change on trial.
class Trial {
	constructor(bar, change) {
		this.bar = bar;
		this.page = bar.page;
		this.id = change.changeId;
		this.settings = change.settings;
		this.newAddress = change.newAddress;
		this.endsAt = Date.now() + change.secondsLeft * 1000;
		this.clock = make("strong", { role: "timer", "aria-live": "off", class: "trial-clock" });
		this.state = make("span", { class: "trial-state" });
		this.keep = button("Keep", () => this.#run(() => this.#keep()), { class: "small primary" });
		this.revert = button("Revert", () => this.#run(() => this.#revert()), { class: "small" });
		this.element = this.#draw(change);
		this.timer = setInterval(() => this.#tick(), TICK_MS);
		this.#tick();
	}

	#draw({ userName }) {
		const other = userName && userName !== this.page.session.userName
			? ` Begun by ${userName}.` : "";
		return make("div", { class: "warning warning-warning trial" }, icon("warning"),
			make("p", {}, make("strong", {}, "On trial. "),
				`${settingsText(this.settings)}.${other} Reverts by itself in `, this.clock,
				" unless kept. ", this.#drawNewAddress(), this.state),
			make("div", { class: "buttons" }, this.keep, this.revert));
	}

	#drawNewAddress() {
		return this.newAddress && ["This page is now at ",
			make("a", { href: this.newAddress }, this.newAddress),
			": open it and keep the change there. "];
	}

	get secondsLeft() {
		return Math.max(0, Math.ceil((this.endsAt - Date.now()) / 1000));
	}

	#tick() {
		this.clock.textContent = clockText(this.secondsLeft);
		if (this.secondsLeft > 0)
			return;
		clearInterval(this.timer);
		this.bar.look();
	}

	end() {
		clearInterval(this.timer);
		this.element.remove();
	}

	say(...text) {
		fill(this.state, text);
	}

	async #run(deed) {
		if (this.keep.getAttribute("aria-disabled") === "true")
			return;
		setBusy(this.keep, true);
		setBusy(this.revert, true);
		try {
			await deed();
		} catch (error) {
			await this.bar.look();
			this.say(sentence(error.message));
		} finally {
			setBusy(this.keep, false);
			setBusy(this.revert, false);
		}
	}

	// The service takes a Keep only over a connection opened after the change, and
	// ends an older one when it says so: the next try comes over another one.
	async #keep() {
		let refusal;
		for (let i = 0; i < KEEP_TRIES; i++) {
			try {
				await call("change.confirm", { changeId: this.id });
				await this.bar.finished(this, "Kept. The change is in force for good.");
				return;
			} catch (error) {
				if (error.code === FAULT_NO_SUCH_CHANGE)
					throw error;
				refusal = error;
			}
			await pause(KEEP_PAUSE_MS);
		}
		await this.bar.look();
		this.say(`Not kept: ${sentence(refusal.message)} Only a connection opened after the change shows that people still get in. Press Keep again, or load this page again first.`);
	}

	async #revert() {
		await call("change.revert", { changeId: this.id });
		await this.bar.finished(this, "Reverted. Everything is as it was before the trial.");
	}
}

// All changes on trial. element stands in the warning line of the page.
class TrialBar {
	constructor(page) {
		this.page = page;
		this.trials = new Map();
		this.element = make("div", { class: "trials" });
	}

	#add(change) {
		if (this.trials.has(change.changeId))
			return;
		const trial = new Trial(this, change);
		this.trials.set(trial.id, trial);
		this.element.append(trial.element);
	}

	#remove(trial) {
		trial.end();
		this.trials.delete(trial.id);
	}

	// changes: what change.query gave.
	show(changes) {
		const now = new Set(changes.map(({ changeId }) => changeId));
		for (const trial of this.trials.values())
			if (!now.has(trial.id))
				this.#remove(trial);
		changes.forEach((change) => this.#add(change));
	}

	// One that this page has begun.
	async begin(change) {
		this.#add(change);
		await this.look();
	}

	async finished(trial, text) {
		// A look that is on its way is not to take it for one that has run out.
		trial.isFinished = true;
		this.#remove(trial);
		await this.page.refresh();
		this.page.tell("ok", text);
	}

	// Whether this page still gets through; as long as it does not, try again.
	look() {
		this.looking ??= this.#look().finally(() => { this.looking = undefined; });
		return this.looking;
	}

	async #look() {
		try {
			await this.#lookOnce();
		} catch {
			this.#retry((trial) => trial.secondsLeft === 0 ? TIME_IS_OVER
				: trial.newAddress ? "Here the service no longer answers." : LOCKED_OUT);
		}
	}

	async #lookOnce() {
		const session = await currentSession();
		if (!session) {
			await this.#withoutSession();
			return;
		}
		const before = [...this.trials.values()];
		before.forEach((trial) => trial.say());
		await this.page.refresh();
		const over = before.filter((trial) => !trial.isFinished && !this.trials.has(trial.id));
		if (over.length > 0)
			this.page.tell("warning", `The trial is over, and everything is as it was: ${
				over.map((trial) => settingsText(trial.settings)).join("; ")} no longer counts.`);
		else if (before.some((trial) => trial.secondsLeft === 0))
			this.#retry();
	}

	// The change, or its end, has ended the session, or it lets this connection in
	// no more. A certificate that logs in goes on at once.
	async #withoutSession() {
		const { way, reason } = await loginWay();
		if (way === "certificate") {
			await logInByCertificate();
			await this.page.renewSession();
			return;
		}
		if ([...this.trials.values()].every((trial) => trial.secondsLeft === 0)) {
			goToLogin("ended");
			return;
		}
		this.#retry(() => way === "none"
			? `${LOCKED_OUT} ${reason ? sentence(reason) : ""}`
			: ["Your session has ended with this change. Either wait until it reverts by itself, or ",
				make("a", { href: "/login.html" }, "log in now"), " and keep it."]);
	}

	#retry(text) {
		if (text)
			this.trials.forEach((trial) => trial.say(text(trial)));
		clearTimeout(this.again);
		this.again = setTimeout(() => this.look(), RETRY_MS);
	}
}

export function makeTrialBar(page) {
	return new TrialBar(page);
}
