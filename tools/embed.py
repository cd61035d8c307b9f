#!/usr/bin/python3
"""A file's bytes as a C array. Usage: embed.py FILE NAME HEADER."""
import pathlib
import sys


def main():
    source, name, header = sys.argv[1:]
    data = pathlib.Path(source).read_bytes()
    lines = [','.join(str(byte) for byte in data[at:at + 24]) for at in range(0, len(data), 24)]
    pathlib.Path(header).write_text(
        f'static const unsigned char {name}[] __attribute__((aligned(8))) = {{\n' + ',\n'.join(lines) + '\n};\n')


if __name__ == '__main__':
    main()
