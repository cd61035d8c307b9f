#!/bin/sh
# The first process of the guest behind its initramfs: / is the host's, for reading alone, and what is written goes to
# memory. boot.py fills in the words between @ signs.
export PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/run PYTHONDONTWRITEBYTECODE=1 HORNWORK_BINARY=@BINARY@
mount -t sysfs sysfs /sys
mount -t tmpfs tmpfs /run
mount -t tmpfs tmpfs /tmp
mount -t bpf bpf /sys/fs/bpf
mkdir -p /run/netns
printf '#!/bin/sh\nexec /sbin/modprobe -d @MODULES@ "$@"\n' >/run/modprobe
chmod 755 /run/modprobe
echo /run/modprobe >/proc/sys/kernel/modprobe
ip link set lo up
/usr/bin/python3 @ROOT@/tests/qemu/guest.py
echo "guest: exit $?"
echo o >/proc/sysrq-trigger
while :; do sleep 1; done
