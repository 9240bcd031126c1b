# SPDX-License-Identifier: GPL-3.0-or-later
"""Kamailio as registrar and trunk, on the loopback, with a configuration of its own
in a folder; what it has bound is asked over its control socket."""

import os
import re
import signal

from sealbridge_service import run
from sip_ports import free_run
from sip_program import Program
from sipp import is_bound

DOMAIN = "pbx.example"

CONFIGURATION = """#!KAMAILIO
debug=2
log_stderror=yes
fork=yes
children=1
tcp_children=2
enable_tls=yes
auto_aliases=no
alias="{domain}"
listen=tls:127.0.0.1:{tls}
listen=tcp:127.0.0.1:{tcp}
listen=udp:127.0.0.1:{udp}

loadmodule "kex.so"
loadmodule "corex.so"
loadmodule "tm.so"
loadmodule "tmx.so"
loadmodule "sl.so"
loadmodule "rr.so"
loadmodule "pv.so"
loadmodule "maxfwd.so"
loadmodule "textops.so"
loadmodule "siputils.so"
loadmodule "xlog.so"
loadmodule "usrloc.so"
loadmodule "registrar.so"
loadmodule "nathelper.so"
loadmodule "auth.so"
loadmodule "htable.so"
loadmodule "tls.so"
loadmodule "ctl.so"

modparam("ctl", "binrpc", "unix:{folder}/ctl")
modparam("tls", "config", "{folder}/tls.cfg")
modparam("usrloc", "db_mode", 0)
modparam("registrar", "max_expires", {most_seconds})
modparam("registrar|nathelper", "received_avp", "$avp(received)")
modparam("auth", "algorithm", "{algorithm}")
# A nonce is good for one use in a while, as registrars have it.
modparam("auth", "nonce_expire", {nonce_seconds})
modparam("htable", "htable", "users=>size=4")
modparam("htable", "htable", "tests=>size=4")

event_route[htable:mod-init] {{
{users}
}}

request_route {{
	force_rport();
	xlog("L_NOTICE", "SEEN $rm $ru over $proto from '$tls_peer_subject_cn' "
		"expires '$hdr(Expires)' call $ci $cs\\n");
	if (!mf_process_maxfwd_header("10")) {{
		sl_send_reply("483", "Too Many Hops");
		exit;
	}}
	if (is_method("REGISTER")) {{
		route(REGISTER);
		exit;
	}}
	if (has_totag()) {{
		if (loose_route())
			t_relay();
		else if (is_method("ACK") && t_check_trans())
			t_relay();
		else
			sl_send_reply("404", "Not here");
		exit;
	}}
	if (is_method("CANCEL")) {{
		if (t_check_trans())
			t_relay();
		exit;
	}}
	if (is_method("OPTIONS")) {{
		sl_send_reply("200", "OK");
		exit;
	}}
	t_check_trans();
	record_route();
	route(CALL);
}}

route[REGISTER] {{
	if ($sht(tests=>refuse) != $null) {{
		append_to_reply("Retry-After: 1\\r\\n");
		append_to_reply("Min-Expires: 120\\r\\n");
		sl_send_reply("$sht(tests=>refuse)", "As The Test Wants");
		$sht(tests=>refuse) = $null;
		exit;
	}}
	if ($au == $null || $sht(users=>$au) == $null ||
	    !pv_www_authenticate("{domain}", "$sht(users=>$au)", "0")) {{
		www_challenge("{domain}", "1");
		exit;
	}}
	if ($tU != $au) {{
		sl_send_reply("403", "Forbidden");
		exit;
	}}
	fix_nated_register();
	save("location");
}}

route[CALL] {{
	if ($rU == "desk") {{
		if ($au == $null || $sht(users=>$au) == $null ||
		    !pv_proxy_authenticate("{domain}", "$sht(users=>$au)", "0")) {{
			proxy_challenge("{domain}", "1");
			exit;
		}}
		consume_credentials();
		$du = "sip:127.0.0.1:" + $sht(tests=>desk) + ";transport=udp";
	}} else if ($sht(tests=>device) != $null) {{
		$du = "sip:127.0.0.1:" + $sht(tests=>device) + ";transport=tls";
	}} else if (!lookup("location")) {{
		sl_send_reply("404", "Not Registered");
		exit;
	}}
	xlog("L_NOTICE", "GOES to $ru by $du\\n");
	t_relay();
}}
"""

TLS = """[server:default]
method = TLSv1.2+
verify_certificate = yes
require_certificate = yes
certificate = {who}
private_key = {who}
ca_list = {ca}

[client:default]
method = TLSv1.2+
verify_certificate = yes
require_certificate = yes
certificate = {who}
private_key = {who}
ca_list = {ca}
"""


class Kamailio(Program):
    """who: a PEM file with certificate and key, shown as server and as client. ca: a
    PEM file; both sides of every TLS connection must chain to it. users: names and
    passwords. A call to "desk" is challenged and goes to desk(port), any other one
    to device(port) over TLS, as from a trunk, or to who is registered."""

    logs = ()

    def __init__(self, folder, who, ca, users, *, algorithm="MD5", most_seconds=3600,
                 nonce_seconds=300):
        super().__init__(folder)
        first = free_run(6)
        self.tls, self.tcp, self.udp = first, first + 2, first + 4
        (folder / "tls.cfg").write_text(TLS.format(who=who, ca=ca))
        (folder / "kamailio.cfg").write_text(CONFIGURATION.format(
            domain=DOMAIN, folder=folder, tls=self.tls, tcp=self.tcp, udp=self.udp,
            algorithm=algorithm, most_seconds=most_seconds, nonce_seconds=nonce_seconds,
            users="\n".join(f'\t$sht(users=>{name}) = "{password}";'
                            for name, password in users.items())))
        self.start()

    def start(self):
        self.run("kamailio", "-f", self.folder / "kamailio.cfg", "-DD", "-E", "-m", 32,
                 "-M", 8, "-Y", self.folder, "-P", self.folder / "pid")
        self.wait(lambda: is_bound(self.tls, "tcp") and (self.folder / "ctl").exists()
                  and self.rpc("core.uptime").returncode == 0, what="Kamailio")

    def kill(self):
        """All of its processes at once, as a power cut would."""
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(10)
        (self.folder / "ctl").unlink()

    # --- what it knows

    def rpc(self, *command):
        return run("kamcmd", "-s", f"unix:{self.folder}/ctl", *command)

    def tell(self, *command):
        done = self.rpc(*command)
        assert done.returncode == 0, f"{command}: {done.stdout} {done.stderr}"
        return done.stdout

    def desk(self, port):
        self.tell("htable.sets", "tests", "desk", port)

    def device(self, port):
        """None: calls go to who is registered."""
        if port is None:
            self.rpc("htable.delete", "tests", "device")
        else:
            self.tell("htable.sets", "tests", "device", port)

    def refuse_once(self, status):
        self.tell("htable.seti", "tests", "refuse", status)

    def bound(self, user):
        """Addresses and seconds left of a user's contacts."""
        found = self.rpc("ul.lookup", "location", user)
        if found.returncode != 0:
            return {}
        return dict(zip(re.findall(r"Address: (\S+)", found.stdout),
                        map(int, re.findall(r"Expires: (\d+)", found.stdout))))

    def seen(self, method):
        """What it logged of the requests with that method, the oldest first."""
        return re.findall(rf"SEEN {method} (.*)", self.text())

    def goes(self):
        """Where it sent calls, and by which way."""
        return re.findall(r"GOES to (.*)", self.text())
