// SPDX-License-Identifier: GPL-3.0-or-later
// Who is logged in, logging in and out, and every call made as that user.

import { callMethod, Fault } from "/app/rpc.js";

export const FAULT_AUTHORIZATION_FAILED = 14;
export const FAULT_INSUFFICIENT_PRIVILEGES = 15;

const TOKEN_KEY = "sealbridge-csrf";

// Highest first (the names are the original's).
export const PRIVILEGES = [
	"administrator",
	"conference creation and full control",
	"conference creation and limited control",
	"conference creation",
	"conference detail",
	"conference list plus streaming",
	"conference list only",
];

export function hasPrivilege(session, needed) {
	if (!needed)
		return true;
	const own = PRIVILEGES.indexOf(session.privilege);
	return own >= 0 && own <= PRIVILEGES.indexOf(needed);
}

function headers() {
	const token = sessionStorage.getItem(TOKEN_KEY);
	return token ? { "X-CSRF-Token": token } : {};
}

function remember(session) {
	if (session.csrfToken)
		sessionStorage.setItem(TOKEN_KEY, session.csrfToken);
	return session;
}

// After a change of Client certificate security the service refuses connections
// from before it, which brought no certificate, and ends them: the same call goes
// through over a new one. A browser holds up to six to one address.
const CONNECTION_TRIES = 8;
const OLD_CONNECTION = "this connection brought no client certificate";

async function callAnew(method, members, timeoutMs) {
	for (let i = 1; ; i++) {
		try {
			return await callMethod(method, members, headers(), timeoutMs);
		} catch (error) {
			if (i === CONNECTION_TRIES || !(error instanceof Fault) ||
			    !error.text.includes(OLD_CONNECTION))
				throw error;
		}
	}
}

// Who am I; undefined when nobody is logged in. A client certificate alone is
// enough for programs; pages need the session that it can open.
export async function currentSession() {
	try {
		const session = await callAnew("session.query");
		return session.csrfToken ? remember(session) : undefined;
	} catch (error) {
		if (error instanceof Fault && error.code === FAULT_AUTHORIZATION_FAILED)
			return undefined;
		throw error;
	}
}

export async function logIn(userName, password) {
	sessionStorage.removeItem(TOKEN_KEY);
	return remember(await callMethod("session.login", { userName, password }));
}

// How somebody can log in here: way is "password", "certificate" or "none", and
// reason says why it is not what was expected.
export function loginWay() {
	return callMethod("session.loginWay");
}

export async function logInByCertificate() {
	sessionStorage.removeItem(TOKEN_KEY);
	return remember(await callMethod("session.login"));
}

export async function logOut() {
	try {
		await callMethod("session.logout", {}, headers());
	} finally {
		sessionStorage.removeItem(TOKEN_KEY);
		location.assign("/login.html?reason=out");
	}
}

// To the log-in page, and back here afterwards.
export function goToLogin(reason) {
	const query = new URLSearchParams({ next: location.pathname + location.search });
	if (reason)
		query.set("reason", reason);
	location.replace(`/login.html?${query}`);
}

// Where to go after the log-in: a path of this site and nothing else.
export function pathAfterLogin(search) {
	const next = new URLSearchParams(search).get("next") ?? "";
	return /^\/[A-Za-z0-9][A-Za-z0-9/._?=&%-]*$/.test(next) ? next : "/index.html";
}

// A call as the user who is logged in. When the session has ended meanwhile,
// the log-in page takes over and the promise stays open.
export async function call(method, members, timeoutMs) {
	try {
		return await callAnew(method, members, timeoutMs);
	} catch (error) {
		if (error instanceof Fault && error.code === FAULT_AUTHORIZATION_FAILED &&
		    !await currentSession()) {
			goToLogin("ended");
			return new Promise(() => {});
		}
		throw error;
	}
}

// Several calls in one request: [method, members] each. Resolves to one
// { value } or { error } for each of them; throws when none was made.
export async function callAll(...calls) {
	const { results } = await call("system.batch", {
		calls: calls.map(([methodName, params = {}]) => ({ methodName, params })),
	});
	return results.map(({ result, faultCode, faultString }) => result
		? { value: result } : { error: new Fault(faultCode, faultString) });
}
