"""Checks of the PBX: each finds the flaw on a flawed one and is silent on a mended one."""

import os
import shutil

import pytest

from hwlab.proc import wait_until

PBX = "asset main { address = 10.10.0.5  kind = pbx }\n"
LIVE = "/etc/asterisk/asterisk.conf"


@pytest.mark.proves("PX-08")
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


@pytest.mark.proves("PX-22")
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


def sip(assessor, phones_of, check, flawed, mended, words=()):
    """A flawed PBX's report; on the mended one the finding must be called fixed."""
    pbx = phones_of({"agent": "Labpbx 1.0.1", **flawed}, host="pbx")
    bad = assessor.configure(PBX).run(*words, only=check)
    assert bad.verdict(check) == "found" and bad.code == (0 if check == "PX-01" else 1), bad.text
    pbx.stop()
    pbx = phones_of({"agent": "Labpbx 1.0.1", **mended}, host="pbx")
    good = assessor.run(*words, only=check)
    assert {f["change"] for f in good.findings(check)} == {"fixed"} and good.code == 0, good.text
    pbx.stop()
    return bad


def host(assessor, server_of, phones_of, check, flawed, mended):
    """The same for files and commands on the PBX's host."""
    phones_of({"sip": {}}, host="pbx")
    server = server_of(files=flawed)
    bad = assessor.configure(server.asset("main")).run(only=check)
    assert bad.verdict(check) == "found" and bad.code == 1, bad.text
    server.stop()
    server_of(files=mended)
    assessor.forget_host_keys()
    good = assessor.run(only=check)
    assert {f["change"] for f in good.findings(check)} == {"fixed"} and good.code == 0, good.text
    return bad


@pytest.mark.proves("PX-01")
def test_px01_banner(assessor, phones_of):
    """Product and version in the banner; without a version it is good."""
    bad = sip(assessor, phones_of, "PX-01", {"sip": {}, "agent": "Asterisk PBX 18.2.0"},
              {"sip": {}, "agent": "PBX"})
    assert "Asterisk PBX 18.2.0" in bad.open()[0]["evidence"]


@pytest.mark.proves("PX-06")
def test_px06_daemon_of_a_replaced_file(lab, assessor, server_of, phones_of):
    """A real process whose program was removed; restarted from what is there it is good."""
    phones_of({"sip": {}}, host="pbx")
    server = server_of()
    program = f"{lab.workdir}/coturn"
    shutil.copy("/usr/bin/sleep", program)
    daemon = lab.daemon("pbx", [program, "600"], f"{lab.workdir}/coturn.log")
    wait_until(lambda: program in os.readlink(f"/proc/{daemon.pid}/exe"), 5.0, "it runs")
    os.remove(program)
    bad = assessor.configure(server.asset("main")).run(only="PX-06")
    assert bad.verdict("PX-06") == "found" and "coturn" in bad.open()[0]["evidence"], bad.text
    daemon.stop()
    assert assessor.run(only="PX-06").findings("PX-06")[0]["change"] == "fixed"


NEWER = "/usr/lib/modules/99.9.0-3-amd64/modules.dep"
UNAME = "#!/bin/sh\necho 99.9.0-{0}-amd64\n"


@pytest.mark.proves("PX-07")
def test_px07_kernel_waits_for_a_reboot(assessor, server_of, phones_of):
    """The newest installed kernel does not run; a kernel of another flavour is no newer one."""
    other = "/usr/lib/modules/99.9.9-9-cloud-amd64/modules.dep"
    bad = host(assessor, server_of, phones_of, "PX-07",
               {NEWER: "", other: "", "/usr/bin/uname": UNAME.format(1)},
               {NEWER: "", other: "", "/usr/bin/uname": UNAME.format(3)})
    assert "99.9.0-3-amd64 is installed" in bad.open()[0]["evidence"]


@pytest.mark.proves("PX-09")
def test_px09_enumeration_by_calls(assessor, phones_of):
    """Unknown users get 404, known ones a challenge."""
    rules = {"methods": ["INVITE", "OPTIONS"], "users": ["1000"], "known": "401 Unauthorized",
             "unknown": "404 Not Found"}
    bad = sip(assessor, phones_of, "PX-09", {"sip": {"enumerate": rules}},
              {"sip": {"enumerate": {**rules, "unknown": "401 Unauthorized"}}})
    assert "INVITE: a name" in bad.open()[0]["evidence"]
    assert "OPTIONS: a name" in bad.open()[0]["evidence"]


@pytest.mark.proves("PX-12")
def test_px12_registering_without_a_password(assessor, phones_of):
    """200 to a REGISTER without credentials; what was registered is taken back."""
    bad = sip(assessor, phones_of, "PX-12", {"sip": {"registrar": {"open": True}}},
              {"sip": {"registrar": {"users": []}}})
    assert "it was taken back" in bad.open()[0]["evidence"]


