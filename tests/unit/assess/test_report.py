"""The formats of a report: valid, complete, and with the texts of hostile devices harmless."""
import csv
import html.parser
import io
import json
import os
import pathlib
import subprocess
import sys
import unittest
import xml.etree.ElementTree

SAMPLE = sys.argv.pop(1)
SHARED = pathlib.Path(os.environ.get('HORNWORK_DATA', os.environ.get('HORNWORK_DATA_DEFAULT', '/nonexistent'))) / 'assess'
FINDINGS = 7


def sample(*arguments):
    done = subprocess.run([SAMPLE, *arguments], capture_output=True, check=True)
    return done.stdout.decode('utf-8', 'replace' if arguments[0] == 'text' else 'strict')


class Tags(html.parser.HTMLParser):
    """Every element with its attributes, and the visible text; the nesting must be right."""
    VOID = {'meta', 'br', 'img', 'link', 'input'}

    def __init__(self, text):
        super().__init__(convert_charrefs=True)
        self.tags, self.open, self.text = [], [], ''
        self.feed(text)
        self.close()
        assert not self.open, self.open

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open and self.open.pop() == tag, (tag, self.getpos())

    def handle_data(self, data):
        self.text += data


class Reports(unittest.TestCase):
    def test_sarif(self):
        for which in ('all', 'first'):
            doc = json.loads(sample('sarif', which))
            run = doc['runs'][0]
            self.assertEqual(doc['version'], '2.1.0')
            self.assertEqual(run['invocations'][0]['executionSuccessful'], which == 'first')
            self.validate(doc)
        doc = json.loads(sample('sarif'))
        run = doc['runs'][0]
        rules = [rule['id'] for rule in run['tool']['driver']['rules']]
        self.assertEqual(len(rules), len(set(rules)))
        self.assertEqual(len(run['results']), FINDINGS)
        prints = [r['partialFingerprints']['hornworkFinding/v1'] for r in run['results']]
        self.assertEqual(len(set(prints)), FINDINGS)
        for result in run['results']:
            if 'ruleIndex' in result:
                self.assertEqual(rules[result['ruleIndex']], result['ruleId'])
            location = result['locations'][0]['physicalLocation']
            self.assertEqual(location['artifactLocation']['uri'], 'etc/hornwork/hornwork.conf')
        by_check = {r['ruleId']: r for r in run['results']}
        self.assertEqual(by_check['PX-08']['locations'][0]['physicalLocation']['region']['startLine'], 10)
        self.assertEqual([by_check[c]['baselineState'] for c in ('PX-08', 'DV-04', 'DV-12', 'EN-05', 'DV-03')],
                         ['new', 'unchanged', 'new', 'updated', 'absent'])
        self.assertEqual([by_check[c]['level'] for c in ('PX-08', 'EN-05', 'DV-19')], ['error', 'warning', 'note'])
        self.assertEqual(by_check['DV-19']['suppressions'][0]['status'], 'accepted')
        self.assertEqual(by_check['DV-04']['suppressions'], [])
        self.assertEqual(len(run['invocations'][0]['toolExecutionNotifications']), 1)

    def validate(self, doc):
        schema = SHARED / 'schemas' / 'sarif-schema-2.1.0.json'
        if not schema.exists():
            print('the SARIF schema is not at hand: not validated')
            return
        import jsonschema
        jsonschema.validate(doc, json.loads(schema.read_text()))
        with self.assertRaises(jsonschema.ValidationError):  # the schema does look
            jsonschema.validate({**doc, 'version': '1'}, json.loads(schema.read_text()))

    def test_json(self):
        doc = json.loads(sample('json'))
        self.assertEqual(doc['format'], 'hornwork-assess-1')
        self.assertEqual(len(doc['findings']), FINDINGS)
        self.assertEqual([(f['name'], f['age_days']) for f in doc['feeds']], [('voip-cves', 85), ('cisa-kev', 2)])

    def test_csv(self):
        text = sample('csv')
        rows = list(csv.DictReader(io.StringIO(text, newline='')))
        self.assertEqual(len(rows), FINDINGS)
        self.assertEqual({len(row) for row in csv.reader(io.StringIO(text, newline=''))}, {23})
        for row in rows:
            for value in row.values():
                self.assertFalse(value[:1] in ('=', '+', '-', '@', '\t', '\r', '\n', '＝') and value[:1], value)
        self.assertEqual(rows[0]['cve'], 'CVE-2024-42365')
        self.assertEqual(rows[0]['exploited'], 'yes')
        self.assertIn('<script>', rows[2]['evidence'], 'CSV keeps the text as it is')
        self.assertTrue(text.endswith('\r\n'))

    def test_csv_formulas(self):
        """A title that begins a formula comes with an apostrophe."""
        self.assertNotRegex(sample('csv'), r'(^|,)"?[=+@-]')

    def test_junit(self):
        root = xml.etree.ElementTree.fromstring(sample('junit'))
        self.assertEqual([suite.get('name') for suite in root], ['r1', 'r2', 'r3', 'r4', 'r5'])
        cases = {(case.get('classname'), case.get('name')): case for case in root.iter('testcase')}
        self.assertIsNotNone(cases['PX-08', 'pbx1'].find('failure'))
        self.assertIsNone(cases['PX-22', 'pbx1'].find('failure'))
        self.assertIsNone(cases['DV-06', 'desk/10.20.0.22'].find('failure'), 'shielded')
        self.assertIsNotNone(cases['DV-19', 'lobby'].find('skipped'))
        for suite in root:
            for attribute, element in (('tests', 'testcase'), ('failures', 'testcase[failure]'), ('skipped', 'testcase[skipped]')):
                self.assertEqual(int(suite.get(attribute)), len(suite.findall(element)), (suite.get('name'), attribute))
        self.assertEqual(root.findall('.//testcase[failure][skipped]'), [], 'one or the other')
        xml.etree.ElementTree.fromstring(sample('junit', 'first'))

    def test_html_is_harmless(self):
        text = sample('html')
        page = Tags(text)
        names = {tag for tag, _ in page.tags}
        self.assertFalse(names & {'script', 'img', 'svg', 'link', 'iframe', 'object', 'base', 'form', 'i b'}, names)
        for tag, attributes in page.tags:
            for name, value in attributes.items():
                self.assertFalse(name.startswith('on'), (tag, name))
                self.assertNotIn(name, ('src', 'href', 'action', 'srcset', 'data'))
                if name == 'style':
                    self.assertRegex(value, r'^width:[\d.]+%;background:var\(--[a-z]+\)$')
        self.assertNotRegex(text.split('</style>')[0], r'url\(|@import', 'no outside resources')
        self.assertNotIn('\x1b', text)
        self.assertIn("default-src 'none'", text)

    def test_html_tells_all(self):
        page = Tags(sample('html'))
        for words in ('Posture', 'Since the last run', 'Findings', 'Not tested', 'Assets', 'Advisories', 'Not complete', 'run-16',
                      '<script>alert(1)</script>', 'CVE-2024-42365', 'exploited', 'Update to 18.24.2 or newer', 'hornwork shield f-',
                      'management = admins', 'stands before it since', 'ticket 4711 <i>', '85 days', 'import a newer one',
                      'Yealink SIP-T46S 66.86.0.15', '<svg onload=alert(3)>', 'it is in a call <now>', '86 %', '31 of 36 clean',
                      'not looked at', '1 new', '1 fixed', '1 back again', 'medium, was high', 'did not answer: 1'):
            self.assertIn(words, page.text)
        self.assertEqual(sum(1 for tag, _ in page.tags if tag == 'details'), FINDINGS)
        bars = [attributes for _, attributes in page.tags if attributes.get('role') == 'img']
        self.assertEqual(len(bars), 5)

    def test_html_of_a_first_run(self):
        page = Tags(sample('html', 'first'))
        self.assertIn('This is the first run', page.text)
        self.assertIn('Nothing was found', page.text)
        self.assertNotIn('Not complete', page.text)

    def test_text(self):
        text = sample('text')
        self.assertIn('CVE-2024-42365', text)
        self.assertIn('feed voip-cves: 331 rows, 85 days old', text)


if __name__ == '__main__':
    unittest.main()
