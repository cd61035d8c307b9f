"""`hornwork watch` names attacks, by the gateway's own judgement, in captures that this test writes and in third parties'."""
import json
import unittest

import capture
import test_watch
from command import data_folder
from test_watch import CALLEE, CALLER, message, request, response

PBX, STRANGER = ('192.0.2.2', 5060), ('203.0.113.9', 5071)
MADE_WITHOUT_CONTACT = {'suricata-verify__sip-body-large.pcap', 'zeek__invalid-content-length.pcap'}  # no calls


def ask(method, name, n, extra='', to_tag=''):
    return message(f'{method} sip:{name}@example.com SIP/2.0', method, n, call_id=f'{n}@x', extra=extra,
                   to_tag=to_tag).replace(b'sip:bob@', f'sip:{name}@'.encode()).replace(b'sip:alice@', f'sip:{name}@'.encode())


def answer(code, method, name, n, extra=''):
    return message(f'SIP/2.0 {code} Words', method, n, call_id=f'{n}@x', to_tag='p', extra=extra).replace(
        b'sip:bob@', f'sip:{name}@'.encode()).replace(b'sip:alice@', f'sip:{name}@'.encode())


CHALLENGE = 'WWW-Authenticate: Digest realm="example.com", nonce="n"\r\n'
STALE = 'WWW-Authenticate: Digest realm="example.com", nonce="n", stale=true\r\n'


def password(name):
    return (f'Authorization: Digest username="{name}", realm="example.com", nonce="n", uri="sip:example.com", '
            'response="00112233445566778899aabbccddeeff"\r\n')


def exchange(at, method, name, n, code, who=STRANGER, extra='', answer_extra=''):
    return [(at, capture.udp(who, PBX, ask(method, name, n, extra))),
            (at + 0.01, capture.udp(PBX, who, answer(code, method, name, n, answer_extra)))]


def guess(at, name, n, code=401, who=STRANGER, last=CHALLENGE):
    """Asked, challenged, tried and refused (or taken)."""
    return exchange(at, 'REGISTER', name, n, 401, who, answer_extra=CHALLENGE) + \
        exchange(at + 0.1, 'REGISTER', name, n + 1, code, who, password(name), last if code == 401 else '')


class AttackTest(test_watch.Watch):
    def attacks(self, packets, *more):
        """{reason: (event type, source, count)}; text, --json and --events say the same."""
        path = self.write('capture.pcap', capture.capture(sorted(packets, key=lambda p: p[0])))
        rows = []
        for form in ('--json', '--events', None):
            code, out, said = self.run_command('watch', '-r', path, *([form] if form else []), *more)
            self.assertEqual((code, said), (0, ''))
            rows.append(out)
        report = [one for one in json.loads(rows[0]) if one['type'] == 'attack']
        events = [json.loads(line) for line in rows[1].splitlines()]
        self.assertEqual(events, [{key: one[key] for key in one if key not in
                                   ('type', 'count', 'kept_out', 'time_s', 'last_s')} for one in report])
        self.assertEqual('\nAttacks\n' in rows[2], bool(report))
        for one in report:
            self.assertIn(f'[{one["reason"]}]', rows[2])
        self.report = report
        return {one['reason']: (one['event_type'], one['src_ip'], one['count']) for one in report}


