"""`hornwork watch`: calls, streams and refusals of captures that this test writes, and of third parties'."""
import csv
import json
import random
import shutil
import subprocess
import unittest

import capture
from command import CommandTest, data_folder

CALLER, CALLEE = ('192.0.2.1', 5060), ('192.0.2.2', 5060)
CALLER_RTP, CALLEE_RTP = ('192.0.2.1', 4000), ('192.0.2.2', 6000)
SHOWN = '%s:%d'


def sdp(address, port, types='0 101'):
    family = 'IP6' if ':' in address else 'IP4'
    return (f'v=0\r\no=- 1 1 IN {family} {address}\r\ns=-\r\nc=IN {family} {address}\r\nt=0 0\r\n'
            f'm=audio {port} RTP/AVP {types}\r\na=rtpmap:101 telephone-event/8000\r\n')


def message(start, method, number=1, to_tag='', body='', from_tag='a', call_id='1@192.0.2.1', extra=''):
    tag = f';tag={to_tag}' if to_tag else ''
    kind = 'Content-Type: application/sdp\r\n' if body else ''
    return (f'{start}\r\nVia: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK{number}{method}\r\nMax-Forwards: 70\r\n'
            f'From: <sip:alice@example.com>;tag={from_tag}\r\nTo: <sip:bob@example.com>{tag}\r\nCall-ID: {call_id}\r\n'
            f'CSeq: {number} {method}\r\nContact: <sip:u@192.0.2.1>\r\n{extra}{kind}'
            f'Content-Length: {len(body)}\r\n\r\n{body}').encode()


def request(method, number=1, **how):
    return message(f'{method} sip:bob@example.com SIP/2.0', method, number, **how)


def response(code, method='INVITE', number=1, **how):
    return message(f'SIP/2.0 {code} Words', method, number, **how)


INVITE = request('INVITE', body=sdp(*CALLER_RTP))
RINGING = response(180, to_tag='b')
OK = response(200, to_tag='b', body=sdp(*CALLEE_RTP))
ACK = request('ACK', to_tag='b')
BYE = request('BYE', 2, to_tag='b')
BYE_OK = response(200, 'BYE', 2, to_tag='b')


def there(payload):
    return capture.udp(CALLER, CALLEE, payload)


def back(payload):
    return capture.udp(CALLEE, CALLER, payload)


def signalling():
    return [(0.0, there(INVITE)), (0.1, back(RINGING)), (1.0, back(OK)), (1.1, there(ACK)), (9.0, there(BYE)),
            (9.1, back(BYE_OK))]


def media(count=100, lost=(), late_ms=None, src=CALLER_RTP, dst=CALLEE_RTP, **how):
    """A packet every 20 ms from second 2 on; late_ms(i) is added to the arrival of packet i."""
    return [(2 + i * 0.02 + (late_ms(i) if late_ms else 0) / 1000,
             capture.udp(src, dst, capture.rtp(65500 + i, 4294960000 + 160 * i, **how)))
            for i in range(count) if i not in lost]


def sealed(count=100, src=CALLER_RTP, dst=CALLEE_RTP):
    """As media(), but payloads as a cipher gives them, with a tag behind."""
    chance = random.Random(7)
    return [(2 + i * 0.02, capture.udp(src, dst, capture.rtp(65500 + i, 160 * i, payload=chance.randbytes(170))))
            for i in range(count)]


def signalling_of_srtp():
    """signalling(), with RTP/SAVP and keys in both descriptions."""
    def secure(packet):
        body = packet[packet.index(b'v=0'):]
        new = body.replace(b'RTP/AVP', b'RTP/SAVP') + (
            b'a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:d0RmdmcmVCspeEc3QGZiNWpVLFJhQX1cfHAwJSoj\r\n')
        return packet.replace(b'Content-Length: %d' % len(body), b'Content-Length: %d' % len(new)).replace(body, new)
    return [(0.0, there(secure(INVITE))), (0.1, back(RINGING)), (1.0, back(secure(OK))), (1.1, there(ACK)),
            (9.0, there(BYE)), (9.1, back(BYE_OK))]


