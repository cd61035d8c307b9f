#!/usr/bin/python3
"""Fuzzes each target for a time, or for a number of inputs, and holds its coverage against tests/fuzz/floors.txt.

The corpus grows in build-fuzz/corpus/NAME; a crash is kept in build-fuzz/crash-NAME-* and, once mended,
belongs to tests/fuzz/crashes/NAME, where it is replayed as an ordinary test.
"""
import argparse
import os
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
BUILD = ROOT / 'build-fuzz'
FUZZ = ROOT / 'tests' / 'fuzz'
INPUT_BYTES_MAX = 65536


def build():
    env = dict(os.environ, CC='clang')
    steps = [['ninja', '-C', str(BUILD)]]
    if not (BUILD / 'build.ninja').exists():
        steps.insert(0, ['meson', 'setup', str(BUILD), '-Dfuzz=true', '-Dtests=enabled', '-Db_lundef=false'])
    for step in steps:
        done = subprocess.run(step, cwd=ROOT, env=env, stdin=subprocess.DEVNULL, text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
        if done.returncode:
            print(done.stdout[-8000:])
            raise SystemExit('run_fuzz: the build failed')


def floors():
    rows = {}
    for line in (FUZZ / 'floors.txt').read_text().splitlines():
        parts = line.split('#')[0].split()
        if len(parts) == 2:
            rows[parts[0]] = int(parts[1])
    return rows


def corpora_of(name):
    """The folders of tests/fuzz/meson.build's `corpora` that exist here."""
    text = (FUZZ / 'meson.build').read_text()
    match = re.search(rf"'{name}': \{{.*?'corpora': \[(.*?)\]", text, re.S)
    data = pathlib.Path(os.environ.get('HORNWORK_DATA') or ROOT.parent / 'shared' / 'data') / 'voip'
    found = [data / folder for folder in re.findall(r"'([^']+)'", match.group(1))] if match else []
    found += [FUZZ / 'seeds' / name, FUZZ / 'crashes' / name]
    return [str(folder) for folder in found if folder.is_dir()]


def fuzz(target, seconds, runs, floor):
    """A sentence of what went wrong, or None; and how many inputs ran."""
    name = target.name[len('fuzz_'):]
    corpus = BUILD / 'corpus' / name
    corpus.mkdir(parents=True, exist_ok=True)
    limit = [f'-runs={runs}'] if runs else [f'-max_total_time={seconds}']
    command = [str(target), *limit, f'-max_len={INPUT_BYTES_MAX}', '-timeout=10',
               '-rss_limit_mb=2048', '-print_final_stats=1', f'-artifact_prefix={BUILD}/crash-{name}-',
               str(corpus), *corpora_of(name)]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          text=True, errors='replace', check=False)
    covered = [int(n) for n in re.findall(r'\bcov: (\d+)', done.stdout)]
    ran = re.search(r'stat::number_of_executed_units:\s*(\d+)', done.stdout)
    edges = max(covered, default=0)
    count = int(ran.group(1)) if ran else 0
    print(f'{name:12} {edges:6} edges (floor {floor}), {count} inputs', flush=True)
    if done.returncode:
        print(done.stdout[-6000:])
        return f'{name}: a failing input (build-fuzz/crash-{name}-*)', count
    if runs and count < runs:
        return f'{name}: {count} inputs ran, {runs} were wanted', count
    if floor is None:
        return f'{name}: no floor in tests/fuzz/floors.txt', count
    if edges < floor:
        return f'{name}: covers {edges} edges, the floor is {floor}', count
    return None, count


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument('--seconds', type=int, default=60)
    parser.add_argument('--runs', type=int, default=0, help='so many inputs for each target, instead of a time')
    parser.add_argument('--only')
    options = parser.parse_args()
    build()
    limits = floors()
    targets = sorted(p for p in (BUILD / 'tests' / 'fuzz').glob('fuzz_*') if p.is_file() and os.access(p, os.X_OK))
    if options.only:
        targets = [p for p in targets if p.name == f'fuzz_{options.only}']
    if not targets:
        raise SystemExit('run_fuzz: no targets')
    done = [fuzz(p, options.seconds, options.runs, limits.get(p.name[len('fuzz_'):])) for p in targets]
    bad = [text for text, _ in done if text]
    for text in bad:
        print(f'run_fuzz: {text}')
    print(f'{sum(count for _, count in done)} mutated inputs through {len(done)} targets under ASan and UBSan, '
          f'{len(bad) or "no"} finding{"s" if len(bad) > 1 else ""}')
    return 1 if bad else 0


if __name__ == '__main__':
    sys.exit(main())
