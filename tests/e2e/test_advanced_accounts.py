# SPDX-License-Identifier: GPL-3.0-or-later
"""Advanced account security mode and security warnings, as far as they need no
clock: sixty days pass in tests/unit/test-advanced-accounts.c."""

import datetime
import xmlrpc.client

import pytest

from sealbridge_service import run

# One after the other without a rule between them broken.
PASSWORDS = [f"Seal-Bridge-{n:02}-ok!" for n in range(30)]
GOOD, OTHER = PASSWORDS[:2]


@pytest.fixture(autouse=True)
def as_found(service):
    """Each test leaves the mode off, and admin as quickstart made it."""
    yield
    local = service.local()
    local.call("security.modify", advancedAccounts=False)
    admin = next(u for u in local.call("user.enumerate")["users"]
                 if u["builtIn"] and u["privilege"] == "administrator")
    local.call("user.modify", userName=admin["userName"], newUserName="admin",
               password=service.admin_password, disabled=False)
    local.call("user.modify", userName="guest", disabled=True)


@pytest.fixture
def user(service):
    """Make accounts; they go with the test."""
    made = []

    def make(name, password=GOOD, **members):
        service.local().call("user.add", userName=name, password=password,
                             **{"forceChange": False, **members})
        made.append(name)
        return service.api(name, password)

    yield make
    for name in made:
        service.local().call("user.delete", userName=name)


def turn_on(service):
    service.local().call("security.modify", advancedAccounts=True)


def fault(api, method, **members):
    with pytest.raises(xmlrpc.client.Fault) as caught:
        api.call(method, **members)
    return caught.value.faultCode, caught.value.faultString


def log_in(service, name, password):
    """What session.login says: a reply, or the text of the fault."""
    try:
        return service.anonymous().call("session.login", userName=name, password=password)
    except xmlrpc.client.Fault as f:
        assert f.faultCode == 14
        return f.faultString


def account(service, name):
    return next(u for u in service.local().call("user.enumerate")["users"]
                if u["userName"] == name)


def records(service, event):
    found, index, more = [], 0, True
    while more:
        reply = service.local().call("auditlog.enumerate", index=index)
        found += [e for e in reply["events"] if e["event"] == event]
        more = reply["eventsRemaining"]
        index = reply["events"][-1]["index"] + 1
    return found


def seconds_of(time):
    return datetime.datetime.strptime(time.value, "%Y%m%dT%H:%M:%S").timestamp()


def test_without_the_mode_nothing_changes(service, user):
    api = user("plain", "x")
    for _ in range(4):
        assert fault(service.api("plain", "y"), "session.query")[0] == 14
    assert api.call("session.query")["userName"] == "plain"
    api.call("user.changePassword", currentPassword="x", newPassword="x")
    plain = account(service, "plain")
    assert plain["disabledReason"] == "" and not plain["mustChangePassword"]
    assert "passwordExpires" not in plain
    rules = api.call("user.passwordRules")
    assert rules["advanced"] is False
    assert [r["id"] for r in rules["rules"]] == ["maximum"]


@pytest.mark.sanitized
def test_turning_it_on_lets_all_passwords_expire(service, user):
    api = user("olaf", "short")
    assert api.call("session.query")["mustChangePassword"] is False
    turn_on(service)
    # Nothing but the change is open, and the rules are told before it.
    assert fault(api, "device.query") == \
        (15, "insufficient privileges - the password must be changed first")
    assert fault(service.api(), "device.query")[0] == 15
    assert log_in(service, "olaf", "short")["mustChangePassword"] is True
    assert api.call("user.passwordRules")["advanced"] is True
    code, text = fault(api, "user.changePassword", currentPassword="short", newPassword="short")
    assert code == 1011
    for rule in ("at least 15 characters", "2 capital letters", "2 digits", "2 other",
                 "last 10 passwords"):
        assert rule in text
    assert "small letters" not in text and "in a row" not in text
    api.call("user.changePassword", currentPassword="short", newPassword=GOOD)
    assert log_in(service, "olaf", GOOD)["mustChangePassword"] is False
    assert service.api("olaf", GOOD).call("device.query")["model"]


@pytest.mark.parametrize("password, rule", [
    ("Seal-Bridge-1", "at least 15 characters"),
    ("seal-bridge-01-ok!", "capital letters"),
    ("SEAL-BRIDGE-01-OK!", "small letters"),
    ("Seal-Bridge-x1-ok!", "digits"),
    ("SealBridge01ok012!", "other characters"),
    ("Seal---Bridge-01-ok", "2 times in a row"),
    ("S\u00e9al\u00e9Bridge\u00e901ok01", "other characters"),
    ("", "at least 15 characters"),
])
def test_each_rule_is_named(service, password, rule):
    turn_on(service)
    local = service.local()
    code, text = fault(local, "user.add", userName="never", password=password)
    assert code == 1011 and rule in text
    code, text = fault(local, "user.modify", userName="admin", password=password)
    assert code == 1011 and rule in text
    assert not password or password not in text


def test_rules_before_hostile_passwords(service):
    turn_on(service)
    local = service.local()
    for password in ("x" * 32, "A" * 100000, "\u20ac" * 32, "Ab1!" * 7 + "Ab1!x", "Ab1!\tAb1!Ab1!Ab1!"):
        assert fault(local, "user.add", userName="never", password=password)[0] in (102, 1011)
    for wrong in (5, True, [GOOD], {"a": GOOD}, b"x"):
        assert fault(local, "user.add", userName="never", password=wrong)[0] != 1011
    assert "never" not in str(local.call("user.enumerate"))


