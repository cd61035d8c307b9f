"""The parser holds no power: what each process may do, and what is left when one of them dies."""

import json
import os
import signal
import time

import pytest

from hwlab import netns
from hwlab.baresip import Baresip
from hwlab.hornwork import binary
from hwlab.proc import run, wait_until

CAP_NET_BIND_SERVICE, CAP_NET_ADMIN, CAP_NET_RAW, CAP_BPF = 10, 12, 13, 39
WARDEN_CAPS = sum(1 << cap for cap in (CAP_NET_BIND_SERVICE, CAP_NET_ADMIN, CAP_NET_RAW, CAP_BPF))
CHILDREN = ("signal", "media", "console", "tls", "watch", "announce")
PROBES = {"raw_socket", "packet_socket", "netlink_socket", "file_read", "file_write", "exec", "fork",
          "ptrace", "become_root", "executable_memory", "pinhole_outside_range",
          "pinhole_unjustified", "unknown_message", "short_message", "wrong_version"}


def kernel_says(pid):
    """Fields of /proc/PID/status."""
    with open(f"/proc/{pid}/status", encoding="ascii") as text:
        return dict(line.rstrip("\n").split(":\t", 1) for line in text if ":\t" in line)


def gone(pid):
    """True if no such process runs (a zombie that nobody reaped yet does not run)."""
    try:
        return kernel_says(pid)["State"].startswith(("Z", "X"))
    except FileNotFoundError:
        return True


def restarted(gateway, name, old_pid):
    """Wait until another process of this name answers; returns its row in `status`."""
    def row():
        done = gateway.command("status", "--json", check=False)
        rows = json.loads(done.stdout)[0]["processes"] if done.returncode == 0 else []
        return next((r for r in rows if r["name"] == name and r["pid"] not in (0, old_pid)), None)
    return wait_until(row, 8.0, f"{name} is started again")


def kill(gateway, name):
    """SIGKILL a process of the gateway; returns (its pid, the row of its successor)."""
    pid = gateway.processes()[name]
    os.kill(pid, signal.SIGKILL)
    return pid, restarted(gateway, name, pid)


@pytest.mark.parametrize("name", CHILDREN)
def test_a_child_has_no_right(gateway, name):
    kernel = kernel_says(gateway.processes()[name])
    uids = set(kernel["Uid"].split())
    assert "0" not in uids and len(uids) == 1
    assert "0" not in kernel["Gid"].split() and kernel["Groups"].strip() == ""
    for field in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"):
        assert int(kernel[field], 16) == 0, field
    assert kernel["NoNewPrivs"] == "1" and kernel["Seccomp"] == "2"


def everybody(lab):
    """(name, pid) of each process of the gateway, also of those that stand in no listing."""
    found = []
    for pid in netns.pids(lab.ns("gw")):
        name = kernel_says(pid)["Name"]
        if name.startswith("hw-"):
            found.append((name, pid))
    return found


def test_no_process_has_memory_to_write_and_run(lab, gateway):
    seen = everybody(lab)
    assert {"hw-warden", "hw-spawner", "hw-signal", "hw-assess-wait"} <= {n for n, _ in seen}, seen
    for name, pid in seen:
        with open(f"/proc/{pid}/maps", encoding="ascii", errors="replace") as text:
            rights = {line.split()[1] for line in text}
        assert rights and not any("w" in r and "x" in r for r in rights), name


def test_no_process_dumps_core_or_is_swapped(lab, gateway):
    """What each holds is locked where the host lets us lock everything; else status says that it is not."""
    notices = gateway.status()["notices"]
    for name, pid in everybody(lab):
        with open(f"/proc/{pid}/limits", encoding="ascii") as text:
            limits = {line[:26].strip(): line[26:].split() for line in text}
        assert limits["Max core file size"][:2] == ["0", "0"], name
        assert os.stat(f"/proc/{pid}/mem").st_uid == 0, f"{name} is dumpable: its user could trace it"
        if limits["Max locked memory"][0] == "unlimited":
            kernel = kernel_says(pid)
            assert int(kernel["VmLck"].split()[0]) >= int(kernel["VmRSS"].split()[0]) // 2, name
        else:
            assert any("memory cannot be locked" in n for n in notices), notices


