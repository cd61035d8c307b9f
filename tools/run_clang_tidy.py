#!/usr/bin/python3
"""clang-tidy with the named checks of .clang-tidy over src (not src/bpf, which clang compiles for another target).

Usage: run_clang_tidy.py BUILD_DIR, one that clang compiled (for its compile_commands.json).
"""
import concurrent.futures
import json
import pathlib
import shutil
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent


def main():
    build = ROOT / sys.argv[1]
    tool = shutil.which('clang-tidy-14') or shutil.which('clang-tidy')
    if not tool:
        raise SystemExit('run_clang_tidy: clang-tidy is missing')
    rows = json.loads((build / 'compile_commands.json').read_text())
    files = sorted({str((pathlib.Path(row['directory']) / row['file']).resolve()) for row in rows})
    files = [path for path in files if path.startswith(f'{ROOT}/src/') and '/src/bpf/' not in path]

    def tidy(path):
        done = subprocess.run([tool, '-p', str(build), '--quiet', '--warnings-as-errors=*', path], text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=False)
        return done.stdout if done.returncode else ''

    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        said = sorted({text for text in pool.map(tidy, files) if text})
    print('\n'.join(said), end='')
    return 1 if said else 0


if __name__ == '__main__':
    sys.exit(main())
