"""Checks of a PBX on Kamailio as Debian ships it: flawed by its settings, then mended by them."""

import pytest

from hwlab.kamailio import Kamailio
from hwlab.pki import Authority

PBX = "asset main { address = 10.10.0.5  kind = pbx  domain = pbx.test  test-user = \"1000\" }\n"
BASE = """#!KAMAILIO
debug=1
log_stderror=yes
children=2
tcp_children=2
auto_aliases=no
listen=udp:{{ip}}:5060
listen=tcp:{{ip}}:5060
mpath="{{modules}}"
loadmodule "kex.so"
loadmodule "corex.so"
loadmodule "tm.so"
loadmodule "sl.so"
loadmodule "pv.so"
loadmodule "ctl.so"
loadmodule "textops.so"
loadmodule "siputils.so"
loadmodule "auth.so"
loadmodule "usrloc.so"
loadmodule "registrar.so"
modparam("ctl","binrpc","unix:{{control}}")
{0}
request_route {{{{
  if (is_method("ACK")) exit;
  if (is_method("OPTIONS") && $rU==$null) {{{{ sl_send_reply("200", "OK"); exit; }}}}
{1}
}}}}
"""
CHALLENGE = '  auth_challenge("pbx.test", "{0}"); exit;'
# Whoever asks is registered and heard.
OPEN = BASE.format('modparam("registrar","min_expires",0)',
                   '  if (is_method("REGISTER")) { save("location"); exit; }\n'
                   '  sl_send_reply("202", "Accepted");'.replace("{", "{{").replace("}", "}}"))
LIMITS = OPEN.replace('"min_expires",0)', '"min_expires",60)\n'
                      'modparam("registrar","max_expires",3600)\nmodparam("registrar","max_contacts",5)')
# The user is looked up first; nonces of one second are the same, without qop, for MD5.
TELLS = BASE.format("", '  $var(user) = $rU;\n  if (is_method("REGISTER")) $var(user) = $tU;\n'
                    '  if ($var(user) != "1000") {{ sl_send_reply("404", "Not Found"); exit; }}\n'
                    + CHALLENGE.format(0))
MENDED = BASE.format('server_header="Server: PBX"\nuser_agent_header="User-Agent: PBX"\n'
                     'modparam("auth","qop","auth")\nmodparam("auth","nonce_count",1)\n'
                     'modparam("auth","one_time_nonce",1)\nmodparam("auth","algorithm","SHA-256")',
                     CHALLENGE.format(1))


@pytest.fixture
def pbx_of(lab):
    """A function that starts Kamailio with a configuration; the one before ends."""
    running = []

    def start(text):
        while running:
            running.pop().stop()
        running.append(Kamailio(lab, own=text).start())
    yield start
    for pbx in running:
        pbx.stop()


def verdicts(report, expected, *checks):
    """Each of these checks says what is expected."""
    assert {c: report.verdict(c) for c in checks} == dict.fromkeys(checks, expected), report.text


@pytest.mark.limit(150)
@pytest.mark.proves("PX-01", "PX-08", "PX-09", "PX-14", "PX-15")
def test_what_it_tells(assessor, pbx_of):
    """Banner, users, and challenges; then every request is challenged alike, with SHA-256 and qop."""
    checks = ("PX-01", "PX-08", "PX-09", "PX-14", "PX-15")
    pbx_of(TELLS)
    bad = assessor.configure(PBX).run(only=",".join(checks))
    verdicts(bad, "found", *checks)
    said = " ".join(f["evidence"] for f in bad.open())
    for words in ("kamailio (5.", "that is Kamailio 5.", '"1000" gets 401', "INVITE: a name", "OPTIONS: a name", "came before",
                  "no qop"):
        assert words in said, said
    pbx_of(MENDED)
    good = assessor.run(only=",".join(checks))
    verdicts(good, "clean", *checks)
    assert {f["change"] for f in good.findings()} == {"fixed"} and good.code == 0, good.text


@pytest.mark.limit(150)
@pytest.mark.proves("PX-12", "PX-13", "PX-28")
def test_whom_it_admits(assessor, pbx_of):
    """Anybody, for any time; then within limits; then with credentials alone."""
    checks = ("PX-12", "PX-13", "PX-28")
    pbx_of(OPEN)
    bad = assessor.configure(PBX).run(only=",".join(checks))
    verdicts(bad, "found", *checks)
    said = " ".join(f["evidence"] for f in bad.open())
    for words in ("it was taken back", "one second", "a week", "eleven contacts", "MESSAGE without"):
        assert words in said, said
    pbx_of(LIMITS)
    limited = assessor.run(only="PX-28")
    verdicts(limited, "clean", "PX-28")
    assert {f["change"] for f in limited.findings("PX-28")} == {"fixed"}, limited.text
    pbx_of(MENDED)
    good = assessor.run(only="PX-12,PX-13")
    verdicts(good, "clean", "PX-12", "PX-13")
    assert not good.open() and good.code == 0, good.text


TLS = """[server:default]
method = {0}
certificate = {1}
private_key = {2}
ca_list = {3}
cipher_list = {4}
verify_certificate = {5}
require_certificate = {5}
"""


@pytest.mark.limit(150)
@pytest.mark.proves("EN-01", "EN-03", "EN-09")
def test_its_tls(lab, assessor, pbx_of):
    """None; then old versions for everybody; then new ones for clients that the authority knows."""
    pki = Authority(f"{lab.workdir}/pki")
    pair = pki.issue("pbx", ["DNS:pbx.test"])
    path = f"{lab.workdir}/kamailio-tls.cfg"
    with_tls = MENDED.replace("listen=tcp", "enable_tls=yes\nlisten=tls:{ip}:5061\nlisten=tcp").replace(
        'loadmodule "ctl.so"', f'loadmodule "ctl.so"\nloadmodule "tls.so"\nmodparam("tls","config","{path}")')

    def settings(method, ciphers, clients):
        with open(path, "w", encoding="utf-8") as out:
            out.write(TLS.format(method, *pair, pki.certificate, ciphers, clients))
    assessor.configure(PBX.replace(" }", "  mutual-tls = yes }"))
    pbx_of(MENDED)
    verdicts(assessor.run(only="EN-01"), "found", "EN-01")
    settings("TLSv1+", "ALL:@SECLEVEL=0", "no")
    pbx_of(with_tls)
    bad = assessor.run(only="EN-01,EN-03,EN-09")
    verdicts(bad, "clean", "EN-01")
    verdicts(bad, "found", "EN-03", "EN-09")
    assert "TLSv1 is accepted" in bad.open("EN-03")[0]["evidence"]
    settings("TLSv1.2+", "ECDHE+AESGCM", "yes")
    pbx_of(with_tls)
    good = assessor.run(only="EN-01,EN-03,EN-09")
    verdicts(good, "clean", "EN-01", "EN-03", "EN-09")
    assert {f["change"] for f in good.findings("EN-03")} == {"fixed"}, good.text
