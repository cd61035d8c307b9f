"""`hornwork check` and `hornwork init`: what they print, what they write, and their exit codes."""
import json
import pathlib
import subprocess
import unittest

import command
from command import CommandTest

ROOT = pathlib.Path(__file__).resolve().parents[3]
GOOD = 'zone z { interface = lo }\npbx p { zone = z address = 127.0.0.9 }\nphones f { zone = z to = p }\n'


class Check(CommandTest):
    def test_good(self):
        path = self.write('good.conf', GOOD)
        self.assertEqual(self.run_command('check', path), (0, f'{path}: 1 zone, 1 pbx, 1 phones, 0 trunks: ok\n', ''))
        self.assertEqual(self.run_command('check', '--json', path), (0, '[]\n', ''))
        self.assertEqual(self.run_command('check', '-c', path)[0], 0)

    def test_every_error_in_one_run(self):
        path = self.write('bad.conf', GOOD.replace('lo }', 'lo  subnets = "127.0.0.0/8" }\nzone spare { interface = eth7 }') +
                          'media {\n prots = 1\n path = usr\n}\n')
        code, out, _ = self.run_command('check', path)
        self.assertEqual(code, 1)
        self.assertEqual(out.splitlines(), [
            f'{path}:2: warning: zone spare is named by no pbx, phones or trunk',
            f'{path}:6: media has no key "prots"; did you mean "ports"?',
            f'{path}:6: ports = "1": write the first and the last port, as in "16384-32767"',
            f'{path}:7: path = "usr": did you mean "user"?'])
        code, out, _ = self.run_command('check', '--json', path)
        said = json.loads(out)
        self.assertEqual((code, len(said)), (1, 4))
        self.assertEqual(said[1], {'file': str(path), 'line': 6, 'severity': 'error',
                                   'message': 'media has no key "prots"; did you mean "ports"?'})
        self.assertEqual(said[0]['severity'], 'warning')

    def test_many_files_worst_code(self):
        good, bad = self.write('good.conf', GOOD), self.write('bad.conf', 'zone {\n')
        self.assertEqual(self.run_command('check', good, bad)[0], 1)
        self.assertEqual(self.run_command('check', bad, self.folder / 'absent')[0], 2)
        code, out, _ = self.run_command('check', '--json', bad, bad)
        self.assertEqual((code, len(json.loads(out))), (1, 2))

    def test_environment_and_usage(self):
        self.assertEqual(self.run_command('check', self.folder)[0], 2)
        code, out, _ = self.run_command('check', self.folder / 'absent')
        self.assertEqual((code, out), (2, f'{self.folder}/absent: cannot be opened: No such file or directory\n'))
        self.assertEqual(self.run_command('check', '--wrong')[0], 2)
        self.assertEqual(self.run_command('check', '--help')[0], 0)

    def test_resolve_asks_this_machine(self):
        path = self.write('here.conf', GOOD.replace('lo', 'no-such-if'))
        self.assertEqual(self.run_command('check', path)[0], 0)
        code, out, _ = self.run_command('check', '--resolve', path)
        self.assertEqual(code, 1)
        self.assertIn(f'{path}:1: zone z: there is no interface no-such-if on this machine; there are: ', out)

    def test_what_is_shipped_is_good(self):
        shipped = [*ROOT.glob('examples/*.conf'), ROOT / 'packaging' / 'hornwork.conf']
        self.assertGreater(len(shipped), 5)
        for path in shipped:
            code, out, _ = self.run_command('check', path)
            self.assertEqual((code, out.count('\n')), (0, 1), out)

    def test_what_is_documented_is_good(self):
        text = (ROOT / 'README.md').read_text()
        blocks = [b for b in text.split('```')[1::2] if b.lstrip().startswith('zone ')]
        _, page, _ = self.run_command('manual', 'conf')
        blocks.append(page.split('and a trunk:')[1].split('.Bd -literal -offset indent\n')[1].split('.Ed')[0])
        self.assertGreater(len(blocks), 1)
        for block in blocks:
            code, out, _ = self.run_command('check', self.write('block.conf', block))
            self.assertEqual((code, out.count('\n')), (0, 1), out)
            self.assertLessEqual(len([line for line in block.splitlines() if line.strip()]), 25)


