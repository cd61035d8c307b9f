import unittest

from gate import GateTest

ROWS = ''.join(f'CHECK("GW-{n:02}", r1, PASSIVE,\n' for n in range(1, 85))
MARK = '@pytest.mark.proves({0})\ndef {1}({2}):\n    pass\n'
ALL = ', '.join(f'"GW-{n:02}"' for n in range(1, 85))


class Proofs(GateTest):
    def setUp(self):
        super().setUp()
        self.write('src/assess/checks/checks_gw.def', ROWS)
        self.a_test(MARK.format(ALL, 'test_all', 'lab'))

    def a_test(self, text):
        self.write('tests/e2e/r1_a.py', text)

    def test_all_proven(self):
        self.assert_passes(self.gate('check_proofs.py'))

    def test_a_check_without_a_test(self):
        self.a_test(MARK.format(ALL.replace('"GW-07", ', ''), 'test_all', 'lab'))
        self.assert_finds(self.gate('check_proofs.py'), 'checks_gw.def: no test proves GW-07')

    def test_a_mark_of_no_test(self):
        self.a_test(MARK.format(ALL, 'helper', 'lab'))
        self.assert_finds(self.gate('check_proofs.py'), 'helper is no test')

    def test_a_mark_of_no_check(self):
        self.write('tests/e2e/r1_b.py', MARK.format('"GW-85"', 'test_more', 'lab'))
        self.assert_finds(self.gate('check_proofs.py'), 'r1_b.py:1: GW-85 is no row')

    def test_a_parameter_that_is_never_given(self):
        given = '@pytest.mark.parametrize("check, flaw", [("GW-01", "a")])\n'
        self.write('tests/e2e/r1_b.py', given + MARK.format('"GW-01", "GW-02"', 'test_some', 'check, flaw'))
        self.assert_finds(self.gate('check_proofs.py'), 'test_some is never given GW-02')

    def test_a_row_that_is_gone(self):
        self.write('src/assess/checks/checks_gw.def', ROWS.replace('CHECK("GW-84"', 'CHECKED("GW-84"'))
        self.assert_finds(self.gate('check_proofs.py'), '83 rows, and 84 is the least', 'GW-84 is no row')


if __name__ == '__main__':
    unittest.main()
