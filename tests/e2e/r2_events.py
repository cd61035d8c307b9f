"""Events go to a file that may be moved away, to syslog and to whoever connects to events.sock; what is lost is counted."""

import json
import os
import socket

from hwlab.proc import wait_until


class Consumer:
    """One who connected to events.sock."""

    def __init__(self, gateway):
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.connect(f"{gateway.run_dir}/events.sock")
        self.sock.setblocking(False)
        self.text = b""

    def lines(self):
        """Whole lines so far, as objects."""
        try:
            while chunk := self.sock.recv(65536):
                self.text += chunk
        except BlockingIOError:
            pass
        return [json.loads(line) for line in self.text.split(b"\n")[:-1]]


def test_file_socket_and_syslog_get_the_same(lab, kamailio, gateway_of, peer_at, tmp_path):
    log = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    log.bind(str(tmp_path / "log"))
    for folder in (tmp_path, *list(tmp_path.parents)[:3]):  # the console has a user of its own
        os.chmod(folder, 0o755)
    os.chmod(tmp_path / "log", 0o666)
    log.setblocking(False)
    gateway = gateway_of(console_more=f'syslog = "{tmp_path}/log"')
    consumer = Consumer(gateway)
    said = []

    def in_syslog():
        try:
            while True:
                said.append(log.recv(65536).decode())
        except BlockingIOError:
            return [line for line in said if '"registration"' in line]

    alice = peer_at("desk", "alice", gateway.inside)
    alice.register()
    gateway.wait_event(reason="registration")
    wait_until(lambda: any(e["reason"] == "registration" for e in consumer.lines()), 10, "the socket has it")
    line = wait_until(in_syslog, 10, "syslog has it")[0]
    head, _, body = line.partition(": ")
    assert head.startswith("<86>hornwork["), head
    event = json.loads(body)
    assert event in gateway.events() and event in consumer.lines()

    # The file is moved away; a reload opens it anew. The consumer stays.
    os.rename(gateway.events_path, gateway.events_path + ".1")
    gateway.reload()
    with open(gateway.events_path + ".1", encoding="utf-8") as old:
        before = old.read()
    seen = len(consumer.lines())
    peer_at("desk", "bob", gateway.inside, port=5070).register()
    gateway.wait_event(reason="registration")
    wait_until(lambda: len(consumer.lines()) > seen, 10, "the socket goes on")
    with open(gateway.events_path + ".1", encoding="utf-8") as old:
        assert old.read() == before

    # Syslog goes away: its loss is counted, nothing else suffers.
    log.close()
    os.unlink(tmp_path / "log")
    alice.send(b"NONSENSE\r\n\r\n")
    gateway.wait_event(event_type="refused")
    wait_until(lambda: 'events_lost_total{sink="syslog"} 0' not in gateway.api("/metrics")[1].decode(), 10,
               "the loss is counted")
    assert 'events_lost_total{sink="socket"} 0' in gateway.api("/metrics")[1].decode()


def test_a_console_that_died_listens_again(kamailio, gateway_of, peer_at):
    gateway = gateway_of()
    first = Consumer(gateway)
    pid = gateway.processes()["console"]
    os.kill(pid, 9)
    wait_until(lambda: gateway.command("status", "--json", check=False).returncode == 0
               and gateway.processes()["console"] != pid, 10, "the console is back")
    second = Consumer(gateway)
    peer_at("desk", "alice", gateway.inside).register()
    wait_until(lambda: any(e["reason"] == "registration" for e in second.lines()), 10, "events come")
    first.sock.close()
    second.sock.close()
