"""Feeds of every format from files, folders and URLs; hostile ones; older ones; and what is matched after."""
import http.server
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import threading
import unittest

HORNWORK = pathlib.Path(sys.argv.pop(1)).resolve()
SHARED = pathlib.Path(os.environ.get('HORNWORK_DATA', os.environ.get('HORNWORK_DATA_DEFAULT', '/nonexistent'))) / 'assess'

CVE5 = {
    'dataType': 'CVE_RECORD', 'dataVersion': '5.1',
    'cveMetadata': {'cveId': 'CVE-2999-1001', 'state': 'PUBLISHED', 'dateUpdated': '2025-03-01T10:00:00Z'},
    'containers': {
        'cna': {
            'affected': [{'vendor': 'asterisk', 'product': 'asterisk', 'versions': [
                {'status': 'affected', 'version': '< 18.30.1'},
                {'status': 'affected', 'version': '>= 19.0.0, < 20.30.1'},
                {'status': 'affected', 'version': '= 21.30.0'},
                {'status': 'affected', 'version': '< 18.9-cert30'}]}],
            'descriptions': [{'lang': 'en', 'value': 'A made-up flaw.'}],
            'metrics': [{'cvssV3_1': {'baseScore': 9.1, 'vectorString': 'CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:N'}}]},
        'adp': [{'affected': [{'vendor': 'grandstream', 'product': 'gxp1628_firmware', 'versions': [
            {'status': 'affected', 'version': '0', 'lessThan': '1.0.9', 'versionType': 'custom'}]}]}]}}

OSV = {
    'id': 'DSA-9999-1', 'modified': '2025-02-01T00:00:00Z', 'upstream': ['CVE-2999-2001'],
    'affected': [{'package': {'ecosystem': 'Debian:12', 'name': 'asterisk'}, 'ranges': [
        {'type': 'ECOSYSTEM', 'events': [{'introduced': '0'}, {'fixed': '1:20.1.0~dfsg-1+deb12u9'}]}]}]}

TRACKER = {
    'asterisk': {
        'CVE-2999-3001': {'description': 'x', 'releases': {
            'bookworm': {'status': 'resolved', 'fixed_version': '1:20.1-1', 'urgency': 'low'},
            'trixie': {'status': 'resolved', 'fixed_version': '0', 'urgency': 'low'},
            'sid': {'status': 'open', 'urgency': 'low'}}},
        'TEMP-0000001-ABCDEF': {'releases': {'bookworm': {'status': 'open'}}}},
    'kamailio': {'CVE-2999-3002': {'releases': {'bookworm': {'status': 'open', 'nodsa_reason': 'ignored'}}}}}

KEV = {'title': 'x', 'catalogVersion': '2025.05.01', 'dateReleased': '2025-05-01T00:00:00Z',
       'vulnerabilities': [{'cveID': 'CVE-2024-42491', 'dateAdded': '2025-04-30'}]}

VEX = {
    'document': {'category': 'csaf_vex', 'csaf_version': '2.0', 'title': 'x',
                 'tracking': {'id': 'EX-2025-1', 'current_release_date': '2025-06-01T00:00:00Z'}},
    'product_tree': {'branches': [{'category': 'vendor', 'name': 'Sangoma', 'branches': [
        {'category': 'product_name', 'name': 'Asterisk', 'branches': [
            {'category': 'product_version', 'name': '18.24.2', 'product': {'name': 'Asterisk 18.24.2', 'product_id': 'A1'}},
            {'category': 'product_version_range', 'name': 'vers:generic/>=20.0.0|<20.40.0',
             'product': {'name': 'Asterisk 20', 'product_id': 'A2'}}]}]},
        {'category': 'product_version', 'name': 'openssh-0:8.7p1-40.el9', 'product': {
            'name': 'openssh', 'product_id': 'P1',
            'product_identification_helper': {'purl': 'pkg:rpm/redhat/openssh@8.7p1-40.el9?arch=src'}}}],
        'relationships': [{'category': 'default_component_of', 'product_reference': 'P1', 'relates_to_product_reference': 'EL9',
                           'full_product_name': {'name': 'openssh of EL9', 'product_id': 'EL9:P1'}}]},
    'vulnerabilities': [
        {'cve': 'CVE-2025-54995', 'flags': [{'label': 'vulnerable_code_not_present', 'product_ids': ['A1']}],
         'product_status': {'known_not_affected': ['A1'], 'known_affected': ['A2']}},
        {'cve': 'CVE-2999-4001', 'product_status': {'fixed': ['EL9:P1']}}]}