class Watch(CommandTest):
    def watch(self, packets, **how):
        path = self.write('capture.pcap', capture.capture(sorted(packets, key=lambda p: p[0]), **how))
        code, out, said = self.run_command('watch', '-r', path, '--json')
        self.assertEqual((code, said), (0, ''))
        self.assertEqual(self.run_command('watch', '-r', path)[0], 0)
        return json.loads(out)

    def kinds(self, report, kind):
        return [one for one in report if one['type'] == kind]

    def call(self, report):
        calls = self.kinds(report, 'call')
        self.assertEqual(len(calls), 1)
        return calls[0]

    def reasons(self, report):
        return [(one['reason'], one['count']) for one in self.kinds(report, 'refused')]


class Encryption(Watch):
    """r4: clear and encrypted media are told apart by their bytes, and held against what was agreed on."""

    def test_by_evidence(self):
        report = self.watch(signalling() + media() + sealed(src=CALLEE_RTP, dst=CALLER_RTP))
        self.assertEqual([s['encryption'] for s in self.call(report)['streams']], ['clear', 'encrypted'])
        self.assertEqual(self.reasons(report), [])

    def test_clear_where_keys_were_agreed_on(self):
        report = self.watch(signalling_of_srtp() + media() + sealed(src=CALLEE_RTP, dst=CALLER_RTP))
        self.assertEqual([s['encryption'] for s in self.call(report)['streams']], ['clear', 'encrypted'])
        self.assertEqual(self.reasons(report), [('srtp_plain', 100)])

    def test_too_little_to_say(self):
        report = self.watch(signalling() + media(count=10))
        self.assertEqual([s['encryption'] for s in self.call(report)['streams']], ['unknown'])


class Calls(Watch):
    def test_answered_call(self):
        report = self.watch(signalling() + media() + media(src=CALLEE_RTP, dst=CALLER_RTP, ssrc=5))
        call = self.call(report)
        self.assertEqual((call['state'], call['end_reason'], call['duration_s']), ('ended', 'bye_caller', 8.0))
        self.assertEqual((call['caller'], call['callee']), ('sip:alice@example.com', 'sip:bob@example.com'))
        self.assertEqual([m.get('method', m.get('code')) for m in call['messages']],
                         ['INVITE', 180, 200, 'ACK', 'BYE', 200])
        self.assertEqual([(s['source'], s['direction'], s['codec'], s['packets'], s['lost'], s['announced'])
                          for s in call['streams']],
                         [(SHOWN % CALLER_RTP, 'from_caller', 'PCMU/8000', 100, 0, True),
                          (SHOWN % CALLEE_RTP, 'from_callee', 'PCMU/8000', 100, 0, True)])
        self.assertEqual(self.reasons(report), [])
        head = self.kinds(report, 'capture')[0]
        self.assertEqual((head['packets'], head['sip_messages'], head['rtp_packets']), (206, 6, 200))

    def test_rejected_and_cancelled(self):
        for code, cancel, want in ((486, False, 'call_rejected'), (487, True, 'call_cancelled')):
            packets = [(0, there(INVITE)), (1, back(response(code, to_tag='b')))]
            if cancel:
                packets.insert(1, (0.5, there(request('CANCEL'))))
            call = self.call(self.watch(packets))
            self.assertEqual((call['state'], call['end_reason'], call['final_status']), ('failed', want, code))

    def test_challenge_is_no_end(self):
        call = self.call(self.watch([(0, there(INVITE)), (1, back(response(401, to_tag='x'))),
                                     (2, there(request('INVITE', 2, body=sdp(*CALLER_RTP)))),
                                     (3, back(response(200, 'INVITE', 2, to_tag='b', body=sdp(*CALLEE_RTP))))]))
        self.assertEqual((call['state'], call['final_status']), ('established', None))

    def test_retransmissions_are_marked(self):
        call = self.call(self.watch([(0, there(INVITE)), (0.5, there(INVITE)), (1, back(RINGING))]))
        self.assertEqual([m['retransmission'] for m in call['messages']], [False, True, False])

    def test_registration_is_an_exchange(self):
        report = self.watch([(0, there(request('REGISTER'))), (0.1, back(response(200, 'REGISTER', to_tag='b')))])
        self.assertEqual(self.kinds(report, 'call'), [])
        self.assertEqual(len(self.kinds(report, 'exchange')[0]['messages']), 2)


