// SPDX-License-Identifier: GPL-3.0-or-later
// Network > Certificate-based security: the transition, step by step, by what is.

import { applyChanges } from "/app/apply.js";
import { badge, byId, button, fill, make, notice } from "/app/dom.js";
import { actionButton, sentence } from "/app/form.js";
import { changesOf, drawSettingsForm, membersOf } from "/app/settings-form.js";
import { ADMINISTRATOR, openPage } from "/app/shell.js";
import { call, loginWay } from "/app/session.js";
import { addressOf } from "/network/address.js";
import { proceduresOf } from "/network/transition-steps.js";
import { applyVerification, SENTENCES } from "/network/verification.js";

// The tests take their time: certificates are chosen, people log in.
const TRIAL_SECONDS = 600;
const MODE_LABEL = "Client certificate security";

function byName(services) {
	return Object.fromEntries(services.map((service) => [service.name, service]));
}

async function readState(page) {
	const [store, { services }, security, verification, session, way] = await Promise.all([
		call("trustStore.query", { trustStore: "https" }), call("services.query"),
		call("security.query"), call("verification.query"), call("session.query"),
		loginWay(),
	]);
	const trials = page.state.trials?.changes ?? [];
	return {
		trust: { count: store.certificates.length, problem: store.problem },
		services: byName(services), security, verification, session, way,
		redirect: security.redirectHttp,
		mode: verification.clientCertificate,
		onTrial: trials.some(({ settings }) =>
			settings.some(({ label }) => label === MODE_LABEL)),
		overHttps: location.protocol === "https:",
	};
}

function drawModes(page, { verification }) {
	return drawSettingsForm({
		reply: verification, only: { clientCertificate: ["verify", "allowed"] },
		names: ["clientCertificate"], submit: "Apply changes", sentences: SENTENCES,
		apply: (changes) => applyVerification(page, changes, TRIAL_SECONDS),
	}).element;
}

function requireCertificates(page, { verification }) {
	return applyVerification(page,
		changesOf(verification, { clientCertificate: "required" }), TRIAL_SECONDS);
}

function redirectChange(on) {
	return [{ name: "redirectHttp", label: "Redirect HTTP requests to HTTPS",
		from: on ? "Off" : "On", to: on ? "On" : "Off", value: on, canLockOut: on }];
}

function setRedirect(page, { services, overHttps }, on) {
	const changes = redirectChange(on);
	return applyChanges({
		page, method: "security.modify", members: membersOf(changes), changes,
		newAddress: on && !overHttps ? addressOf("https", services.https.port) : undefined,
	});
}

async function bothOn(page, { services }) {
	const wanted = ["http", "https"].map((name) => services[name])
		.filter(({ setting }) => !setting);
	await call("services.modify", { services: wanted.map(({ name, port }) =>
		({ name, port, setting: true })) });
	await page.refresh();
}

function link(address, label) {
	return make("p", { class: "buttons" }, make("a", { class: "button", href: address }, label));
}

// What a step offers to do: (page, state) => elements.
const CONTROLS = {
	trust: () => link("/network/ssl-certificates.html#https-trust", "Open the HTTPS trust store"),
	services: (page, state) => actionButton("Turn HTTP and HTTPS on", () => bothOn(page, state)),
	redirect: (page, state) =>
		actionButton("Turn the redirect off", () => setRedirect(page, state, false)),
	mode: drawModes,
	https: (page, { services }) =>
		link(addressOf("https", services.https.port), "Open this page over HTTPS"),
	test: (page) => button("Test again", () => page.refresh()),
	close: (page, state) => [
		actionButton("Turn the redirect on", () => setRedirect(page, state, true)),
		link("/network/services.html", "Turn HTTP off under Services")],
	require: (page, state) => [
		make("p", { class: "quiet small-text" }, SENTENCES.clientCertificate.required),
		actionButton("Require certificates", () => requireCertificates(page, state))],
};

function drawMark({ done, optional }) {
	if (done)
		return badge("ok", "Done");
	return badge("quiet", optional ? "If you wish" : "To do");
}

function drawStep(page, state, step, number) {
	const control = step.control && CONTROLS[step.control](page, state);
	return make("li", { class: "step", id: `step-${step.id}` },
		make("div", { class: "card-head" },
			make("h3", {}, `${number}. ${step.title}`), drawMark(step)),
		make("p", {}, step.why), control || null);
}

function drawProcedure(page, state, { id, title, steps }, first) {
	return make("section", { class: "card", "aria-labelledby": `${id}-title` },
		make("h2", { id: `${id}-title` }, title),
		make("ol", { class: "steps" }, steps.map((step, i) =>
			drawStep(page, state, step, first + i))));
}

async function draw(page) {
	const place = byId("transition-place");
	try {
		const state = await readState(page);
		let first = 1;
		fill(place, proceduresOf(state).map((procedure) => {
			const section = drawProcedure(page, state, procedure, first);
			first += procedure.steps.length;
			return section;
		}));
	} catch (error) {
		fill(place, notice("error", sentence(error.message)));
	}
}

openPage({
	privilege: ADMINISTRATOR,
	start: async (page) => {
		page.onChange(draw);
		await draw(page);
	},
});
