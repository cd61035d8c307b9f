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

    def meson(self, stdout, stderr='', result='OK'):
        """(passed, skipped) of one program of meson's."""
        tally = run_tests.Tally()
        run_tests.add_meson({'name': 'unit/a', 'result': result, 'stdout': stdout, 'stderr': stderr}, tally)
        return tally.passed, tally.skipped

    def test_a_case_that_cmocka_skips(self):
        out = ('[==========] Running 2 test(s).\n[ RUN      ] a\n[       OK ] a\n[ RUN      ] b\nneeds root\n[  SKIPPED ] b\n'
               '[==========] 2 test(s) run.\n')
        end = '[  PASSED  ] 1 test(s).\n[  SKIPPED ] 1 test(s), listed below:\n[  SKIPPED ] b\n\n 1 SKIPPED TEST(S)\n'
        self.assertEqual(self.meson(out, end), (1, [('unit/a::b', 'needs root')]))

    def test_a_program_of_cmocka_that_skips_all(self):
        out = '[ RUN      ] b\n[  SKIPPED ] b\n[==========] 1 test(s) run.\n'
        self.assertEqual(self.meson(out, '[  PASSED  ] 0 test(s).\n'), (0, [('unit/a::b', 'no reason given')]))

    def test_cases_that_unittest_skips(self):
        text = ("test_a (__main__.A.test_a) ... ok\ntest_b (__main__.A.test_b)\nWhat it says. ... skipped 'no data'\n"
                "test_c (__main__.A.test_c) ... skipped \"it's not there\"\n\n---\nRan 3 tests in 0.1s\n\nOK (skipped=2)\n")
        self.assertEqual(self.meson('', text), (1, [('unit/a::test_b', 'no data'), ('unit/a::test_c', "it's not there")]))
        alone = "test_b (__main__.A.test_b) ... skipped 'no data'\n\n---\nRan 1 test in 0.1s\n\nOK (skipped=1)\n"
        self.assertEqual(self.meson('', alone), (0, [('unit/a::test_b', 'no data')]))

    def test_a_line_that_says_skipped(self):
        self.assertEqual(self.meson('compared: order\nSKIPPED rpm: not installed\n'), (1, [('unit/a::rpm', 'not installed')]))

    def test_a_program_that_failed_is_no_skip(self):
        self.assertEqual(self.meson('[  SKIPPED ] b\n', result='FAIL'), (0, []))

    def test_the_reason_is_the_line_that_tells(self):
        test = {'result': 'FAIL', 'stdout': '[ RUN      ] x\n[  ERROR   ] --- got 1, want 2\n[  FAILED  ] x', 'stderr': ''}
        self.assertEqual(run_tests.reason_of(test), '[  ERROR   ] --- got 1, want 2')


if __name__ == '__main__':
    unittest.main()
