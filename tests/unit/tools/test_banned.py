import unittest

from gate import GateTest


class Banned(GateTest):
    def test_a_clean_file(self):
        self.write('src/base/a.c', '/* strcpy(a, b) */ const char *s = "time(0)"; x.time(1); p->read(2); int time_ms;\n')
        self.write('src/main/b.c', 'void f(void) { printf("x"); clock_gettime(0, &t); }\n')
        self.write('src/base/mem.c', 'void *g(void) { return malloc(1); }\n')
        self.assert_passes(self.gate('check_banned.py'))

    def test_an_unbounded_copy(self):
        self.write('src/main/a.c', '\nvoid f(void) { strcpy(a, b); }\n')
        self.assert_finds(self.gate('check_banned.py'), 'src/main/a.c:2: strcpy() is banned')

    def test_a_clock_in_a_pure_layer(self):
        for layer in ('base', 'model', 'proto/sip', 'call', 'media', 'guard'):
            self.write(f'src/{layer}/a.c', 'long f(void) { return time(NULL); }\n')
        code, said = self.gate('check_banned.py')
        self.assertEqual((code, said.count('time()')), (1, 6), said)

    def test_the_heap_behind_its_back(self):
        self.write('src/io/a.c', 'void *f(void) { return malloc (1); }\n')
        self.assert_finds(self.gate('check_banned.py'), 'base/mem.h')


if __name__ == '__main__':
    unittest.main()
