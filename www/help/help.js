// SPDX-License-Identifier: GPL-3.0-or-later
// Help pages are text; the frame around them is all they need.

import { openPage } from "/app/shell.js";

openPage({ open: true });