def test_what_a_child_leaves_in_files_when_it_crashes(lab, gateway, tmp_path):
    folder = os.path.dirname(gateway.config_path)
    before = set(os.listdir(folder))
    pid = gateway.processes()["signal"]
    os.kill(pid, signal.SIGSEGV)
    restarted(gateway, "signal", pid)
    left = set(os.listdir(folder)) - before
    assert not any("core" in name for name in left), left


def test_children_have_users_of_their_own(gateway):
    uids = {kernel_says(gateway.processes()[name])["Uid"].split()[0] for name in CHILDREN}
    assert len(uids) == len(CHILDREN)


def test_the_warden_keeps_four_capabilities(gateway):
    kernel = kernel_says(gateway.processes()["warden"])
    for field in ("CapPrm", "CapEff", "CapBnd"):
        assert int(kernel[field], 16) == WARDEN_CAPS, field
    assert int(kernel["CapAmb"], 16) == 0 and int(kernel["CapInh"], 16) == 0
    assert kernel["NoNewPrivs"] == "1" and kernel["Seccomp"] == "2"


def test_what_children_have_open(gateway):
    """No file, no directory: sockets, memory and the loop's own descriptors alone."""
    for name in CHILDREN:
        pid = gateway.processes()[name]
        for fd in os.listdir(f"/proc/{pid}/fd"):
            target = os.readlink(f"/proc/{pid}/fd/{fd}")
            own = target.startswith(("socket:", "anon_inode:", "pipe:", "/memfd:", "/dev/null"))
            assert own or target in (gateway.log, gateway.events_path), f"{name}: {target}"


def test_the_sandbox_holds(lab, gateway):
    gateway.stop()
    argv = [binary(), "run", "-c", gateway.config_path, "--run-dir", gateway.run_dir, "--self-test"]
    done = run(netns.command(lab.ns("gw"), argv), check=False)
    verdicts = json.loads(done.stdout)
    assert {v["attempt"] for v in verdicts} == PROBES
    assert all(v["good"] and v["verdict"] in ("refused", "killed") for v in verdicts), verdicts
    assert done.returncode == 0
    refused = gateway.events(event_type="flow", reason="pinhole_outside_range")
    assert len(refused) == 1 and refused[0]["action"] == "refuse"


def test_media_outlives_signal(gateway_of, kamailio, scripted_call):
    """Silence ends the call as before the crash; see r2_restart for all else that goes on."""
    gateway = gateway_of(more="media { idle-timeout = 5s }")
    call = scripted_call(gateway).establish()
    before = gateway.status()["pinholes_open"]
    old, row = kill(gateway, "signal")
    assert gone(old) and row["restarts"] == 1
    assert min(call.talk(1.0)) > 25
    status = gateway.status()
    assert status["pinholes_open"] == before > 0
    assert not any("pinholes of earlier calls" in n for n in status["notices"]), status
    call.hush()
    # Nobody says BYE any more.
    wait_until(lambda: gateway.status()["pinholes_open"] == 0, 20.0, "the pinholes close")
    closed = gateway.events(event_type="flow", action="close")
    assert {e["why"] for e in closed} == {"media_idle"}
    assert gateway.events(event_type="process", reason="process_ended")


def test_a_ringing_call_leaves_orphans(gateway, scripted_call):
    """Early media of a call that `signal` did not outlive: its pinholes close when they fall silent."""
    call = scripted_call(gateway)
    call.ring()
    call.callee.reply(183, call.callee.offer(6000))
    call.caller.expect(183)
    wait_until(lambda: gateway.status()["pinholes_open"], 5.0, "early media has its pinholes")
    before = gateway.status()["pinholes_open"]
    kill(gateway, "signal")
    status = gateway.status()
    assert status["calls"] == 0 and status["pinholes_open"] == before
    assert any(f"{before} pinholes of earlier calls" in n for n in status["notices"]), status


