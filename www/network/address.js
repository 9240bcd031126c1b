// SPDX-License-Identifier: GPL-3.0-or-later
// Where pages of this device are, over which service and port. Pure.

const DEFAULT_PORTS = { http: 80, https: 443 };

// The address of a page over http or https; of this page without a path.
export function addressOf(name, port, path = location.pathname) {
	return `${name}://${location.hostname}${port === DEFAULT_PORTS[name] ? "" : `:${port}`}${path}`;
}
