"""RESP2 and RESP3 as trees of (type byte, value), over a bare socket; and how they are shown."""

import re
import socket


class Closed(Exception):
    pass


class Hang(Exception):
    pass


class BadProto(Exception):
    pass


def enc(args):
    out = [b"*%d\r\n" % len(args)]
    for a in args:
        out.append(b"$%d\r\n%s\r\n" % (len(a), a))
    return b"".join(out)


class Conn:
    """One raw socket with its own RESP2/RESP3 parser; a reply is a tree of (type byte, value)."""

    def __init__(self, addr, timeout, resp3):
        self.addr, self.timeout, self.resp3 = addr, timeout, resp3
        self.s = None
        self.open()

    def open(self):
        self.close()
        self.s = socket.create_connection(self.addr, self.timeout)
        self.s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.s.settimeout(self.timeout)
        self.buf, self.pos, self.pushes = b"", 0, []
        if self.resp3:
            self.do([b"HELLO", b"3"])

    def close(self):
        if self.s is not None:
            try:
                self.s.close()
            except OSError:
                pass
            self.s = None

    def send(self, data):
        try:
            self.s.sendall(data)
        except TimeoutError:
            raise Hang("send timed out")
        except OSError as e:
            raise Closed(str(e))

    def fill(self):
        try:
            d = self.s.recv(262144)
        except TimeoutError:
            raise Hang("no reply in %gs" % self.timeout)
        except OSError as e:
            raise Closed(str(e))
        if not d:
            raise Closed("connection closed by server")
        if self.pos:
            self.buf = self.buf[self.pos :] + d
            self.pos = 0
        else:
            self.buf += d

    def line(self):
        while True:
            i = self.buf.find(b"\r\n", self.pos)
            if i >= 0:
                l = self.buf[self.pos : i]
                self.pos = i + 2
                return l
            self.fill()

    def need(self, n):
        while len(self.buf) - self.pos < n:
            if n > 65536:  # big reply: collect in pieces
                parts, have = [self.buf[self.pos :]], len(self.buf) - self.pos
                while have < n:
                    try:
                        d = self.s.recv(1 << 20)
                    except TimeoutError:
                        raise Hang("no reply in %gs" % self.timeout)
                    except OSError as e:
                        raise Closed(str(e))
                    if not d:
                        raise Closed("connection closed by server")
                    parts.append(d)
                    have += len(d)
                self.buf, self.pos = b"".join(parts), 0
            else:
                self.fill()

    def read(self):
        while True:
            r = self.parse()
            if r[0] == ">":
                self.pushes.append(r)
                continue
            return r

    def parse(self):
        l = self.line()
        if not l:
            raise BadProto("empty line where a reply must start")
        t, rest = chr(l[0]), l[1:]
        if t in "+-:,(#":
            return (t, rest)
        if t == "_":
            return (t, rest)
        if t in "$=!":
            n = int(rest)
            if n < 0:
                return (t, None)
            self.need(n + 2)
            v = self.buf[self.pos : self.pos + n]
            if self.buf[self.pos + n : self.pos + n + 2] != b"\r\n":
                raise BadProto("bulk of %d bytes does not end in CRLF" % n)
            self.pos += n + 2
            return (t, v)
        if t in "*~>":
            n = int(rest)
            if n < 0:
                return (t, None)
            return (t, [self.parse() for _ in range(n)])
        if t in "%|":
            n = int(rest)
            v = [(self.parse(), self.parse()) for _ in range(n)]
            if t == "|":  # attribute: keep it with what follows
                return ("|", [v, self.parse()])
            return (t, v)
        raise BadProto("unknown reply type %r" % l[:40])

    def do(self, args):
        self.send(enc(args))
        return self.read()


def q(b, limit=120):
    if b is None:
        return "(nil)"
    s = ""
    for c in b[:limit]:
        if c == 34:
            s += '\\"'
        elif c == 92:
            s += "\\\\"
        elif 32 <= c < 127:
            s += chr(c)
        elif c == 10:
            s += "\\n"
        elif c == 13:
            s += "\\r"
        else:
            s += "\\x%02x" % c
    if len(b) > limit:
        return '"%s"...<%d bytes>' % (s, len(b))
    if s and re.fullmatch(r"[A-Za-z0-9_.:*#(\[+-]+", s):
        return s
    return '"%s"' % s


def qcmd(args, limit=120):
    return " ".join(q(a, limit) for a in args)


def show(r, depth=0):
    if isinstance(r, str):
        return r
    t, v = r
    if v is None:
        return t + "-1(nil)"
    if t in "*~>":
        if len(v) > 24:
            return t + "[" + ", ".join(show(x) for x in v[:24]) + ", ...%d]" % len(v)
        return t + "[" + ", ".join(show(x) for x in v) + "]"
    if t == "%":
        return "%{" + ", ".join(show(k) + "=>" + show(x) for k, x in v[:24]) + "}"
    if t == "|":
        return "|attr " + show(v[1])
    return t + q(v, 200)
