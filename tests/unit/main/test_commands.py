"""The manual and the completion know every command and every option that the program has."""
import pathlib
import re
import subprocess
import unittest

from command import CommandTest

ROOT = pathlib.Path(__file__).resolve().parents[3]
MANUAL = (ROOT / 'docs/man/hornwork.8').read_text(encoding='utf-8')
COMPLETION = ROOT / 'packaging/completion.bash'


class Commands(CommandTest):
    def named(self, text):
        return re.findall(r'^  ([a-z]+) {2,}', text, re.M)

    def commands(self):
        """["status"], ["assess", "diff"], ... as the help lists them."""
        tops = self.named(self.run_command('help')[1])
        self.assertGreater(len(tops), 15)
        assess = self.run_command('assess', '--help')[1]
        subs = self.named(assess[assess.index('Further commands'):])
        self.assertGreater(len(subs), 4)
        return [[top] for top in tops] + [['assess', sub] for sub in subs]

    def options(self, command):
        """--words of a command's usage; assess --help lists its further commands' names, not their options."""
        return set(re.findall(r'(?<![\w-])--[a-z][a-z-]+', self.run_command(*command, '--help')[1])) - {'--help'}

    def completed(self, words):
        script = (f'complete() {{ :; }}; . {COMPLETION}; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); '
                  '_hornwork; printf "%s\\n" "${COMPREPLY[@]}"')
        done = subprocess.run(['bash', '-c', script, 'bash', 'hornwork', *words], capture_output=True, text=True, check=True)
        return set(done.stdout.split())

    def test_each_command_has_its_synopsis_and_text(self):
        synopsis, _, text = MANUAL.partition('.Sh DESCRIPTION')
        for command in self.commands():
            words = ' '.join(command)
            self.assertRegex(synopsis, rf'(?m)^\.Cm (.* )?{words}( .*)?$')
            self.assertRegex(text, rf'(?m)^\.(It )?Cm {words}$')

    def test_each_option_stands_in_the_manual(self):
        for command in self.commands():
            for option in self.options(command):
                self.assertRegex(MANUAL, rf'Fl {option[1:]}\b', f'{command} {option}')

    def test_each_exit_code_of_assess(self):
        status = MANUAL[MANUAL.index('.Sh EXIT STATUS'):]
        for code in re.findall(r'\b([0-4]) [a-z]', self.run_command('assess', '--help')[1].split('Exit:')[1]):
            self.assertIn(f'.It {code}\n', status)

    def test_completion_knows_each_command(self):
        for command in self.commands():
            self.assertIn(command[-1], self.completed([*command[:-1], '']))

    def test_completion_knows_each_option(self):
        for command in self.commands():
            if self.run_command(*command, '--help')[0] == 0:
                self.assertLessEqual(self.options(command), self.completed([*command, '--']), command)


if __name__ == '__main__':
    unittest.main()
