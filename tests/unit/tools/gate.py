"""A small tree in a temporary folder, and a gate run over it."""
import pathlib
import subprocess
import sys
import tempfile
import unittest

TOOLS = pathlib.Path(__file__).resolve().parents[3] / 'tools'
sys.path.insert(0, str(TOOLS))


class GateTest(unittest.TestCase):
    """self.tree is empty at the start of each test."""

    def setUp(self):
        self.folder = tempfile.TemporaryDirectory(prefix='hw-gate-')
        self.addCleanup(self.folder.cleanup)
        self.tree = pathlib.Path(self.folder.name)

    def write(self, path, text):
        target = self.tree / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text)

    def gate(self, tool, *arguments, root=True):
        """(exit code, what it printed)."""
        command = [sys.executable, str(TOOLS / tool)] if tool.endswith('.py') else [str(TOOLS / tool)]
        done = subprocess.run([*command, *(['--root', str(self.tree)] if root else []), *arguments],
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
        return done.returncode, done.stdout

    def assert_finds(self, result, *words):
        code, said = result
        self.assertNotEqual(code, 0, said)
        for word in words:
            self.assertIn(word, said)

    def assert_passes(self, result):
        self.assertEqual(result[0], 0, result[1])
