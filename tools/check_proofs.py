#!/usr/bin/python3
"""Every check of the assessor is proven on a flawed target and on a mended one.

Usage: check_proofs.py [--root DIR]. Each row of src/assess/checks/checks_*.def stands in a mark
`@pytest.mark.proves("ID", ...)` of a test in tests/e2e. What the mark says is demanded of the test
when it runs (tests/e2e/conftest.py): a run that finds the flaw and one that is silent.
"""
import argparse
import ast
import pathlib
import re
import sys

ROW = re.compile(r'^CHECK\("([A-Z]{2}-\d{2})"', re.M)
LEAST = 84      # that the catalogue asks for: a row that vanishes is told too


def rows(root):
    """{id: file} of all rows."""
    found = {}
    for path in sorted((root / 'src/assess/checks').glob('checks*.def')):
        for check in ROW.findall(path.read_text(encoding='utf-8')):
            found[check] = path.relative_to(root).as_posix()
    return found


def strings(node):
    return [n.value for n in ast.walk(node) if isinstance(n, ast.Constant) and isinstance(n.value, str)]


def decorators(function, name):
    """The calls of @pytest.mark.NAME on a function."""
    for node in function.decorator_list:
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == name:
            yield node


def marks(tree):
    """(line, id, fault or None) of each proof that a file's tests promise."""
    for function in ast.walk(tree):
        if not isinstance(function, ast.FunctionDef):
            continue
        takes_check = 'check' in [a.arg for a in function.args.args]
        given = [s for node in decorators(function, 'parametrize') for s in strings(node)]
        for node in decorators(function, 'proves'):
            for check in strings(node):
                fault = None
                if not function.name.startswith('test_'):
                    fault = f'{function.name} is no test'
                elif takes_check and check not in given:
                    fault = f'{function.name} is never given {check}'
                yield node.lineno, check, fault


def check(root):
    known, proven = rows(root), set()
    for path in sorted((root / 'tests/e2e').glob('*.py')):
        for line, ident, fault in marks(ast.parse(path.read_text(encoding='utf-8'))):
            where = f'{path.relative_to(root).as_posix()}:{line}'
            if fault:
                yield f'{where}: {fault}'
            elif ident not in known:
                yield f'{where}: {ident} is no row of checks.def'
            else:
                proven.add(ident)
    for ident in sorted(known.keys() - proven):
        yield (f'{known[ident]}: no test proves {ident}: mark one that runs it on a flawed and on a '
               f'mended target with @pytest.mark.proves("{ident}")')
    if len(known) < LEAST:
        yield f'src/assess/checks: {len(known)} rows, and {LEAST} is the least'


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument('--root', type=pathlib.Path, default=pathlib.Path(__file__).resolve().parent.parent)
    errors = list(check(parser.parse_args().root))
    print('\n'.join(errors), end='\n' if errors else '')
    return 1 if errors else 0


if __name__ == '__main__':
    sys.exit(main())
