import os
import shutil
import unittest

from gate import GateTest, TOOLS


@unittest.skipUnless(shutil.which('clang-format-14') or shutil.which('clang-format'), 'clang-format is not installed')
class Format(GateTest):
    def setUp(self):
        super().setUp()
        shutil.copy(TOOLS.parent / '.clang-format', self.tree)
        (self.tree / 'tests').mkdir()
        os.environ['FORMAT_ROOT'] = str(self.tree)

    def tearDown(self):
        del os.environ['FORMAT_ROOT']

    def test_as_it_should_be(self):
        self.write('src/a.c', 'int f(void)\n{\n\treturn 0;\n}\n')
        self.assert_passes(self.gate('check-format', root=False))

    def test_blanks_for_tabs(self):
        self.write('src/a.c', 'int f(void)\n{\n    return 0;\n}\n')
        self.assert_finds(self.gate('check-format', root=False), 'a.c:')


if __name__ == '__main__':
    unittest.main()
