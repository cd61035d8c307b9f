"""What keeps fragile phones up: scope, pace, health, canaries, calls, guesses, emergency numbers."""

import collections
import concurrent.futures
import json
import time

import pytest

from hwlab.capture import Capture

DESK = "asset desk { subnet = 10.20.0.0/24  kind = phone }\n"


def test_nothing_is_sent_outside_of_the_scope(lab, assessor, phones_of):
    """An undeclared address, and a public one that nobody confirmed, get no packet; exit 4."""
    phones_of({"sip": {}}, host="peer")
    assessor.configure('asset one { address = 10.20.0.20  kind = phone }\n'
                       'asset pub { address = 203.0.113.60  kind = pbx }\n')
    with Capture(lab, "gw", "eth1", "gw-eth1") as core, Capture(lab, "gw", "eth0", "gw-eth0") as internet:
        undeclared = assessor.command("assess", "-c", assessor.config_path, "--target", "10.10.0.20")
        public = assessor.run("--target", "pub")
    assert undeclared.returncode == 4 and "no declared asset" in undeclared.stderr
    assert public.code == 4 and "owner-confirmed" in public.json["stopped"]
    assert core.count("ip.addr == 10.10.0.20") == 0
    assert internet.count("ip.addr == 203.0.113.60") == 0


def test_a_redirect_is_not_followed(lab, assessor, phones_of):
    """A page that sends the browser to another host is read, not followed."""
    phones_of({"sip": {}, "http": {"redirect": "http://10.10.0.20/steal"}})
    phones_of({"sip": {}, "http": {}}, host="peer")
    with Capture(lab, "gw", "eth1", "gw-eth1") as core:
        report = assessor.configure('asset one { address = 10.20.0.20  kind = phone }').run(only="DV-12")
    assert report.verdict("DV-12") == "found"
    assert core.count("ip.addr == 10.10.0.20") == 0


def most(stamps, span):
    """The most of them within any `span` seconds."""
    times, first, best = sorted(stamps), 0, 0
    for last, when in enumerate(times):
        while times[first] <= when - span:
            first += 1
        best = max(best, last - first + 1)
    return best


FIELDS = ("frame.time_epoch", "ip.dst", "tcp.srcport", "tcp.ack", "tcp.len", "tcp.flags", "_ws.col.Info")
ACK, RST = 0x10, 0x04


def steered(rows):
    """Without what the kernel answers to what a phone repeats: an acknowledgement a second time, a reset
    for a connection that is over. On a busy machine repetitions cross with what they ask for."""
    seen, kept = set(), []
    for row in rows:
        flags = int(row[5], 16) if row[5] else 0
        key = row[1:4] if flags == ACK and row[4] == "0" else None
        if (key is None or tuple(key) not in seen) and not (flags == RST and row[4] == "0"):
            kept.append(row)
        if key:
            seen.add(tuple(key))
    return kept


def gentle(rows):
    """Two packets in whatever second, acknowledgements included; twenty in ten seconds, whatever they are."""
    stamps = [float(row[0]) for row in rows]
    return most([float(row[0]) for row in steered(rows)], 1.0) <= 2 and most(stamps, 1.0) <= 3 and most(stamps, 10.0) <= 20


def test_two_packets_a_second(lab, assessor, phones_of):
    """On the wire: a banner that comes unasked, a page of many segments, connections that either side
    closes, ports that are open and that are not."""
    phones_of({"sip": {}, "telnet": {"banner": "login: "}, "http": {"title": "x", "body": "<p>" + "x" * 4000},
               "snmp": {"communities": ["public"]}, "tcp": {"7547": ""}})
    assessor.configure('asset one { address = 10.20.0.20  kind = phone }')
    with Capture(lab, "gw", "eth2", "gw-eth2") as capture:
        report = assessor.run(only="DV-04,DV-06,DV-12,DV-18")
    rows = capture.fields("ip.dst == 10.20.0.20", *FIELDS)
    assert report.code == 1 and len(report.open()) == 4
    assert gentle(rows), "\n".join(" ".join(row) for row in rows)
    # what it says of itself is what was seen
    sent = capture.count("ip.dst == 10.20.0.20")
    assert sent <= report.asset("one")["packets"] <= sent + 1


