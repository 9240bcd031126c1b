// SPDX-License-Identifier: GPL-3.0-or-later
// What files of the logs are called. Pure.

import { localDate } from "/app/format.js";

function plain(host) {
	return host.replace(/[^A-Za-z0-9.-]+/g, "-");
}

export function logFileName(host, date) {
	return `audit-log-${plain(host)}-${localDate(date)}.xml`;
}

export function keyFileName(host) {
	return `audit-key-${plain(host)}.pem`;
}

export function eventsFileName(host, date) {
	return `event-log-${plain(host)}-${localDate(date)}.txt`;
}
