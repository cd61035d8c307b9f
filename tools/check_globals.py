#!/usr/bin/python3
"""No mutable globals, and no exported function that nothing uses.

Usage: check_globals.py [--build DIR]. Reads the symbol tables of the objects of a finished build;
tools/globals.txt lists what is allowed, with a reason; a line that is no longer needed is an error.
"""
import argparse
import collections
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
MUTABLE = re.compile(r'^(\.data|\.bss|\.tdata|\.tbss|\*COM\*)(?!\.rel\.ro)')
ROW = re.compile(r'^[0-9a-f]+ (?P<flags>.{7}) (?P<section>\S+)\s+[0-9a-f]+\s+(?:\.hidden )?(?P<name>\S+)$')


def source_of(path):
    """src/base/mem.c of .../libhw_base.a.p/mem.c.o; objects of folders are named with underscores."""
    return re.sub(r'\.o$', '', path.name)


def symbols_of(paths):
    """(object path, flags, section, name) of every symbol."""
    if not paths:
        return
    out = subprocess.run(['objdump', '-t', *map(str, paths)], check=True, stdout=subprocess.PIPE, text=True).stdout
    current = None
    for line in out.splitlines():
        if line.endswith(('elf64-x86-64', 'elf64-littleaarch64')) or ': ' in line and 'file format' in line:
            current = pathlib.Path(line.split(':')[0])
            continue
        match = ROW.match(line)
        if match and current:
            yield current, match['flags'], match['section'], match['name']


def read_allowed(path):
    """{name: (kind, line)} of `mutable NAME REASON` and `unused NAME REASON`."""
    rows = {}
    for number, line in enumerate(path.read_text().splitlines() if path.exists() else [], 1):
        if not line.strip() or line.startswith('#'):
            continue
        parts = line.split(None, 2)
        if len(parts) < 3 or parts[0] not in ('mutable', 'unused'):
            raise SystemExit(f'{path}:{number}: expected "mutable|unused NAME REASON"')
        rows[(parts[0], parts[1])] = number
    return rows


def mutable_globals(ours):
    for path, flags, section, name in ours:
        if 'O' in flags and MUTABLE.match(section):
            yield re.sub(r'\.\d+$', '', name), source_of(path)


def unused_functions(ours, theirs):
    """Exported functions that no other object names."""
    users = collections.defaultdict(set)
    for path, _, section, name in [*ours, *theirs]:
        if section == '*UND*':
            users[name].add(path)
    for path, flags, _, name in ours:
        if 'F' in flags and flags.startswith('g') and name != 'main' and not users[name] - {path}:
            yield name, source_of(path)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument('--build', type=pathlib.Path, default=ROOT / 'build')
    parser.add_argument('--allowed', type=pathlib.Path, default=ROOT / 'tools' / 'globals.txt')
    options = parser.parse_args()
    objects = sorted((options.build / 'src').rglob('*.o')) + sorted(options.build.glob('hornwork.p/*.o'))
    objects = [path for path in objects if '/bpf/' not in path.as_posix() or path.name.endswith('.c.o')]
    if not objects:
        raise SystemExit(f'check_globals: no objects under {options.build} (build first)')
    ours = list(symbols_of(objects))
    theirs = list(symbols_of(sorted((options.build / 'tests').rglob('*.o'))))
    allowed, used, errors = read_allowed(options.allowed), set(), []
    for kind, rows, text in (('mutable', mutable_globals(ours), 'is a global that can change'),
                             ('unused', unused_functions(ours, theirs), 'is exported and used by nobody')):
        for name, source in sorted(set(rows)):
            if (kind, name) in allowed:
                used.add((kind, name))
            else:
                errors.append(f'{source}: {name} {text}')
    for key in sorted(set(allowed) - used):
        errors.append(f'tools/globals.txt:{allowed[key]}: no longer needed: {key[0]} {key[1]}')
    print('\n'.join(errors), end='\n' if errors else '')
    return 1 if errors else 0


if __name__ == '__main__':
    sys.exit(main())
