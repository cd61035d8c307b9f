"""`hornwork watch -c FILE --link INTERFACE`: what does not belong on a link, in captures that this test writes."""
import json
import pathlib
import random
import struct
import sys
import unittest

import capture
from command import CommandTest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[3] / 'tools'))
# pylint: disable=wrong-import-position
from hwlab.frames import PHONE_SAYS, SWITCH_SAYS, arp, capabilities, cdp, dhcp, ether, lldp, policy

CONFIG = '''
zone voice { interface = eth1  vlan = 110  role = voice  subnets = {"10.20.0.0/24"}  address = "10.20.0.1"
             cleartext = deny  switches = {"02:00:00:00:00:99"} }
zone data  { interface = eth2  role = data  subnets = {"10.30.0.0/24"}  address = "10.30.0.1"
             dhcp-servers = {"10.30.0.2", "fe80::2"} }
zone core  { interface = eth3  role = core  trust = trusted  address = "10.10.0.1" }
pbx main { zone = core  address = "10.10.0.5" }
phones desk { zone = voice  to = main  listen = {"tls:5061"} }
tls { certificate = "/etc/hornwork/certificate.pem"  key = "/etc/hornwork/key.pem" }
'''
PC, PHONE, SWITCH, OTHER = (bytes((2, 0, 0, 0, 0, n)) for n in (0x30, 0x20, 0x99, 0x66))
INVITE = b'INVITE sip:bob@10.20.0.20 SIP/2.0\r\nVia: SIP/2.0/UDP 10.30.0.20\r\n\r\n'


def ip(source, packet, vlans=()):
    return ether(source, capture.ethertype(packet), packet, vlans)


def stream(source, target, count, payload, port=7000):
    return [capture.udp((source, port), (target, port), capture.rtp(n, 160 * n, payload=payload(n))) for n in range(count)]


