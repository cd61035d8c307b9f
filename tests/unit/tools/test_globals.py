import subprocess
import unittest

from gate import GateTest

CLEAN = '''
static const char *const names[] = {"a", "b"};
const char *name_of(int i);
const char *name_of(int i) { return names[i]; }
'''
USER = 'const char *name_of(int i);\nint main(void) { return !name_of(0); }\n'


class Globals(GateTest):
    def gate_over(self, allowed='', **sources):
        for name, text in sources.items():
            self.write(f'{name}.c', text)
            target = self.tree / 'build' / 'src' / f'{name}.c.o'
            target.parent.mkdir(parents=True, exist_ok=True)
            subprocess.run(['gcc', '-fPIE', '-c', str(self.tree / f'{name}.c'), '-o', str(target)], check=True)
        self.write('globals.txt', allowed)
        return self.gate('check_globals.py', '--build', str(self.tree / 'build'), '--allowed', str(self.tree / 'globals.txt'),
                         root=False)

    def test_constants_with_pointers_are_no_globals(self):
        self.assert_passes(self.gate_over(lib=CLEAN, user=USER))

    def test_each_kind_of_mutable_global(self):
        result = self.gate_over(lib=CLEAN + 'static int zeroed; int set = 1; int *f(void); int *f(void) { static int hidden;'
                                            ' return zeroed ? &hidden : &set; }', user=USER + 'int *f(void); int *x(void);'
                                            'int *x(void) { return f(); }')
        self.assert_finds(result, 'zeroed is a global', 'set is a global', 'hidden is a global')

    def test_an_exported_function_that_nobody_uses(self):
        self.assert_finds(self.gate_over(lib=CLEAN), 'name_of is exported and used by nobody')

    def test_what_is_allowed_must_be_needed(self):
        allowed = 'mutable stop set by the signal handler\n'
        self.assert_passes(self.gate_over(allowed, lib=CLEAN, user='static int stop;' + USER.replace('!', '!stop && !')))
        self.assert_finds(self.gate_over(allowed, lib=CLEAN, user=USER), 'no longer needed')


if __name__ == '__main__':
    unittest.main()
