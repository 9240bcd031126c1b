// SPDX-License-Identifier: GPL-3.0-or-later
// Users: list, add, change, delete.

import { badge, button, byId, fill, make, notice } from "/app/dom.js";
import { confirmDialog } from "/app/dialog.js";
import { sentence } from "/app/form.js";
import { daysLeft, daysLeftText, plural, timeElement } from "/app/format.js";
import { ADMINISTRATOR, openPage } from "/app/shell.js";
import { call } from "/app/session.js";
import { makeTable } from "/app/table.js";
import { passwordRules } from "/users/password-criteria.js";
import { openUserDialog } from "/users/user-form.js";

function say(level, text) {
	fill(byId("users-result"), notice(level, text));
}

// What to know about an account: when, how grave, in words.
const MARKS = [
	[(user) => user.disabled, "error",
		(user) => DISABLED[user.disabledReason] ?? "disabled"],
	[(user) => !user.hasPassword && !user.disabled, "warning", () => "no password"],
	[(user) => user.lockPassword, "quiet", () => "password locked"],
	[(user) => user.passwordExpired && user.hasPassword, "warning", () => "password expired"],
	[(user) => user.mustChangePassword && !user.passwordExpired, "warning",
		() => "must change password"],
	[(user) => expiresSoon(user), "warning",
		(user) => `password: ${daysLeftText(user.passwordExpires)}`],
];

const DISABLED = {
	failures: "disabled: wrong passwords",
	inactivity: "disabled: not used for 30 days",
	expiredPassword: "disabled: password expired",
};

const EXPIRY_NOTICE_DAYS = 7;

function expiresSoon({ passwordExpires, passwordExpired }) {
	return !passwordExpired && passwordExpires &&
		daysLeft(passwordExpires) < EXPIRY_NOTICE_DAYS;
}

function marksOf(user) {
	return MARKS.filter(([applies]) => applies(user))
		.map(([, level, text]) => [level, text(user)]);
}

function drawMarks(user) {
	const marks = marksOf(user);
	return marks.length === 0 ? "" : make("ul", { class: "marks" },
		marks.map(([level, text]) => make("li", {}, badge(level, text))));
}

class UsersPage {
	constructor(page) {
		this.page = page;
		this.table = this.#drawTable();
		this.deleteButton = button("Delete selected users", () => this.#deleteChosen(),
			{ class: "danger", id: "delete-users", disabled: true });
		fill(byId("users-place"), this.table.element);
		fill(byId("users-buttons"),
			button("Add new user", () => this.#open(undefined),
				{ class: "primary", id: "add-user" }),
			this.deleteButton);
	}

	async load() {
		const [{ users }, rules] = await Promise.all([
			call("user.enumerate"), passwordRules(),
		]);
		this.rules = rules;
		this.table.setRows(users);
		this.deleteButton.disabled = this.table.chosenRows().length === 0;
	}

	#open(user) {
		fill(byId("users-result"));
		openUserDialog(user, this.rules, async (text) => {
			await this.load();
			say("ok", text);
		});
	}

	#drawTable() {
		return makeTable({
			caption: "Users",
			key: (user) => user.userName,
			empty: "No users.",
			choose: {
				label: (user) => `Select user ${user.userName}`,
				refused: (user) => user.builtIn ? "Built-in accounts cannot be deleted." : undefined,
				changed: (count) => {
					this.deleteButton.disabled = count === 0;
				},
			},
			columns: [
				{ label: "User ID", header: true, value: (user) => user.userName,
				  render: (user) => button(user.userName, () => this.#open(user),
					{ class: "link-button" }) },
				{ label: "Name", value: (user) => user.name },
				{ label: "Privilege", value: (user) => user.privilege },
				{ label: "E.164", value: (user) => user.e164 },
				{ label: "Video endpoint", value: (user) => user.associatedEndpoint },
				{ label: "Last login", value: (user) => user.lastLogin?.getTime() ?? 0,
				  render: (user) => user.lastLogin ? timeElement(user.lastLogin) : "never" },
				{ label: "Account", value: (user) =>
					marksOf(user).map(([, text]) => text).join(" "),
				  render: drawMarks },
			],
		});
	}

	async #deleteChosen() {
		const chosen = this.table.chosenRows();
		const names = chosen.map((user) => user.userName);
		const yes = await confirmDialog({
			title: `Delete ${plural(chosen.length, "user")}?`,
			text: [names.join(", "),
				"Their sessions end at once. An account cannot be brought back."],
			action: "Delete",
			danger: true,
		});
		if (yes)
			await this.#deleteNames(names);
	}

	async #deleteNames(names) {
		const done = [];
		try {
			for (const userName of names) {
				await call("user.delete", { userName });
				done.push(userName);
			}
			say("ok", `Deleted: ${done.join(", ")}.`);
		} catch (error) {
			const rest = names.slice(done.length);
			say("error", `${rest[0]} was not deleted: ${sentence(error.message)}` +
				(done.length ? ` Deleted: ${done.join(", ")}.` : ""));
		}
		await this.load();
		byId("add-user").focus();
	}
}

openPage({
	privilege: ADMINISTRATOR,
	start: async (page) => {
		const users = new UsersPage(page);
		try {
			await users.load();
		} catch (error) {
			fill(byId("users-place"), make("div", {}, notice("error", sentence(error.message))));
		}
	},
});
