"""`hornwork parse`: verdicts, statuses and pinholes of files, and its exit codes."""
import json
import unittest

from command import CommandTest, data_folder

SDP = ('v=0\r\no=- 1 1 IN IP4 192.0.2.5\r\ns=-\r\nc=IN IP4 192.0.2.5\r\nt=0 0\r\n'
       'm=audio 4000 RTP/AVP 0\r\na=sendonly\r\nm=video 0 RTP/AVP 31\r\n')
PINHOLES = [
    {'media': 'audio', 'proto': 'RTP/AVP', 'family': 'IP4', 'addr': '192.0.2.5', 'port': 4000, 'rtcp_port': 4001,
     'rtcp_addr': '192.0.2.5', 'rtcp_mux': False, 'direction': 'sendonly', 'open': True},
    {'media': 'video', 'proto': 'RTP/AVP', 'family': 'IP4', 'addr': '192.0.2.5', 'port': 0, 'rtcp_port': None,
     'rtcp_addr': None, 'rtcp_mux': False, 'direction': 'sendrecv', 'open': False},
]
KEYS = ('media', 'proto', 'family', 'addr', 'port', 'rtcp_port', 'rtcp_mux', 'direction')


def request(method='OPTIONS', uri='sip:bob@example.com', body='', content_type='application/sdp', headers=()):
    lines = [f'{method} {uri} SIP/2.0', 'Via: SIP/2.0/UDP 192.0.2.5;branch=z9hG4bK1', 'Max-Forwards: 70',
             'From: <sip:alice@example.com>;tag=1', 'To: <sip:bob@example.com>', 'Call-ID: 1@192.0.2.5',
             f'CSeq: 1 {method}', 'Contact: <sip:alice@192.0.2.5>', *headers]
    lines = [line for line in lines if not (line == 'Max-Forwards: 70' and any('Max-' in h for h in headers))]
    if body:
        lines.append(f'Content-Type: {content_type}')
    return '\r\n'.join([*lines, f'Content-Length: {len(body)}', '', body])


RESPONSE = ('SIP/2.0 180 Ringing\r\nVia: SIP/2.0/UDP 192.0.2.5;branch=z9hG4bK1\r\nFrom: <sip:a@example.com>;tag=1\r\n'
            'To: <sip:b@example.com>;tag=2\r\nCall-ID: 1\r\nCSeq: 1 INVITE\r\nContent-Length: 0\r\n\r\n')


class Datagrams(CommandTest):
    def judge(self, content, *options):
        code, lines = self.json_lines('parse', *options, self.write('message', content))
        self.assertEqual(len(lines), 1)
        return code, lines[0]

    def test_request(self):
        code, said = self.judge(request())
        self.assertEqual((code, said['verdict'], said['method']), (0, 'accept', 'OPTIONS'))
        self.assertIsNone(said['reason'])
        self.assertIsNone(said['status'])

    def test_response(self):
        code, said = self.judge(RESPONSE)
        self.assertEqual((code, said['verdict'], said['code']), (0, 'accept', 180))

    def test_refused_request_has_a_status(self):
        code, said = self.judge(request().replace('CSeq: 1 OPTIONS', 'CSeq: 1 INVITE'))
        self.assertEqual((code, said['verdict'], said['reason'], said['status']),
                         (1, 'refuse', 'sip_cseq_method', 400))

    def test_refused_response_is_not_answered(self):
        code, said = self.judge(RESPONSE.replace('CSeq: 1 INVITE', 'CSeq: 99999999999 INVITE'))
        self.assertEqual((code, said['verdict'], said['status']), (1, 'refuse', None))

    def test_well_formed_but_answered_with_an_error(self):
        rows = (({'headers': ['Max-Forwards: 0']}, 483), ({'headers': ['Require: nothing-known']}, 420),
                ({'uri': 'soap.beep://192.0.2.103:3002'}, 416),
                ({'method': 'INVITE', 'body': 'x', 'content_type': 'application/unknown'}, 415))
        for how, status in rows:
            with self.subTest(status):
                code, said = self.judge(request(**how))
                self.assertEqual((code, said['verdict'], said['status']), (0, 'accept', status))

    def test_pinholes_of_a_body(self):
        code, said = self.judge(request('INVITE', body=SDP))
        self.assertEqual((code, said['pinholes']), (0, PINHOLES))

    def test_pinholes_of_a_multipart_body(self):
        body = ('preamble\r\n--xx\r\nContent-Type: text/plain\r\n\r\nv=0\r\n--xx\r\nContent-Type: application/sdp\r\n'
                f'\r\n{SDP}--xx--\r\n')
        code, said = self.judge(request('INVITE', body=body, content_type='multipart/mixed; boundary="xx"'))
        self.assertEqual((code, said['pinholes']), (0, PINHOLES))

    def test_broken_sdp_is_named_beside_the_verdict(self):
        code, said = self.judge(request('INVITE', body='v=0\r\nnonsense\r\n'))
        self.assertEqual((code, said['verdict'], said['sdp_reason']), (0, 'accept', 'sdp_syntax'))

    def test_empty_file(self):
        self.assertEqual(self.judge('')[1]['verdict'], 'refuse')