class Attacks(AttackTest):
    def test_a_tool_by_its_name_and_a_ban_that_runs_out(self):
        scan = ask('OPTIONS', '100', 1, 'User-Agent: friendly-scanner\r\n')
        found = self.attacks([(at, capture.udp(STRANGER, PBX, scan)) for at in (0, 100, 500, 700)])
        self.assertEqual(found, {'scanner_tool': ('refused', STRANGER[0], 2), 'ban_scan': ('ban', STRANGER[0], 2)})
        ban = next(one for one in self.report if one['event_type'] == 'ban')
        self.assertEqual((ban['kept_out'], ban['timestamp'], ban['severity'], ban['tag'], ban['dest_ip'], ban['proto']),
                         (2, '2023-11-14T22:13:20.000Z', 'warning', 'r2', PBX[0], 'udp'))
        self.assertIn('SIPVicious', self.report[0]['message'])

    def test_names_asked_for_one_after_another(self):
        for code in (404, 401):  # 401 tells less: nine names in a row without a password are one offence
            with self.subTest(code):
                found = self.attacks(sum((exchange(n / 10, 'REGISTER', str(100 + n), n + 1, code) for n in range(40)), []))
                self.assertEqual((found['ban_scan'][:2], found['name_walk'][2]), (('ban', STRANGER[0]), 7))

    def test_options_to_ever_new_names(self):
        """A PBX whose phones answer asks them so, too: that is none."""
        sweep = [(n / 10, capture.udp(STRANGER, ('192.0.2.%d' % (n + 1), 5060), ask('OPTIONS', str(100 + n), n + 1)))
                 for n in range(40)]
        self.assertEqual(self.attacks(sweep)['ban_scan'][:2], ('ban', STRANGER[0]))
        self.assertEqual(self.attacks(sum((exchange(n / 10, 'OPTIONS', str(100 + n), n + 1, 200) for n in range(40)), [])), {})

    def test_guessed_passwords(self):
        found = self.attacks(sum((guess(n, '100', 10 * n + 1) for n in range(10)), []))
        self.assertEqual(found, {'credentials_wrong': ('refused', STRANGER[0], 5), 'ban_guess': ('ban', STRANGER[0], 1)})

    def test_a_mistyped_password_is_no_attack(self):
        packets = guess(0, '100', 1) + guess(5, '100', 11) + guess(9, '100', 21, 200)
        self.assertEqual(self.attacks(packets), {})
        self.assertEqual(self.attacks(sum((guess(n, '100', 10 * n + 1, last=STALE) for n in range(20)), [])), {})

    def test_one_account_guessed_from_everywhere(self):
        packets = sum((guess(n, '100', 10 * n + 1, who=('203.0.113.%d' % (n + 1), 5060)) for n in range(12)), [])
        found = self.attacks(packets)
        self.assertEqual(set(found), {'account_guarded'})
        self.assertIn('sip:100@example.com', self.report[0]['message'])

    def test_a_flood(self):
        found = self.attacks([(n / 300, capture.udp(STRANGER, PBX, ask('INVITE', '100', n + 1))) for n in range(2400)])
        self.assertEqual(found['ban_flood'], ('ban', STRANGER[0], 1))
        self.assertEqual(found['source_rate_limit'][0], 'refused')

    def test_a_flood_from_many_sources_of_few_messages_each(self):
        """None of them is noticed alone. Whom a phone system serves is none of them, though all are alike."""
        def crowd(n, method, code):
            who = ('198.18.%d.%d' % (n % 30, n % 60 + 1), 5060)
            agent = 'User-Agent: Bot\r\n'
            if code:
                return exchange(n / 6, method, str(100 + n), n + 1, code, who, agent, CHALLENGE if code == 401 else '')
            return [(n / 6, capture.udp(who, PBX, ask(method, str(100 + n), n + 1, agent)))]

        for method, code, named in (('INVITE', 0, True), ('INVITE', 403, True), ('INVITE', 486, False),
                                    ('REGISTER', 401, True), ('REGISTER', 200, False), ('REGISTER', 503, False)):
            with self.subTest(method=method, code=code):
                found = self.attacks(sum((crowd(n, method, code) for n in range(120)), []))
                self.assertEqual(set(found), {'distributed_flood'} if named else set())
                if named:
                    self.assertIn('of one User-Agent', self.report[0]['message'])
                    self.assertRegex(self.report[0]['message'], '^.*: 6[0-9] sources in 30 networks|[56][0-9] sources in 30')

    def test_known_flaws(self):
        attack = ask('INVITE', '100', 1).replace(b'Contact: <sip:u@192.0.2.1>\r\n', b'')
        found = self.attacks([(n, capture.udp(STRANGER, PBX, attack)) for n in range(3)])
        self.assertEqual(found, {'virtual_patch': ('refused', STRANGER[0], 3), 'ban_exploit': ('ban', STRANGER[0], 1)})
        self.assertIn('CVE-2017-17850', self.report[0]['message'])

    def test_forged_byes(self):
        forged = [(5 + n, capture.udp(STRANGER, CALLEE, request('BYE', 10 + n, to_tag='b'))) for n in range(4)]
        found = self.attacks(test_watch.signalling()[:4] + forged)
        self.assertEqual(found, {'dialog_source': ('refused', STRANGER[0], 4), 'ban_forgery': ('ban', STRANGER[0], 1)})

    def test_garbage(self):
        found = self.attacks([(n / 10, capture.udp(STRANGER, PBX, b'GARBAGE %d SIP/2.0\r\n\r\n' % n)) for n in range(70)])
        self.assertEqual(found['ban_garbage'], ('ban', STRANGER[0], 1))

    def test_who_answers_registers_is_no_attacker(self):
        """Nor is what phones behind one address do together: an office has five times as much."""
        packets = guess(0, '100', 1, 200) + [(10 + n / 10, capture.udp(PBX, STRANGER, b'GARBAGE %d SIP/2.0\r\n\r\n' % n))
                                             for n in range(70)]
        packets += [(20 + n / 10, capture.udp((STRANGER[0], 6000 + n), PBX, b'GARBAGE %d SIP/2.0\r\n\r\n' % n))
                    for n in range(70)]
        self.assertEqual(self.attacks(packets), {})

    def test_ordinary_calls(self):
        self.assertEqual(self.attacks(test_watch.signalling() + test_watch.media()), {})
        self.assertEqual(self.attacks([(0, capture.udp(CALLER, CALLEE, test_watch.INVITE)),
                                       (1, capture.udp(CALLEE, CALLER, response(404, to_tag='b')))]), {})


