#!/usr/bin/python3
"""Which branches of the kernel program the tests of tests/bpf take, counted by the program itself while it runs in the kernel.

Usage: run_bpf_coverage.py. Needs root. The report stands in build-bpf-coverage/coverage.txt; exit 1 when a branch that is
not named in tools/bpf_uncovered.txt is never taken both ways.

clang's counters (one 64-bit word for each region of the source) are put where libbpf makes a map of them; the tests leave
the map's bytes in a file when they end; llvm-cov reads the sums with the map of regions that the same compiler wrote.
"""
import hashlib
import json
import os
import pathlib
import re
import struct
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
BUILD = ROOT / 'build-bpf-coverage'
PROGRAM = ROOT / 'src/bpf/relay.bpf.c'
KNOWN = ROOT / 'tools/bpf_uncovered.txt'
SECTION = '.data.cover'
COUNTER = re.compile(r'@(__profc_[\w.]+) = [\w ]*global (\[\d+ x i64\]) zeroinitializer, section "__llvm_prf_cnts"')
# What the run time of a process would register; a program in the kernel has none.
RUNTIME = re.compile(r'\$__(?:prof|llvm|covrec)|@__(?:profd|covrec|llvm)_|@llvm\.(?:global_ctors|used) |declare void @__llvm_profile_')


def instrument(source, target):
    """Moves the counters into a section of their own and takes the run time's tables away."""
    kept, inside_init = [], False
    for line in pathlib.Path(source).read_text().split('\n'):
        if line.startswith('define internal void @__llvm_profile_init'):
            inside_init = True
        if inside_init:
            inside_init = line != '}'
            continue
        counter = COUNTER.match(line)
        if counter:
            line = f'@{counter[1]} = internal global {counter[2]} zeroinitializer, section "{SECTION}", align 8'
        elif line.startswith('@llvm.compiler.used'):
            used = re.findall(r'i8\* bitcast \([^@]*@(?!__)[\w.]+ to i8\*\)', line)
            line = f'@llvm.compiler.used = appending global [{len(used)} x i8*] [{", ".join(used)}], section "llvm.metadata"'
        elif RUNTIME.match(line):
            continue
        kept.append(line)
    pathlib.Path(target).write_text('\n'.join(kept))


def must(command, **options):
    done = subprocess.run([str(word) for word in command], cwd=ROOT, stdin=subprocess.DEVNULL, text=True, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, check=False, **options)
    if done.returncode:
        print(done.stdout[-6000:])
        raise SystemExit(f'run_bpf_coverage: {" ".join(str(word) for word in command)} exits {done.returncode}')
    return done.stdout


def llvm(name):
    return f'{name}-14' if pathlib.Path(f'/usr/bin/{name}-14').exists() else name


