"""The gateway assesses by itself: in its window, as a user without rights, and it ends with the gateway."""

import json
import os
import time

import pytest

from hwlab import netns
from hwlab.hornwork import binary
from hwlab.proc import run, wait_until

CONFIG = """zone internet {{ interface = eth0 }}
zone core     {{ interface = eth1  trust = trusted }}
zone voice    {{ interface = eth2  trust = trusted  role = voice }}
pbx main {{ zone = core  address = "10.10.0.5:5060"  domain = {{"pbx.test"}} }}
phones desk {{ zone = voice  to = main }}
console {{ events = "{{events}}" }}
assess {{ state = "{state}"  every = 10m  window = "{window}" }}
asset desk {{ address = 10.20.0.20  kind = phone  packets-per-second = 200 }}
"""


def children(lab):
    """Processes of the schedule in the gateway's namespace."""
    out = []
    for pid in netns.pids(lab.ns("gw")):
        with open(f"/proc/{pid}/cmdline", "rb") as line:
            if b"@assess" in line.read():
                out.append(pid)
    return out


def status(pid, key):
    """A line of the process's status."""
    with open(f"/proc/{pid}/status", encoding="utf-8") as lines:
        return next(line.split(":")[1].split() for line in lines if line.startswith(f"{key}:"))


def findings(lab, gateway):
    """What the book says."""
    done = run(netns.command(lab.ns("gw"), [binary(), "findings", "-c", gateway.config_path, "--json"]),
               check=False)
    return json.loads(done.stdout)["findings"] if done.stdout else []


@pytest.mark.limit(220)
def test_it_assesses_by_itself(lab, kamailio, gateway_of, phones_of):
    """At once where nothing was assessed yet; what it finds is in the book."""
    phones_of({"sip": {}, "telnet": {}})
    gateway = gateway_of(config=CONFIG.format(state=f"{lab.workdir}/state", window="00:00-24:00"))
    pid = wait_until(lambda: children(lab), 5, "a process that assesses")[0]
    assert status(pid, "Uid")[0] != "0" and status(pid, "CapEff")[0] == "0" * 16
    assert status(pid, "NoNewPrivs")[0] == "1"
    wait_until(lambda: [f for f in findings(lab, gateway) if f["check"] == "DV-04"], 150,
               "a finding of Telnet")
    wait_until(lambda: "hornwork findings lists them" in gateway.daemon.text(), 10, "the summary")
    assert gateway.stop() == 0
    assert not os.path.exists(f"/proc/{pid}"), "it ends with the gateway"


@pytest.mark.limit(60)
def test_it_has_no_right(lab, kamailio, gateway_of):
    """No capability, a user of its own, and with that user's rights no file outside of its state folder."""
    state = f"{lab.workdir}/state"
    gateway = gateway_of(config=CONFIG.format(state=state, window="00:00-24:00"))
    pid = wait_until(lambda: children(lab), 10, "a process that assesses")[0]
    wait_until(lambda: status(pid, "Uid")[0] != "0", 10, "it became another user")
    wait_until(lambda: status(pid, "Seccomp")[0] == "2", 10, "its filter is in force")
    for field in ("CapInh", "CapPrm", "CapEff", "CapAmb"):
        assert status(pid, field)[0] == "0" * 16, field
    uid, gid = status(pid, "Uid"), status(pid, "Gid")
    assert len(set(uid)) == 1 and "0" not in gid and "0" not in status(pid, "Groups")
    others = {status(other, "Uid")[0] for other in gateway.processes().values()}
    assert uid[0] not in others

    def may_write(folder):
        return run(["setpriv", "--reuid", uid[0], "--regid", gid[0], "--clear-groups", "test", "-w", folder],
                   check=False).returncode == 0
    wait_until(lambda: may_write(state), 10, "it may write where its book is")
    for path in ("/", "/etc", "/var/lib", "/usr/bin", gateway.run_dir, gateway.config_path, gateway.events_path):
        assert not may_write(path), path


