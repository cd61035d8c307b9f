#!/usr/bin/python3
"""Each module includes only what its line in tools/layers.txt names.

Usage: check_layers.py [--root DIR]. A module is a folder under src; the longest prefix that
layers.txt names decides. Quoted includes are written from src ("base/slice.h").
"""
import argparse
import pathlib
import re
import sys

INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^">]+)[">]', re.M)


def read_layers(path):
    """{module: set of modules it may include}; '*' stands for everything."""
    layers = {}
    for number, line in enumerate(path.read_text().splitlines(), 1):
        line = line.split('#')[0].strip()
        if not line:
            continue
        if ':' not in line:
            raise SystemExit(f'{path}:{number}: expected "module: modules"')
        name, allowed = line.split(':', 1)
        if name.strip() in layers:
            raise SystemExit(f'{path}:{number}: {name.strip()} stands twice')
        layers[name.strip()] = set(allowed.split())
    return layers


def check_graph(layers, path):
    """Layers are layers only while nobody reaches himself."""
    errors = []
    for name, allowed in layers.items():
        for other in allowed - {'*'} - set(layers):
            errors.append(f'{path}: {name} names {other}, which has no line')
    state = {}

    def visit(name, trail):
        if state.get(name) == 'done' or name not in layers:
            return
        if state.get(name) == 'open':
            errors.append(f'{path}: a circle: {" -> ".join(trail + [name])}')
            return
        state[name] = 'open'
        for other in sorted(layers[name] - {'*'}):
            visit(other, trail + [name])
        state[name] = 'done'

    for name in sorted(layers):
        visit(name, [])
    return errors


def module_of(relative, layers):
    parts = pathlib.PurePosixPath(relative).parent.parts
    for length in range(len(parts), 0, -1):
        name = '/'.join(parts[:length])
        if name in layers:
            return name
    return None


def check_file(path, src, layers):
    relative = path.relative_to(src).as_posix()
    module = module_of(relative, layers)
    if module is None:
        return [f'src/{relative}: its folder has no line in layers.txt']
    errors = []
    text = path.read_text(errors='replace')
    for match in INCLUDE.finditer(text):
        line = text.count('\n', 0, match.start(2)) + 1
        where = f'src/{relative}:{line}'
        target = match.group(2)
        if match.group(1) == '<':
            if (src / target).is_file() and '/' in target and module_of(target, layers):
                errors.append(f'{where}: write "{target}" with quotes')
            continue
        if not (src / target).is_file():
            errors.append(f'{where}: "{target}" is not a file under src (includes are written from src)')
            continue
        other = module_of(target, layers)
        if other is None:
            errors.append(f'{where}: "{target}" belongs to no module of layers.txt')
        elif other != module and '*' not in layers[module] and other not in layers[module]:
            errors.append(f'{where}: {module} may not include {other} ("{target}")')
    return errors


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument('--root', type=pathlib.Path, default=pathlib.Path(__file__).resolve().parent.parent)
    root = parser.parse_args().root
    table = root / 'tools' / 'layers.txt'
    layers = read_layers(table)
    errors = check_graph(layers, 'tools/layers.txt')
    for path in sorted((root / 'src').rglob('*')):
        if path.suffix in ('.c', '.h', '.def'):
            errors += check_file(path, root / 'src', layers)
    print('\n'.join(errors), end='\n' if errors else '')
    return 1 if errors else 0


if __name__ == '__main__':
    sys.exit(main())