RECOG = '''<?xml version="1.0"?>
<fingerprints matches="sip_header.user_agent" protocol="sip">
  <fingerprint pattern="^Made Up/([0-9.]+)$"><description>x</description>
    <param pos="0" name="service.product" value="Made Up"/><param pos="1" name="service.version"/></fingerprint>
</fingerprints>'''

BOMB = '''<?xml version="1.0"?><!DOCTYPE a [<!ENTITY a "aaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>
<fingerprints matches="sip_header.user_agent"><fingerprint pattern="&b;"/></fingerprints>'''


class Imports(unittest.TestCase):
    def setUp(self):
        self.work = pathlib.Path(tempfile.mkdtemp(prefix='hw-import-'))
        self.feeds = self.work / 'feeds'
        self.addCleanup(shutil.rmtree, self.work)

    def put(self, name, content):
        path = self.work / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content if isinstance(content, str) else json.dumps(content))
        return path

    def hornwork(self, *arguments):
        return subprocess.run([HORNWORK, 'assess', *map(str, arguments), '--feeds', str(self.feeds)], capture_output=True,
                              text=True, timeout=60, check=False)

    def take(self, source, *more):
        done = self.hornwork('import', source, '--json', *more)
        self.assertEqual(done.returncode, 0, done.stderr)
        return json.loads(done.stdout)

    def refuse(self, source, words, *more):
        before = sorted(p.name for p in self.feeds.iterdir()) if self.feeds.exists() else []
        done = self.hornwork('import', source, *more)
        self.assertEqual((done.returncode, done.stdout), (1, ''), done.stderr)
        self.assertIn(words, done.stderr)
        self.assertEqual(sorted(p.name for p in self.feeds.iterdir()), before, 'nothing is left behind')
        return done.stderr

    def match(self, product, version):
        done = self.hornwork('match', product, version, '--json')
        self.assertEqual(done.returncode, 0, done.stderr)
        answer = json.loads(done.stdout)
        return {row['cve']: row for row in answer['cves']}, answer

    def rows(self, name):
        lines = (self.feeds / f'{name}.jsonl').read_text().splitlines()
        return [json.loads(line) for line in lines[1:] if line.strip()]

    def test_cve5(self):
        got = self.take(self.put('record.json', CVE5))
        self.assertEqual((got['format'], got['name'], got['rows']), ('cve5', 'cve-2999-1001', 2))
        for version, applies in (('18.30.0', True), ('18.30.1', False), ('20.30.0', True), ('20.30.1', False), ('21.30.0', True),
                                 ('21.29.0', False), ('18.9-cert29', True), ('18.9-cert30', False), ('22.0.0', False)):
            rows, _ = self.match('asterisk', version)
            self.assertEqual('CVE-2999-1001' in rows, applies, version)
        rows, _ = self.match('grandstream gxp1628', '1.0.8')
        self.assertEqual(rows['CVE-2999-1001']['severity'], 'critical')

    def test_kev_and_vex(self):
        self.take(self.put('kev.json', KEV))
        self.take(self.put('vex.json', VEX))
        rows, _ = self.match('asterisk', '18.24.2')
        self.assertEqual(rows['CVE-2024-42491']['kev'], '2025-04-30')
        self.assertEqual(list(rows)[0], 'CVE-2024-42491', 'what is exploited stands first')
        self.assertNotIn('CVE-2025-54995', rows, 'the supplier says: not affected')
        self.assertIn('CVE-2025-54995', self.match('asterisk', '18.24.1')[0])
        self.assertIn('CVE-2025-54995', self.match('asterisk', '20.39.0')[0])
        package = [row for row in self.rows('csaf-ex-2025-1') if 'package' in row][0]
        self.assertEqual((package['package'], package['order'], package['fixed_version']), ('openssh', 'rpm', '8.7p1-40.el9'))

    def test_distributions(self):
        self.assertEqual(self.take(self.put('osv.json', OSV))['rows'], 1)
        row = self.rows('osv-dsa-9999-1')[0]
        self.assertEqual((row['cve'], row['distribution'], row['release'], row['fixed_version']),
                         ('CVE-2999-2001', 'debian', '12', '1:20.1.0~dfsg-1+deb12u9'))
        got = self.take(self.put('tracker.json', TRACKER))
        self.assertEqual((got['name'], got['rows'], got['skipped']), ('debian-tracker', 4, 1))
        status = {(row['cve'], row['release']): row['status'] for row in self.rows('debian-tracker')}
        self.assertEqual(status, {('CVE-2999-3001', 'bookworm'): 'fixed', ('CVE-2999-3001', 'trixie'): 'not_affected',
                                  ('CVE-2999-3001', 'sid'): 'affected', ('CVE-2999-3002', 'bookworm'): 'ignored'})

    def test_lists_folders_and_recog(self):
        self.put('osv/a.json', OSV)
        self.put('osv/b.json', {**OSV, 'id': 'DSA-9999-2', 'modified': '2025-02-03T00:00:00Z'})
        self.put('osv/README', 'not a feed')
        got = self.take(self.work / 'osv')
        self.assertEqual((got['name'], got['rows']), ('osv', 2))
        self.assertEqual(self.take(self.put('list.json', [OSV, OSV]))['rows'], 2)
        self.assertEqual(self.take(self.put('lines.jsonl', json.dumps(OSV) + '\n' + json.dumps(OSV) + '\n'))['rows'], 2)
        got = self.take(self.put('sip.xml', RECOG))
        self.assertEqual((got['format'], got['rows']), ('recog', 1))
        self.put('osv/c.json', CVE5)
        self.refuse(self.work / 'osv', 'import them one by one')

    def test_own_rows(self):
        row = {'cve': 'CVE-2999-5001', 'product_key': 'asterisk', 'affected': [{'branch_or_model': '22', 'fixed': '22.90.0'}]}
        lines = json.dumps({'hornwork_feed': 1, 'name': 'extra', 'dated': '2025-07-01'}) + '\n' + json.dumps(row) + '\n'
        self.assertEqual(self.take(self.put('x.jsonl', lines))['name'], 'extra')
        self.assertIn('CVE-2999-5001', self.match('asterisk', '22.5.2')[0])
        done = self.hornwork('import', '--remove', 'extra')
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertNotIn('CVE-2999-5001', self.match('asterisk', '22.5.2')[0])
        self.assertEqual(self.hornwork('import', '--remove', 'extra').returncode, 2)

    def test_older_and_future(self):
        self.assertFalse(self.take(self.put('kev.json', KEV))['replaced'])
        older = {**KEV, 'catalogVersion': '2025.04.30', 'dateReleased': '2025-04-30T00:00:00Z', 'vulnerabilities': []}
        older['vulnerabilities'] = [{'cveID': 'CVE-2024-1', 'dateAdded': '2024-01-01'}]
        self.refuse(self.put('older.json', older), 'an older one is not taken')
        self.assertEqual(self.rows('cisa-kev')[0]['cve'], 'CVE-2024-42491', 'the stored one stands')
        self.assertTrue(self.take(self.put('same.json', KEV))['replaced'])
        self.refuse(self.put('future.json', {**KEV, 'dateReleased': '2999-01-01T00:00:00Z'}), 'in the future')

    def test_hostile(self):
        deep = '{"a":' * 5000 + '1' + '}' * 5000
        many = '{"id": "x", "modified": [' + '[],' * 500000 + '[]]}'
        cases = (
            ('deep.json', deep, 'nested too deeply'),
            ('many.json', many, 'too many values'),
            ('long.jsonl', '{"cve": "CVE-1-1"}\n{"cve": "' + 'x' * (1 << 21) + '"}\n', 'none of the known formats'),
            ('line.jsonl', json.dumps(OSV) + '\n{"id": "' + 'x' * (1 << 21) + '"}\n', 'line is too long'),
            ('empty.json', '', 'it is empty'),
            ('text.json', 'hello', 'no JSON'),
            ('cut.json', json.dumps(CVE5)[:-20], 'no JSON'),
            ('bytes.json', '{"id": "\ud800"}'.encode('utf-8', 'surrogatepass').decode('latin-1'), 'none of the known formats'),
            ('other.json', '{"a": 1}', 'none of the known formats'),
            ('number.json', '7', 'no JSON'),
            ('list.json', '[1, 2]', 'none of the known formats'),
            ('bomb.xml', BOMB, 'document type of its own'),
            ('broken.xml', '<fingerprints><fingerprint pattern="x">', 'no XML'),
            ('kev.json', {**KEV, 'vulnerabilities': 'x'}, 'no list'),
            ('kev2.json', {**KEV, 'vulnerabilities': [{'cveID': '<b>'}]}, "no 'cveID'"),
            ('kev3.json', {**KEV, 'vulnerabilities': [7]}, "no 'cveID'"),
            ('cve.json', {**CVE5, 'cveMetadata': {'cveId': 7}}, 'cveMetadata.cveId'),
            ('tracker.json', {'a': {'CVE-2024-1': {'releases': {}}, 'CVE-2024-2': 7}}, 'an object was expected'),
            ('tracker2.json', {'a': {'CVE-2024-1': {'releases': {}}}, 'b': []}, 'an object of CVEs'),
            ('nothing.json', {**OSV, 'affected': []}, 'nothing in it is about'),
        )
        for name, content, words in cases:
            with self.subTest(name):
                self.refuse(self.put(name, content), words)
        done = self.hornwork('import', self.work / 'absent.json')
        self.assertNotEqual(done.returncode, 0)
        self.assertIn('absent.json', done.stderr)

    def test_wrong_types_are_passed_over(self):
        """A member of another type is as if it were not there; nothing breaks."""
        for at in ('affected', 'descriptions', 'metrics'):
            for wrong in (7, 'x', [], {}, [7], [[]], None, [{'versions': 7}], [{'versions': [7]}]):
                doc = json.loads(json.dumps(CVE5))
                doc['containers']['cna'][at] = wrong
                doc['cveMetadata']['dateUpdated'] = '2025-03-01T10:00:00Z'
                done = self.hornwork('import', self.put('w.json', doc), '--name', 'w')
                self.assertIn(done.returncode, (0, 1), (at, wrong, done.stderr))
        for member in ('product_tree', 'vulnerabilities'):
            for wrong in (7, [], {}, [7], {'branches': [7]}, {'branches': [{'branches': 7, 'product': 7}]}):
                done = self.hornwork('import', self.put('v.json', {**VEX, member: wrong}), '--name', 'v')
                self.assertIn(done.returncode, (0, 1), (member, wrong, done.stderr))

    def test_name_is_no_path(self):
        for name in ('../x', 'a/b', '.hidden', '', 'x' * 80, 'a b'):
            self.refuse(self.put('kev.json', KEV), 'is no name of a feed', '--name', name)

    def test_urls(self):
        class Server(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                port = self.server.server_address[1]
                moves = {'/near': '/feed.json', '/far': f'http://localhost:{port}/feed.json', '/round': '/round',
                         '/port': 'http://127.0.0.1:1/feed.json', '/file': 'file:///etc/passwd'}
                if self.path in moves:
                    self.send_response(302)
                    self.send_header('Location', moves[self.path])
                    self.send_header('Content-Length', '0')
                    self.end_headers()
                elif self.path == '/feed.json':
                    body = json.dumps(KEV).encode()
                    self.send_response(200)
                    self.send_header('Content-Length', str(len(body)))
                    self.end_headers()
                    self.wfile.write(body)
                elif self.path == '/large':
                    self.send_response(200)
                    self.send_header('Content-Length', str(1 << 40))
                    self.end_headers()
                else:
                    self.send_error(404)

            def log_message(self, *_):
                pass

        server = http.server.ThreadingHTTPServer(('127.0.0.1', 0), Server)
        self.addCleanup(server.server_close)
        self.addCleanup(server.shutdown)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        base = f'http://127.0.0.1:{server.server_address[1]}'
        self.assertEqual(self.take(base + '/feed.json')['name'], 'cisa-kev')
        self.assertTrue(self.take(base + '/near')['replaced'])
        self.assertTrue(self.take(self.put('kev.json', KEV).as_uri())['replaced'])
        self.refuse(base + '/far', 'another host')
        self.refuse(base + '/port', 'another host')
        self.refuse(base + '/file', 'another host')
        self.refuse(base + '/large', 'larger than')
        for path, words in (('/round', 'without end'), ('/absent', '404')):
            done = self.hornwork('import', base + path)
            self.assertNotEqual(done.returncode, 0)
            self.assertIn(words, done.stderr)

    def test_shared_material(self):
        if not SHARED.is_dir():
            self.skipTest('no shared material')
        self.assertEqual(self.take(SHARED / 'kev' / 'known_exploited_vulnerabilities.json')['rows'], 1404)
        self.assertGreater(self.take(SHARED / 'cve-json5-voip')['rows'], 50)
        self.assertGreater(self.take(SHARED / 'recog')['rows'], 1000)

    def test_shared_counts(self):
        """The rows of the shared file, in place of those that are shipped."""
        if not SHARED.is_dir():
            self.skipTest('no shared material')
        self.assertEqual(self.take(SHARED / 'voip-cves.jsonl')['rows'], 331)
        for version, count, ended in (('18.26.4', 0, None), ('20.15.2', 0, None), ('18.24.2', 5, None), ('18.9-cert12', 3, None),
                                      ('16.28.0', 4, True), ('13.38.3', 2, True)):
            rows, answer = self.match('asterisk', version)
            self.assertEqual(len(rows), count, version)
            if ended:
                self.assertTrue(answer['end_of_life']['ended'], version)


if __name__ == '__main__':
    unittest.main()
