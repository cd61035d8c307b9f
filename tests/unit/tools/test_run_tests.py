import contextlib
import io
import unittest

from gate import GateTest
import run_tests


class LastLine(GateTest):
    def close(self, tally):
        """(exit code, last line)."""
        out = io.StringIO()
        with contextlib.redirect_stdout(out):
            code = tally.close()
        return code, out.getvalue().splitlines()[-1]

    def test_all_good(self):
        tally = run_tests.Tally()
        tally.add('a', 'passed')
        self.assertEqual(self.close(tally), (0, '1 passed, 0 failed'))

    def test_a_failure_and_a_skip(self):
        tally = run_tests.Tally()
        for name, result in (('a', 'passed'), ('b', 'failed'), ('c', 'skipped')):
            tally.add(name, result)
        self.assertEqual(self.close(tally), (1, '1 passed, 1 failed, 1 skipped'))

    def test_nothing_run_is_no_success(self):
        self.assertEqual(self.close(run_tests.Tally()), (1, '0 passed, 0 failed'))

    def test_every_test_of_pytest_counts(self):
        self.write('e2e.xml', '''<testsuites><testsuite>
            <testcase classname="r1_call" name="a"/>
            <testcase classname="r1_call" name="b"><failure message="no tone&#10;more"/></testcase>
            <testcase classname="r1_call" name="c"><error message="lab"/></testcase>
            <testcase classname="r1_call" name="d"><skipped message="no chroot"/></testcase>
            </testsuite></testsuites>''')
        tally = run_tests.Tally()
        self.assertEqual(run_tests.read_junit(self.tree / 'e2e.xml', tally), 4)
        self.assertEqual((tally.passed, len(tally.failed), tally.skipped), (1, 2, [('r1_call::d', 'no chroot')]))

    def test_the_reason_is_the_line_that_tells(self):
        test = {'result': 'FAIL', 'stdout': '[ RUN      ] x\n[  ERROR   ] --- got 1, want 2\n[  FAILED  ] x', 'stderr': ''}
        self.assertEqual(run_tests.reason_of(test), '[  ERROR   ] --- got 1, want 2')


if __name__ == '__main__':
    unittest.main()
