#!/usr/bin/python3
"""Line coverage of the pure layers by the unit, flow and fuzz replay suites, with a floor for each.

Usage: run_coverage.py. The report stands in build-coverage/coverage.txt.
"""
import json
import os
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
BUILD = ROOT / 'build-coverage'
TESTS = ('unit/base', 'unit/model', 'unit/proto', 'unit/guard', 'unit/call', 'flow/', 'fuzz/')
FLOORS_PERCENT = {'src/base': 95, 'src/proto': 85, 'src/call': 85, 'src/guard': 90}


def run(command, **options):
    return subprocess.run(command, cwd=ROOT, stdin=subprocess.DEVNULL, text=True, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, check=False, **options)


def must(command, **options):
    done = run(command, **options)
    if done.returncode:
        print(done.stdout[-6000:])
        raise SystemExit(f'run_coverage: {" ".join(command)} exits {done.returncode}')
    return done.stdout


def main():
    env = dict(os.environ, CC='gcc')
    if not (BUILD / 'build.ninja').exists():
        must(['meson', 'setup', str(BUILD), '-Dtests=enabled', '-Db_coverage=true', '-Dbuildtype=debug'], env=env)
    must(['ninja', '-C', str(BUILD)])
    for path in BUILD.rglob('*.gcda'):
        path.unlink()
    # Not those of sandboxed processes: they may not write the files in which gcov counts.
    listed = must(['meson', 'test', '-C', str(BUILD), '--no-rebuild', '--list']).splitlines()
    names = [line.rsplit(' / ', 1)[-1] for line in listed if ' / ' in line]
    must(['meson', 'test', '-C', str(BUILD), '--no-rebuild', *(name for name in names if name.startswith(TESTS))])
    must(['gcovr', '-r', str(ROOT), '--filter', 'src/', '--json-summary', str(BUILD / 'coverage.json'),
          '--txt', str(BUILD / 'coverage.txt'), '--gcov-ignore-parse-errors', str(BUILD)])
    files = json.loads((BUILD / 'coverage.json').read_text())['files']
    failed = False
    for folder, floor in FLOORS_PERCENT.items():
        rows = [row for row in files if row['filename'].startswith(folder + '/')]
        total = sum(row['line_total'] for row in rows)
        covered = sum(row['line_covered'] for row in rows)
        percent = 100.0 * covered / total if total else 0.0
        verdict = 'good' if percent >= floor else 'BELOW'
        failed = failed or percent < floor
        print(f'{folder:12} {percent:5.1f} % of {total} lines (floor {floor}) {verdict}')
    return 1 if failed else 0


if __name__ == '__main__':
    sys.exit(main())