@pytest.mark.limit(120)
def test_it_starts_with_the_first_asset(lab, kamailio, gateway_of, phones_of):
    """Until a reload brings one, a process waits with no more rights than it takes to become it."""
    phones_of({"sip": {}, "telnet": {}})
    whole = CONFIG.format(state=f"{lab.workdir}/state", window="00:00-24:00")
    gateway = gateway_of(config="".join(line for line in whole.splitlines(True) if not line.startswith("asset")))
    pid = wait_until(lambda: children(lab), 10, "a process that waits")[0]
    wait_until(lambda: status(pid, "Seccomp")[0] == "2", 10, "its filter is in force")
    assert bin(int(status(pid, "CapEff")[0], 16)).count("1") <= 5
    assert not os.path.exists(f"{lab.workdir}/state")
    gateway.reload(gateway.config + 'asset desk { address = 10.20.0.20  kind = phone  packets-per-second = 200 }\n')
    wait_until(lambda: status(pid, "CapEff")[0] == "0" * 16 and status(pid, "Uid")[0] != "0", 10,
               "the process that assesses")
    wait_until(lambda: os.path.exists(f"{lab.workdir}/state/hornwork.db"), 30, "a book of its own")
    wait_until(lambda: [f for f in findings(lab, gateway) if f["check"] == "DV-04"], 60, "a finding of Telnet")
    gateway.reload(gateway.config)
    assert children(lab) == [pid]
    assert gateway.stop() == 0
    wait_until(lambda: not os.path.exists(f"/proc/{pid}"), 10, "it ends with the gateway")


def test_not_outside_of_its_window(lab, kamailio, gateway_of, phones_of):
    """A window that is never now: nothing is sent."""
    seen = phones_of({"sip": {}, "telnet": {}})
    hour = (time.localtime().tm_hour + 12) % 23
    state = f"{lab.workdir}/state"
    gateway = gateway_of(config=CONFIG.format(state=state, window=f"{hour:02}:00-{hour + 1:02}:00"))
    pid = wait_until(lambda: children(lab), 5, "a process that assesses")[0]
    time.sleep(4)
    assert not seen.seen()
    assert findings(lab, gateway) == []
    book = os.stat(f"{state}/hornwork.db")
    assert str(book.st_uid) == status(pid, "Uid")[0] != "0", "whoever asks first, the book is the assessor's"


def test_what_root_leaves_is_given_back(lab, kamailio, gateway_of, phones_of):
    """After a run of root's the assessor can use all that is in its folder; no link is followed."""
    phones_of({"sip": {}})
    state, outside = f"{lab.workdir}/state", f"{lab.workdir}/outside"
    gateway = gateway_of(config=CONFIG.format(state=state, window="00:00-24:00"))
    pid = wait_until(lambda: children(lab), 10, "a process that assesses")[0]
    wait_until(lambda: os.path.exists(f"{state}/hornwork.db"), 30, "its book")
    owner = os.stat(state).st_uid
    assert owner and str(owner) == status(pid, "Uid")[0]
    os.makedirs(f"{state}/pcap", exist_ok=True)
    for path in (f"{state}/known_hosts", f"{state}/pcap/root.pcap", outside):
        with open(path, "w", encoding="utf-8") as out:
            out.write("")
    os.link(outside, f"{state}/two-names")
    os.symlink(outside, f"{state}/link")
    os.chown(f"{state}/pcap", 0, 0)
    done = run(netns.command(lab.ns("gw"), [binary(), "assess", "-c", gateway.config_path, "--quiet",
                                            "--only", "DV-05", "--target", "desk"]), check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    for path in ("known_hosts", "pcap", "pcap/root.pcap", "hornwork.db"):
        assert os.stat(f"{state}/{path}").st_uid == owner, path
    assert os.stat(outside).st_uid == 0
