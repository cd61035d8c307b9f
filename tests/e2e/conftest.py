"""What every end-to-end test gets: one lab per run, a fresh PBX and gateway per test, time limits.

Without the right to make network namespaces the run fails at once and says so: a proof that did
not run is not a proof.
"""

import glob
import os
import re
import shutil
import signal
import sys

import pytest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, f"{ROOT}/tools")

# pylint: disable=wrong-import-position
from hwlab import netns, topology                       # noqa: E402
from hwlab.assess import Assessor, Phones, Server       # noqa: E402
from hwlab.baresip import Baresip                       # noqa: E402
from hwlab.hornwork import Hornwork                     # noqa: E402
from hwlab.kamailio import Kamailio                     # noqa: E402
from hwlab.peer import Peer                             # noqa: E402
from hwlab.rtp import Talker                            # noqa: E402

from story import ScriptedCall                          # noqa: E402

LIMIT_S = 60
TOOLS = ("ip", "nft", "kamailio", "kamcmd", "baresip", "sipp", "tshark", "dumpcap", "nsenter")
OUTSIDE_TONE, INSIDE_TONE = 440, 620


def pytest_sessionstart(session):
    """Refuse to run where nothing could be proven."""
    if session.config.option.collectonly:
        return
    missing = [tool for tool in TOOLS if shutil.which(tool) is None]
    if missing:
        pytest.exit(f"e2e: not installed: {', '.join(missing)}; tools/install-deps installs them",
                    returncode=3)
    reason = netns.why_not()
    if reason:
        pytest.exit(f"e2e: {reason}", returncode=3)
    topology.raise_on_sigterm()
    topology.sweep()


def pytest_collection_modifyitems(items):
    """The recommendation of a test is in its file's name."""
    for item in items:
        found = re.match(r"(r[1-5])_", item.path.name)
        if found:
            item.add_marker(getattr(pytest.mark, found.group(1)))



@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_call(item):
    """Upper bound of each test's run time."""
    marker = item.get_closest_marker("limit")
    seconds = marker.args[0] if marker else LIMIT_S

    def over(_number, _frame):
        pytest.fail(f"the test ran for more than {seconds} s")
    before = signal.signal(signal.SIGALRM, over)
    signal.alarm(seconds)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    """Let fixtures know whether their test failed."""
    outcome = yield
    if call.when == "call":
        item.failed = outcome.get_result().failed
        item.outcome = outcome.get_result().outcome


@pytest.fixture(scope="session")
def namespaces():
    """The one lab of this run."""
    with topology.Lab(f"t{os.getpid()}") as lab:
        yield lab


@pytest.fixture
def lab(namespaces, request):
    """The lab with a work folder of this test's own; every process of the test is gone after it.

    The logs of a failed test are copied to build/e2e-logs/.
    """
    name = re.sub(r"\W+", "-", request.node.name)
    base = namespaces.workdir
    namespaces.workdir = f"{base}/{name}"
    os.makedirs(namespaces.workdir, exist_ok=True)
    yield namespaces
    for daemon in reversed(namespaces.daemons):
        daemon.stop(signal.SIGKILL)
    namespaces.daemons.clear()
    if getattr(request.node, "failed", True):
        kept = f"{ROOT}/build/e2e-logs/{request.node.path.stem}-{name}"
        shutil.rmtree(kept, ignore_errors=True)
        shutil.copytree(namespaces.workdir, kept,
                        ignore=shutil.ignore_patterns("*.wav", "*.sock", "ctl"))
    for pins in glob.glob("/sys/fs/bpf/hornwork*" + re.sub(r"[/.]", "-", namespaces.workdir) + "*"):
        for pin in os.listdir(pins):        # a gateway that was killed left them
            os.unlink(f"{pins}/{pin}")
        os.rmdir(pins)
    shutil.rmtree(namespaces.workdir, ignore_errors=True)
    namespaces.workdir = base


