import unittest

from gate import GateTest


class Layers(GateTest):
    def setUp(self):
        super().setUp()
        self.write('tools/layers.txt', 'base:\nmodel: base\nproto/sip: base\nmain: *\n')
        self.write('src/base/a.h', '')
        self.write('src/model/m.h', '#include "base/a.h"\n')
        self.write('src/proto/sip/s.h', '#include "base/a.h"\n')

    def test_a_clean_tree(self):
        self.write('src/main/x.c', '#include "proto/sip/s.h"\n#include "model/m.h"\n#include <stdio.h>\n')
        self.assert_passes(self.gate('check_layers.py'))

    def test_a_module_that_reaches_up(self):
        self.write('src/base/b.c', '\n#include "model/m.h"\n')
        self.assert_finds(self.gate('check_layers.py'), 'src/base/b.c:2', 'base may not include model')

    def test_a_codec_that_reaches_sideways(self):
        self.write('src/proto/sip/t.c', '#  include "model/m.h"\n')
        self.assert_finds(self.gate('check_layers.py'), 'proto/sip may not include model')

    def test_a_folder_without_a_line(self):
        self.write('src/new/n.c', '')
        self.assert_finds(self.gate('check_layers.py'), 'src/new/n.c')

    def test_an_include_that_is_not_written_from_src(self):
        self.write('src/base/b.c', '#include "a.h"\n')
        self.assert_finds(self.gate('check_layers.py'), '"a.h" is not a file under src')

    def test_a_circle_in_the_table(self):
        self.write('tools/layers.txt', 'base: model\nmodel: base\nproto/sip: base\n')
        self.assert_finds(self.gate('check_layers.py'), 'a circle')

    def test_a_name_that_has_no_line(self):
        self.write('tools/layers.txt', 'base:\nmodel: base bse\nproto/sip: base\n')
        self.assert_finds(self.gate('check_layers.py'), 'bse')


if __name__ == '__main__':
    unittest.main()
