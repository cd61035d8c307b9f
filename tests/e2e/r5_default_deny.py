"""Between the zones nothing passes but what the gateway relays; its own ports are closed but the ones it needs."""

import socket
import time

import pytest

from hwlab.topology import address


@pytest.mark.parametrize("source, target, port", [
    ("ext", "pbx", 5060), ("ext", "desk", 5060), ("stranger", "peer", 7000),
    ("desk", "pbx", 5060), ("desk", "peer", 7000), ("pbx", "desk", 5060),
])
def test_nothing_is_forwarded(gateway, lab, talker_at, source, target, port):
    """UDP straight at a host behind the gateway (the lab routes it there) does not arrive."""
    ear = lab.socket(target, socket.AF_INET, socket.SOCK_DGRAM)
    ear.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    ear.bind((address(target), port if target != "pbx" else 7777))
    sender = talker_at(source, 7100)
    sender.send_one((address(target), ear.getsockname()[1]))
    ear.settimeout(0.5)
    with pytest.raises(TimeoutError):
        ear.recv(2000)
    ear.close()


def test_the_lab_would_forward_without_the_gateway(lab, talker_at):
    """The proof of the proof: without the gateway's rules the same packet arrives."""
    ear, sender = talker_at("peer", 7000), talker_at("stranger", 7100)
    sender.send_one((ear.ip, 7000))
    time.sleep(0.3)
    assert len(ear.got) == 1


def connects(lab, source, target, port):
    """'open', 'refused' or 'silent' for a TCP port."""
    with lab.socket(source, socket.AF_INET, socket.SOCK_STREAM) as sock:
        sock.settimeout(0.8)
        try:
            sock.connect((target, port))
        except ConnectionRefusedError:
            return "refused"
        except OSError:
            return "silent"
        return "open"


def test_only_sip_is_reachable_on_the_gateway(gateway, lab):
    """A service on the gateway's host is closed to the internet, SIP is open."""
    with lab.socket("gw", socket.AF_INET, socket.SOCK_STREAM) as service:
        service.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        service.bind(("0.0.0.0", 22))
        service.listen()
        assert connects(lab, "ext", gateway.outside[0], 5060) == "open"
        assert connects(lab, "ext", gateway.outside[0], 22) != "open"
        assert connects(lab, "peer", address("gw", "eth1"), 22) == "open"