class Links(Watch):
    def test_link_types(self):
        for how in ({'link': capture.ETHERNET}, {'link': capture.ETHERNET, 'vlans': (100,)},
                    {'link': capture.ETHERNET, 'vlans': (10, 100)}, {'link': capture.RAW}, {'link': capture.SLL},
                    {'link': capture.SLL2}, {'link': capture.NULL}):
            with self.subTest(how):
                report = self.watch(signalling() + media(), **how)
                self.assertEqual(self.call(report)['state'], 'ended')
                self.assertEqual(self.call(report)['streams'][0]['packets'], 100)

    def test_ipv6(self):
        a, b = ('2001:db8::1', 5060), ('2001:db8::2', 5060)
        report = self.watch([(0, capture.udp(a, b, request('INVITE', body=sdp('2001:db8::1', 4000)))),
                             (1, capture.udp(b, a, response(200, to_tag='b', body=sdp('2001:db8::2', 6000)))),
                             *media(src=('2001:db8::1', 4000), dst=('2001:db8::2', 6000))])
        self.assertEqual(self.call(report)['streams'][0]['destination'], '[2001:db8::2]:6000')
        self.assertEqual(self.reasons(report), [])

    def test_fragments(self):
        long = request('INVITE', body=sdp(*CALLER_RTP), extra='Subject: ' + 'x' * 3000 + '\r\n')
        pieces = capture.fragments(CALLER, CALLEE, long, 1480)
        self.assertEqual(len(pieces), 3)
        report = self.watch([(0.00, pieces[2]), (0.01, pieces[0]), (0.02, pieces[1]), (1, back(OK)), *media()])
        self.assertEqual(self.kinds(report, 'capture')[0]['fragments'], 3)
        self.assertEqual(self.call(report)['streams'][0]['announced'], True)

    def test_tcp(self):
        """Split within a header, pipelined, out of order and sent twice."""
        said = INVITE + ACK
        parts = [said[at:at + 100] for at in range(0, len(said), 100)]
        segments = [(0.1 + i / 1000, capture.tcp(CALLER, CALLEE, 1001 + 100 * i, part)) for i, part in enumerate(parts)]
        segments[2], segments[4] = (segments[2][0], segments[4][1]), (segments[4][0], segments[2][1])
        segments.append((0.3, segments[1][1]))
        report = self.watch([(0, capture.tcp(CALLER, CALLEE, 1000, flags=2)), *segments,
                             (0.5, capture.tcp(CALLEE, CALLER, 5000, flags=0x12)),
                             (0.6, capture.tcp(CALLEE, CALLER, 5001, OK))])
        self.assertEqual([m.get('method', m.get('code')) for m in self.call(report)['messages']], ['INVITE', 'ACK', 200])
        self.assertEqual(self.call(report)['messages'][0]['transport'], 'tcp')

    def test_tcp_hole(self):
        """What is missing in the capture costs one message, not the connection."""
        said = [request('OPTIONS', n, call_id=f'{n}@x') for n in range(1, 301)]
        packets, at = [], 1001
        for n, part in enumerate(said):
            if n != 1:
                packets.append((n / 100, capture.tcp(CALLER, CALLEE, at, part)))
            at += len(part)
        report = self.watch([(0, capture.tcp(CALLER, CALLEE, 1000, flags=2)), *packets])
        self.assertGreater(len(self.kinds(report, 'exchange')), 290)
        self.assertEqual(self.reasons(report), [])


