#!/usr/bin/python3
"""Runs the benchmarks of tests/bench, peers beside us in the same run, and prints a table.

A benchmark is a program bench_TOPIC_WHO that prints one JSON object; what is measured stands in its
keys. Each program runs several times, interleaved with the others; the run with the median first
figure counts. Or it is a script bench_TOPIC.py that does all this by itself and takes --json FILE.
--json writes the objects as an array. With --only, options that are not known here are the script's.
"""
import argparse
import json
import os
import pathlib
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
BUILD = ROOT / 'build'
ROUNDS = 5


def build():
    env = dict(os.environ, CC=os.environ.get('CC', 'gcc'))
    setup = ['meson', 'setup', str(BUILD)] + (['--reconfigure'] if (BUILD / 'build.ninja').exists() else [])
    for step in (setup, ['ninja', '-C', str(BUILD)]):
        done = subprocess.run(step, cwd=ROOT, env=env, stdin=subprocess.DEVNULL, text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
        if done.returncode:
            print(done.stdout[-8000:])
            raise SystemExit('run_bench: the build failed')


def topics():
    """{topic: [program]}"""
    found = {}
    for program in sorted((BUILD / 'tests' / 'bench').glob('bench_*')):
        if program.is_file() and os.access(program, os.X_OK):
            found.setdefault(program.name.split('_')[1], []).append(program)
    return found


def measure(program):
    done = subprocess.run([str(program)], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode:
        raise SystemExit(f'run_bench: {program.name} exits {done.returncode}')
    return json.loads(done.stdout)


def main_figure(row):
    return next(value for value in row.values() if isinstance(value, (int, float)))


def run_topic(topic, programs):
    rounds = [[measure(program) for program in programs] for _ in range(ROUNDS)]
    rows = [sorted((one[at] for one in rounds), key=main_figure)[ROUNDS // 2] for at in range(len(programs))]
    rows.sort(key=main_figure)
    print(f'\n{topic}')
    keys = list(rows[0])
    width = [max(len(key), *(len(str(row.get(key, ''))) for row in rows)) for key in keys]
    for cells in [keys] + [[str(row.get(key, '')) for key in keys] for row in rows]:
        print('  ' + '  '.join(cell.rjust(n) if at else cell.ljust(n) for at, (cell, n) in enumerate(zip(cells, width))))
    return rows


def run_script(script, more):
    """The rows that a script wrote; it prints its own table."""
    print(f'\n{script.stem.split("_", 1)[1]}', flush=True)
    with tempfile.TemporaryDirectory(prefix='hornwork-bench-') as folder:
        out = pathlib.Path(folder) / 'rows.json'
        done = subprocess.run(['/usr/bin/python3', str(script), '--json', str(out), *more], cwd=ROOT, stdin=subprocess.DEVNULL,
                              check=False)
        if done.returncode or not out.exists():
            raise SystemExit(f'run_bench: {script.name} exits {done.returncode}')
        return json.loads(out.read_text())


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument('--only')
    parser.add_argument('--json', type=pathlib.Path)
    options, more = parser.parse_known_args()
    if more and not options.only:
        parser.error('options for a script need --only TOPIC')
    build()
    found = {topic: programs for topic, programs in topics().items() if options.only in (None, topic)}
    scripts = [path for path in sorted((ROOT / 'tests' / 'bench').glob('bench_*.py'))
               if options.only in (None, path.stem.split('_', 1)[1])]
    if not found and not scripts:
        raise SystemExit('run_bench: nothing to run')
    rows = [row for topic, programs in sorted(found.items()) for row in run_topic(topic, programs)]
    for script in scripts:
        rows += run_script(script, more)
    if options.json:
        options.json.write_text(json.dumps(rows, indent=1) + '\n')
    return 0


if __name__ == '__main__':
    sys.exit(main())
