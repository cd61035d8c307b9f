#!/usr/bin/python3
"""The documents say what is there.

Usage: check_docs.py [--root DIR]. Checked: links and named paths exist; README's table has a row for
each recommendation; every reason row is whole and its name stands once; each invariant names a test
that exists; each decision has its sections and a number of its own.
"""
import argparse
import pathlib
import re
import sys

PAGES = ('README.md', 'ARCHITECTURE.md', 'SECURITY.md', 'CONTRIBUTING.md', 'CHANGELOG.md')
TOPS = ('src', 'tests', 'tools', 'docs', 'data', 'web', 'packaging', '.ci')
SECTIONS = ('Status', 'Context', 'Decision', 'Consequences', 'What would change our mind', 'Evidence')
INVARIANTS_MAX = 30
REASON = re.compile(r'^REASON\(\s*(\w+)\s*,\s*"([^"]*)"\s*,\s*(SEV_\w+)\s*,\s*(\d+)\s*,\s*"((?:[^"\\]|\\.)*)"\s*,'
                    r'\s*"((?:[^"\\]|\\.)*)"\s*\)', re.M)


def pages_of(root):
    yield from (root / name for name in PAGES if (root / name).exists())
    yield from sorted((root / 'docs').rglob('*.md'))


def named_paths(text):
    """(line, path) of everything in backticks that looks like a path of this tree."""
    for number, line in enumerate(text.splitlines(), 1):
        for code in re.findall(r'`([^`\s]+)`', line):
            path = code.split(':')[0].rstrip('/')
            if path.split('/')[0] in TOPS and '/' in path and not re.search(r'NNNN|NAME|rN_|[<>$]', path):
                yield number, path


def exists(root, path):
    """Braces and stars as the shell would read them; at least one file must be there."""
    brace = re.search(r'\{([^}]*)\}', path)
    if brace:
        return all(exists(root, path[:brace.start()] + part + path[brace.end():]) for part in brace.group(1).split(','))
    if '*' in path:
        return any(root.glob(path))
    return (root / path).exists()


def check_page(root, page):
    name = page.relative_to(root).as_posix()
    text = page.read_text()
    for number, line in enumerate(text.splitlines(), 1):
        for link in re.findall(r'\]\(([^)\s]+)\)', line):
            target = link.split('#')[0]
            if target and not re.match(r'[a-z]+:', target) and not (page.parent / target).exists():
                yield f'{name}:{number}: link to {target}, which is not there'
    for number, path in named_paths(text):
        if not exists(root, path):
            yield f'{name}:{number}: names {path}, which is not there'


def check_readme(root):
    page = root / 'README.md'
    if not page.exists():
        yield 'README.md is missing'
        return
    text = page.read_text()
    for tag in ('r1', 'r2', 'r3', 'r4', 'r5'):
        if not re.search(rf'^\| *`?{tag}\b', text, re.M):
            yield f'README.md: the table of recommendations has no row for {tag}'
    for command in ('make demo', 'make test'):
        if command not in text:
            yield f'README.md: does not show `{command}`'


def check_reasons(root):
    page = root / 'src/base/reasons.def'
    if not page.exists():
        yield 'src/base/reasons.def is missing'
        return
    text = page.read_text()
    rows = REASON.findall(text)
    written = len(re.findall(r'^REASON\(', text, re.M))
    if written != len(rows):
        yield f'src/base/reasons.def: {written - len(rows)} of {written} rows are not REASON(name, "tag", SEV_x, status, "...", "...")'
    names = [row[0] for row in rows]
    for name in sorted({name for name in names if names.count(name) > 1}):
        yield f'src/base/reasons.def: {name} stands twice'
    for row in rows:
        if not re.fullmatch(r'r[1-5]|core', row[1]) or not row[4] or not row[5]:
            yield f'src/base/reasons.def: {row[0]}: tag, sentence or reference is missing'


def check_invariants(root):
    page = root / 'docs/invariants.md'
    if not page.exists():
        yield 'docs/invariants.md is missing'
        return
    rows = [line for line in page.read_text().splitlines() if re.match(r'\d+\. ', line)]
    if len(rows) > INVARIANTS_MAX:
        yield f'docs/invariants.md: {len(rows)} invariants; at most {INVARIANTS_MAX}'
    for line in rows:
        tests = re.findall(r'`((?:tests|tools)/[^`:]+)(?::([^`]+))?`', line)
        if not tests:
            yield f'docs/invariants.md: no test: {line[:60]}'
        for path, name in tests:
            if not (root / path).is_file():
                yield f'docs/invariants.md: {path} is not there'
            elif name and not re.search(rf'\b{re.escape(name)}\b', (root / path).read_text()):
                yield f'docs/invariants.md: {path} has no {name}'


def check_decisions(root):
    numbers = set()
    for page in sorted((root / 'docs/decisions').glob('*.md')):
        match = re.fullmatch(r'(\d{4})-[a-z0-9-]+\.md', page.name)
        if not match:
            yield f'docs/decisions/{page.name}: named NNNN-title-as-a-sentence.md'
            continue
        if match.group(1) in numbers:
            yield f'docs/decisions/{page.name}: its number stands twice'
        numbers.add(match.group(1))
        text = page.read_text()
        for section in SECTIONS:
            if not re.search(rf'^(## {section}|\*\*{section}[.:]?\*\*)', text, re.M):
                yield f'docs/decisions/{page.name}: no section "{section}"'


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument('--root', type=pathlib.Path, default=pathlib.Path(__file__).resolve().parent.parent)
    root = parser.parse_args().root
    errors = [text for page in pages_of(root) for text in check_page(root, page)]
    for check in (check_readme, check_reasons, check_invariants, check_decisions):
        errors += check(root)
    print('\n'.join(errors), end='\n' if errors else '')
    return 1 if errors else 0


if __name__ == '__main__':
    sys.exit(main())
