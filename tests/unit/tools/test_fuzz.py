import unittest

from gate import GateTest

HEAD = '| what | files | targets |\n|---|---|---|\n'


class Codecs(GateTest):
    def setUp(self):
        super().setUp()
        self.write('src/proto/x/x_read.c', '')
        self.write('src/main/other.c', '#include "base/err.h"\n')
        self.write('tests/fuzz/fuzz_x.c', '')
        self.write('tests/fuzz/floors.txt', '# TARGET EDGES\nx 10\n')
        self.write('tests/fuzz/seeds/x/one', '')
        self.table('| x | `proto/x/*` | `x` (all of it) |\n')

    def table(self, rows):
        self.write('docs/fuzzing.md', HEAD + rows)

    def test_each_has_its_target(self):
        self.assert_passes(self.gate('check_fuzz.py'))

    def test_a_codec_without_one(self):
        self.write('src/main/reader.c', '#include "base/cursor.h"\n')
        self.assert_finds(self.gate('check_fuzz.py'), 'src/main/reader.c: reads what others wrote')
        self.table('| x | `proto/x/*` | `x` |\n| y | `main/reader.c` | |\n')
        self.assert_finds(self.gate('check_fuzz.py'), 'docs/fuzzing.md:4: no fuzz target')
        self.table('| x | `proto/x/*` | `x` |\n| y | `main/reader.c` | none: |\n')
        self.assert_finds(self.gate('check_fuzz.py'), 'docs/fuzzing.md:4: no fuzz target')
        self.table('| x | `proto/x/*` | `x` |\n| y | `main/reader.c` | none: a library reads it |\n')
        self.assert_passes(self.gate('check_fuzz.py'))

    def test_rows_that_name_nothing(self):
        self.table('| x | `proto/x/*` | `x` |\n| y | `proto/y/*` | `y` |\n')
        self.assert_finds(self.gate('check_fuzz.py'), 'no file below src is called proto/y/*', 'there is no tests/fuzz/fuzz_y.c')

    def test_a_target_that_no_row_names(self):
        self.write('tests/fuzz/fuzz_z.c', '')
        self.assert_finds(self.gate('check_fuzz.py'), 'fuzz_z.c: no row', 'fuzz_z.c: no floor', 'fuzz_z.c: no seed')

    def test_no_table(self):
        (self.tree / 'docs/fuzzing.md').unlink()
        self.assert_finds(self.gate('check_fuzz.py'), 'docs/fuzzing.md: is not there')


if __name__ == '__main__':
    unittest.main()
