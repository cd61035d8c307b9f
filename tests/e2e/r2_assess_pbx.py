"""Checks of the PBX: each finds the flaw on a flawed one and is silent on a mended one."""

PBX = "asset main { address = 10.10.0.5  kind = pbx }\n"
LIVE = "/etc/asterisk/asterisk.conf"


def test_px08_register_enumeration(assessor, phones_of):
    """A registrar that challenges known users and says 404 to others."""
    flawed = {"users": ["1000"], "known": "401 Unauthorized", "unknown": "404 Not Found"}
    pbx = phones_of({"sip": {"registrar": flawed}, "agent": "Labpbx 1.0.1"}, host="pbx")
    bad = assessor.configure(PBX).run(only="PX-08")
    assert bad.code == 1 and '"1000" gets 401' in bad.open("PX-08")[0]["evidence"]
    assert bad.open()[0]["port"] == 5060
    assert bad.asset("main")["product"] == "Labpbx" and bad.asset("main")["version"] == "1.0.1"
    pbx.stop()
    phones_of({"sip": {"registrar": {"users": ["1000"]}}}, host="pbx")
    good = assessor.run(only="PX-08")
    assert good.code == 0 and good.verdict("PX-08") == "clean", good.text
    assert good.findings("PX-08")[0]["change"] == "fixed"


def test_px22_live_dangerously(assessor, server_of, phones_of):
    """asterisk.conf read over SSH with the owner's key."""
    phones_of({"sip": {}}, host="pbx")
    host = server_of(files={LIVE: "[directories]\n[options]\nlive_dangerously = yes ; old macros\n"})
    bad = assessor.configure(host.asset("main")).run(only="PX-22")
    assert bad.code == 1 and "live_dangerously = yes" in bad.open("PX-22")[0]["evidence"]
    host.stop()
    host = server_of(files={LIVE: "[options]\nlive_dangerously = no\n"})
    # another host key at the same address is refused until the administrator has looked
    moved = assessor.configure(host.asset("main")).run(only="PX-22")
    assert moved.code == 1 and not moved.json["complete"] and moved.verdict("PX-22") == "not tested"
    assert "host's key has changed" in moved.why("PX-22")
    assert moved.findings("PX-22")[0]["change"] == "not tested"
    assessor.forget_host_keys()
    good = assessor.run(only="PX-22")
    assert good.code == 0 and good.findings("PX-22")[0]["change"] == "fixed"


def test_no_ssh_user(assessor, phones_of):
    """Without an account on the host its checks are not asked for: told, and no gap in the run."""
    phones_of({"sip": {}}, host="pbx")
    report = assessor.configure(PBX).run(only="PX-22")
    assert report.code == 0 and report.verdict("PX-22") == "not tested"
    assert "no ssh-user" in report.why("PX-22")
