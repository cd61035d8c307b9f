#!/usr/bin/python3
"""No codec without its fuzz target, and none that runs nowhere: docs/fuzzing.md names each.

Usage: check_fuzz.py [--root DIR]. A row of its table names what comes in, the files that read it (patterns below
src, each in backquotes), and the targets (in backquotes, or "none: why").
A file reads what others wrote when it stands below src/proto, or includes the reader (base/cursor.h), the packer
(base/pack.h), a JSON, certificate or capture library, or the head of HTTP's server.
"""
import argparse
import fnmatch
import pathlib
import re
import sys

TABLE = 'docs/fuzzing.md'
READS = re.compile(r'#include [<"](base/cursor\.h|base/pack\.h|jansson\.h|pcap/pcap\.h|openssl/pem\.h|microhttpd\.h)[>"]')
QUOTED = re.compile(r'`([^`]+)`')


def readers(src):
    for path in sorted(src.rglob('*.c')):
        name = path.relative_to(src).as_posix()
        if name.startswith('proto/') or READS.search(path.read_text(encoding='utf-8')):
            yield name


def rows(text):
    for number, line in enumerate(text.splitlines(), 1):
        cells = [cell.strip() for cell in line.strip().strip('|').split('|')]
        if line.startswith('|') and len(cells) == 3 and not set(cells[0]) <= set('-: ') and '`' in cells[1]:
            yield number, QUOTED.findall(cells[1]), cells[2]


def check(root):
    fuzz = root / 'tests' / 'fuzz'
    built = {p.stem[len('fuzz_'):] for p in fuzz.glob('fuzz_*.c')}
    floors = {line.split()[0] for line in (fuzz / 'floors.txt').read_text().splitlines() if line and line[0] != '#'}
    files = [p.relative_to(root / 'src').as_posix() for p in (root / 'src').rglob('*.c')]
    table = root / TABLE
    if not table.exists():
        yield f'{TABLE}: is not there; it names each codec and its fuzz target'
        return
    named, patterns = set(), []
    for number, found, cell in rows(table.read_text(encoding='utf-8')):
        for pattern in found:
            if not any(fnmatch.fnmatch(name, pattern) for name in files):
                yield f'{TABLE}:{number}: no file below src is called {pattern}'
        patterns += found
        if cell.startswith('none: ') and len(cell) > len('none: '):
            continue
        targets = QUOTED.findall(cell)
        if not targets:
            yield f'{TABLE}:{number}: no fuzz target; write one (tests/fuzz), or "none: why"'
        named |= set(targets)
        for target in targets:
            if target not in built:
                yield f'{TABLE}:{number}: there is no tests/fuzz/fuzz_{target}.c'
    for name in readers(root / 'src'):
        if not any(fnmatch.fnmatch(name, pattern) for pattern in patterns):
            yield f'src/{name}: reads what others wrote, and no row of {TABLE} says which fuzz target tries it'
    for target in sorted(built):
        if target not in named:
            yield f'tests/fuzz/fuzz_{target}.c: no row of {TABLE} names it'
        if target not in floors:
            yield f'tests/fuzz/fuzz_{target}.c: no floor in tests/fuzz/floors.txt'
        seeds = fuzz / 'seeds' / target
        if not seeds.is_dir() or not any(seeds.iterdir()):
            yield f'tests/fuzz/fuzz_{target}.c: no seed in tests/fuzz/seeds/{target}, so CI replays nothing'


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument('--root', type=pathlib.Path, default=pathlib.Path(__file__).resolve().parent.parent)
    bad = list(check(parser.parse_args().root))
    for line in bad:
        print(line)
    return 1 if bad else 0


if __name__ == '__main__':
    sys.exit(main())
