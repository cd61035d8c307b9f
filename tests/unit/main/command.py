"""Runs the binary under test; third-party data where it is there."""
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

BINARY = sys.argv.pop(1)
DATA = pathlib.Path(os.environ.get('HORNWORK_DATA') or os.environ.get('HORNWORK_DATA_DEFAULT') or '/nonexistent')


class CommandTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix='hw-command-')
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def write(self, name, content):
        path = self.folder / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    def run_command(self, *arguments):
        """(exit code, standard output, standard error)."""
        done = subprocess.run([BINARY, *map(str, arguments)], stdin=subprocess.DEVNULL, capture_output=True,
                              timeout=100, check=False)
        return done.returncode, done.stdout.decode('utf-8'), done.stderr.decode('utf-8', 'replace')

    def json_lines(self, *arguments):
        code, out, _ = self.run_command(*arguments)
        return code, [json.loads(line) for line in out.splitlines()]


def data_folder(*parts):
    """A folder of third-party material, or None where it is not there."""
    folder = DATA.joinpath('voip', *parts)
    return folder if folder.exists() else None