@pytest.mark.sanitized
def test_three_failures_disable(service, user):
    turn_on(service)
    user("carl")
    for _ in range(2):
        assert log_in(service, "carl", "wrong") == "authorization failed"
    assert log_in(service, "carl", GOOD)["userName"] == "carl"
    for _ in range(3):
        assert log_in(service, "carl", "wrong") == "authorization failed"
    # The right one is answered like any other.
    assert log_in(service, "carl", GOOD) == "authorization failed"
    assert fault(service.api("carl", GOOD), "session.query") == (14, "authorization failed")
    carl = account(service, "carl")
    assert carl["disabled"] and carl["disabledReason"] == "failures"
    assert "disabledUntil" not in carl
    assert [e["userName"] for e in records(service, "accountDisabled")][-1] == "carl"
    service.local().call("user.modify", userName="carl", disabled=False)
    assert log_in(service, "carl", GOOD)["userName"] == "carl"


def test_administrators_come_back_by_themselves(service, user):
    turn_on(service)
    user("dora", privilege="administrator")
    for _ in range(3):
        log_in(service, "dora", "wrong")
    assert log_in(service, "dora", GOOD) == "authorization failed"
    dora = account(service, "dora")
    assert dora["disabledReason"] == "failures"
    now = service.local().call("device.query")["currentTime"]
    assert 0 < seconds_of(dora["disabledUntil"]) - seconds_of(now) <= 1800
    service.local().call("user.modify", userName="dora", disabled=False)
    assert log_in(service, "dora", GOOD)["userName"] == "dora"


def test_failures_survive_kill_and_restart(service, user):
    turn_on(service)
    user("emil")
    for _ in range(2):
        log_in(service, "emil", "wrong")
    service.kill()
    service.start()
    log_in(service, "emil", "wrong")
    assert account(service, "emil")["disabledReason"] == "failures"


@pytest.mark.sanitized
def test_declined_changes_disable(service, user):
    user("fred")
    turn_on(service)
    for _ in range(3):
        assert log_in(service, "fred", GOOD)["mustChangePassword"] is True
    assert "expired password" in log_in(service, "fred", GOOD)
    assert account(service, "fred")["disabledReason"] == "expiredPassword"


@pytest.mark.sanitized
def test_history_and_one_change_a_day(service, user):
    turn_on(service)
    api = user("gina")
    api.call("user.changePassword", currentPassword=GOOD, newPassword=OTHER)
    api = service.api("gina", OTHER)
    code, text = fault(api, "user.changePassword", currentPassword=OTHER, newPassword=GOOD)
    assert code == 1011 and "24 hours" in text and "last 10 passwords" in text
    # Administrators set as many as they like, none of the last ten.
    local = service.local()
    for password in PASSWORDS[2:11]:
        local.call("user.modify", userName="gina", password=password)
    assert fault(local, "user.modify", userName="gina", password=OTHER)[0] == 1011
    local.call("user.modify", userName="gina", password=GOOD)


def test_guest_needs_a_password(service):
    turn_on(service)
    local = service.local()
    assert fault(local, "user.modify", userName="guest", disabled=False)[0] == 1011
    local.call("user.modify", userName="guest", password=GOOD)
    local.call("user.modify", userName="guest", disabled=False)
    assert log_in(service, "guest", GOOD)["mustChangePassword"] is False


def test_it_lasts(service, user):
    """On through a restart, without letting passwords expire once more."""
    turn_on(service)
    user("hans")
    service.stop()
    service.start()
    assert service.local().call("user.passwordRules")["advanced"] is True
    assert log_in(service, "hans", GOOD)["mustChangePassword"] is False
    assert log_in(service, "admin", service.admin_password)["mustChangePassword"] is True


def warnings(service):
    return {w["id"]: w for w in service.local().call("security.warnings")["warnings"]}


@pytest.mark.sanitized
def test_warnings_come_and_go(service):
    local = service.local()
    found = warnings(service)
    assert found["advancedAccounts"]["warning"] == "Advanced password security is disabled"
    assert found["adminName"]["warning"] == "Admin account has default username"
    assert found["consoleLogin"]["state"] == "new"
    for page in {w["page"] for w in found.values()}:
        done = run("curl", "-sk", "-o", "/dev/null", "-w", "%{http_code}", service.url + page)
        assert done.stdout == "200", page
    local.call("security.acknowledgeWarnings", ids=["consoleLogin", "adminName"])
    assert warnings(service)["consoleLogin"]["state"] == "acknowledged"
    turn_on(service)
    assert "advancedAccounts" not in warnings(service)
    assert records(service, "securityWarningFixed")[-1]["detail"] == \
        "warning: Advanced password security is disabled"
    local.call("security.modify", advancedAccounts=False)
    assert warnings(service)["advancedAccounts"]["state"] == "new"
    # A restart forgets what was acknowledged.
    service.stop()
    service.start()
    assert warnings(service)["consoleLogin"]["state"] == "new"


def test_warnings_are_for_administrators(service, user):
    api = user("ivan", privilege="conference creation and full control")
    assert fault(api, "security.warnings")[0] == 15
    assert fault(api, "security.acknowledgeWarnings", ids=["adminName"])[0] == 15
    assert warnings(service)["adminName"]["state"] == "new"


@pytest.mark.parametrize("ids", [
    ["nothing"], [""], ["adminName", "x"], ["adminName\n"], [5], [["adminName"]], [{}],
    "adminName", {}, 1, ["x" * 5000], ["adminName"] * 10001,
])
def test_hostile_acknowledgements(service, ids):
    code, _ = fault(service.local(), "security.acknowledgeWarnings", ids=ids)
    assert code not in (0, 34, 201)
    assert warnings(service)["adminName"]["state"] == "new"
