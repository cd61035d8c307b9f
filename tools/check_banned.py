#!/usr/bin/python3
"""Calls that no file may make, and calls that the pure layers may not make.

Usage: check_banned.py [--root DIR]. Only calls count: a word followed by `(` outside of comments and
strings, that is no member of a struct.
"""
import argparse
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from check_sizes import tokens_of  # noqa: E402

# Unbounded copies, hidden state, no error reported, or a shell.
ANYWHERE = {
    'strcpy', 'strcat', 'strncpy', 'strncat', 'stpcpy', 'sprintf', 'vsprintf', 'gets', 'strtok', 'atoi', 'atol', 'atoll', 'atof',
    'scanf', 'sscanf', 'fscanf', 'alloca', 'tmpnam', 'mktemp', 'tempnam', 'system', 'popen', 'gethostbyname', 'inet_aton',
    'inet_ntoa', 'inet_addr', 'asctime', 'ctime', 'gmtime', 'localtime', 'rand', 'srand', 'random', 'drand48', 'setjmp',
    'longjmp', 'vfork', 'bcopy', 'bzero', 'index', 'usleep',
}
# The heap has one door (base/mem.h), which tests make fail.
HEAP = {'malloc', 'calloc', 'realloc', 'reallocarray', 'strdup', 'strndup', 'asprintf', 'vasprintf', 'aligned_alloc',
        'posix_memalign'}
HEAP_DOOR = 'base/mem.c'
# Time, chance and the environment are parameters of everything below io; the pure layers do not touch the world either
# (media is no pure layer, as it maps the flow table's shared memory; relay owns sockets).
BELOW_IO = ('base', 'model', 'proto', 'call', 'media', 'relay', 'guard')
PURE = ('base', 'model', 'proto', 'call', 'guard')
CHANCE = {
    'time', 'clock_gettime', 'gettimeofday', 'clock', 'getrandom', 'getentropy', 'arc4random', 'rand_r', 'random_r',
    'RAND_bytes', 'printf', 'fprintf', 'vprintf', 'vfprintf', 'puts', 'fputs', 'putchar', 'perror', 'syslog', 'vsyslog', 'getenv',
}
WORLD = {
    'open', 'openat', 'fopen', 'read', 'write', 'socket', 'send', 'sendto', 'sendmsg', 'sendmmsg', 'recv', 'recvfrom', 'recvmsg',
    'recvmmsg', 'poll', 'select', 'epoll_wait', 'sleep', 'nanosleep', 'fork', 'execve', 'exit', '_exit', 'abort', 'getaddrinfo',
}


def calls_of(text):
    """(name, line) of each call."""
    tokens = list(tokens_of(text))
    for at in range(len(tokens) - 1):
        word, line = tokens[at]
        before = tokens[at - 1][0] if at else ''
        if tokens[at + 1][0] == '(' and before not in ('.', '>'):
            yield word, line


def check_file(path, src):
    relative = path.relative_to(src).as_posix()
    layer = relative.split('/')[0]
    for word, line in calls_of(path.read_text(errors='replace')):
        where = f'src/{relative}:{line}: {word}()'
        if word in ANYWHERE:
            yield f'{where} is banned'
        elif word in HEAP and relative != HEAP_DOOR:
            yield f'{where}: the heap is asked through base/mem.h'
        elif (layer in BELOW_IO and word in CHANCE) or (layer in PURE and word in WORLD):
            yield f'{where}: nothing below io reads a clock, draws a random number, logs or touches the world'


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument('--root', type=pathlib.Path, default=pathlib.Path(__file__).resolve().parent.parent)
    src = parser.parse_args().root / 'src'
    errors = [text for path in sorted(src.rglob('*.[ch]')) for text in check_file(path, src)]
    print('\n'.join(errors), end='\n' if errors else '')
    return 1 if errors else 0


if __name__ == '__main__':
    sys.exit(main())
