#!/usr/bin/python3
"""Budgets of size: a function 60 lines and complexity 15, a file 500 lines.

Usage: check_sizes.py [--root DIR] [--list]. Exceptions stand in tools/size_exceptions.txt, a reason
each; one that is no longer needed is an error, so the file only shrinks.

Lines of a function run from its name to its closing brace. Complexity is McCabe's: one, and one
more for each if, for, while, case (neighbouring labels count once), ?, && and ||.
"""
import argparse
import pathlib
import re
import sys

FUNCTION_LINES_MAX = 60
COMPLEXITY_MAX = 15
FILE_LINES_MAX = 500

TOKEN = re.compile(r'''
    (?P<comment>/\*.*?\*/|//(?:\\\n|[^\n])*)
  | (?P<directive>(?m:^)[ \t]*\#(?:\\\n|/\*.*?\*/|[^\n])*)
  | (?P<string>"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*')
  | (?P<word>[A-Za-z_]\w*)
  | (?P<number>\.?\d(?:[eEpP][+-]|[\w.])*)
  | (?P<space>\s+)
  | (?P<mark>&&|\|\||.)
''', re.X | re.S)
BRANCHES = {'if', 'for', 'while', '?', '&&', '||'}
NOT_A_NAME = {'__attribute__', '__declspec', '_Alignas', 'must_check'}


def tokens_of(text):
    """(text, line) of everything that is code; labels and blanks are gone."""
    line = 1
    for match in TOKEN.finditer(text):
        kind, word = match.lastgroup, match.group()
        if kind in ('word', 'number', 'string', 'mark'):
            yield word, line
        line += word.count('\n')


def opening(tokens, at):
    """Index of the parenthesis that `)` at `at` closes."""
    depth = 0
    while at >= 0:
        depth += {')': 1, '(': -1}.get(tokens[at][0], 0)
        if depth == 0:
            return at
        at -= 1
    return -1


def header_of(tokens, brace):
    """(name, line) when the brace at depth 0 opens a function body, else None."""
    at = brace - 1
    while at > 0:
        word = tokens[at][0]
        if re.match(r'[A-Za-z_]\w*$', word) and word in NOT_A_NAME:
            at -= 1
            continue
        if word != ')':
            return None
        at = opening(tokens, at) - 1
        if at < 0:
            return None
        name, line = tokens[at]
        if name in NOT_A_NAME:
            at -= 1
            continue
        return (name, line) if re.match(r'[A-Za-z_]\w*$', name) else None
    return None


def complexity_of(body):
    total = 1
    in_labels = False
    for index, (word, _) in enumerate(body):
        if word == 'case':
            total += 0 if in_labels else 1
            in_labels = True
        elif word in BRANCHES or re.search(r'_for_each(_safe)?$', word):
            total += 1
        elif word == ':' and in_labels:
            in_labels = index + 1 < len(body) and body[index + 1][0] == 'case'
    return total


def functions_of(text):
    """(name, first line, lines, complexity) of each function in a C file."""
    tokens = list(tokens_of(text))
    at, found = 0, []
    while at < len(tokens):
        if tokens[at][0] != '{':
            at += 1
            continue
        head, depth, end = header_of(tokens, at), 0, at
        while end < len(tokens):
            depth += {'{': 1, '}': -1}.get(tokens[end][0], 0)
            if depth == 0:
                break
            end += 1
        if head and end < len(tokens):
            name, line = head
            found.append((name, line, tokens[end][1] - line + 1, complexity_of(tokens[at:end])))
        at = end + 1
    return found


def measure(path):
    """(kind, name, value, limit, line) of everything in a file."""
    text = path.read_text(errors='replace')
    rows = [('file', '', text.count('\n'), FILE_LINES_MAX, 1)]
    if path.suffix == '.py':
        return rows
    for name, line, lines, complexity in functions_of(text):
        rows.append(('function', name, lines, FUNCTION_LINES_MAX, line))
        rows.append(('complexity', name, complexity, COMPLEXITY_MAX, line))
    return rows


def read_exceptions(path):
    """{(kind, file or file:function): line number}."""
    rows = {}
    if not path.exists():
        return rows, []
    errors = []
    for number, line in enumerate(path.read_text().splitlines(), 1):
        if not line.strip() or line.startswith('#'):
            continue
        parts = line.split(None, 2)
        if len(parts) < 3 or parts[0] not in ('file', 'function', 'complexity'):
            errors.append(f'{path.name}:{number}: expected "KIND PATH[:FUNCTION] REASON"')
            continue
        rows[(parts[0], parts[1])] = number
    return rows, errors


def source_files(root):
    for top in ('src', 'tests', 'tools'):
        for path in sorted((root / top).rglob('*')):
            if path.suffix in ('.c', '.h', '.py') and '/seeds/' not in path.as_posix():
                yield path


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument('--root', type=pathlib.Path, default=pathlib.Path(__file__).resolve().parent.parent)
    parser.add_argument('--list', action='store_true', help='the twenty largest of each kind')
    options = parser.parse_args()
    exceptions, errors = read_exceptions(options.root / 'tools' / 'size_exceptions.txt')
    used, rows = set(), []
    for path in source_files(options.root):
        relative = path.relative_to(options.root).as_posix()
        for kind, name, value, limit, line in measure(path):
            rows.append((kind, value, f'{relative}:{name}'))
            if value <= limit:
                continue
            key = (kind, f'{relative}:{name}' if name else relative)
            if key in exceptions:
                used.add(key)
                continue
            what = {'file': 'lines in a file', 'function': f'lines in {name}()',
                    'complexity': f'is the complexity of {name}()'}[kind]
            errors.append(f'{relative}:{line}: {value} {what}; at most {limit}')
    for key in sorted(set(exceptions) - used):
        errors.append(f'tools/size_exceptions.txt:{exceptions[key]}: no longer needed: {key[0]} {key[1]}')
    if options.list:
        for kind in ('file', 'function', 'complexity'):
            for row in sorted((r for r in rows if r[0] == kind), key=lambda r: -r[1])[:20]:
                print(f'{row[1]:5} {row[0]} {row[2]}')
    print('\n'.join(errors), end='\n' if errors else '')
    return 1 if errors else 0


if __name__ == '__main__':
    sys.exit(main())