class Quality(Watch):
    def stream(self, **how):
        return self.call(self.watch(signalling() + media(**how)))['streams'][0]

    def test_loss(self):
        clean, lossy = self.stream(), self.stream(lost=set(range(10, 15)))
        self.assertEqual((lossy['packets'], lossy['lost'], lossy['loss_percent']), (95, 5, 5.0))
        self.assertEqual((clean['lost'], clean['jitter_ms']), (0, 0.0))
        self.assertGreater(clean['r_factor'], 90)
        self.assertLess(lossy['r_factor'], clean['r_factor'] - 10)

    def test_jitter(self):
        """Packets that are 4 ms late every other time: |D| is 4 ms, so the estimate nears 4 ms (RFC 3550 A.8)."""
        stream = self.stream(count=1000, late_ms=lambda i: 4 * (i % 2))
        self.assertAlmostEqual(stream['jitter_max_ms'], 4, delta=0.04)
        self.assertAlmostEqual(stream['jitter_ms'], 4 * (1 - 15.0 / 999), delta=0.05)

    def test_against_tshark(self):
        if not shutil.which('tshark'):
            self.skipTest('no tshark here')
        packets = signalling() + media(count=400, lost={7, 8, 90}, late_ms=lambda i: i * 37 % 11)
        ours = self.call(self.watch(packets))['streams'][0]
        said = subprocess.run(['tshark', '-r', self.folder / 'capture.pcap', '-q', '-z', 'rtp,streams'], text=True,
                              capture_output=True, check=True).stdout
        words = next(line for line in said.splitlines() if '0x11223344' in line).split()
        words = [word for word in words[words.index('0x11223344'):] if word != 'X']  # X: it saw a problem
        mean, most = (float(word) for word in words[-2:])
        self.assertEqual((ours['packets'], ours['lost']), (int(words[2]), int(words[3])))
        self.assertAlmostEqual(ours['jitter_ms'], mean, delta=mean / 100)
        self.assertAlmostEqual(ours['jitter_max_ms'], most, delta=most / 100)


class Refusals(Watch):
    def test_malformed(self):
        report = self.watch([(0, there(INVITE.replace(b'CSeq: 1 INVITE', b'CSeq: 1 BYE')))])
        refused = self.kinds(report, 'refused')[0]
        self.assertEqual((refused['reason'], refused['status'], refused['source']),
                         ('sip_cseq_method', 400, SHOWN % CALLER))
        self.assertIn('CSeq', refused['why'])

    def test_check_and_sdp(self):
        rows = ((INVITE.replace(b'Max-Forwards: 70', b'Max-Forwards: 0'), 'too_many_hops'),
                (request('INVITE', body='v=0\r\nnonsense\r\n'), 'sdp_syntax'),
                (request('INVITE', body=sdp('224.0.0.1', 4000)), 'sdp_bad_target'),
                (request('INVITE', body=sdp('192.0.2.1', 53)), 'sdp_bad_target'))
        for said, reason in rows:
            with self.subTest(reason):
                self.assertEqual(self.reasons(self.watch([(0, there(said))])), [(reason, 1)])

    def test_answer_without_the_offers_lines(self):
        body = sdp(*CALLEE_RTP) + 'm=video 7000 RTP/AVP 31\r\n'
        report = self.watch([(0, there(INVITE)), (1, back(response(200, to_tag='b', body=body)))])
        self.assertEqual(self.reasons(report), [('sdp_answer_mismatch', 1)])

    def test_spoofed_bye(self):
        packets = signalling()[:4]
        stranger = capture.udp(('203.0.113.9', 5060), CALLEE, BYE)
        report = self.watch([*packets, (5, stranger), (6, there(request('BYE', 3, to_tag='guess')))])
        self.assertEqual(self.reasons(report), [('dialog_source', 1), ('dialog_unknown', 1)])
        self.assertEqual(self.call(report)['state'], 'established')

    def test_media_that_nobody_asked_for(self):
        stranger = ('203.0.113.9', 4000)
        report = self.watch(signalling() + media(src=stranger, count=50) +
                            media(src=stranger, dst=('192.0.2.2', 7000), count=60, ssrc=9) +
                            media(payload_type=8, count=70, ssrc=8))
        self.assertEqual(sorted(self.reasons(report)),
                         [('rtp_closed_port', 60), ('rtp_payload_type', 70), ('rtp_wrong_source', 50)])
        self.assertEqual([s['announced'] for s in self.kinds(report, 'stream')], [False])

    def test_phone_behind_a_nat(self):
        """Its description names a private address; its media goes back to where it came from."""
        invite = request('INVITE', body=sdp('10.0.0.5', 4000))
        report = self.watch([(0, there(invite)), (1, back(OK)), *media(src=('192.0.2.1', 61000)),
                             *media(src=CALLEE_RTP, dst=('192.0.2.1', 61000), ssrc=5)])
        self.assertEqual(self.reasons(report), [])
        self.assertEqual([s['announced'] for s in self.call(report)['streams']], [True, False])

    def test_no_rtp_on_a_media_port(self):
        report = self.watch(signalling() + [(3, capture.udp(CALLER_RTP, CALLEE_RTP, b'\xff\xff\xff\xff'))])
        self.assertEqual(self.reasons(report), [('rtp_not_rtp', 1)])
        self.assertIsNone(self.call(report)['streams'][0]['ssrc'])


