// SPDX-License-Identifier: GPL-3.0-or-later
// Settings > Shutdown: restart and shut down.

import { byId, fill } from "/app/dom.js";
import { actionButton } from "/app/form.js";
import { restartFlow, shutDownFlow } from "/app/restart.js";
import { ADMINISTRATOR, openPage } from "/app/shell.js";

openPage({
	privilege: ADMINISTRATOR,
	start: (page) => {
		fill(byId("restart-place"), actionButton("Restart",
			() => restartFlow(page.state.certificate), { class: "primary", id: "restart" }));
		fill(byId("shutdown-place"), actionButton("Shut down",
			() => shutDownFlow(), { class: "danger", id: "shut-down" }));
	},
});