@pytest.mark.limit(120)
def test_two_packets_a_second_over_many_pages(lab, assessor, phones_of):
    """A row of connections that the phone closes first (`make bench-assess` has the whole set)."""
    phones_of({"sip": {}, "http": {"title": "x"}})
    assessor.configure('asset one { address = 10.20.0.20  kind = phone }')
    with Capture(lab, "gw", "eth2", "gw-eth2") as capture:
        report = assessor.run(only="DV-02", timeout_s=110)
    assert report.verdict("DV-02") in ("found", "clean")
    rows = capture.fields("ip.dst == 10.20.0.20", *FIELDS)
    assert sum("GET" in row[6] for row in rows) >= 5
    assert gentle(rows), "\n".join(" ".join(row) for row in rows)


@pytest.mark.limit(460)
def test_two_hundred_phones(lab, assessor, phones_of):
    """One process, the default gentle rate, under five minutes, no phone above two packets a second."""
    addresses = [f"10.20.0.{n}" for n in range(30, 230)]
    phones_of(*[{"address": a, "sip": {}, "telnet": {}, "http": {"title": "x"},
                 "agent": f"Labphone L{n % 4} 1.0.{n}"} for n, a in enumerate(addresses)])
    assessor.configure(DESK)
    begin = time.monotonic()
    with Capture(lab, "gw", "eth2", "gw-eth2") as capture:
        report = assessor.run(only="DV-04,DV-06,DV-12", timeout_s=400)
    took = time.monotonic() - begin
    tested = [a for a in report.json["assets"] if a["state"] == "tested"
              and a["address"] in addresses]
    assert len(tested) == 200 and took < 300, (len(tested), took)
    assert len(report.open("DV-04")) == 200 and len(report.open("DV-12")) == 200
    times = collections.defaultdict(list)
    for row in capture.fields("ip.dst == 10.20.0.0/24", *FIELDS):
        times[row[1]].append(row)
    for address in addresses:
        assert gentle(times[address]), (address, times[address])


def test_a_port_is_asked_once(lab, assessor, phones_of):
    """Checks that want to know of the same port share one look: what was refused is not asked again,
    what was open is not scanned again, and each verdict is still given."""
    phones_of({"sip": {}, "telnet": {}, "http": {"title": "x"}})
    assessor.configure('asset one { address = 10.20.0.20  kind = phone }')
    with Capture(lab, "gw", "eth2", "gw-eth2") as capture:
        report = assessor.run(only="DV-04,DV-05,DV-19,EN-03,EN-05,EN-08")
    opened = "ip.dst == 10.20.0.20 && tcp.flags.syn == 1 && tcp.dstport == "
    assert [capture.count(opened + port) for port in ("21", "23", "443", "5061")] == [1] * 4
    assert report.verdict("DV-04") == "found" and report.verdict("DV-05") == "clean"
    assert report.verdict("DV-19") == "clean" and report.verdict("EN-05") == "not applicable"


def test_a_model_is_stopped_with_its_canary(assessor, phones_of):
    """A phone that falls silent stops its whole model after two missed probes; other models go on."""
    phones = [{"address": f"10.20.0.{n}", "sip": {}, "agent": "Fragile F1 1.0", "dies_after": 1,
               "telnet": {}} for n in range(30, 36)]
    phones += [{"address": "10.20.0.40", "sip": {}, "agent": "Sturdy S1 1.0", "telnet": {}}]
    seen = phones_of(*phones)
    report = assessor.configure(DESK).run(only="DV-04")
    states = {a["address"]: a["state"] for a in report.json["assets"] if a["state"] != "no device"}
    assert report.code == 4 and "Fragile F1" in report.json["stopped"]
    assert [states[f"10.20.0.{n}"] for n in range(30, 36)] == ["stopped"] * 6
    assert states["10.20.0.40"] == "tested"
    # one canary was asked, the others were only looked at
    assert len({row["address"] for row in seen.seen(kind="telnet")} - {"10.20.0.40"}) == 1
    # what it was asked before it fell silent does not count as clean
    untested = [r for r in report.json["results"] if r["verdict"] == "not tested"]
    assert len(untested) == 5


