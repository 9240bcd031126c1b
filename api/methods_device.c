/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "api/method.h"

#include <stdio.h>

#include "api/device_info.h"
#include "base/clock.h"
#include "base/utf8.h"

/* The edition of the original's API that ours is modelled on. */
#define API_VERSION "2.10"

static void put_features(struct value *s)
{
	static const char *const features[] = { "Encryption",
						"Secure management (HTTPS)" };
	struct value *list = value_put_array(s, "activatedFeatures");

	for (size_t i = 0; i < sizeof(features) / sizeof(*features); i++)
		value_put_string(value_add_struct(list), "feature",
				 features[i]);
}

static struct value *query(struct call *c, struct error *e)
{
	const struct api_services *sv = c->services;
	struct value *s = value_new_struct();
	char serial[DEVICE_SERIAL_SIZE], host_name[DEVICE_HOST_SIZE];

	(void)e;
	device_serial(serial);
	device_host_name(sv->config->host_name, host_name);
	value_put_time(s, "currentTime", clock_now());
	value_put_time(s, "restartTime", sv->started_at);
	value_put_string(s, "serial", serial);
	value_put_string(s, "softwareVersion", sv->version);
	value_put_string(s, "buildVersion", sv->version);
	value_put_string(s, "model", DEVICE_MODEL);
	value_put_string(s, "apiVersion", API_VERSION);
	value_put_string(s, "hostName", host_name);
	put_features(s);
	value_put_int(s, "totalVideoPorts", 0);
	value_put_int(s, "totalAudioOnlyPorts", 0);
	value_put_string(s, "portReservationMode", "disabled");
	value_put_boolean(s, "rebootRequired",
			  identity_restart_required(sv->identity));
	return s;
}

/* Sensors that a service does not have are always well. */
static struct value *query_health(struct call *c, struct error *e)
{
	static const char *const loads[] = { "mediaLoad", "audioLoad",
					     "videoLoad" };
	static const char *const sensors[] = {
		"fanStatus",         "fanStatusWorst",
		"temperatureStatus", "temperatureStatusWorst",
		"rtcBatteryStatus",  "rtcBatteryStatusWorst",
		"voltagesStatus",    "voltagesStatusWorst",
	};
	struct value *s = value_new_struct();
	struct error full = ERROR_INIT;

	(void)e;
	value_put_int(s, "cpuLoad", device_cpu_load());
	for (size_t i = 0; i < sizeof(loads) / sizeof(*loads); i++)
		value_put_int(s, loads[i], 0);
	for (size_t i = 0; i < sizeof(sensors) / sizeof(*sensors); i++)
		value_put_string(s, sensors[i], "ok");
	value_put_string(
	    s, "auditStatus",
	    audit_ready(c->services->audit, &full) == 0 ? "ok" : "critical");
	value_put_string(s, "operationalStatus", "active");
	return s;
}

static struct value *query_network(struct call *c, struct error *e)
{
	struct value *s = value_new_struct();

	(void)c, (void)e;
	device_put_network(s);
	return s;
}

/* Who asked, in the words of the original's device.restartlog.query. */
static const char *restart_reason(const struct call *c, bool shut_down)
{
	static const char *const reasons[] = {
		[VIA_NOBODY] = "unknown",
		[VIA_PASSWORD] = "User requested reboot from API",
		[VIA_CERTIFICATE] = "User requested reboot from API",
		[VIA_SESSION] = "User requested reboot from web interface",
		[VIA_LOCAL] = "User requested reboot from console",
	};

	return shut_down ? "User requested shutdown" : reasons[c->caller.via];
}

/* "by admin from 192.0.2.1", "by local on the control socket" */
static void describe_caller(const struct call *c, char out[STORE_NAME_MAX + 1])
{
	char line[STORE_NAME_MAX + 64];

	if (c->request->peer.via == PEER_CONTROL)
		snprintf(line, sizeof(line), "by %s on the control socket",
			 c->caller.user.id);
	else
		snprintf(line, sizeof(line), "by %s from %s", c->caller.user.id,
			 c->request->peer.address);
	utf8_line(view_str(line), out, STORE_NAME_MAX + 1);
}

static struct value *restart(struct call *c, struct error *e)
{
	char detail[STORE_NAME_MAX + 1];
	bool shut_down = value_boolean(value_member(c->params, "shutDown"));
	const char *reason = restart_reason(c, shut_down);

	if (!shut_down && c->services->may_restart(c->services->app, e) < 0)
		return NULL;
	describe_caller(c, detail);
	if (store_restart_add(c->services->store, clock_now(), reason, detail,
			      e) < 0)
		return NULL;
	call_audit(c, AUDIT(RESTART_REQUESTED,
			    .kind = shut_down ? "shutDown" : "restart",
			    .reason = reason));
	c->restart_wanted = true;
	c->restart_kind = shut_down ? SHUT_DOWN : RESTART_NOW;
	return result_ok();
}

static int add_restart(void *arg, time_t at, const char *reason,
		       const char *detail, struct error *e)
{
	struct value *entry = value_add_struct(arg);

	(void)e;
	value_put_time(entry, "time", at);
	value_put_string(entry, "reason", reason);
	value_put_string(entry, "detail", detail);
	return 0;
}

static struct value *query_restart_log(struct call *c, struct error *e)
{
	struct value *s = value_new_struct();

	if (store_restart_each(c->services->store, add_restart,
			       value_put_array(s, "log"), e) < 0) {
		value_free(s);
		return NULL;
	}
	return s;
}

static const struct param restart_rows[] = {
	{ .name = "shutDown",
	  .type = VALUE_BOOLEAN,
	  .help = "End the service instead of starting it again." },
	{ 0 },
};

const struct method methods_device[] = {
	{ "device.query", PRIVILEGE_ANY_USER, 0, NULL, query,
	  "currentTime, restartTime dateTime.iso8601; serial, softwareVersion, "
	  "buildVersion, model, apiVersion, hostName, portReservationMode "
	  "string; activatedFeatures array of feature; totalVideoPorts, "
	  "totalAudioOnlyPorts int; rebootRequired boolean",
	  "What this device is, and whether a restart is needed." },
	{ "device.health.query", PRIVILEGE_ADMINISTRATOR, 0, NULL, query_health,
	  "cpuLoad, mediaLoad, audioLoad, videoLoad int (percent); fanStatus, "
	  "temperatureStatus, rtcBatteryStatus, voltagesStatus and their "
	  "...Worst, auditStatus (is there room for audit records) string; "
	  "operationalStatus string",
	  "Load and condition." },
	{ "device.network.query", PRIVILEGE_ADMINISTRATOR, 0, NULL,
	  query_network, "portA, portB struct; dns array of string",
	  "Network interfaces with their addresses." },
	{ "device.restart", PRIVILEGE_ADMINISTRATOR, METHOD_CHANGES,
	  restart_rows, restart, NULL,
	  "Restart the service; what was uploaded goes into service." },
	{ "device.restartlog.query", PRIVILEGE_ADMINISTRATOR, 0, NULL,
	  query_restart_log, "log array of time, reason, detail",
	  "When the service was started, and why." },
	{ 0 },
};
