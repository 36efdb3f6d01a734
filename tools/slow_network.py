#!/usr/bin/env python3
"""Hosts on this machine, with a network between them that has a rate and a delay. Needs root on Linux.

Every host is a network namespace. Without a delay, a bridge connects them, and the kernel's token buckets limit their rate.
With one, their packets pass through TUN devices to this process, which holds each back for as long as a link of that rate
and delay would: `netem` does the same, but many kernels are built without it. The process carries some gigabits a second.
"""

import array
import collections
import ctypes
import fcntl
import os
import select
import socket
import subprocess
import threading
import time

LIBC = ctypes.CDLL(None, use_errno=True)
CLONE_NEWNET = 0x40000000
TUNSETIFF, TUNSETOFFLOAD, TUNSETVNETHDRSZ = 0x400454CA, 0x400454D0, 0x400454D8
TUN, NO_PACKET_INFORMATION, VIRTUAL_HEADER = 0x0001, 0x1000, 0x4000
# The kernel leaves checksums and cutting into packets to the device, so that up to 64 kB are one read.
CHECKSUM, TCP_SEGMENTATION = 0x01, 0x02
HEADER = 10


class Network:
    """`with network(2, bits=1e9, delay=1e-3) as net:` has the hosts `net.hosts`, each with an address."""

    def __init__(self, count, bits, delay):
        prefix = f"h{os.getpid() % 100000}-"
        self.hosts = [f"{prefix}{number}" for number in range(count)]
        self.addresses = [f"10.77.0.{number + 1}" for number in range(count)]
        self.bits, self.delay = bits, delay

    def __enter__(self):
        self.start()
        for host, address in zip(self.hosts, self.addresses):
            for command in ["link set lo up", f"address add {address}/24 dev net0", "link set net0 up"]:
                subprocess.run(["ip", "-n", host, *command.split()], check=True)
        return self

    def __exit__(self, *_):
        self.stop()
        for host in self.hosts:
            subprocess.run(["ip", "netns", "delete", host], check=False)

    def command(self, number, arguments, hosts_file):
        """`arguments` as a command on host `number`, which has a name of its own."""
        host = self.hosts[number]
        return ["ip", "netns", "exec", host, "unshare", "--uts", "--mount", "sh", "-c",
                f'hostname {host}; mount --bind {hosts_file} /etc/hosts; exec "$@"', "sh", *arguments]

    def hosts_text(self):
        lines = [f"{address} {host}" for host, address in zip(self.hosts, self.addresses)]
        return "\n".join(["127.0.0.1 localhost", *lines]) + "\n"


class BridgedNetwork(Network):
    """Links whose rate the kernel limits, without a delay."""

    def start(self):
        self.switch = f"{self.hosts[0]}-switch"
        commands = [f"ip netns add {self.switch}", f"ip -n {self.switch} link add bridge0 type bridge",
                    f"ip -n {self.switch} link set bridge0 up"]
        limit = f"root tbf rate {self.bits:.0f} burst {max(1 << 17, int(self.bits / 8 / 2000))} latency 200ms"
        for number, host in enumerate(self.hosts):
            commands += [
                f"ip netns add {host}",
                f"ip -n {self.switch} link add port{number} type veth peer name net0 netns {host}",
                f"ip -n {self.switch} link set port{number} master bridge0 up",
                f"tc -n {self.switch} qdisc add dev port{number} {limit}", f"tc -n {host} qdisc add dev net0 {limit}",
            ]
        for command in commands:
            subprocess.run(command.split(), check=True)

    def stop(self):
        subprocess.run(["ip", "netns", "delete", self.switch], check=False)


class RelayedNetwork(Network):
    """Links with a rate and a delay, which this process carries."""

    def start(self):
        self.is_running = True
        self.devices = []
        for host in self.hosts:
            subprocess.run(["ip", "netns", "add", host], check=True)
            self.devices.append(self._open_device(host))
        self.relay = threading.Thread(target=self._relay, daemon=True)
        self.relay.start()

    def stop(self):
        self.is_running = False
        self.relay.join()
        for device in self.devices:
            os.close(device)

    def _open_device(self, host):
        """A TUN device in the namespace of a host. The descriptor is good everywhere."""
        here = os.open("/proc/self/ns/net", os.O_RDONLY)
        there = os.open(f"/run/netns/{host}", os.O_RDONLY)
        try:
            enter(there)
            device = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
            request = bytearray(40)
            request[:4] = b"net0"
            request[16:18] = (TUN | NO_PACKET_INFORMATION | VIRTUAL_HEADER).to_bytes(2, "little")
            fcntl.ioctl(device, TUNSETIFF, bytes(request))
            fcntl.ioctl(device, TUNSETVNETHDRSZ, array.array("i", [HEADER]))
            fcntl.ioctl(device, TUNSETOFFLOAD, CHECKSUM | TCP_SEGMENTATION)
            return device
        finally:
            enter(here)
            os.close(here)
            os.close(there)

    def _relay(self):
        """A packet leaves when the sender's link has sent what came before it, and arrives when the receiver's link is free."""
        numbers = {socket.inet_aton(address): number for number, address in enumerate(self.addresses)}
        leaving, arriving = [0.0] * len(self.devices), [0.0] * len(self.devices)
        queues = [collections.deque() for _ in self.devices]
        poll = select.poll()
        for device in self.devices:
            poll.register(device, select.POLLIN)
        senders = {device: number for number, device in enumerate(self.devices)}
        while self.is_running:
            for device, _ in poll.poll(self._milliseconds(queues)):
                sender = senders[device]
                # A link takes no more than a few milliseconds ahead; the rest waits in the sender's queue.
                now = time.monotonic()
                while leaving[sender] < now + 5e-3:
                    try:
                        packet = os.read(device, 1 << 17)
                    except BlockingIOError:
                        break
                    receiver = numbers.get(packet[HEADER + 16:HEADER + 20])
                    if receiver is None:
                        continue
                    seconds = self._size(packet) * 8 / self.bits
                    leaving[sender] = max(now, leaving[sender]) + seconds
                    arriving[receiver] = max(leaving[sender] + self.delay, arriving[receiver] + seconds)
                    queues[receiver].append((arriving[receiver], packet))
                if leaving[sender] >= now + 5e-3:
                    self._deliver(queues)
            self._deliver(queues)

    @staticmethod
    def _size(packet):
        """The bytes that a packet takes on Ethernet, cut into frames of 1,448 bytes of data: 90 bytes more for each."""
        data = len(packet) - HEADER - 52
        return len(packet) - HEADER + 38 + 90 * (max(0, data - 1) // 1448)

    def _milliseconds(self, queues):
        first = min((queue[0][0] for queue in queues if queue), default=None)
        return 20 if first is None else max(0, int((first - time.monotonic()) * 1000))

    def _deliver(self, queues):
        now = time.monotonic()
        for receiver, queue in enumerate(queues):
            while queue and queue[0][0] <= now:
                packet = queue.popleft()[1]
                try:
                    os.write(self.devices[receiver], packet)
                except OSError:
                    pass


def enter(namespace):
    if LIBC.setns(namespace, CLONE_NEWNET) != 0:
        raise OSError(ctypes.get_errno(), "setns")


def network(count, bits, delay):
    return (RelayedNetwork if delay > 0 else BridgedNetwork)(count, bits, delay)
