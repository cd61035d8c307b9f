#!/usr/bin/python3
"""Builds and runs the suites; the very last line is `N passed, N failed[, N skipped]`.

Unit, flow and fuzz replay run under ASan and UBSan (clang, build-asan); the suites that need a real
gateway (bpf, e2e) run with the shipped build (gcc, build). Every test of meson and of pytest counts.
"""
import argparse
import concurrent.futures
import json
import os
import pathlib
import re
import subprocess
import sys
import xml.etree.ElementTree

ROOT = pathlib.Path(__file__).resolve().parent.parent
KINDS = ('unit', 'flow', 'fuzz', 'bpf', 'e2e')
TAGS = ('r1', 'r2', 'r3', 'r4', 'r5')
SANITIZED = ('unit', 'flow', 'fuzz')
E2E_LANES = 2            # files at a time; most of a test is waiting
CLAIM_SECONDS_MAX = 1200 # of one end-to-end file
LEAVE_SECONDS_MAX = 30   # for its lab to be taken down when that is over


class Tally:
    def __init__(self):
        self.passed, self.failed, self.skipped = 0, [], []

    def add(self, name, result, reason=''):
        if result == 'passed':
            self.passed += 1
        elif result == 'skipped':
            self.skipped.append((name, reason or 'no reason given'))
        else:
            self.failed.append((name, reason))

    def close(self):
        """Prints what failed and what was skipped, aloud, and the last line."""
        print()
        for name, reason in self.skipped:
            print(f'SKIPPED {name}: {reason}')
        for name, reason in self.failed:
            print(f'FAILED  {name}: {reason}')
        line = f'{self.passed} passed, {len(self.failed)} failed'
        if self.skipped:
            line += f', {len(self.skipped)} skipped'
        print(line, flush=True)
        return 1 if self.failed or self.passed == 0 else 0


def say(text):
    print(f'== {text}', flush=True)


def run(command, **options):
    return subprocess.run(command, cwd=ROOT, stdin=subprocess.DEVNULL, check=False, **options)