@pytest.mark.limit(150)
def test_a_phone_in_a_call_is_left_alone(lab, kamailio, gateway, assessor, remote_phone, desk_phone):
    """The gateway knows who is in a call; the phone gets no packet meanwhile."""
    remote_phone.dial("bob")
    assessor.configure(DESK.replace("subnet = 10.20.0.0/24", "address = 10.20.0.20"),
                       gateway=gateway.config)
    with Capture(lab, "gw", "eth2", "gw-eth2") as capture:
        report = assessor.run("--run-dir", gateway.run_dir, only="DV-04", timeout_s=110)
    assert report.asset("desk")["state"] == "in a call" and report.code == 3
    assert report.verdict("DV-04") == "not tested"
    assert capture.count("tcp && ip.dst == 10.20.0.20") == 0
    remote_phone.hangup()


@pytest.mark.limit(150)
def test_a_call_that_comes_in_between(lab, kamailio, gateway, assessor, remote_phone, desk_phone):
    """From then on the phone gets nothing more; what was not asked to the end is not tested, and the model
    is not blamed."""
    assessor.configure(DESK.replace("subnet = 10.20.0.0/24", "address = 10.20.0.20"), gateway=gateway.config)
    to_phone = "tcp.flags.syn == 1 && ip.dst == 10.20.0.20"
    with concurrent.futures.ThreadPoolExecutor(1) as pool, Capture(lab, "gw", "eth2", "gw-eth2") as capture:
        running = pool.submit(assessor.run, "--run-dir", gateway.run_dir, only="DV-18,DV-19", timeout_s=140)
        time.sleep(6)
        remote_phone.dial("bob")
        begin = time.time() + 3
        report = running.result()
        in_call = time.time()
        remote_phone.hangup()
    stamps = [float(row[0]) for row in capture.fields(to_phone, "frame.time_epoch")]
    assert stamps and not [t for t in stamps if begin < t < in_call], (begin, stamps)
    assert report.asset("desk")["state"] == "in a call" and report.code == 3, report.text
    assert "not tested" in (report.verdict("DV-18"), report.verdict("DV-19"))


def test_the_plan_is_what_happens(assessor, phones_of):
    """--plan tells each class of packets beforehand, and sends nothing."""
    seen = phones_of({"sip": {}})
    assessor.configure('asset one { address = 10.20.0.20  kind = phone }')
    done = assessor.command("assess", "-c", assessor.config_path, "--plan", "--format", "json",
                            "--only", "DV-04,DV-06")
    plan = json.loads(done.stdout)
    assert done.returncode == 0 and plan[0]["packets_per_second"] == 2
    assert plan[0]["packets"]["tcp-connect"] == 2 and plan[0]["packets"]["snmp-get"] == 4
    assert plan[0]["checks"] == ["DV-04", "DV-06"] and not seen.seen()


def test_what_is_suppressed_stays_visible(assessor, phones_of):
    """With a reason and a day; the gate no longer counts it."""
    phones_of({"sip": {}, "telnet": {}})
    assessor.configure('asset one { address = 10.20.0.20  kind = phone }')
    finding = assessor.run(only="DV-04").open()[0]
    file = ["-c", assessor.config_path]
    without = assessor.command("findings", *file, "--suppress", finding["id"], "--until", "2099-01-01")
    assert without.returncode == 2, "a reason is needed"
    far = assessor.command("findings", *file, "--suppress", finding["id"], "--reason", "lab",
                           "--until", "2099-01-01")
    assert far.returncode == 2 and "within a year" in far.stderr
    day = time.strftime("%Y-%m-%d", time.localtime(time.time() + 7 * 86400))
    assessor.command("findings", *file, "--suppress", finding["id"], "--reason", "lab phone",
                     "--until", day, check=True)
    report = assessor.run(only="DV-04")
    assert report.code == 0 and report.open()[0]["suppressed"] == "lab phone"
    assert assessor.command("findings", *file).returncode == 0
    assessor.command("findings", *file, "--unsuppress", finding["id"], check=True)
    assert assessor.run(only="DV-04").code == 1
    assert assessor.run("--new-only", only="DV-04").code == 0
    assert assessor.run("--fail-on", "critical", only="DV-04").code == 0
    assert assessor.command("assess", "diff", *file).returncode == 0


def test_wrong_usage(assessor):
    """Exit 2 with a sentence."""
    assessor.configure('asset one { address = 10.20.0.20  kind = phone }')
    for words, said in ((["--only", "DV-99"], "DV-99"), (["--target", "nobody"], "nobody"),
                        (["--fail-on", "bad"], "critical"), (["--only", "DV-01x"], "DV-01x")):
        done = assessor.command("assess", "-c", assessor.config_path, *words)
        assert done.returncode == 2 and said in done.stderr, done.stderr
