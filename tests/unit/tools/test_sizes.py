import unittest

from gate import GateTest
import check_sizes


def function(name, lines):
    """A function of that many lines, from its name to its closing brace."""
    return f'int {name}(void)\n{{\n' + '\t;\n' * (lines - 3) + '}\n'


class Sizes(GateTest):
    def test_at_the_limits(self):
        self.write('src/a.c', function('f', 60))
        self.write('src/b.c', '\n' * 500)
        self.assert_passes(self.gate('check_sizes.py'))

    def test_one_line_more(self):
        self.write('src/a.c', function('f', 61))
        self.assert_finds(self.gate('check_sizes.py'), 'src/a.c:1: 61 lines in f()')

    def test_a_file_of_one_line_more(self):
        self.write('tests/a.c', '\n' * 501)
        self.assert_finds(self.gate('check_sizes.py'), '501 lines in a file')

    def test_complexity_at_the_limit_and_beyond(self):
        body = 'int f(int x) { ' + 'if (x) x--; ' * 14 + '%s return x; }\n'
        self.write('src/a.c', body % '')
        self.assert_passes(self.gate('check_sizes.py'))
        self.write('src/a.c', body % 'while (x) x--;')
        self.assert_finds(self.gate('check_sizes.py'), '16 is the complexity of f()')

    def test_an_exception_lets_pass_and_must_be_needed(self):
        self.write('src/a.c', function('f', 61))
        self.write('tools/size_exceptions.txt', '# why\nfunction src/a.c:f a table of states reads best whole\n')
        self.assert_passes(self.gate('check_sizes.py'))
        self.write('src/a.c', function('f', 60))
        self.assert_finds(self.gate('check_sizes.py'), 'no longer needed')

    def test_an_exception_without_a_reason(self):
        self.write('src/a.c', '')
        self.write('tools/size_exceptions.txt', 'function src/a.c:f\n')
        self.assert_finds(self.gate('check_sizes.py'), 'REASON')


class Reading(unittest.TestCase):
    def complexity(self, body):
        (row,) = check_sizes.functions_of('static int f(int a, int b)\n{\n' + body + '\n}\n')
        return row[3]

    def test_what_counts(self):
        for body, want in (('', 1), ('if (a && b) return a ? 1 : 2;', 4), ('for (;;) while (a) b++;', 3),
                           ('do a--; while (a);', 2), ('list_for_each(n, h) a++;', 2),
                           ('switch (a) { case 1: case 2: b = 1; break; case 3: b = 2; default: b = 3; }', 3),
                           ('/* if && || */ puts("if ? for"); // while', 1)):
            self.assertEqual(self.complexity(body), want, body)

    def test_what_is_a_function(self):
        source = '''
#define MACRO(x) \\
    { if (x) }
struct s { int a; };
static const struct s table[] = { { 1 }, { 2 } };
static struct s (*pointer)(void);
__attribute__((noinline)) static int
one(int a) __attribute__((pure))
{
    return a;
}
SEC("xdp") int two(struct ctx *c) { return 0; }
enum e { A, B };
'''
        self.assertEqual([row[0] for row in check_sizes.functions_of(source)], ['one', 'two'])


if __name__ == '__main__':
    unittest.main()
