"""The two servers that are compared: started on free ports, watched through /proc, stopped or killed."""

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time

TICKS = os.sysconf("SC_CLK_TCK")


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def bulk(word):
    data = word if isinstance(word, bytes) else str(word).encode()
    return b"$%d\r\n%s\r\n" % (len(data), data)


class Talk:
    """One connection that asks and waits for the whole reply (RESP2)."""

    def __init__(self, port, timeout=120):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=timeout)
        self.file = self.socket.makefile("rb")

    def ask(self, *words):
        self.socket.sendall(b"*%d\r\n" % len(words) + b"".join(bulk(w) for w in words))
        return self.reply()

    def reply(self):
        line = self.file.readline()
        if not line.endswith(b"\r\n"):
            raise ConnectionError("the server went away")
        kind, rest = line[:1], line[1:-2]
        if kind == b"+":
            return rest.decode()
        if kind == b"-":
            raise RuntimeError(rest.decode())
        if kind == b":":
            return int(rest)
        if kind == b"$":
            size = int(rest)
            return None if size < 0 else self.file.read(size + 2)[:-2]
        if kind == b"*":
            count = int(rest)
            return None if count < 0 else [self.reply() for _ in range(count)]
        raise RuntimeError("not a reply: %r" % line)

    def close(self):
        self.file.close()
        self.socket.close()


def found(program):
    """The whole path of a program in the caller's folder or on its path: what is measured runs in a folder of its own."""
    path = shutil.which(program)
    if path is None:
        raise SystemExit("there is no program '%s'" % program)
    return os.path.abspath(path)


class Server:
    """A server with a data folder of its own. `fsync` is what appendfsync says in both."""

    def __init__(self, name, binary, arguments, fsync="always"):
        self.name = name
        self.binary = found(binary)
        self.arguments = arguments
        self.fsync = fsync
        self.folder = tempfile.mkdtemp(prefix="compare-%s-" % name)
        self.port = free_port()
        self.process = None

    def start(self):
        """Starts and waits for the first answer; returns the seconds from exec to there."""
        words = [self.binary, *self.arguments, "--port", str(self.port), "--dir", self.folder, "--appendfsync", self.fsync]
        with open(os.path.join(self.folder, "output.txt"), "ab") as output:
            began = time.monotonic()
            self.process = subprocess.Popen(words, stdout=output, stderr=output, cwd=self.folder)
        self.wait_until(lambda talk: talk.ask("PING") == "PONG")
        return time.monotonic() - began

    def wait_until(self, holds, limit=120.0):
        """Asks every millisecond until `holds(talk)`; servers that are loading refuse meanwhile."""
        end = time.monotonic() + limit
        while time.monotonic() < end:
            if self.process.poll() is not None:
                raise RuntimeError("%s ended: %s" % (self.name, self.last_words()))
            try:
                talk = Talk(self.port)
                try:
                    if holds(talk):
                        return
                finally:
                    talk.close()
            except (OSError, RuntimeError):
                pass
            time.sleep(0.001)
        raise TimeoutError("%s does not answer after %d s" % (self.name, limit))

    def last_words(self):
        with open(os.path.join(self.folder, "output.txt"), errors="replace") as output:
            return output.read()[-400:]

    def talk(self):
        return Talk(self.port)

    def cpu_seconds(self):
        with open("/proc/%d/stat" % self.process.pid) as stat:
            fields = stat.read().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / TICKS

    def private_bytes(self):
        with open("/proc/%d/status" % self.process.pid) as status:
            for line in status:
                if line.startswith("RssAnon:"):
                    return int(line.split()[1]) * 1024
        raise RuntimeError("no RssAnon in /proc")

    def stop(self):
        """A clean stop."""
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(timeout=120)

    def kill(self):
        self.process.kill()
        self.process.wait(timeout=30)

    def remove(self):
        if self.process is not None and self.process.poll() is None:
            self.kill()
        shutil.rmtree(self.folder, ignore_errors=True)


def redis(binary, fsync="always"):
    return Server("redis", binary, ["--appendonly", "yes", "--save", "", "--daemonize", "no"], fsync)


def sluice(binary, fsync="always"):
    return Server("sluice", binary, [], fsync)