@pytest.mark.proves("PX-13")
def test_px13_methods_without_a_password(assessor, phones_of):
    """MESSAGE and REFER accepted."""
    bad = sip(assessor, phones_of, "PX-13",
              {"sip": {"methods": {"MESSAGE": "202 Accepted", "REFER": "202 Accepted",
                                   "SUBSCRIBE": "489 Bad Event", "PUBLISH": "405 No"}}},
              {"sip": {"methods": {m: "401 Unauthorized" for m in
                                   ("MESSAGE", "REFER", "SUBSCRIBE", "PUBLISH")}}})
    assert "MESSAGE without" in bad.open()[0]["evidence"]
    assert "PUBLISH" not in bad.open()[0]["evidence"]


MD5 = 'Digest realm="lab", nonce="{nonce}", algorithm=MD5, qop="auth"'
SHA = 'Digest realm="lab", nonce="{nonce}", algorithm=SHA-256, qop="auth"'


@pytest.mark.proves("PX-14")
def test_px14_md5_alone(assessor, phones_of):
    """A challenge with MD5; with SHA-256 beside it, it is good."""
    sip(assessor, phones_of, "PX-14", {"sip": {"registrar": {"challenge": MD5}}},
        {"sip": {"registrar": {"challenge": [SHA, MD5]}}})


@pytest.mark.proves("PX-15")
def test_px15_nonces(assessor, phones_of):
    """A short nonce that comes again and again, without qop."""
    bad = sip(assessor, phones_of, "PX-15",
              {"sip": {"registrar": {"challenge": 'Digest realm="lab", nonce="n1"'}}},
              {"sip": {"registrar": {"challenge": MD5}}})
    assert "no qop" in bad.open()[0]["evidence"] and "came before" in bad.open()[0]["evidence"]


PJSIP = ("[100]\ntype = endpoint\n[a100]\ntype = auth\nusername = 100\npassword = {0}\n"
         "[a200]\ntype = auth\nusername = 200\npassword = {1}\n")


@pytest.mark.proves("PX-19")
def test_px19_weak_secrets(assessor, server_of, phones_of):
    """Names are told, secrets never."""
    path = "/etc/asterisk/pjsip.conf"
    bad = host(assessor, server_of, phones_of, "PX-19",
               {path: PJSIP.format("4711471147114711", "s3cr3t-77")},
               {path: PJSIP.format("kx72-QpLm-0091-zz", "Wv81_nnTq.x4c2")})
    assert "a100, a200" in bad.open()[0]["evidence"]
    assert "s3cr3t-77" not in bad.text and "4711" not in bad.text


def freepbx(path, own, additional):
    """A file as FreePBX lays it out: what matters stands in the files it includes."""
    base = path.rsplit(".", 1)[0]
    return {path: f"; do not edit\n#include {base.rsplit('/', 1)[1]}_additional.conf\n"
                  f"#tryinclude {base.rsplit('/', 1)[1]}_custom_post.conf\n{own}",
            f"{base}_additional.conf": additional}


LAID_OUT = [
    ("PX-19", "pjsip.conf", "", PJSIP.format("4711471147114711", "Wv81_nnTq.x4c2"),
     PJSIP.format("kx72-QpLm-0091-zz", "Wv81_nnTq.x4c2"), "a100"),
    ("PX-19", "sip.conf", "[200](weak)\nhost = dynamic\n", "[weak](!)\nsecret = 12345\n",
     "[weak](!)\nsecret = kx72-QpLm-0091-zz\n", "200"),
    ("PX-20", "pjsip.conf", "[100](phone)\n[p200](phone)\n", "[phone](!)\ntype = endpoint\n",
     "[phone](!)\ntype = aor\n", ": 100"),
    ("PX-21", "extensions.conf", "", "[in]\nexten => _X.,1,Dial(PJSIP/${EXTEN})\n",
     "[in]\nexten => _X.,1,Dial(PJSIP/${FILTER(0-9,${EXTEN})})\n", "_X."),
    ("PX-22", "asterisk.conf", "", "[options]\nlive_dangerously = yes\n",
     "[options]\n;--\nlive_dangerously = yes\n--;\n", "live_dangerously = yes"),
    ("PX-24", "manager.conf", "", "[general]\nenabled = yes\n[crm]\nwrite = all\n",
     "[general]\nenabled = yes\n[crm]\nwrite = all\npermit = 127.0.0.1\n", "crm"),
    ("DV-22", "voicemail.conf", "", "[default]\n1000 => 1000,Ann\n",
     "[default]\n1000 => 837261,Ann\n", "1000"),
]


@pytest.mark.parametrize("check, name, own, flawed, mended, words", LAID_OUT,
                         ids=[f"{row[0]}-{row[1]}" for row in LAID_OUT])