class Files(Watch):
    def test_no_capture(self):
        for content in (b'', b'this is no capture', b'\x00' * 100):
            code, out, said = self.run_command('watch', '-r', self.write('x.pcap', content), '--json')
            self.assertEqual((code, out), (2, ''))
            self.assertIn('x.pcap', said)
        self.assertEqual(self.run_command('watch', '-r', self.folder / 'missing')[0], 2)
        self.assertEqual(self.run_command('watch')[0], 2)
        self.assertEqual(self.run_command('watch', '--help')[0], 0)

    def test_capture_that_breaks_off(self):
        whole = capture.capture(signalling())
        code, out, said = self.run_command('watch', '-r', self.write('x.pcap', whole[:-5]), '--json')
        self.assertEqual((code, len(json.loads(out)[1]['messages'])), (0, 5))
        self.assertIn('x.pcap', said)

    def test_empty_capture(self):
        self.assertEqual([one['type'] for one in self.watch([])], ['capture'])

    def test_third_party_flows(self):
        """Flows of real captures, and whether their SDP announced them."""
        folder = data_folder('pcap')
        if folder is None:
            self.skipTest('no third-party data here')
        with open(folder / 'rtp-flows.tsv', encoding='utf-8', newline='') as table:
            rows = list(csv.DictReader(table, delimiter='\t'))
        streams = {}
        for name in {row['file'] for row in rows}:
            code, out, _ = self.run_command('watch', '-r', folder / name, '--json')
            self.assertEqual(code, 0)
            streams[name] = {(s['source'], s['destination'], s['ssrc']): (s['packets'], s['announced'])
                             for one in json.loads(out) for s in (one.get('streams', []) or [one])
                             if s['type'] == 'stream'}
        wrong = [row for row in rows if streams[row['file']].get((row['src'], row['dst'], row['ssrc'] or None)) !=
                 (int(row['packets']), row['dst_announced_in_sdp'] == 'yes')]
        self.assertEqual(wrong, [])
        self.assertGreater(len(rows), 20)

    def test_third_party_captures(self):
        """Every one is read to its end."""
        folder = data_folder('pcap')
        if folder is None:
            self.skipTest('no third-party data here')
        for path in sorted(path for path in folder.glob('*/*') if path.is_file()):
            with self.subTest(path.name):
                self.assertEqual(self.run_command('watch', '-r', path, '--json')[0], 0)


if __name__ == '__main__':
    unittest.main()
