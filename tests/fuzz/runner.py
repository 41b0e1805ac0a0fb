"""Runs one operation on both servers and compares what they answer, and what they hold."""

import collections
import re
import socket
import time

from compare import Cmp
from grammar import Op
from resp import BadProto, Closed, Conn, Hang, enc, q, show


class Resync(Exception):
    """A known difference after which the two states differ: the episode ends, nothing is counted as a mismatch."""


class Mismatch(Exception):
    def __init__(self, what, args, a, b):
        self.what, self.cargs, self.a, self.b = what, args, a, b


class Runner:
    def __init__(self, opts):
        self.o, self.cmp = opts, Cmp(opts)
        self.A = self.B = self.A2 = self.B2 = None
        self.commands = 0
        self.ignored = collections.Counter()

    def connect(self):
        for n in ("A", "B", "A2", "B2"):
            c = getattr(self, n)
            if c:
                c.close()
            setattr(self, n, None)
        self.A = Conn(self.o.a, self.o.timeout, self.o.resp3)
        self.B = Conn(self.o.b, self.o.timeout, self.o.resp3)

    def second(self):
        if not self.A2:
            self.A2 = Conn(self.o.a, self.o.timeout, self.o.resp3)
            self.B2 = Conn(self.o.b, self.o.timeout, self.o.resp3)

    def reset(self, flush_scripts=True):
        for c in (self.A, self.B):
            cmds = [[b"FLUSHALL"], [b"SELECT", b"0"]]
            if flush_scripts and self.o.uses_scripts:
                cmds += [[b"SCRIPT", b"FLUSH"], [b"FUNCTION", b"FLUSH"]]
            c.send(b"".join(enc(x) for x in cmds))
            for _ in cmds:
                c.read()
            c.pushes.clear()

    def get(self, c):
        try:
            return c.read()
        except (Closed, Hang, BadProto) as e:
            return "<%s: %s>" % (type(e).__name__, e)

    def both(self, args, A=None, B=None, times=1):
        """Same command on both, so many times in one piece; raises Mismatch."""
        A, B = A or self.A, B or self.B
        d = enc(args) * times
        self.commands += times
        try:
            A.send(d)
        except (Closed, Hang) as e:
            raise Mismatch("A gone: %s" % e, args, "?", "?")
        try:
            B.send(d)
        except (Closed, Hang) as e:
            raise Mismatch("B gone: %s" % e, args, "?", "?")
        pairs = [(self.get(A), self.get(B)) for _ in range(times)]
        for a, b in pairs:
            self.check(args, a, b)
        return pairs[-1]

    def known(self, name, a, b):
        """A difference that --ignore / --ignore-file names: counted apart, the episode goes on."""
        if not self.o.ignore:
            return False
        line = "%s\t%s\t%s" % (name, show(a), show(b))
        for rx, resync in self.o.ignore:
            if rx.search(line):
                self.ignored[("! " if resync else "") + rx.pattern] += 1
                if resync:
                    raise Resync()
                return True
        return False

    def same(self, args, a, b):
        if self.cmp.same(args, a, b):
            return True
        if not isinstance(a, str) and not isinstance(b, str) and self.known(Op("cmd", [args]).name(), a, b):
            return True
        # SORT set BY nosort: the set's own order, which is unspecified (lists and sorted sets keep theirs)
        if (
            args[0].upper() in (b"SORT", b"SORT_RO")
            and a[0] == b[0] == "*"
            and any(x.lower() == b"nosort" for x in args)
        ):
            if self.A.do([b"TYPE", args[1]])[1] == b"set":
                if any(x.lower() == b"limit" for x in args):
                    return len(a[1]) == len(b[1])
                return sorted(a[1], key=repr) == sorted(b[1], key=repr)
        # SORT ALPHA without STORE compares up to a zero byte (strcoll); what is the same so far comes in the order of the set or list
        if args[0].upper() in (b"SORT", b"SORT_RO") and a[0] == b[0] == "*" and any(x.lower() == b"alpha" for x in args):
            heads = [[e[1].split(b"\0")[0] for e in r[1] if isinstance(e[1], bytes)] for r in (a, b)]
            return heads[0] == heads[1] and sorted(a[1], key=repr) == sorted(b[1], key=repr)
        # SORT does not clear errno: it takes a number out of range in an earlier command for one of its own
        if args[0].upper() in (b"SORT", b"SORT_RO") and a[0] == "-" and b"converted into double" in a[1]:
            self.A.do([b"INCRBYFLOAT", b"no such key", b"no number"])
            return self.cmp.same(args, self.A.do(args), b)
        # By name among members of different scores: Redis says that the answer is not specified
        name = args[0].upper()
        by_name = name in (b"ZLEXCOUNT", b"ZRANGEBYLEX", b"ZREVRANGEBYLEX")
        if by_name or (name == b"ZRANGE" and any(x.upper() == b"BYLEX" for x in args)):
            ends = [self.A.do([b"ZRANGE", args[1], at, at, b"WITHSCORES"])[1] for at in (b"0", b"-1")]
            scores = [repr(x[-1][1][-1] if isinstance(x[-1][1], list) else x[-1]) for x in ends if x and isinstance(x, list)]
            return len(scores) == 2 and scores[0] != scores[1]
        # LSET takes 32 bits of the index since 7.2
        if args[0].upper() == b"LSET" and args[2].lstrip(b"-").isdigit() and not -(1 << 31) <= int(args[2]) < 1 << 31:
            self.ignored["LSET beyond 32 bits"] += 1
            raise Resync()
        return False

    def check(self, args, a, b):
        if isinstance(a, str) or isinstance(b, str):
            if a != b:
                raise Mismatch("connection", args, a, b)
            raise Mismatch("both: " + a, args, a, b)
        if not self.same(args, a, b):
            raise Mismatch("reply", args, a, b)
        if self.o.strict_order and a != b and args[0].upper() in (b"HGETALL", b"HKEYS", b"HVALS") and a[0] != "-":
            e = self.A.do([b"OBJECT", b"ENCODING", args[1]])
            if e[1] == b"listpack":
                raise Mismatch("order (listpack hash)", args, a, b)

    def scan_all(self, c, args, at):
        """Whole iteration on one server: the set of what was returned, or the error."""
        out, cur, cmd = set(), b"0", list(args)
        for _ in range(100000):
            cmd[at] = cur
            r = c.do(cmd)
            if r[0] != "*":
                return r
            cur = r[1][0][1]
            items = r[1][1][1]
            n = args[0].upper()
            if n == b"ZSCAN":
                out.update((m, self.cmp.scores(x)) for m, x in zip(items[::2], items[1::2]))
            elif n == b"HSCAN":
                out.update(zip(items[::2], items[1::2]))
            else:
                out.update(items)
            if cur == b"0":
                return ("scan", sorted(out, key=repr))
        return ("-", b"ENDLESS SCAN")

    def run(self, op):
        k = op.kind
        if k == "cmd":
            args = op.cmds[0]
            n = args[0].upper()
            if n in (b"SCAN", b"HSCAN", b"SSCAN", b"ZSCAN"):
                at = 1 if n == b"SCAN" else 2
                if len(args) > at:
                    self.commands += 1
                    a, b = self.scan_all(self.A, args, at), self.scan_all(self.B, args, at)
                    if (a if a[0] == "scan" else self.cmp.tree(a)) != (
                        b if b[0] == "scan" else self.cmp.tree(b)
                    ) and not self.known(
                        op.name(), *(" ".join(sorted(map(str, x[1]))) if x[0] == "scan" else x for x in (a, b))
                    ):
                        f = lambda x: "%d items: " % len(x[1]) + str(x[1])[:400] if x[0] == "scan" else x
                        raise Mismatch("reply", args, f(a), f(b))
                    return
            self.both(args, times=self.o.repeat)
        elif k == "multi":
            self.both([b"MULTI"])
            queued = []
            for c in op.cmds:
                a, b = self.both(c)
                if a[1] == b"QUEUED":
                    queued.append(c)
            self.commands += 1
            last = [op.extra.encode()]
            self.A.send(enc(last))
            self.B.send(enc(last))
            a, b = self.get(self.A), self.get(self.B)
            if (
                not isinstance(a, str)
                and not isinstance(b, str)
                and a[0] == b[0] == "*"
                and a[1]
                and b[1]
                and len(a[1]) == len(b[1]) == len(queued)
            ):
                for c, x, y in zip(queued, a[1], b[1]):
                    if not self.same(c, x, y):
                        raise Mismatch("reply in EXEC", c, x, y)
            else:
                self.check(last, a, b)
        elif k == "watch":
            self.both(op.cmds[0])
            if op.extra:
                self.second()
                self.both(op.cmds[1], self.A2, self.B2)
            else:
                self.both(op.cmds[1])
            self.both([b"MULTI"])
            self.both(op.cmds[2])
            self.both([b"EXEC"])
        elif k == "pipe":
            d = b"".join(enc(c) for c in op.cmds)
            self.commands += len(op.cmds)
            cut = len(d) // 3
            for c in (self.A, self.B):
                c.send(d[:cut])
                c.send(d[cut:])
            a = [self.get(self.A) for _ in op.cmds]
            b = [self.get(self.B) for _ in op.cmds]
            for c, x, y in zip(op.cmds, a, b):
                self.check(c, x, y)
        elif k == "popdel":
            args = op.cmds[0]
            self.commands += 1
            for c in (self.A, self.B):
                c.send(enc(args))
            a, b = self.get(self.A), self.get(self.B)
            sh = lambda r: (
                r
                if isinstance(r, str)
                else (
                    r[0],
                    None
                    if r[1] is None
                    else self.cmp.err(r[1])
                    if r[0] == "-"
                    else len(r[1])
                    if r[0] in "*~"
                    else "one",
                )
            )
            if sh(a) != sh(b):
                raise Mismatch("reply", args, a, b)
            for c in op.cmds[1:]:
                self.both(c)
        elif k == "dump":
            self.commands += 1
            for c in (self.A, self.B):
                c.send(enc(op.cmds[0]))
            a, b = self.get(self.A), self.get(self.B)
            if isinstance(a, str) or isinstance(b, str) or a[0] != b[0] or (a[1] is None) != (b[1] is None):
                raise Mismatch("reply", op.cmds[0], a, b)
            if a[1] is None or a[0] != "$":
                if self.cmp.tree(a) != self.cmp.tree(b):
                    raise Mismatch("reply", op.cmds[0], a, b)
                return
            if self.o.dump_bytes and a != b:
                raise Mismatch("DUMP bytes", op.cmds[0], a, b)
            pb = a[1] if self.o.cross_restore else b[1]
            self.commands += 1
            self.A.send(enc(op.cmds[1] + [a[1]] + op.extra))
            self.B.send(enc(op.cmds[1] + [pb] + op.extra))
            x, y = self.get(self.A), self.get(self.B)
            self.check(op.cmds[1], x, y)
            if self.o.cross_restore and b[1] != a[1]:  # B's payload into A too, when the formats allow
                pass
        elif k == "wake":
            self.second()
            blk = op.cmds[0]
            self.both(op.cmds[1])
            self.commands += 1
            cur = self.cur_db()
            for c in (self.A2, self.B2):
                c.do([b"SELECT", cur])
                c.send(enc(blk))
            time.sleep(0.004)
            self.both(op.cmds[2])
            a, b = self.get(self.A2), self.get(self.B2)
            self.check(blk, a, b)
            for c in op.cmds[3:]:
                self.both(c)
        elif k == "raw":
            self.commands += 1
            outs = []
            for addr in (self.o.a, self.o.b):
                s = socket.create_connection(addr, self.o.timeout)
                s.settimeout(self.o.timeout)
                s.sendall(op.extra)
                try:
                    s.shutdown(socket.SHUT_WR)
                except OSError:
                    pass
                d = b""
                try:
                    while True:
                        x = s.recv(65536)
                        if not x:
                            break
                        d += x
                except OSError:
                    pass
                s.close()
                outs.append(d)
            if outs[0] != outs[1] and not self.known("<raw> " + q(op.extra), ("$", outs[0]), ("$", outs[1])):
                raise Mismatch("raw", [op.extra], ("$", outs[0]), ("$", outs[1]))
        else:
            raise AssertionError(k)

    def cur_db(self):
        # The selected database is the same on both; ask A (CLIENT INFO has db=)
        r = self.A.do([b"CLIENT", b"INFO"])
        m = re.search(rb"\bdb=(\d+)", r[1] or b"") if not r[0] == "-" else None
        return m.group(1) if m else b"0"

    # ---- whole state
    READ = {
        b"string": [b"GET"],
        b"list": [b"LRANGE", b"0", b"-1"],
        b"set": [b"SMEMBERS"],
        b"hash": [b"HGETALL"],
        b"zset": [b"ZRANGE", b"0", b"-1", b"WITHSCORES"],
        b"stream": [b"XRANGE", b"-", b"+"],
    }

    def state(self, c):
        out = {}
        for db in (b"0", b"1", b"2", b"3", b"15"):
            c.do([b"SELECT", db])
            ks = c.do([b"KEYS", b"*"])[1]
            for k in sorted(x[1] for x in ks):
                t = c.do([b"TYPE", k])[1]
                cmd = self.READ.get(t)
                val = c.do([cmd[0], k] + cmd[1:]) if cmd else None
                if cmd and val[0] != "-":
                    val = self.cmp.norm([cmd[0], k], val)
                ttl = c.do([b"TTL", k])[1]
                out[(db, k)] = (t, val, b"-1" if ttl == b"-1" else b"has-ttl")
        c.do([b"SELECT", b"0"])
        return out

    def compare_state(self):
        a, b = self.state(self.A), self.state(self.B)
        if a == b:
            return
        for k in sorted(set(a) | set(b)):
            if a.get(k) != b.get(k) and not self.known("STATE", str(a.get(k)), str(b.get(k))):
                raise Mismatch("state", [b"STATE", k[0], k[1]], str(a.get(k))[:400], str(b.get(k))[:400])
