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
        return self.fuzz_and_count(script, floor, runs)[0]

    def fuzz_and_count(self, script, floor, runs=0):
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
        script = 'case "$*" in *-max_total_time=1*) echo "#9 DONE cov: 1";; *-runs=500*) echo "#9 DONE cov: 2"; echo "stat::number_of_executed_units: 500";; esac'
        self.assertIn('covers 1 edges', self.fuzz(script, 50))
        self.assertIn('covers 2 edges', self.fuzz(script, 50, runs=500))

    def test_inputs_are_counted_and_fewer_than_wanted_are_a_fault(self):
        script = 'echo "#9 DONE cov: 60"; echo "stat::number_of_executed_units: 499"'
        self.assertEqual((None, 499), self.fuzz_and_count(script, 50))
        self.assertEqual((None, 499), self.fuzz_and_count(script, 50, runs=499))
        self.assertIn('499 inputs ran, 500 were wanted', self.fuzz(script, 50, runs=500))

    def test_a_crash(self):
        self.assertIn('failing input', self.fuzz('echo "#9 cov: 99"; exit 77', 1))


if __name__ == '__main__':
    unittest.main()