class Leaks(CommandTest):
    def look(self, frames, link, config=CONFIG):
        rows = [(n * 0.02, frame) for n, frame in enumerate(frames)]
        blocks = struct.pack('<IHHiIII', 0xa1b2c3d4, 2, 4, 0, 0, 65535, 1)
        for at, frame in rows:
            blocks += struct.pack('<IIII', 1000 + int(at), int(at % 1 * 1e6), len(frame), len(frame)) + frame
        words = ('watch', '-r', self.write('x.pcap', blocks), '-c', self.write('x.conf', config), '--link', link)
        code, out, said = self.run_command(*words, '--json')
        self.assertEqual(code, 0, said)
        report = json.loads(out)
        code, self.text, said = self.run_command(*words)
        self.assertEqual(code, 0, said)
        for row in report:
            if row['type'] == 'leak':
                self.assertIn(f"[{row['reason']}]", self.text)
        self.devices = [row for row in report if row['type'] == 'device']
        return [(row['reason'], row['zone'], row['count']) for row in report if row['type'] == 'leak']

    def test_tags_on_an_access_port(self):
        packet = capture.udp(('10.30.0.20', 1), ('10.20.0.20', 2), b'hop')
        frames = [ip(PC, packet, (110,)), ip(PC, packet, (110,)), ip(PC, packet, (1, 110)), ip(PC, packet, (0,)),
                  ip(PC, packet)]
        self.assertEqual(self.look(frames, 'eth2'), [('leak_tag', '', 2), ('leak_double_tag', '', 1)])
        self.assertIn('tagged 1, 110', self.text)

    def test_tags_on_a_trunk(self):
        packet = capture.udp(('10.20.0.20', 1), ('10.20.0.1', 2), b'x')
        frames = [ip(PHONE, packet, (110,)), ip(PHONE, packet, (110, 110))]
        self.assertEqual(self.look(frames, 'eth1'), [('leak_double_tag', '', 1)])

    def test_voice_of_a_data_host(self):
        frames = [ip(PC, capture.udp(('10.30.0.20', 5060), ('10.20.0.20', 5060), INVITE)),
                  ip(PC, capture.udp(('10.30.0.20', 5060), ('10.30.0.1', 5060), INVITE)),  # the gateway's own
                  ip(PC, capture.tcp(('10.30.0.21', 9), ('10.20.0.20', 5060), 1, INVITE))]
        frames += [ip(PC, packet) for packet in stream('10.30.0.20', '10.20.0.20', 20, lambda n: bytes(160))]
        frames += [ip(PC, packet) for packet in stream('10.30.0.22', '10.20.0.20', 7, lambda n: bytes(160))]
        self.assertEqual(self.look(frames, 'eth2'), [('leak_sip', 'data', 1), ('leak_sip', 'data', 1),
                                                     ('leak_rtp', 'data', 13)])
        self.assertIn('INVITE sip:bob@10.20.0.20', self.text)

    def test_sip_that_begins_in_a_segment(self):
        """Behind the end of another message; what only names SIP is none."""
        phone = ('10.20.0.20', 5060)
        frames = [ip(PC, capture.tcp(('10.30.0.21', 9), phone, 1, b'a=rtpmap:0 PCMU/8000\r\n' + INVITE)),
                  ip(PC, capture.tcp(('10.30.0.22', 9), phone, 1, b'a=x\r\n\r\nSIP/2.0 200 OK\r\n\r\n')),
                  ip(PC, capture.tcp(('10.30.0.23', 9), phone, 1, b'HTTP/1.1 200 OK\r\nX: SIP/2.0/TCP\r\n\r\n')),
                  ip(PC, capture.udp(('10.30.0.24', 9), phone, b'a note\r\n' + INVITE))]
        self.assertEqual(self.look(frames, 'eth2'), [('leak_sip', 'data', 1), ('leak_sip', 'data', 1)])
        self.assertIn('10.30.0.21:9 to 10.20.0.20:5060: INVITE sip:bob@10.20.0.20', self.text)
        self.assertIn('10.30.0.22:9 to 10.20.0.20:5060: SIP/2.0 200 OK', self.text)

    def test_datagrams_that_only_begin_like_rtp(self):
        chance = random.Random(5)
        frames = [ip(PC, capture.udp(('10.30.0.20', 9), ('10.20.0.20', 9), b'\x80\x00' + chance.randbytes(100)))
                  for _ in range(200)]
        self.assertEqual(self.look(frames, 'eth2'), [])

    def test_cleartext_where_it_is_denied(self):
        chance = random.Random(5)
        clear = stream('10.20.0.20', '10.20.0.1', 20, lambda n: bytes(160))
        sealed = stream('10.20.0.21', '10.20.0.1', 60, lambda n: chance.randbytes(170))
        frames = [ip(PHONE, packet, (110,)) for packet in [*clear, *sealed]]
        frames.append(ip(PHONE, capture.udp(('10.20.0.22', 5060), ('10.20.0.1', 5060), INVITE), (110,)))
        self.assertEqual(self.look(frames, 'eth1'), [('leak_cleartext', 'voice', 13), ('leak_cleartext', 'voice', 1)])

    def test_phone_on_the_data_vlan(self):
        frames = [lldp(PHONE, *PHONE_SAYS), arp(PHONE, '0.0.0.0'), arp(PC, '10.30.0.20'), arp(PHONE, '10.30.0.40'),
                  ip(PHONE, capture.udp(('10.30.0.40', 9), ('10.30.0.1', 9), b'x'))]
        self.assertEqual(self.look(frames, 'eth2'), [('leak_voice_device', 'data', 2)])
        phone, = self.devices
        self.assertEqual({k: phone[k] for k in ('mac', 'class', 'name', 'maker', 'model', 'firmware', 'serial', 'address')},
                         {'mac': '02:00:00:00:00:20', 'class': 'phone', 'name': 'SEP0200', 'maker': 'Acme',
                          'model': 'Desk 7', 'firmware': 'fw 2.9', 'serial': 'SN77', 'address': '10.30.0.40'})
        self.assertIn('Acme Desk 7 has the address 10.30.0.40', self.text)

    def test_phone_known_by_dhcp_or_cdp(self):
        ask = capture.udp(('0.0.0.0', 68), ('255.255.255.255', 67), dhcp(PHONE, 1, b'yealink'))
        frames = [ip(PHONE, ask), arp(PHONE, '10.30.0.41'), cdp(OTHER, 0x90, (5, b'sw 1'), (6, b'IP Phone 8841')),
                  arp(OTHER, '10.30.0.42')]
        self.assertEqual(self.look(frames, 'eth2'), [('leak_voice_device', 'data', 1)] * 2)
        self.assertEqual([(d['known_by'], d['model'], d['firmware']) for d in self.devices],
                         [(['dhcp'], 'yealink', ''), (['cdp'], 'IP Phone 8841', 'sw 1')])

    def test_who_answers_dhcp(self):
        advert = lambda source: capture.ip(source, 'ff02::1', 58, b'\x86' + bytes(15))
        frames = [ip(OTHER, capture.udp(('10.30.0.2', 67), ('255.255.255.255', 68), dhcp(PC, 2))),
                  ip(OTHER, capture.udp(('10.30.0.66', 67), ('255.255.255.255', 68), dhcp(PC, 2))),
                  ip(OTHER, capture.udp(('10.30.0.1', 67), ('255.255.255.255', 68), dhcp(PC, 2))),
                  ip(OTHER, advert('fe80::2')), ip(OTHER, advert('fe80::66')),
                  ip(OTHER, capture.udp(('fe80::67', 547), ('fe80::5', 546), b'\x02'))]
        self.assertEqual(self.look(frames, 'eth2'), [('leak_server', 'data', 1)] * 3)

    def test_who_speaks_as_a_switch(self):
        frames = [lldp(SWITCH, *SWITCH_SAYS, policy(110)), lldp(PHONE, *PHONE_SAYS, policy(110)),
                  lldp(OTHER, *SWITCH_SAYS), lldp(PC, capabilities(0x80))]
        self.assertEqual(self.look(frames, 'eth1'), [('leak_switch', '', 1)])
        self.assertEqual([d['class'] for d in self.devices], ['network', 'phone', 'network', 'other'])
        named = self.look([lldp(OTHER, capabilities(0x80), policy(666)), cdp(OTHER, 0x10, (14, b'\x01\x02\x9a'))], 'eth1')
        self.assertEqual(named, [('leak_switch', '', 2)])
        self.assertIn('voice VLAN 666', self.text)

    def test_the_first_switch_where_none_is_named(self):
        frames = [lldp(SWITCH, *SWITCH_SAYS), lldp(OTHER, *SWITCH_SAYS), lldp(SWITCH, *SWITCH_SAYS)]
        self.assertEqual(self.look(frames, 'eth2'), [('leak_switch', 'data', 1)])
        self.assertIn('02:00:00:00:00:66', self.text)

    def test_a_flood_hides_nothing(self):
        frames = [ether(struct.pack('>HI', 0x0200, n), 0x0800, b'', (7,)) for n in range(2000)]
        frames.append(ip(PC, capture.udp(('10.30.0.20', 5060), ('10.20.0.20', 5060), INVITE)))
        found = self.look(frames, 'eth2')
        self.assertEqual([row for row in found if row[0] != 'leak_tag'], [('leak_sip', 'data', 1)])
        self.assertEqual(len(found), 128 + 1)
        self.assertIn('1872 frames of which no more was kept', self.text)

    def test_broken_frames(self):
        chance = random.Random(9)
        whole = [lldp(PHONE, *PHONE_SAYS), cdp(PHONE, 0x90), arp(PHONE, '10.30.0.9')]
        frames = [frame[:n] for frame in whole for n in range(1, len(frame))] + [chance.randbytes(60) for _ in range(50)]
        self.look(frames, 'eth2')

    def test_wrong_words(self):
        blocks = struct.pack('<IHHiIII', 0xa1b2c3d4, 2, 4, 0, 0, 65535, 113)
        file, config = self.write('x.pcap', blocks), self.write('x.conf', CONFIG)
        for more, said in ((('-c', config), 'usage'), (('--link', 'eth1'), 'usage'), (('-c', config, '--link', 'eth9'), 'eth9'),
                           (('-c', config, '--link', 'eth1'), 'Ethernet'),
                           (('-c', self.write('bad.conf', 'zone {'), '--link', 'eth1'), 'bad.conf')):
            code, out, words = self.run_command('watch', '-r', file, *more)
            self.assertEqual((code, out), (2, ''), words)
            self.assertIn(said, words)


if __name__ == '__main__':
    unittest.main()