def test_includes_and_templates(assessor, server_of, phones_of, check, name, own, flawed, mended,
                                words):
    """The flaw stands in an included file or comes from a template."""
    path = f"/etc/asterisk/{name}"
    bad = host(assessor, server_of, phones_of, check, freepbx(path, own, flawed),
               freepbx(path, own, mended))
    assert words in bad.open()[0]["evidence"]


@pytest.mark.parametrize("line, words", [("#exec /usr/bin/users", "#exec"),
                                         ("#include none.conf", "is not there"),
                                         ("#include /var/lib/users.conf", "outside")],
                         ids=["exec", "absent", "outside"])
def test_what_cannot_be_followed_is_not_clean(assessor, server_of, phones_of, line, words):
    """A part that is not read may hold the flaw: not tested, and why."""
    phones_of({"sip": {}}, host="pbx")
    server = server_of(files={"/etc/asterisk/pjsip.conf": f"[a]\ntype = endpoint\n{line}\n"})
    report = assessor.configure(server.asset("main")).run(only="PX-19")
    assert report.verdict("PX-19") == "not tested" and words in report.why("PX-19"), report.text


@pytest.mark.proves("PX-20")
def test_px20_numeric_names(assessor, server_of, phones_of):
    """An endpoint named by its extension."""
    path = "/etc/asterisk/pjsip.conf"
    bad = host(assessor, server_of, phones_of, "PX-20", {path: "[100]\ntype = endpoint\n"},
               {path: "[0015651234ab]\ntype = endpoint\n[100]\ntype = aor\n"})
    assert ": 100" in bad.open()[0]["evidence"]


@pytest.mark.proves("PX-21")
def test_px21_unfiltered_dialplan(assessor, server_of, phones_of):
    """Dial with what the caller sent; with FILTER() it is good."""
    path = "/etc/asterisk/extensions.conf"
    bad = host(assessor, server_of, phones_of, "PX-21",
               {path: "[in]\nexten => _X.,1,NoOp()\n same => n,Dial(PJSIP/${EXTEN})\n"
                      "exten => 9,1,System(log ${CALLERID(num)})\n"},
               {path: "[in]\nexten => _X.,1,Dial(PJSIP/${FILTER(0-9,${EXTEN})})\n"
                      "exten => _XXX,1,Dial(PJSIP/${EXTEN})\n"})
    assert "2 lines" in bad.open()[0]["evidence"]


@pytest.mark.proves("PX-23")
def test_px23_management_interfaces(assessor, phones_of):
    """AMI open; from a host of an administrator it is not asked."""
    sip(assessor, phones_of, "PX-23", {"sip": {}, "tcp": {"5038": "Asterisk Call Manager/5.0.1"}},
        {"sip": {}})
    phones_of({"sip": {}, "tcp": {"5038": "Asterisk"}}, host="pbx")
    report = assessor.configure(PBX, 'admins = {"10.10.0.0/24"}').run(only="PX-23")
    assert report.code == 0 and "admins" in report.why("PX-23"), report.text


MANAGER = "[general]\nenabled = yes\n[crm]\nsecret = hushhush1\nread = call\nwrite = {0}\n{1}"


@pytest.mark.proves("PX-24")
def test_px24_manager_users(assessor, server_of, phones_of):
    """A user who may run commands, from anywhere."""
    path = "/etc/asterisk/manager.conf"
    bad = host(assessor, server_of, phones_of, "PX-24",
               {path: MANAGER.format("call,command,originate", "")},
               {path: MANAGER.format("call,command", "deny = 0.0.0.0/0\npermit = 127.0.0.1\n")})
    assert "crm" in bad.open()[0]["evidence"] and "hushhush1" not in bad.text


PS = "#!/bin/sh\necho '{0}    asterisk'\necho 'root    sshd'\n"


@pytest.mark.proves("PX-25")
def test_px25_pbx_as_root(assessor, server_of, phones_of):
    """By what ps says."""
    bad = host(assessor, server_of, phones_of, "PX-25", {"/usr/bin/ps": PS.format("root")},
               {"/usr/bin/ps": PS.format("asterisk")})
    assert "asterisk" in bad.open()[0]["evidence"] and "sshd" not in bad.open()[0]["evidence"]


@pytest.mark.proves("PX-26")
def test_px26_unused_protocols(assessor, phones_of):
    """SCCP's port."""
    bad = sip(assessor, phones_of, "PX-26", {"sip": {}, "tcp": {"2000": ""}}, {"sip": {}})
    assert bad.open()[0]["port"] == 2000


