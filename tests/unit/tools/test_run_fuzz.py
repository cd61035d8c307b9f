import contextlib
import io
import os
import pathlib
import unittest
from unittest import mock

from gate import GateTest
import run_fuzz


class Floor(GateTest):
    """A script stands in for a libFuzzer binary."""

    def fuzz(self, script, floor, runs=0):
        self.write('fuzz_x', f'#!/bin/sh\n{script}\n')
        target = pathlib.Path(self.tree / 'fuzz_x')
        os.chmod(target, 0o755)
        with mock.patch.object(run_fuzz, 'BUILD', self.tree), contextlib.redirect_stdout(io.StringIO()):
            return run_fuzz.fuzz(target, 1, runs, floor)

    def test_at_the_floor_and_below(self):
        script = 'echo "#2 INITED cov: 40 ft: 50"; echo "#9 DONE   cov: 99 ft: 100"'
        self.assertIsNone(self.fuzz(script, 99))
        self.assertIn('covers 99 edges, the floor is 100', self.fuzz(script, 100))

    def test_a_target_without_a_floor(self):
        self.assertIn('no floor', self.fuzz('echo "#9 DONE cov: 99"', None))

    def test_an_uninstrumented_target(self):
        self.assertIn('covers 1 edges', self.fuzz('echo "#9 DONE cov: 1"', 50))

    def test_a_number_of_inputs_instead_of_a_time(self):
        script = 'case "$*" in *-max_total_time=1*) echo "#9 DONE cov: 1";; *-runs=500*) echo "#9 DONE cov: 2";; esac'
        self.assertIn('covers 1 edges', self.fuzz(script, 50))
        self.assertIn('covers 2 edges', self.fuzz(script, 50, runs=500))

    def test_a_crash(self):
        self.assertIn('failing input', self.fuzz('echo "#9 cov: 99"; exit 77', 1))


if __name__ == '__main__':
    unittest.main()