def test_calls_outlive_media(gateway, remote_phone, desk_phone):
    remote_phone.dial("bob")
    desk_phone.wait_event("CALL_ESTABLISHED")
    time.sleep(0.5)
    _, row = kill(gateway, "media")
    assert row["restarts"] == 1
    time.sleep(3.0)
    remote_phone.hangup()
    desk_phone.wait_event("CALL_CLOSED")
    gateway.wait_idle()
    heard = desk_phone.heard()
    assert heard.tones_s.get(440, 0.0) >= 2.0, heard.says()


def test_calls_outlive_the_console(gateway, remote_phone, desk_phone):
    remote_phone.dial("bob")
    desk_phone.wait_event("CALL_ESTABLISHED")
    _, row = kill(gateway, "console")
    assert row["restarts"] == 1
    assert any(c["state"] == "established" for c in gateway.calls())
    remote_phone.hangup()
    desk_phone.wait_event("CALL_CLOSED")
    gateway.wait_idle()
    assert gateway.events(event_type="call", reason="bye_caller")


def test_a_child_that_keeps_dying(gateway):
    for count in range(1, 4):
        _, row = kill(gateway, "signal")
        assert row["restarts"] == count
    assert gateway.status()["calls"] == 0


def test_without_its_warden_nothing_is_left(lab, gateway):
    pids = [p for name, p in gateway.processes().items()]
    everybody = set(netns.pids(lab.ns("gw")))
    assert set(pids) < everybody  # the spawner stands in no listing
    os.kill(gateway.processes()["warden"], signal.SIGKILL)
    wait_until(lambda: all(gone(p) for p in everybody), 8.0, "all processes are gone")
    # What the dead one left is taken over by the next.
    gateway.log += "2"  # so that the wait for "ready" does not see the first one's
    gateway.start()
    assert gateway.status()["mode"] == "full"


def test_a_second_gateway_is_refused(lab, gateway):
    argv = [binary(), "run", "-c", gateway.config_path, "--run-dir", gateway.run_dir]
    done = run(netns.command(lab.ns("gw"), argv), check=False)
    assert done.returncode == 2 and "runs already" in done.stderr
    assert gateway.status()["calls"] == 0


def test_without_privileges(lab, gateway, peer_at, tmp_path):
    gateway.stop()
    folder = str(tmp_path)
    for above in (tmp_path.parent.parent, tmp_path.parent):
        above.chmod(0o755)
    os.chown(folder, 65534, 65534)
    text = gateway.config.replace(gateway.events_path, f"{folder}/events.jsonl")
    with open(f"{folder}/hornwork.conf", "w", encoding="utf-8") as out:
        out.write(text)
    argv = ["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups", binary(), "run",
            "-c", f"{folder}/hornwork.conf", "--run-dir", f"{folder}/run"]
    daemon = lab.daemon("gw", argv, f"{folder}/log")
    daemon.wait_text("hornwork: ready", 10.0)
    gateway.run_dir = f"{folder}/run"
    status = gateway.status()
    assert status["mode"] == "user" and len(status["notices"]) >= 2
    for row in status["processes"]:
        assert row["uid"] == 65534
        kernel = kernel_says(row["pid"])
        assert int(kernel["CapEff"], 16) == 0 and kernel["Seccomp"] == "2"
    peer = peer_at("ext", "alice", gateway.outside)
    peer.send(peer.request("OPTIONS", "sip:203.0.113.10", "user-mode", 1, "t"))
    assert peer.expect(200)
    assert daemon.stop(signal.SIGTERM, timeout_s=10.0) == 0


def test_a_loud_source(gateway_of, kamailio, peer_at):
    gateway = gateway_of(more="limits { per-source-pps = 20 }")
    loud = peer_at("stranger", "bob", gateway.outside)
    quiet = peer_at("ext", "alice", gateway.outside)
    for number in range(400):
        loud.send(loud.request("OPTIONS", "sip:203.0.113.10", f"loud-{number}", 1, "t"))
    quiet.send(quiet.request("OPTIONS", "sip:203.0.113.10", "quiet", 1, "t"))
    assert quiet.expect(200)
    while loud.poll(0.5):
        pass
    assert 20 <= len(loud.received) <= 120
    event = gateway.wait_event(reason="source_rate_limit")
    assert event["src_ip"] == "203.0.113.66" and event["tag"] == "r2"
    assert "limit" in gateway.command("explain", "203.0.113.66").stdout
