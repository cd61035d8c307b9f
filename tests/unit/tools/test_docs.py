import unittest

from gate import GateTest

README = '''# x
`make demo` and `make test`
| tag | what |
|---|---|
| r1 | a |
| r2 | b |
| r3 | c |
| r4 | d |
| r5 | e |
'''
ROW = 'REASON(a, "r1", SEV_INFO, 400, "a sentence", "RFC 3261 7")\n'
DECISION = '# t\n' + ''.join(f'## {name}\nx\n' for name in ('Status', 'Context', 'Decision', 'Consequences',
                                                           'What would change our mind', 'Evidence'))


class Docs(GateTest):
    def setUp(self):
        super().setUp()
        self.write('README.md', README)
        self.write('src/base/reasons.def', ROW)
        self.write('tests/unit/a.c', 'static void keeps_it(void **state)')
        self.write('docs/invariants.md', '1. It holds. `tests/unit/a.c:keeps_it`\n')
        self.write('docs/decisions/0001-one-way.md', DECISION)

    def finds(self, *words):
        self.assert_finds(self.gate('check_docs.py'), *words)

    def test_a_true_tree(self):
        self.write('README.md', README + '[a](docs/invariants.md#x) [b](https://example.org) `src/base/{reasons.def}` `tests/*/a.c`\n')
        self.assert_passes(self.gate('check_docs.py'))

    def test_a_dead_link(self):
        self.write('README.md', README + '[a](docs/gone.md)\n')
        self.finds('docs/gone.md')

    def test_a_named_file_that_is_not_there(self):
        self.write('README.md', README + '`src/base/gone.c` `tests/e2e/r1_*.py`\n')
        self.finds('src/base/gone.c', 'tests/e2e/r1_*.py')

    def test_a_recommendation_without_a_row(self):
        self.write('README.md', README.replace('| r4', '| x4'))
        self.finds('no row for r4')

    def test_reasons(self):
        self.write('src/base/reasons.def', ROW + ROW)
        self.finds('a stands twice')
        self.write('src/base/reasons.def', ROW + 'REASON(b, "r1", SEV_INFO, 400, "no reference")\n')
        self.finds('1 of 2 rows')
        self.write('src/base/reasons.def', ROW.replace('r1', 'r9'))
        self.finds('tag, sentence')

    def test_invariants_name_real_tests(self):
        self.write('docs/invariants.md', '1. It holds.\n2. So does this. `tests/unit/a.c:gone`\n3. And this. `tests/b.c`\n')
        self.finds('no test: 1.', 'tests/unit/a.c has no gone', 'tests/b.c is not there')

    def test_decisions(self):
        self.write('docs/decisions/0001-another.md', DECISION.replace('## Evidence', ''))
        self.finds('its number stands twice', 'no section "Evidence"')


if __name__ == '__main__':
    unittest.main()
