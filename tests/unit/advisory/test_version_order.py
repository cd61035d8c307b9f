"""The version orders against those of dpkg and rpm themselves: random and real versions."""
import random
import shutil
import subprocess
import sys

SEED = 20411
DPKG_PAIRS = 400   # a process of dpkg each
RPM_PAIRS = 3000
RPM_BATCH = 100    # pairs in one process's argument


def order_of(kind, pairs):
    text = ''.join(f'{kind}\t{a}\t{b}\n' for a, b in pairs)
    out = subprocess.run([sys.argv[1]], input=text, capture_output=True, text=True, check=True).stdout
    return [int(line) for line in out.split()]


def random_text(rng, alphabet, longest):
    return ''.join(rng.choice(alphabet) for _ in range(rng.randint(1, longest)))


def mutated(rng, version, alphabet):
    """A near neighbour: most bugs sit where two versions differ by a mark."""
    at = rng.randrange(len(version) + 1)
    return rng.choice([version[:at] + rng.choice(alphabet) + version[at:],
                       version[:at] + version[at + 1:] or '1', version + rng.choice(['~', '0', 'a', '.1', '+b1'])])


def debian_version(rng):
    upstream = str(rng.randint(0, 99)) + random_text(rng, '0019.+~ab', 6)
    revision = '-' + random_text(rng, '01.+~ub', 4) if rng.random() < 0.6 else ''
    epoch = f'{rng.randint(0, 2)}:' if rng.random() < 0.3 else ''
    return epoch + upstream + revision


def installed():
    out = subprocess.run(['dpkg-query', '-W', '-f', '${Version}\n'], capture_output=True, text=True, check=False).stdout
    return sorted(set(out.split()))


def valid_debian(version):
    """dpkg warns of a version that does not begin with a digit, or has an empty part."""
    epoch, _, body = version.rpartition(':')
    upstream, _, revision = body.rpartition('-')
    return (upstream or body)[:1].isdigit() and not body.endswith('-') and not body.startswith('-') \
        and ':' not in epoch and (epoch.isdigit() or body == version) and (not upstream or revision)


def dpkg_says(a, b):
    for word, value in (('lt', -1), ('eq', 0), ('gt', 1)):
        if subprocess.run(['dpkg', '--compare-versions', a, word, b], check=False).returncode == 0:
            return value
    raise AssertionError((a, b))


def test_dpkg(rng):
    real = installed()
    pairs = []
    while len(pairs) < DPKG_PAIRS:
        a = rng.choice(real) if real and rng.random() < 0.5 else debian_version(rng)
        b = mutated(rng, a, '0123~+.a') if rng.random() < 0.7 else debian_version(rng)
        if valid_debian(a) and valid_debian(b):
            pairs.append((a, b))
    ours = order_of('dpkg', pairs)
    wrong = [(a, b, got) for (a, b), got in zip(pairs, ours) if got != dpkg_says(a, b)]
    assert not wrong, wrong[:5]
    assert len(set(ours)) == 3, 'each answer must occur'


def test_rpm(rng):
    """rpm.vercmp takes a version or release, without epoch and dash."""
    alphabet = '0019.~^ab_'
    pairs = []
    for _ in range(RPM_PAIRS):
        a = random_text(rng, alphabet, 8)
        pairs.append((a, mutated(rng, a, alphabet) if rng.random() < 0.7 else random_text(rng, alphabet, 8)))
    theirs = []
    for at in range(0, len(pairs), RPM_BATCH):
        lua = ''.join(f'print(rpm.vercmp("{a}", "{b}"), "")\n' for a, b in pairs[at:at + RPM_BATCH])
        out = subprocess.run(['rpm', '--eval', '%{lua:\n' + lua + '}'], capture_output=True, text=True, check=True).stdout
        theirs += [int(line) for line in out.split()]
    ours = order_of('part', pairs)
    wrong = [(pair, got, want) for pair, got, want in zip(pairs, ours, theirs) if got != want]
    assert len(theirs) == len(pairs) and not wrong, wrong[:5]
    assert len(set(ours)) == 3, 'each answer must occur'


def test_is_an_order(rng):
    """Whatever comes: antisymmetric, and equal to itself."""
    for kind, alphabet in (('dpkg', '01.~+-:a'), ('rpm', '01.~^-:a'), ('up', '01.-~ rcSPa')):
        pairs = [(random_text(rng, alphabet, 9).strip() or '1', random_text(rng, alphabet, 9).strip() or '1')
                 for _ in range(2000)]
        forth, back = order_of(kind, pairs), order_of(kind, [(b, a) for a, b in pairs])
        assert [-x for x in forth] == back, kind
        assert not any(order_of(kind, [(a, a) for a, _ in pairs])), kind


def main():
    rng = random.Random(SEED)
    test_is_an_order(rng)
    done = ['order']
    for tool, test in (('dpkg', test_dpkg), ('rpm', test_rpm)):
        if shutil.which(tool):
            test(rng)
            done.append(tool)
        else:
            print(f'SKIPPED {tool}: not installed, so that its order was not compared')
    print('compared:', ' '.join(done))


if __name__ == '__main__':
    main()
