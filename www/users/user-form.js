// SPDX-License-Identifier: GPL-3.0-or-later
// The form of one account: to add a user, or to change one.

import { button, make } from "/app/dom.js";
import { openDialog } from "/app/dialog.js";
import { drawForm, FieldError } from "/app/form.js";
import { timeElement } from "/app/format.js";
import { call, PRIVILEGES } from "/app/session.js";
import { drawCriteria } from "/users/password-criteria.js";

const FAULTS = {
	1010: ["userName", ""],
	1011: ["password", ""],
};

// Why an account is disabled, and what brings it back.
const REASONS = {
	administrator: "An administrator has disabled it.",
	failures: "Disabled after three wrong passwords. Clear the box to enable it.",
	inactivity: "Disabled because it was not used for 30 days. Clear the box to give it 30 days more.",
	expiredPassword: "Disabled because its expired password was not changed. Clear the box to enable it, and set another password.",
};

// Fields in the order of the original. user: undefined for a new one.
function rowsFor(user) {
	return [
		{ name: "userName", label: "User ID", value: user?.userName ?? "", maxLength: 31,
		  autocomplete: "off", spellcheck: "false", required: "Type a user ID.",
		  help: "What the user types to log in. Upper and lower case differ." },
		{ name: "name", label: "Name", value: user?.name ?? "", maxLength: 31,
		  autocomplete: "off" },
		{ name: "password", label: user ? "New password" : "Password", type: "password",
		  autocomplete: "new-password", maxLength: 31,
		  help: user ? "Leave empty to keep the present one. A new password ends all sessions of this account." : undefined },
		{ name: "passwordAgain", label: "Re-enter password", type: "password",
		  autocomplete: "new-password", maxLength: 31 },
		{ name: "disabled", label: "Disable user account", type: "checkbox",
		  value: user?.disabled ?? false,
		  help: user?.disabled ? REASONS[user.disabledReason] : undefined },
		{ name: "lockPassword", label: "Lock password", type: "checkbox",
		  value: user?.lockPassword ?? false, help: "The user cannot change it." },
		{ name: "forceChange", label: "Force user to change password on next login",
		  type: "checkbox", value: user?.forceChange ?? true },
		{ name: "privilege", label: "Privilege level", type: "select",
		  value: user?.privilege ?? "conference list only",
		  options: PRIVILEGES.map((name) => [name, name]) },
		{ name: "e164", label: "E.164 phone number", value: user?.e164 ?? "",
		  maxLength: 31, inputMode: "tel", autocomplete: "off" },
		{ name: "associatedEndpoint", label: "Associated video endpoint",
		  value: user?.associatedEndpoint ?? "", maxLength: 31, autocomplete: "off" },
	];
}

const PLAIN = ["name", "disabled", "lockPassword", "forceChange", "privilege", "e164",
	"associatedEndpoint"];

// The members to send: all for a new user, else only what differs.
function membersOf(values, user) {
	if (values.password !== values.passwordAgain)
		throw new FieldError("passwordAgain", "The two passwords differ. Type the same twice.");
	const members = {};
	for (const name of PLAIN) {
		if (!user || values[name] !== user[name])
			members[name] = values[name];
	}
	if (values.password || !user)
		members.password = values.password;
	if (user) {
		members.userName = user.userName;
		if (values.userName !== user.userName)
			members.newUserName = values.userName;
	} else {
		members.userName = values.userName;
	}
	return members;
}

// A locked password cannot be one that must be changed.
function bindLock(form) {
	const lock = form.control("lockPassword");
	const force = form.control("forceChange");
	const apply = () => {
		force.disabled = lock.checked;
		if (lock.checked)
			force.checked = false;
	};
	lock.addEventListener("change", apply);
	apply();
}

// The lock of an administrator ends by itself.
function addLockEnd(form, user) {
	if (user?.disabledUntil)
		form.control("disabled").closest(".field").append(
			make("p", { class: "field-help" }, "It ends by itself: ",
				timeElement(user.disabledUntil)));
}

// Open the form. rules: of passwordRules(). onDone: async (text), after success.
export function openUserDialog(user, rules, onDone) {
	const form = drawForm({
		rows: rowsFor(user),
		submit: user ? "Update user settings" : "Add user",
		buttons: [button("Cancel", () => dialog.close())],
		faults: FAULTS,
		onSubmit: async (values) => {
			await call(user ? "user.modify" : "user.add", membersOf(values, user));
			dialog.close();
			await onDone(user ? `User ${values.userName} updated.`
				: `User ${values.userName} added.`);
		},
	});
	bindLock(form);
	addLockEnd(form, user);
	form.control("passwordAgain").closest(".field")
		.before(drawCriteria(rules, form.control("password")));
	form.element.id = "user-form";
	const dialog = openDialog(user ? `User ${user.userName}` : "Add user", form.element);
	form.control("userName").focus();
}