def build(directory, compiler, options, tally):
    """Configures and builds; a failure counts as a failed test and ends what hangs on it."""
    say(f'build {directory} ({compiler})')
    env = dict(os.environ, CC=compiler)
    if not (ROOT / directory / 'build.ninja').exists():
        command = ['meson', 'setup', directory, '-Dtests=enabled', *options]
    else:
        command = ['meson', 'configure', directory, '-Dtests=enabled']
    for step in (command, ['ninja', '-C', directory]):
        done = run(step, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        if done.returncode:
            print(done.stdout[-8000:])
            tally.add(f'build {directory}', 'failed', ' '.join(step) + f' exits {done.returncode}')
            return False
    return True


def reason_of(test):
    """Why a meson test failed or was skipped: the line that tells most, or the last."""
    telling = r'skip' if test['result'] == 'SKIP' else r'runtime error|Sanitizer:|\[  ERROR   \]|error:|got '
    text = (test.get('stdout') or '') + '\n' + (test.get('stderr') or '')
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    picked = [line for line in lines if re.search(telling, line, re.I)][:1]
    return (picked or lines[-1:] or [test['result']])[0][:300]


def skips_of(test):
    """({case: reason} of what one program left out, whether it left out everything). Known are cmocka's
    skip, unittest's (with -v), and a line `SKIPPED case: reason`."""
    text = (test.get('stdout') or '') + '\n' + (test.get('stderr') or '')
    skips = {}
    for said, case in re.findall(r'^(.*)\n\[  SKIPPED \] (\w+)$', text, re.M):
        skips.setdefault(case, '' if said.startswith('[') else said.strip())
    for case, _, reason in re.findall(r'^(\w+) \([\w.]+\)(?:\n.*)? \.\.\. skipped ([\'"])(.*)\2$', text, re.M):
        skips.setdefault(case, reason)
    for case, reason in re.findall(r'^SKIPPED ([\w.-]+): (.+)$', text, re.M):
        skips.setdefault(case, reason)
    ran = re.search(r'^Ran (\d+) tests?\b(?:.*\n)+?OK \(skipped=(\d+)\)', text, re.M)
    everything = bool(skips) and ('\n[  PASSED  ] 0 test(s).' in text or (ran is not None and ran[1] == ran[2]))
    return skips, everything


def add_meson(test, tally):
    """A program counts once, and each case that it left out besides."""
    result = {'OK': 'passed', 'EXPECTEDFAIL': 'passed', 'SKIP': 'skipped'}.get(test['result'], 'failed')
    skips, everything = skips_of(test) if result == 'passed' else ({}, False)
    if not everything:
        tally.add(test['name'], result, '' if result == 'passed' else reason_of(test))
    for case, reason in skips.items():
        tally.add(f"{test['name']}::{case}", 'skipped', reason)


def run_meson(directory, suites, tally, without=()):
    """The tests of any of these suites that are in none of the others."""
    log = ROOT / directory / 'meson-logs' / 'testlog.json'
    log.unlink(missing_ok=True)
    command = ['meson', 'test', '-C', directory, '--no-rebuild', '--print-errorlogs']
    for suite in suites:
        command += ['--suite', suite]
    for suite in without:
        command += ['--no-suite', suite]
    env = dict(os.environ)
    env.setdefault('ASAN_OPTIONS', 'detect_leaks=1:abort_on_error=1')
    env.setdefault('UBSAN_OPTIONS', 'print_stacktrace=1:halt_on_error=1')
    run(command, env=env)
    if not log.exists():
        return
    for line in log.read_text(errors='replace').splitlines():
        add_meson(json.loads(line), tally)


def claims(tag):
    """The end-to-end files of a tag (None: all), in two lists: those that bear a neighbour on the
    other core, and those that measure and want the machine for themselves (pytest.mark.alone)."""
    files = sorted(f for f in (ROOT / 'tests' / 'e2e').glob('*.py')
                   if re.match(r'(lab|r[1-5])_' if tag is None else f'{tag}_', f.name))
    alone = [f for f in files if 'pytest.mark.alone' in f.read_text(encoding='utf-8')]
    return [f for f in files if f not in alone], alone


def run_claim(path):
    """One file in a pytest (and a lab) of its own: its output, its exit status (None: too late), its junit file."""
    junit = ROOT / 'build' / 'e2e-junit' / f'{path.stem}.xml'
    junit.unlink(missing_ok=True)
    command = ['/usr/bin/python3', '-m', 'pytest', '-c', 'tests/e2e/pytest.ini', '--rootdir', 'tests/e2e',
               str(path.relative_to(ROOT)), '-v', f'--junitxml={junit}']
    env = dict(os.environ, HORNWORK_BINARY=str(ROOT / 'build' / 'hornwork'), PYTHONDONTWRITEBYTECODE='1')
    pytest = subprocess.Popen(command, cwd=ROOT, env=env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, errors='replace')
    try:
        return pytest.communicate(timeout=CLAIM_SECONDS_MAX)[0], pytest.returncode, junit
    except subprocess.TimeoutExpired:
        pytest.terminate()  # its fixtures take the lab down
    try:
        return pytest.communicate(timeout=LEAVE_SECONDS_MAX)[0], None, junit
    except subprocess.TimeoutExpired:
        pytest.kill()
        return pytest.communicate()[0], None, junit


def tally_claim(path, result, tally):
    text, status, junit = result
    print(text, flush=True)
    if status is None:
        tally.add(path.name, 'failed', f'not done after {CLAIM_SECONDS_MAX} s')
        return
    count = read_junit(junit, tally)
    if status not in (0, 1, 5) or (status == 1 and not count):
        tally.add(path.name, 'failed', f'pytest exits {status}')


def run_pytest(tag, tally):
    together, alone = claims(tag)
    if not together and not alone:
        return
    say('end to end' + (f' ({tag})' if tag else ''))
    (ROOT / 'build' / 'e2e-junit').mkdir(parents=True, exist_ok=True)
    with concurrent.futures.ThreadPoolExecutor(E2E_LANES) as lanes:
        started = {lanes.submit(run_claim, path): path for path in together}
        for done in concurrent.futures.as_completed(started):
            tally_claim(started[done], done.result(), tally)
    for path in alone:
        tally_claim(path, run_claim(path), tally)


def read_junit(path, tally):
    if not path.exists():
        return 0
    cases = list(xml.etree.ElementTree.parse(path).iter('testcase'))
    for case in cases:
        name = f"{case.get('classname', '')}::{case.get('name', '')}"
        bad = case.find('failure')
        bad = bad if bad is not None else case.find('error')
        skipped = case.find('skipped')
        if bad is not None:
            tally.add(name, 'failed', (bad.get('message') or '').splitlines()[0][:300] if bad.get('message') else '')
        elif skipped is not None:
            tally.add(name, 'skipped', skipped.get('message') or '')
        else:
            tally.add(name, 'passed')
    return len(cases)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument('--only', choices=KINDS + TAGS)
    only = parser.parse_args().only
    tally = Tally()
    kinds = KINDS if only is None or only in TAGS else (only,)
    in_asan = [kind for kind in kinds if kind in SANITIZED]
    if in_asan and build('build-asan', 'clang', ['-Db_sanitize=address,undefined', '-Db_lundef=false'], tally):
        say('unit, flow, fuzz replay under ASan and UBSan' if only is None else f'{only} under ASan and UBSan')
        run_meson('build-asan', [only] if only in TAGS else in_asan, tally, without=('e2e', 'bpf'))
    if ('bpf' in kinds or 'e2e' in kinds) and build('build', 'gcc', [], tally):
        if 'bpf' in kinds:
            say('bpf')
            run_meson('build', [only] if only in TAGS else ['bpf'], tally, without=(*SANITIZED, 'e2e'))
        if 'e2e' in kinds:
            run_pytest(only if only in TAGS else None, tally)
    return tally.close()


if __name__ == '__main__':
    sys.exit(main())
