"""Reload changes keys without losing a call; a wrong file changes nothing and says where it is wrong."""

import os
import signal

from hwlab import hornwork


def gaps(packets, until_count):
    """(lost sequence numbers, longest pause in s) in the packets that came since a mark."""
    rows = packets[until_count:]
    numbers = [row[2] for row in rows]
    missing = numbers[-1] - numbers[0] + 1 - len(set(numbers))
    pause = max((b[0] - a[0] for a, b in zip(rows, rows[1:])), default=0.0)
    return missing, pause


def test_audio_has_no_gap(gateway, scripted_call):
    call = scripted_call(gateway).establish()
    marks = len(call.voice.got), len(call.ear.got)
    pids = gateway.processes()
    base = gateway.config
    for number in range(3):
        gateway.reload(base + f"limits {{ calls = {100 + number} }}\n")
        call.talk(0.5)
    for talker, mark in zip((call.voice, call.ear), marks):
        missing, pause = gaps(talker.got, mark)
        assert missing == 0 and pause < 0.15, f"{missing} packets lost, {pause:.2f} s of silence"
    assert gateway.processes() == pids
    assert call.record()["state"] == "established"
    call.hang_up()
    gateway.wait_idle()


def test_a_wrong_file_keeps_the_running_one(gateway, scripted_call):
    call = scripted_call(gateway).establish()
    before = gateway.status()
    good = gateway.config
    line = len(good.splitlines()) + 1
    done = gateway.reload(good + "limitz { calls = 5 }\n", check=False)
    assert done.returncode == 1
    said = done.stdout + done.stderr
    assert f"{gateway.config_path}:{line}:" in said and "limits" in said, said
    assert gateway.status()["calls"] == before["calls"] == 1
    assert min(call.talk(0.6)) > 20
    call.hang_up()
    gateway.wait_idle()
    gateway.reload(good)


def test_an_impossible_value_is_refused(gateway):
    done = gateway.reload(gateway.config.replace("to     = main", "to     = nobody"), check=False)
    assert done.returncode == 1 and "nobody" in done.stdout + done.stderr
    assert f"{gateway.config_path}:" in done.stdout + done.stderr


def test_sighup_reloads_too(gateway):
    gateway.write_config(gateway.config + "limits { calls = 77 }\n")
    os.kill(gateway.daemon.pid, signal.SIGHUP)
    gateway.wait_event(event_type="config")


def test_a_reload_changes_what_it_says(gateway, peer_at):
    """A new listening port answers after the reload, the old one goes on."""
    new = gateway.config.replace('listen = {"udp:5060", "tcp:5060"}',
                                 'listen = {"udp:5060", "tcp:5060", "udp:5070"}', 1)
    gateway.reload(new)
    for port in (5060, 5070):
        peer = peer_at("ext", "alice", (gateway.outside[0], port), port=5080 + port % 100)
        assert peer.register().status == 200


def test_limits_of_a_reload_hold(gateway, scripted_call, peer_at):
    """max-calls set to one by a reload: the running call stays, the next is refused with an answer."""
    call = scripted_call(gateway).establish()
    gateway.reload(gateway.config.replace("    to     = main\n", "    to     = main\n    max-calls = 1\n", 1))
    bob = peer_at("stranger", "bob", gateway.outside)
    bob.register()
    raw = bob.request("INVITE", "sip:scripted@pbx.test", "second", 1, "t",
                      body=call.caller.offer(5000))
    bob.send(raw)
    answer = bob.expect((403, 407, 480, 486, 503, 180, 183, 200), 5.0)
    assert answer.status in (480, 486, 503), answer.start
    assert call.record()["state"] == "established"
    call.hang_up()
    gateway.wait_idle()


def test_start_with_a_wrong_file_starts_nothing(lab, kamailio):
    gateway = hornwork.Hornwork(lab, more="limitz { calls = 5 }")
    os.makedirs(gateway.run_dir, exist_ok=True)
    gateway.write_config()
    done = lab.run("gw", [hornwork.binary(), "run", "-c", gateway.config_path, "--run-dir",
                          gateway.run_dir], check=False)
    assert done.returncode != 0
    line = gateway.config.splitlines().index("limitz { calls = 5 }") + 1
    assert f"{gateway.config_path}:{line}:" in done.stderr and "limits" in done.stderr
    assert "hornwork" not in lab.run("gw", ["nft", "list", "tables"]).stdout
    assert not os.path.exists(f"{gateway.run_dir}/control.sock")
