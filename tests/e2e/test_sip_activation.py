# SPDX-License-Identifier: GPL-3.0-or-later
"""A new certificate goes into service while calls stand: none is lost."""

import pytest

from certificates import Authority, der, fingerprint, key_pem, new_key, pem
from sip_wire import TlsFlow, enable
from standing_calls import StandingCalls

CALLS = 200


@pytest.mark.parametrize("kind", ["ecP256", "rsa2048"])
def test_calls_stay(service, kind):
    """All of them, with their audio; what comes later sees the new one."""
    enable(service)
    authority, key = Authority(), new_key(kind)
    new = authority.issue(key, "sip.example.com", names=("DNS:sip.example.com",))
    api = service.local()
    old = service.wire_fingerprint(service.sips)
    with StandingCalls(service, CALLS) as standing:
        standing.establish()
        standing.talk()
        api.call("certificate.upload", certificate=pem(new), privateKey=key_pem(key))
        assert service.wire_fingerprint(service.sips) == old
        api.call("certificate.activate")
        assert service.wire_fingerprint(service.sips) == fingerprint(new)
        assert service.wire_fingerprint() == fingerprint(new)
        standing.check()
        for call, _ in standing.calls:
            shown = call.flow.socket.getpeercert(binary_form=True)
            assert shown != der(new)
        with TlsFlow(service) as other:
            assert other.socket.getpeercert(binary_form=True) == der(new)
            assert other.ask().status == 200
        assert standing.hang_up() == CALLS