class Init(CommandTest):
    def init(self, *options, answers=''):
        done = subprocess.run([command.BINARY, 'init', *map(str, options)], input=answers, capture_output=True,
                              text=True, timeout=60, check=False)
        return done.returncode, done.stdout, done.stderr

    def options(self, inside='eth1'):
        return '--outside', 'eth0', '--inside', inside, '--pbx', '10.10.0.5:5060'

    def test_options_write_a_good_file(self):
        path = self.folder / 'new' / 'hornwork.conf'
        for inside in ('eth1', 'eth0'):
            code, out, _ = self.init(*self.options(inside), '--output', path)
            self.assertEqual((code, out), (0, f'{path} is written. Next: hornwork check --resolve {path}\n'))
            self.assertEqual(self.run_command('check', path)[0], 0)
            path.unlink()

    def test_a_certificate(self):
        code, out, _ = self.init(*self.options(), '--certificate', '/etc/x.pem', '--key', '/etc/x.key', '--output', '-')
        self.assertEqual(code, 0)
        for part in ('"tls:5061"', 'certificate = "/etc/x.pem"', 'key         = "/etc/x.key"'):
            self.assertIn(part, out)
        self.assertEqual(self.run_command('check', self.write('tls.conf', out))[0], 0)

    def test_commented_sections_are_good_too(self):
        _, out, _ = self.init(*self.options(), '--output', '-')
        text = '\n'.join(line[2:] if line.startswith('# ') and ('{' in line or '}' in line or '   ' in line) else line
                         for line in out.splitlines())
        text = text.replace('"10.10.0.5:5060"', '"10.10.0.5:5060" outbound = carrier')
        path = self.write('all.conf', text)
        self.assertEqual(self.run_command('check', path)[1], f'{path}: 2 zones, 1 pbx, 2 phones, 1 trunk: ok\n')

    def test_answers_through_a_pipe(self):
        code, out, _ = self.init('--output', '-', answers='wan0\nlan0\ntcp:pbx.example\n')
        self.assertEqual(code, 0)
        for part in ('interface = "wan0"', 'interface = "lan0"', 'address = "tcp:pbx.example"'):
            self.assertIn(part, out)

    def test_a_wrong_answer_is_asked_again(self):
        code, out, err = self.init(*self.options()[:4], '--output', '-', answers='wss:pbx\n\n10.0.0.7\n')
        self.assertEqual(code, 0)
        self.assertIn('--pbx: "wss:pbx" will not do: nobody is reached by WebSocket', err)
        self.assertIn('address = "10.0.0.7"', out)

    def test_never_over_a_file(self):
        path = self.write('there.conf', 'mine')
        code, _, err = self.init(*self.options(), '--output', path)
        self.assertEqual((code, err), (1, f'hornwork init: {path} is there already; nothing was written\n'))
        self.assertEqual(path.read_text(), 'mine')

    def test_usage_and_missing_answers(self):
        path = self.folder / 'x.conf'
        for options, answers in ((('--wrong',), ''), (('--pbx',), ''), (('--pbx', ''), ''), (('--output', path), ''),
                                 (('--pbx', '10.0.0.5" }', '--yes', '--output', path), ''),
                                 (('--outside', 'a' * 16, '--yes', '--output', path), ''),
                                 (('--output', path, *self.options()[:4]), 'x:y:z\n' * 3),
                                 ((*self.options(), '--output', '/nonexistent/deep/x.conf'), '')):
            self.assertEqual(self.init(*options, answers=answers)[0], 2, options)
        self.assertFalse(path.exists())
        self.assertEqual(self.init('--help')[0], 0)


class Manual(CommandTest):
    def test_pages(self):
        for page, title in (('conf', '.Dt HORNWORK.CONF 5'), ('reasons', '.Dt HORNWORK-REASONS 7')):
            code, out, _ = self.run_command('manual', page)
            self.assertEqual((code, out.count(title)), (0, 1))
        self.assertEqual(self.run_command('manual')[0], 2)


if __name__ == '__main__':
    unittest.main()