@pytest.mark.proves("PX-28")
def test_px28_limits_of_a_registration(assessor, phones_of):
    """A second, a week, eleven contacts; with limits it is good."""
    bad = sip(assessor, phones_of, "PX-28", {"sip": {"registrar": {"open": True}}},
              {"sip": {"registrar": {"open": True, "min_expires": 30, "max_expires": 3600,
                                     "max_contacts": 5}}})
    assert all(word in bad.open()[0]["evidence"] for word in ("one second", "a week", "eleven"))


CDR = "/etc/asterisk/cdr.conf"
CDR_SYSLOG = "/etc/asterisk/cdr_syslog.conf"
RSYSLOG = "/etc/rsyslog.conf"
AWAY = "*.* @@log.example:6514\n"
TEMPLATE = '[simple]\ntemplate = "${CDR(src)} ${CDR(dst)}"\n'


@pytest.mark.proves("PX-29")
def test_px29_call_records(assessor, server_of, phones_of):
    """CDR off; then on, logged, and the log sent away."""
    bad = host(assessor, server_of, phones_of, "PX-29",
               {CDR: "[general]\nenable = no\n", RSYSLOG: "# nothing\n"},
               {CDR: "[general]\nenable = yes\n", RSYSLOG: AWAY, CDR_SYSLOG: TEMPLATE})
    assert "no call is recorded" in bad.open()[0]["evidence"]


# As the packages ship them: comments speak of syslog and of databases, nothing is in force.
SHIPPED = {CDR: "[general]\n;enable=yes\n",
           RSYSLOG: "# /etc/rsyslog.conf configuration file for rsyslog\n#module(load=\"imtcp\")\n"
                    "# *.* @@log.example\nmail.* -/var/log/mail.log\n",
           CDR_SYSLOG: "[general]\n;facility=local0\n;[simple]\n;template = \"${CDR(src)}\"\n",
           "/etc/asterisk/cdr_pgsql.conf": "[global]\n;hostname=db.example\n;dbname=asterisk\n",
           "/etc/asterisk/cdr_odbc.conf": ";[global]\n;dsn=MySQL-test\n",
           "/etc/asterisk/logger.conf": "[logfiles]\nmessages = notice\n;syslog.local0 = verbose\n"}


@pytest.mark.parametrize("flawed, mended", [
    ({}, {"/etc/asterisk/cdr_pgsql.conf": "[global]\nhostname=db.example\n"}),
    ({"/etc/asterisk/cdr_pgsql.conf": "[global]\nhostname=localhost\n"},
     {"/etc/asterisk/cdr_odbc.conf": "[global]\ndsn=central\n"}),
    ({RSYSLOG: AWAY}, {RSYSLOG: AWAY, CDR_SYSLOG: TEMPLATE}),
    ({CDR_SYSLOG: TEMPLATE},
     {RSYSLOG: AWAY, "/etc/asterisk/logger.conf": "[logfiles]\nsyslog.local0 = notice,verbose\n"}),
])
@pytest.mark.proves("PX-29")
def test_px29_kept_on_this_host_alone(assessor, server_of, phones_of, flawed, mended):
    """Written, but nowhere else: neither a comment nor half of the way counts."""
    bad = host(assessor, server_of, phones_of, "PX-29", {**SHIPPED, **flawed},
               {**SHIPPED, **mended})
    assert "stay on this host" in bad.open()[0]["evidence"]


@pytest.mark.proves("PX-30")
def test_px30_clock(assessor, server_of, phones_of):
    """Not synchronised; an hour off; good."""
    tools = {f"/usr/bin/{name}": "#!/bin/sh\n" for name in ("chronyc", "ntpq")}
    timedatectl = "/usr/bin/timedatectl"
    bad = host(assessor, server_of, phones_of, "PX-30", {**tools, timedatectl: "#!/bin/sh\necho no\n"},
               {**tools, timedatectl: "#!/bin/sh\necho yes\n"})
    assert "synchronised" in bad.open()[0]["evidence"]


@pytest.mark.proves("PX-30")
def test_px30_clock_is_wrong(assessor, server_of, phones_of):
    """Synchronised, it says, but an hour off."""
    yes = {"/usr/bin/timedatectl": "#!/bin/sh\necho yes\n"}
    late = {"/usr/bin/date": "#!/bin/sh\necho $(( $(/bin/busybox date +%s) - 3600 ))\n"}
    bad = host(assessor, server_of, phones_of, "PX-30", {**yes, **late}, yes)
    assert "s off ours" in bad.open()[0]["evidence"]


@pytest.mark.proves("PX-32")
def test_px32_admin_panel(assessor, phones_of):
    """FreePBX by its title."""
    bad = sip(assessor, phones_of, "PX-32", {"sip": {}, "http": {"title": "FreePBX Administration"}},
              {"sip": {}, "http": {"title": "It works"}})
    assert "FreePBX" in bad.open()[0]["evidence"]
