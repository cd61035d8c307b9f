import unittest

from gate import GateTest


class Headers(GateTest):
    def test_a_header_that_stands_alone(self):
        self.write('src/base/a.h', '#include <stdint.h>\nuint32_t f(void);\n')
        self.assert_passes(self.gate('check_headers.py'))

    def test_a_header_that_needs_another_before_it(self):
        self.write('src/base/a.h', 'uint32_t f(void);\n')
        self.assert_finds(self.gate('check_headers.py'), 'uint32_t')


if __name__ == '__main__':
    unittest.main()