class Rules(AttackTest):
    RULE = """patch phones-evil-subject {
	cve = CVE-2099-0001
	product = *
	about = "a made-up flaw"
	action = reject 400
	match = Subject ~ /evil/
	attack
%s	|
	neighbour
%s	|
}
"""

    def evil(self, word):
        return ask('INVITE', '100', 1, f'Subject: {word}\r\n')

    def rule(self):
        lines = ['\t| ' + self.evil(word).decode().replace('\r\n\r\n', '').replace('\r\n', '\n\t| ') + '\n'
                 for word in ('evil', 'lunch')]
        return self.write('mine.conf', self.RULE % tuple(lines))

    def test_rules_of_ones_own(self):
        packets = [(0, capture.udp(STRANGER, PBX, self.evil('evil')))]
        self.assertEqual(self.attacks(packets), {})
        found = self.attacks(packets, '--rules', self.rule())
        self.assertEqual(found, {'virtual_patch': ('refused', STRANGER[0], 1)})
        self.assertIn('phones-evil-subject (CVE-2099-0001)', self.report[0]['message'])

    def test_what_a_configuration_says(self):
        """Peers and never-ban are no attackers; limits are its own; so is the ban's time."""
        config = ('zone out { interface = eth1  subnets = {"0.0.0.0/0"}  address = "192.0.2.2" }\n'
                  'zone core { interface = eth3  trust = trusted  address = "10.10.0.1" }\n'
                  'pbx main { zone = core  address = "10.10.0.5" }\n'
                  'phones road { zone = out  to = main }\n'
                  'limits { ban-time = 60s %s }\n')
        scan = ask('OPTIONS', '100', 1, 'User-Agent: friendly-scanner\r\n')
        packets = [(at, capture.udp(STRANGER, PBX, scan)) for at in (0, 100)]
        more = lambda text: ('-c', self.write('x.conf', config % text), '--link', 'eth1')  # noqa: E731
        self.assertEqual(self.attacks(packets, *more(''))['ban_scan'], ('ban', STRANGER[0], 2))
        self.assertEqual(self.attacks(packets, *more('never-ban = {"203.0.113.0/24"}')), {})
        peer = [(0, capture.udp(('10.10.0.5', 5060), PBX, scan))]
        self.assertEqual(self.attacks(peer, '-c', self.folder / 'x.conf', '--link', 'eth3'), {})

    def test_rules_that_cannot_be_read(self):
        path = self.write('capture.pcap', capture.capture([]))
        for content, where in ((b'nonsense here\n', 'bad.conf:1: '), (None, 'missing.conf')):
            rules = self.write('bad.conf', content) if content else self.folder / 'missing.conf'
            code, out, said = self.run_command('watch', '-r', path, '--rules', rules)
            self.assertEqual((code, out), (2, ''))
            self.assertIn(where, said)


class ThirdParties(AttackTest):
    def events(self, path):
        code, out, _ = self.run_command('watch', '-r', path, '--events')
        self.assertEqual(code, 0)
        return [json.loads(line) for line in out.splitlines()]

    def test_attacks_are_named(self):
        folder = data_folder('attack', 'sipvicious-lab')
        if folder is None:
            self.skipTest('no third-party data here')
        for name, reason in (('svmap-options', 'ban_scan'), ('svwar-options', 'ban_scan'), ('svwar-register', 'ban_scan'),
                             ('invite-flood-sipp', 'source_rate_limit')):
            with self.subTest(name):
                if not (folder / f'{name}.pcap').exists():
                    self.skipTest('not among this data')
                self.assertIn(reason, [one['reason'] for one in self.events(folder / f'{name}.pcap')])

    def test_no_false_alarms(self):
        folder = data_folder('pcap')
        if folder is None:
            self.skipTest('no third-party data here')
        paths = sorted(path for path in folder.glob('*/*.pcap*') if path.parent.name != 'attack')
        for path in paths:
            with self.subTest(path.name):
                events = [one for one in self.events(path) if one['reason'] != 'virtual_patch' or
                          path.name not in MADE_WITHOUT_CONTACT]
                self.assertEqual(events, [])
        self.assertGreater(len(paths), 50)


if __name__ == '__main__':
    unittest.main()
