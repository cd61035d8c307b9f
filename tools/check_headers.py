#!/usr/bin/python3
"""Each header compiles alone: none needs another to be included before it.

Usage: check_headers.py [--root DIR]. Headers of kernel programs (src/bpf, but for *abi.h) are compiled
by clang for the bpf target as parts of their programs and are left out here.
"""
import argparse
import concurrent.futures
import pathlib
import subprocess
import sys

FLAGS = ['-std=gnu11', '-D_GNU_SOURCE', '-Wall', '-Wextra', '-Werror', '-Wno-unused-parameter', '-fsyntax-only', '-x', 'c', '-']


def check(root, header):
    """What the compiler says, or nothing."""
    done = subprocess.run(['gcc', f'-I{root}/src', f'-I{root}/tests', *FLAGS], input=f'#include "{header}"\n', text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    return done.stdout if done.returncode else ''


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument('--root', type=pathlib.Path, default=pathlib.Path(__file__).resolve().parent.parent)
    root = parser.parse_args().root
    headers = [path.relative_to(root / 'src').as_posix() for path in sorted((root / 'src').rglob('*.h'))
               if path.parent.name != 'bpf' or path.name.endswith('abi.h')]
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        said = [text for text in pool.map(lambda header: check(root, header), headers) if text]
    print(''.join(said), end='')
    return 1 if said else 0


if __name__ == '__main__':
    sys.exit(main())