class Streams(CommandTest):
    def judge(self, content):
        code, lines = self.json_lines('parse', '--stream', self.write('stream', content))
        self.assertEqual(len(lines), 1)
        return code, lines[0]

    def test_several_messages(self):
        code, said = self.judge('\r\n\r\n' + request('INVITE', body=SDP) + RESPONSE + '\r\n\r\n' + request())
        self.assertEqual((code, said['verdict'], said['method']), (0, 'accept', 'INVITE'))
        self.assertEqual([m.get('method', m.get('code')) for m in said['messages']], ['INVITE', 180, 'OPTIONS'])
        self.assertEqual(said['messages'][0]['pinholes'], PINHOLES)

    def test_unfinished(self):
        code, said = self.judge(request() + request('INVITE', body=SDP)[:-1])
        self.assertEqual((code, said['verdict']), (0, 'incomplete'))
        self.assertEqual([m['verdict'] for m in said['messages']], ['accept', 'incomplete'])

    def test_refusal_ends_it(self):
        code, said = self.judge(request() + 'nonsense\r\n\r\n' + request())
        self.assertEqual((code, said['verdict'], len(said['messages'])), (1, 'refuse', 2))

    def test_keep_alives_alone(self):
        code, said = self.judge('\r\n\r\n\r\n\r\n')
        self.assertEqual((code, said['verdict'], said['messages']), (0, 'accept', []))


class Descriptions(CommandTest):
    def test_accepted(self):
        code, lines = self.json_lines('parse', '--sdp', self.write('sdp', SDP))
        self.assertEqual((code, lines[0]['verdict'], lines[0]['pinholes']), (0, 'accept', PINHOLES))

    def test_refused_but_shown(self):
        code, lines = self.json_lines('parse', '--sdp', self.write('sdp', SDP.replace('4000', '492170')))
        self.assertEqual((code, lines[0]['verdict'], lines[0]['reason'], lines[0]['status']),
                         (1, 'refuse', 'sdp_media', 488))
        self.assertEqual((lines[0]['pinholes'][0]['port'], lines[0]['pinholes'][0]['rtcp_port']), (492170, 492171))

    def test_corpus(self):
        """The pinholes on which two independent readers agree."""
        folder = data_folder('sdp')
        if folder is None:
            self.skipTest('no third-party data here')
        rows = [json.loads(line) for line in (folder / 'pinholes.jsonl').read_text().splitlines()]
        rows = [row for row in rows if (folder.parent / row['id']).exists()]
        wrong = [row['id'] for kind in (True, False) for row in self.corpus_wrong(folder, rows, kind)]
        self.assertEqual(wrong, [])
        self.assertGreater(len(rows), 500)

    def corpus_wrong(self, folder, rows, sdp_files):
        rows = [row for row in rows if row['id'].startswith('sdp/') == sdp_files]
        files = [folder.parent / row['id'] for row in rows]
        _, lines = self.json_lines('parse', *(['--sdp'] if sdp_files else []), *files)
        for row, said in zip(rows, lines, strict=True):
            got = [tuple(pinhole[key] for key in KEYS) for pinhole in said.get('pinholes', [])]
            if got != [tuple(pinhole[key] for key in KEYS) for pinhole in row['pinholes']]:
                yield row


class Usage(CommandTest):
    def test_exit_codes(self):
        self.assertEqual(self.run_command('parse')[0], 2)
        self.assertEqual(self.run_command('parse', '--no-such-option', 'x')[0], 2)
        self.assertEqual(self.run_command('parse', '--help')[0], 0)
        code, _, said = self.run_command('parse', self.folder / 'missing')
        self.assertEqual(code, 2)
        self.assertIn('missing', said)
        self.assertEqual(self.run_command('parse', self.folder)[0], 2)

    def test_a_missing_file_hides_no_other(self):
        code, lines = self.json_lines('parse', self.folder / 'missing', self.write('good', request()))
        self.assertEqual((code, [line['verdict'] for line in lines]), (2, ['accept']))


if __name__ == '__main__':
    unittest.main()
