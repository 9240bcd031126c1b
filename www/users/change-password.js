// SPDX-License-Identifier: GPL-3.0-or-later
// Everybody's own password.

import { byId, fill, make, notice } from "/app/dom.js";
import { drawForm, FieldError } from "/app/form.js";
import { Fault } from "/app/rpc.js";
import { openPage } from "/app/shell.js";
import {
	call, currentSession, FAULT_AUTHORIZATION_FAILED,
} from "/app/session.js";
import { drawCriteria, passwordRules } from "/users/password-criteria.js";

const ROWS = [
	{ name: "currentPassword", label: "Current password", type: "password",
	  autocomplete: "current-password" },
	{ name: "password", label: "Password", type: "password", autocomplete: "new-password",
	  maxLength: 31, required: "Type the new password." },
	{ name: "passwordAgain", label: "Re-enter password", type: "password",
	  autocomplete: "new-password", maxLength: 31, required: "Type the new password again." },
];

async function change(values) {
	if (values.password !== values.passwordAgain)
		throw new FieldError("passwordAgain", "The two passwords differ. Type the same twice.");
	try {
		await call("user.changePassword", {
			currentPassword: values.currentPassword, newPassword: values.password,
		});
	} catch (error) {
		if (error instanceof Fault && error.code === FAULT_AUTHORIZATION_FAILED)
			throw new FieldError("currentPassword", "This is not the current password.");
		throw error;
	}
}

function drawForced({ advanced }) {
	fill(byId("forced-place"), notice("warning",
		"Choose a new password before you go on: the present one has expired, an administrator has asked for another, or it is the first one.",
		advanced ? " Whoever logs in with an expired password and leaves it as it is may do so three times; then the account is disabled." : ""));
}

openPage({
	start: async (page) => {
		const rules = await passwordRules();
		if (new URLSearchParams(location.search).has("forced"))
			drawForced(rules);
		const form = drawForm({
			rows: ROWS, submit: "Change password",
			faults: { 1011: ["password", "Nothing was changed."] },
			onSubmit: async (values) => {
				await change(values);
				form.reset();
				if (!await currentSession()) {
					location.assign("/login.html?reason=password");
					return undefined;
				}
				return "Password changed. All other sessions of this account have ended.";
			},
		});
		form.element.id = "password-form";
		// So that password managers know whose password changes.
		form.element.prepend(make("input", { type: "text", name: "userName", hidden: true,
			autocomplete: "username", value: page.session.userName }));
		fill(byId("password-place"), form.element);
		const repeated = form.control("passwordAgain").closest(".field");
		repeated.before(drawCriteria(rules, form.control("password"),
			{ own: true }));
		form.control("currentPassword").focus();
	},
});
