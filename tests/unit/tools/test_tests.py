import unittest

from gate import GateTest

UNIT = "foreach name : ['a', 'b']\n  executable('test_base_' + name, 'test_' + name + '.c')\nendforeach\n"
E2E = "claims = {'r1': ['r1_call']}\nforeach tag, names : claims\n  files(claim + '.py')\nendforeach\n"


class Lists(GateTest):
    def setUp(self):
        super().setUp()
        for path in ('unit/base/test_a.c', 'unit/base/test_b.c', 'unit/base/helper.c', 'e2e/r1_call.py',
                     'e2e/conftest.py'):
            self.write(f'tests/{path}', '')
        self.write('tests/unit/base/meson.build', UNIT)
        self.write('tests/e2e/meson.build', E2E)

    def test_all_listed(self):
        self.assert_passes(self.gate('check_tests.py'))

    def test_a_story_with_peers_that_nothing_runs(self):
        self.write('tests/e2e/r4_tls.py', '')
        self.assert_finds(self.gate('check_tests.py'), 'tests/e2e/r4_tls.py: nothing runs it')

    def test_a_unit_test_that_nothing_runs(self):
        self.write('tests/unit/base/test_c.c', '')
        self.assert_finds(self.gate('check_tests.py'), 'tests/unit/base/test_c.c: nothing runs it')

    def test_one_that_is_listed_in_a_comment_alone(self):
        self.write('tests/e2e/r4_tls.py', '')
        self.write('tests/e2e/meson.build', E2E + "# 'r4_tls'\n")
        self.assert_finds(self.gate('check_tests.py'), 'r4_tls.py')

    def test_a_folder_without_a_list(self):
        self.write('tests/unit/new/test_c.py', '')
        self.assert_finds(self.gate('check_tests.py'), 'tests/unit/new/test_c.py: no meson.build')

    def test_whole_names(self):
        self.write('tests/bpf/test_x.c', '')
        self.write('tests/bpf/meson.build', "executable('x', 'test_x.c')\n")
        self.assert_passes(self.gate('check_tests.py'))


if __name__ == '__main__':
    unittest.main()
