"""`hornwork screening`: each reason that the code gives stands in it, whole, and its JSON and its text agree."""
import json
import pathlib
import re
import unittest

from command import CommandTest

SOURCE = pathlib.Path(__file__).resolve().parents[3] / 'src'


class Screening(CommandTest):
    def rows(self):
        code, text, _ = self.run_command('screening', '--json')
        self.assertEqual(code, 0)
        return json.loads(text)

    def test_each_reason_of_the_code_has_a_row_and_each_row_is_given_by_code(self):
        used = set()
        for path in SOURCE.rglob('*.[ch]'):
            used |= set(re.findall(r'\bREASON_([a-z][a-z0-9_]*)\b', path.read_text(encoding='utf-8')))
        names = [row['reason'] for row in self.rows()]
        self.assertGreater(len(names), 100)
        self.assertEqual(len(names), len(set(names)))
        self.assertEqual(used - set(names), set())
        self.assertEqual(set(names) - used, set())

    def test_each_row_is_whole(self):
        for row in self.rows():
            with self.subTest(row['reason']):
                self.assertRegex(row['tag'], '^(r[1-5]|core)$')
                self.assertIn(row['severity'], ('info', 'notice', 'warning', 'critical'))
                self.assertTrue(row['status'] is None or 400 <= row['status'] <= 699)
                self.assertTrue(row['sentence'] and row['reference'])
                self.assertEqual('offence' in row, row['points'] > 0)

    def test_what_the_parser_refuses_is_answered_or_counted(self):
        for row in self.rows():
            if row['reason'].startswith(('sip_', 'sdp_')) and row['reason'] != 'sip_empty':
                with self.subTest(row['reason']):
                    self.assertTrue(row['status'] or row['points'])

    def test_text_has_the_same_rows(self):
        code, text, _ = self.run_command('screening')
        self.assertEqual(code, 0)
        shown = [line.split()[0] for line in text.splitlines()[1:]]
        self.assertEqual(shown, [row['reason'] for row in self.rows()])

    def test_usage(self):
        code, _, error = self.run_command('screening', '--verbose')
        self.assertEqual(code, 2)
        self.assertIn('--json and nothing else', error)


if __name__ == '__main__':
    unittest.main()
