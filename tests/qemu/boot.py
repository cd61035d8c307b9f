#!/usr/bin/python3
"""Runs guest.py on Debian's stock kernel in QEMU: what the test machine's own kernel may not have.

The kernel's package is downloaded by apt and unpacked below build/qemu, never installed. The guest sees the
host's / read-only over 9p; it has no disk and no network. Last line: `N passed, N failed`.
"""

import argparse
import gzip
import pathlib
import re
import shutil
import subprocess
import sys
import threading

ROOT = pathlib.Path(__file__).resolve().parents[2]
HERE = pathlib.Path(__file__).resolve().parent
MODULES = ("virtio_pci", "9p", "9pnet_virtio")      # what the guest needs to see the host's /
INIT = """#!/bin/busybox sh
/bin/busybox mount -t proc proc /proc
/bin/busybox mount -t devtmpfs dev /dev
{load}
/bin/busybox mount -t 9p -o ro,trans=virtio,version=9p2000.L,msize=262144,cache=loose root /new || echo "guest: no 9p"
/bin/busybox mount --move /proc /new/proc
/bin/busybox mount --move /dev /new/dev
exec /bin/busybox switch_root /new /bin/sh {script}
"""


def run(*argv, **kwargs):
    return subprocess.run(argv, check=True, capture_output=True, text=True, **kwargs).stdout


def fail(why):
    print(f"test-qemu: {why}")
    sys.exit(2)


def unpacked(folder):
    """The unpacked kernel package; downloads it when the newest one is not there yet."""
    depends = run("apt-cache", "depends", "linux-image-amd64")
    names = re.findall(r"Depends: (linux-image-[0-9]\S+)", depends)
    if not names:
        fail("apt knows no linux-image-amd64; run apt-get update")
    tree = folder / names[0]
    if not (tree / "boot").is_dir():
        shutil.rmtree(tree, ignore_errors=True)
        try:
            run("apt-get", "-o", "APT::Sandbox::User=root", "download", names[0], cwd=folder)
        except subprocess.CalledProcessError as err:
            fail(f"{names[0]} cannot be downloaded: {err.stderr.strip()}")
        package = next(folder.glob(f"{names[0]}_*.deb"))
        run("dpkg-deb", "-x", str(package), str(tree))
        package.unlink()
        run("depmod", "-b", str(tree), version_of(tree))
    return tree


def version_of(tree):
    return next((tree / "lib/modules").iterdir()).name


def modules(tree):
    """Paths of MODULES and of what they need, in the order in which they are to be loaded."""
    out = []
    def add(name):
        about = ("modinfo", "-b", str(tree), "-k", version_of(tree))
        path = run(*about, "-n", name).strip()
        if path == "(builtin)" or path in out:
            return
        for other in filter(None, run(*about, "-F", "depends", name).strip().split(",")):
            add(other)
        out.append(path)
    for name in MODULES:
        add(name)
    return out


def cpio(entries):
    """A "newc" archive of (name, mode, bytes)."""
    out = bytearray()
    for number, (name, mode, data) in enumerate([*entries, ("TRAILER!!!", 0, b"")], 1):
        fields = (number, mode, 0, 0, 1, 0, len(data), 0, 0, 0, 0, len(name) + 1, 0)
        out += b"070701" + "".join(f"{value:08x}" for value in fields).encode()
        out += name.encode() + b"\0"
        out += bytes(-len(out) % 4) + data
        out += bytes(-len(out) % 4)
    return bytes(out)


def initramfs(tree, script, path):
    loaded = modules(tree)
    load = "\n".join(f"/bin/busybox insmod /{pathlib.Path(p).name}" for p in loaded)
    entries = [(name, 0o040755, b"") for name in ("bin", "proc", "dev", "new")]
    entries.append(("bin/busybox", 0o100755, pathlib.Path("/bin/busybox").read_bytes()))
    entries += [(pathlib.Path(p).name, 0o100644, pathlib.Path(p).read_bytes()) for p in loaded]
    entries.append(("init", 0o100755, INIT.format(load=load, script=script).encode()))
    path.write_bytes(gzip.compress(cpio(entries), 1))


def boot(kernel, initrd, limit_s):
    """Runs the guest and passes on what it says; returns the lines."""
    argv = ["qemu-system-x86_64", "-accel", "tcg,thread=multi", "-cpu", "max", "-smp", "2", "-m", "1024",
            "-kernel", str(kernel), "-initrd", str(initrd), "-display", "none", "-monitor", "none", "-nodefaults",
            "-serial", "stdio", "-no-reboot",
            "-virtfs", "local,path=/,mount_tag=root,security_model=none,readonly=on,multidevs=remap",
            "-append", "console=ttyS0 quiet loglevel=3 panic=-1 mitigations=off"]
    lines = []
    with subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          errors="replace") as guest:
        watchdog = threading.Timer(limit_s, guest.kill)
        watchdog.start()
        for line in guest.stdout:
            print(line.rstrip(), flush=True)
            lines.append(line.strip())
        watchdog.cancel()
    return lines


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--limit", type=int, default=600, help="seconds after which the guest is ended")
    parser.add_argument("--binary", default=str(ROOT / "build/hornwork"))
    options = parser.parse_args()
    for tool in ("qemu-system-x86_64", "modinfo", "/bin/busybox", "dpkg-deb"):
        if not shutil.which(tool):
            fail(f"{tool} is not installed")
    folder = ROOT / "build/qemu"
    folder.mkdir(parents=True, exist_ok=True)
    tree = unpacked(folder)
    script = folder / "init.sh"
    text = (HERE / "init.sh").read_text(encoding="ascii")
    for word, value in (("@MODULES@", tree), ("@ROOT@", ROOT), ("@BINARY@", options.binary)):
        text = text.replace(word, str(value))
    script.write_text(text, encoding="ascii")
    initramfs(tree, script, folder / "initrd.gz")
    lines = boot(tree / f"boot/vmlinuz-{version_of(tree)}", folder / "initrd.gz", options.limit)
    passed = sum(line.startswith("ok ") for line in lines)
    failed = sum(line.startswith("FAILED ") for line in lines)
    if "guest: exit 0" not in lines and failed == 0:
        print("FAILED the guest did not come to its end")
        failed = 1
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
