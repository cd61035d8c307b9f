#!/usr/bin/python3
"""No test lies in a folder without being run: every test file stands in its folder's meson.build.

Usage: check_tests.py [--root DIR]. A list names a file whole ('test_rules.c') or by the part that a
loop completes ('rules', where the loop says 'test_' + name + '.c').
"""
import argparse
import pathlib
import re
import sys

# Folder below tests, with or without the folders in it; what its test files are called.
KINDS = (
    ('unit', True, r'test_\w+\.(c|py)'),
    ('flow', False, r'[\w-]+\.flow'),
    ('fuzz', False, r'fuzz_\w+\.c'),
    ('bpf', False, r'test_\w+\.c'),
    ('e2e', False, r'(lab|r[1-5])_\w+\.py'),
)
QUOTED = re.compile(r"'([^'\n]*)'")
COMPLETED = re.compile(r"(?:'(\w*)' \+ )?\b[a-z_]+ \+ '(\.(?:c|py|flow))'")


def listed(text):
    """The file names that a meson.build can mean."""
    code = re.sub(r'#.*', '', text)
    words = set(QUOTED.findall(code))
    names = {word.split('/')[-1] for word in words}
    for match in COMPLETED.finditer(code):
        names |= {(match.group(1) or '') + word + match.group(2) for word in words}
    return names


def folders(tests):
    for kind, deep, pattern in KINDS:
        top = tests / kind
        if top.is_dir():
            inner = sorted(p for p in top.rglob('*') if p.is_dir()) if deep else []
            for folder in (top, *inner):
                yield folder, re.compile(pattern)


def check(root):
    for folder, pattern in folders(root / 'tests'):
        names = sorted(p.name for p in folder.iterdir() if p.is_file() and pattern.fullmatch(p.name))
        if not names:
            continue
        where = folder.relative_to(root).as_posix()
        build = folder / 'meson.build'
        if not build.exists():
            yield f'{where}/{names[0]}: no meson.build beside it, so nothing runs it'
            continue
        known = listed(build.read_text(encoding='utf-8'))
        for name in names:
            if name not in known:
                yield f'{where}/{name}: nothing runs it; add it to {where}/meson.build'


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument('--root', type=pathlib.Path, default=pathlib.Path(__file__).resolve().parent.parent)
    errors = list(check(parser.parse_args().root))
    print('\n'.join(errors), end='\n' if errors else '')
    return 1 if errors else 0


if __name__ == '__main__':
    sys.exit(main())