@pytest.fixture
def kamailio(lab):
    """A fresh Kamailio without registrations."""
    return Kamailio(lab).start()


@pytest.fixture
def gateway_of(lab):
    """A function that starts the gateway with additions to its configuration (see Hornwork)."""
    started = []

    def start(**kwargs):
        gateway = Hornwork(lab, **kwargs).start()
        started.append(gateway)
        return gateway
    yield start
    for gateway in started:
        if gateway.daemon.alive():
            code = gateway.stop()
            assert code == 0, f"hornwork ended with {code}: {gateway.daemon.text()[-2000:]}"
        tables = lab.run("gw", ["nft", "list", "tables"]).stdout
        assert "hornwork" not in tables, "a clean stop leaves no nftables table"


@pytest.fixture
def gateway(kamailio, gateway_of):
    """The gateway in front of Kamailio with the usual configuration."""
    return gateway_of()


@pytest.fixture
def remote_phone(lab, gateway):
    """alice: baresip behind the home router, registered through the gateway."""
    return Baresip(lab, "alice", "phone", "%s:%d" % gateway.outside, OUTSIDE_TONE).start()


@pytest.fixture
def desk_phone(lab, gateway):
    """bob: baresip in the voice network, registered through the gateway."""
    return Baresip(lab, "bob", "desk", "%s:%d" % gateway.inside, INSIDE_TONE).start()


@pytest.fixture
def peer_at(lab):
    """A function that makes a scripted SIP peer; it is closed after the test."""
    made = []

    def make(host, user, remote=None, **kwargs):
        peer = Peer(lab, host, user, remote, **kwargs)
        made.append(peer)
        return peer
    yield make
    for peer in made:
        peer.close()


@pytest.fixture
def scripted_call(peer_at, talker_at):
    """A function that sets up a call between scripted peers through a gateway (see story.py)."""
    return lambda gateway, **kwargs: ScriptedCall(gateway, peer_at, talker_at, **kwargs)


@pytest.fixture
def talker_at(lab):
    """A function that starts a scripted RTP port; it ends after the test."""
    made = []

    def make(host, port, tone_hz=OUTSIDE_TONE, family=4, own=None):
        talker = Talker(lab, host, port, tone_hz, family, own)
        talker.start()
        made.append(talker)
        return talker
    yield make
    for talker in made:
        talker.stop()


# -- the assessor ---------------------------------------------------------------------------

@pytest.fixture
def assessor(lab):
    """`hornwork assess` on the gateway's host, with a store of this test's own."""
    return Assessor(lab)


@pytest.fixture(autouse=True)
def proofs(request):
    """A test that `proves` checks has shown each of them on a flawed and on a mended target.

    Of a test that gets its `check` as a parameter, that one alone is asked for.
    """
    Assessor.reports.clear()
    yield
    if getattr(request.node, "outcome", None) != "passed":
        return
    given = getattr(request.node, "callspec", None)
    for mark in request.node.iter_markers("proves"):
        for check in mark.args:
            if given and given.params.get("check", check) != check:
                continue
            if not any(r.finds(check) for r in Assessor.reports):
                pytest.fail(f"{check} is said to be proven, and no run found its flaw")
            if not any(r.silent(check) for r in Assessor.reports):
                pytest.fail(f"{check} is said to be proven, and no run was silent on a mended target")


@pytest.fixture
def phones_of(lab):
    """A function that starts lab phones from their dicts (see hwlab/labphone.py)."""
    started = []

    def start(*specs, host="desk"):
        phones = Phones(lab, specs, host).start()
        started.append(phones)
        return phones
    yield start
    for phones in started:
        phones.stop()


@pytest.fixture
def server_of(lab):
    """A function that starts a host reached by SSH with files of our choice (see hwlab.assess)."""
    started = []

    def start(host="pbx", files=None, program="dropbear"):
        server = Server(lab, host, files, program).start()
        started.append(server)
        return server
    yield start
    for server in started:
        server.stop()