def functions():
    """Of each function: its name as llvm has it, the hash of its shape, and where in the section its counters stand."""
    places = {}
    for line in must([llvm('llvm-nm'), '-S', BUILD / 'src/bpf/relay.bpf.o']).splitlines():
        words = line.split()
        if len(words) == 4 and words[3].startswith('__profc_'):
            places[words[3]] = (int(words[0], 16), int(words[1], 16) // 8)
    ir = (BUILD / 'src/bpf/relay.ll').read_text()
    for name, name_hash, shape in re.findall(r'^@__profd_([\w.]+) = [^{]*\{[^{]*\} \{ i64 (-?\d+), i64 (-?\d+),', ir, re.M):
        plain = name.replace(f'{PROGRAM.name}_', f'{PROGRAM.name}:', 1)
        if struct.unpack('<q', hashlib.md5(plain.encode()).digest()[:8])[0] != int(name_hash):
            raise SystemExit(f'run_bpf_coverage: {name} has another name than thought')
        yield plain, int(shape) % 2**64, *places[f'__profc_{name}']


def profile(folder):
    """What all tests counted, as llvm-profdata reads it."""
    dumps = [path.read_bytes() for path in folder.iterdir()]
    if not dumps:
        raise SystemExit('run_bpf_coverage: no test left its counters')
    words = len(dumps[0]) // 8
    sums = [sum(column) for column in zip(*(struct.unpack(f'<{words}Q', dump) for dump in dumps))]
    text = ''
    for name, shape, at, count in functions():
        text += '\n'.join([name, str(shape), str(count), *(str(value) for value in sums[at // 8:at // 8 + count])]) + '\n\n'
    return text, len(dumps)


def one_sided(report):
    """Conditions that were not seen both true and false, as FILE:LINE:COLUMN: what, with the source's line."""
    rows = {}
    for entry in report['data'][0]['functions']:
        for line, column, end_line, end_column, taken, not_taken, *_ in entry['branches']:
            key = (entry['filenames'][0], line, column, end_line, end_column)
            both = rows.setdefault(key, [0, 0])
            both[0] += taken
            both[1] += not_taken
    for (name, line, column, end_line, end_column), (taken, not_taken) in sorted(rows.items()):
        if taken and not_taken:
            continue
        path = pathlib.Path(name)
        source = path.read_text().split('\n')[line - 1]
        condition = source[column - 1:end_column - 1 if end_line == line else None]
        what = 'never true' if not_taken else 'never false' if taken else 'never reached'
        yield f'{path.relative_to(ROOT)}', line, condition.strip(), what


def known():
    rows = {}
    for number, line in enumerate(KNOWN.read_text().splitlines(), 1):
        if not line or line.startswith('#'):
            continue
        words = [word.strip() for word in line.split(' | ')]
        if len(words) != 4:
            raise SystemExit(f'{KNOWN.relative_to(ROOT)}:{number}: FILE | CONDITION | never ... | REASON')
        rows[tuple(words[:3])] = False
    return rows


def judge(report):
    rows, failed = known(), 0
    for path, line, condition, what in one_sided(report):
        key = (path, condition, what)
        if key in rows:
            rows[key] = True
            continue
        failed += 1
        print(f'{path}:{line}: {what}: {condition}')
    for (path, condition, what), seen in rows.items():
        if not seen:
            failed += 1
            print(f'{KNOWN.relative_to(ROOT)}: {path}: {condition}: it is no longer {what}; take the line away')
    return failed


def main():
    if sys.argv[1:2] == ['instrument']:
        instrument(*sys.argv[2:4])
        return 0
    if os.geteuid() != 0:
        raise SystemExit('run_bpf_coverage: loading a BPF program needs root')
    if not (BUILD / 'build.ninja').exists():
        must(['meson', 'setup', BUILD, '-Dtests=enabled', '-Dbpf_coverage=true'])
    must(['ninja', '-C', BUILD])
    must([llvm('clang'), '-O1', '-fprofile-instr-generate', '-fcoverage-mapping', '-DHW_TARGET_X86', f'-I{ROOT / "src"}', '-c', PROGRAM,
          '-o', BUILD / 'regions.o'])
    with tempfile.TemporaryDirectory(prefix='hw-bpf-') as folder:
        must(['meson', 'test', '-C', BUILD, '--no-rebuild', '--suite', 'bpf'], env=dict(os.environ, HW_BPF_COUNTERS=folder))
        text, runs = profile(pathlib.Path(folder))
    (BUILD / 'coverage.proftext').write_text(text)
    must([llvm('llvm-profdata'), 'merge', BUILD / 'coverage.proftext', '-o', BUILD / 'coverage.profdata'])
    told = [BUILD / 'regions.o', f'-instr-profile={BUILD / "coverage.profdata"}']
    (BUILD / 'coverage.txt').write_text(must([llvm('llvm-cov'), 'show', *told, '-show-branches=count', '-show-regions']))
    report = json.loads(must([llvm('llvm-cov'), 'export', '-format=text', *told]))
    failed = judge(report)
    totals = report['data'][0]['totals']
    print(f'kernel program, {runs} loads: lines {totals["lines"]["percent"]:.1f} %, '
          f'branches {totals["branches"]["covered"]} of {totals["branches"]["count"]}, {failed} not accounted for')
    return 1 if failed else 0


if __name__ == '__main__':
    sys.exit(main())
