"""From templates to operations: a command, a transaction, a pipeline, raw bytes."""

import re

from resp import q, qcmd
from scripts import FUNCS, SCRIPTS
from templates import T
from values import INT_BAD, INT_EDGE, Gen


def compile_template(text):
    toks = re.findall(r"\{\w+\}|<|>\+|>\*|[\[\]()|]|[^\s\[\](){}|<>]+", text)
    pos = 0

    def seq(stop):
        nonlocal pos
        out = []
        while pos < len(toks) and toks[pos] not in stop:
            t = toks[pos]
            pos += 1
            if t == "[":
                out.append(("opt", seq(("]",))))
                pos += 1
            elif t == "<":
                inner = seq((">+", ">*"))
                out.append(("rep+" if toks[pos] == ">+" else "rep*", inner))
                pos += 1
            elif t == "(":
                alts = [seq(("|", ")"))]
                while toks[pos] == "|":
                    pos += 1
                    alts.append(seq(("|", ")")))
                pos += 1
                out.append(("alt", alts))
            elif t.startswith("{"):
                out.append(("gen", "g_" + t[1:-1]))
            else:
                out.append(("lit", b"" if t == "''" else t.encode()))
        return out

    return seq(())


def expand(tree, g, out):
    for kind, x in tree:
        if kind == "lit":
            out.append(x)
        elif kind == "gen":
            v = getattr(g, x)()
            if isinstance(v, list):
                out.extend(v)
            else:
                out.append(v)
        elif kind == "opt":
            if g.r.random() < 0.5:
                expand(x, g, out)
        elif kind == "alt":
            expand(g.ch(x), g, out)
        else:
            n = g.n(1, 4) if kind == "rep+" else g.n(0, 3)
            if g.r.random() < 0.01:
                n = g.n(20, 60)
            for _ in range(n):
                expand(x, g, out)


# "multi" and "dump" have no templates: they put together what the others make
FAMILIES = [*T, "multi", "dump"]
SIMPLE = {}
for fam, text in T.items():
    SIMPLE[fam] = [compile_template(l) for l in text.strip().split("\n") if l.strip()]

# commands whose arguments must not be replaced at random (huge allocations, endless replies or waits, global changes)
NO_MUTATE = {
    b"SETRANGE",
    b"SETBIT",
    b"BITFIELD",
    b"SRANDMEMBER",
    b"HRANDFIELD",
    b"ZRANDMEMBER",
    b"SPOP",
    b"BLPOP",
    b"BRPOP",
    b"BLMOVE",
    b"BRPOPLPUSH",
    b"BLMPOP",
    b"BZPOPMIN",
    b"BZPOPMAX",
    b"BZMPOP",
    b"XREAD",
    b"XREADGROUP",
    b"XADD",
    b"WAIT",
    b"HELLO",
    b"EVAL",
    b"EVAL_RO",
    b"CLIENT",
    b"CONFIG",
    b"DEBUG",
    b"SCAN",
    b"HSCAN",
    b"SSCAN",
    b"ZSCAN",
    b"RESET",
    b"QUIT",
    b"SUBSCRIBE",
    b"MULTI",
    b"EXEC",
    b"DISCARD",
    b"ACL",
    b"FAILOVER",
    b"CLUSTER",
    b"SORT",
    b"LOLWUT",
    b"MEMORY",
    b"XCLAIM",
    b"XAUTOCLAIM",
    b"LASTSAVE",
    b"SLOWLOG",
    b"LATENCY",
    b"READONLY",
    b"ASKING",
    b"COPY",
    b"FUNCTION",
    b"SCRIPT",
    b"OBJECT",
    b"COMMAND",
    b"PUBSUB",
}
# and these are left as they are; of the others, dropping all arguments is still safe (an arity error)
NEVER_MUTATE = {
    b"HELLO",
    b"EVAL",
    b"CLIENT",
    b"CONFIG",
    b"RESET",
    b"QUIT",
    b"SUBSCRIBE",
    b"MULTI",
    b"EXEC",
    b"DISCARD",
    b"ACL",
    b"DEBUG",
    b"FAILOVER",
    b"LASTSAVE",
    b"FUNCTION",
    b"SCRIPT",
    b"COMMAND",
    b"SRANDMEMBER",
    b"SPOP",
    b"LOLWUT",
    b"XADD",
    b"COPY",
    b"WAIT",
    b"SLOWLOG",
    b"CLUSTER",
    b"SHUTDOWN",
    b"REPLICAOF",
    b"SLAVEOF",
    b"SYNC",
    b"PSYNC",
    b"MONITOR",
    b"MODULE",
    b"PFDEBUG",
    b"PFSELFTEST",
    b"INFO",
    b"ROLE",
    b"AUTH",
}
WITH_MILLISECONDS = {b"SET", b"PSETEX", b"GETEX", b"PEXPIRE", b"RESTORE"}
ODD = (
    INT_EDGE
    + INT_BAD
    + [b"nan", b"inf", b"\xff\x00", b"WITHSCORES", b"LIMIT", b"COUNT", b"NX", b"*", b"-", b"+", b"(1", b"[a"]
)


class Op:
    __slots__ = ("cmds", "extra", "kind")

    def __init__(self, kind, cmds, extra=None):
        self.kind, self.cmds, self.extra = kind, cmds, extra

    def text(self):
        if self.kind in ("cmd",):
            return [qcmd(self.cmds[0])]
        if self.kind == "raw":
            return ["RAW " + q(self.extra, 300)]
        if self.kind == "multi":
            return ["MULTI"] + [qcmd(c) for c in self.cmds] + [self.extra]
        if self.kind == "wake":
            return ["(2nd connection) " + qcmd(self.cmds[0])] + [qcmd(c) for c in self.cmds[1:]]
        if self.kind == "watch":
            return [
                qcmd(self.cmds[0]),
                "(2nd connection) " + qcmd(self.cmds[1]) if self.extra else qcmd(self.cmds[1]),
                "MULTI",
                qcmd(self.cmds[2]),
                "EXEC",
            ]
        return [("%s: " % self.kind) + " ; ".join(qcmd(c) for c in self.cmds)]

    def name(self):
        if self.kind == "raw":
            return "<raw>"
        if not self.cmds:
            return "MULTI/EXEC"
        c = self.cmds[0]
        n = c[0].upper().decode("latin1")
        if self.kind == "multi":
            return "MULTI/EXEC"
        if self.kind in ("watch", "pipe"):
            return "<%s>" % self.kind
        if self.kind == "dump":
            return "DUMP/RESTORE"
        if len(c) > 1 and n in (
            "OBJECT",
            "XGROUP",
            "XINFO",
            "CONFIG",
            "CLIENT",
            "COMMAND",
            "SCRIPT",
            "FUNCTION",
            "PUBSUB",
            "MEMORY",
            "ACL",
        ):
            n += " " + c[1].upper().decode("latin1")[:14]
        return n if n.isprintable() else "<garbage>"


class Generator:
    def __init__(self, opts):
        self.o = opts
        self.families = opts.families

    def op(self, rng):
        g = Gen(rng, self.o)
        fam = g.ch(self.families)
        f = getattr(self, "f_" + fam, None)
        if f is not None:
            r = f(g)
            if r is not None:
                return r
        return Op("cmd", [self.simple(g, fam)])

    def simple(self, g, fam):
        args = []
        expand(g.ch(SIMPLE[fam]), g, args)
        return self.mutate(g, args)

    def mutate(self, g, args):
        if g.r.random() >= self.o.mutate:
            return args
        broken = self.broken(g, args)
        # a time to live of a few milliseconds would make the next reply a matter of luck
        if args[0].upper() in WITH_MILLISECONDS and any(a.isdigit() and 0 < int(a) < 1000 for a in broken[2:]):
            return args
        return broken

    def broken(self, g, args):
        """The command with an argument left out, added, replaced or exchanged, or in other letters."""
        up = args[0].upper()
        x = g.n(0, 5)
        if up == b"ZADD" and args[1].startswith(b"lex"):
            return args
        if up in NEVER_MUTATE:
            return args
        if up in NO_MUTATE:
            if (
                x < 3
                and len(args) > 1
                and not up.startswith(b"B")
                and not up.startswith(b"X")
                and not up.endswith(b"SCAN")
            ):
                return args[:1]
            return args
        if x == 0:
            return args[:1]
        if x == 1 and len(args) > 1:
            return args[:-1]
        if x == 2:
            return args + [g.ch(ODD)]
        if x == 3 and len(args) > 2:
            i = g.n(2, len(args) - 1)
            return args[:i] + [g.ch(ODD)] + args[i + 1 :]
        if x == 4 and len(args) > 2:
            i, j = g.n(1, len(args) - 1), g.n(1, len(args) - 1)
            a = list(args)
            a[i], a[j] = a[j], a[i]
            return a
        return [args[0].lower() if g.p(0.5) else args[0].title()] + args[1:]

    # ---- families with more than plain commands
    def f_multi(self, g):
        fams = [
            f
            for f in self.families
            if f in ("string", "hash", "list", "set", "zset", "keys", "stream", "bitops", "script", "object")
        ] or ["string"]

        def one():
            while True:
                c = self.simple(g, g.ch(fams))
                n = c[0].upper()
                if n in (
                    b"SELECT",
                    b"SWAPDB",
                    b"SCAN",
                    b"HSCAN",
                    b"SSCAN",
                    b"ZSCAN",
                    b"RANDOMKEY",
                    b"SRANDMEMBER",
                    b"HRANDFIELD",
                    b"ZRANDMEMBER",
                    b"FLUSHDB",
                ):
                    continue
                return c

        x = g.r.random()
        if x < 0.55:
            return Op("multi", [one() for _ in range(g.n(0, 5))], "EXEC")
        if x < 0.65:
            return Op(
                "multi",
                [one() for _ in range(g.n(0, 3))]
                + [g.ch([[b"nosuch"], [b"GET"], [b"MULTI"], [b"WATCH", b"a"], [b"EXEC", b"x"], [b"SUBSCRIBE"]])],
                "EXEC",
            )
        if x < 0.75:
            return Op("multi", [one() for _ in range(g.n(0, 3))], "DISCARD")
        if x < 0.95:
            k = g.key("s")
            return Op(
                "watch",
                [
                    [b"WATCH", k],
                    g.ch(
                        [[b"SET", k, g.g_v()], [b"GET", k], [b"DEL", k], [b"EXPIRE", k, b"1000"], [b"APPEND", k, b""]]
                    ),
                    [b"INCR", k],
                ],
                g.p(0.7),
            )
        return Op("pipe", [one() for _ in range(g.n(2, 12))])

    def f_script(self, g):
        x = g.r.random()
        if x < 0.62:
            s = g.ch(SCRIPTS)
            nk = g.n(0, 2) if g.p(0.9) else g.ch([-1, 3, 100])
            ks = [g.key(g.ch("slhz")) for _ in range(max(0, min(nk, 2)))]
            if b"KEYS[1]" in s and not ks and g.p(0.8):
                nk, ks = 1, [g.key(g.ch("slhz"))]
            return Op(
                "cmd",
                [
                    [g.ch([b"EVAL", b"EVAL", b"EVAL", b"EVAL_RO"]), s, b"%d" % nk]
                    + ks
                    + [g.g_sv() for _ in range(g.n(0, 2))]
                ],
            )
        if x < 0.70:
            return Op("cmd", [[b"SCRIPT", b"LOAD", g.ch(SCRIPTS)]])
        if x < 0.78:
            return Op("cmd", [[b"FUNCTION", b"LOAD"] + ([b"REPLACE"] if g.p(0.5) else []) + [g.ch(FUNCS)]])
        return None

    def f_dump(self, g):
        x = g.r.random()
        if x < 0.75:
            k, k2 = g.key(g.ch(self.o.kinds)), g.key(g.ch(self.o.kinds))
            return Op(
                "dump",
                [[b"DUMP", k], [b"RESTORE", k2, g.ch([b"0", b"0", b"100000", b"-1", b"abc"])]],
                [
                    a
                    for a in g.ch(
                        [
                            [],
                            [b"REPLACE"],
                            [b"REPLACE"],
                            [b"ABSTTL"],
                            [b"IDLETIME", b"10"],
                            [b"FREQ", b"5"],
                            [b"IDLETIME", b"-1"],
                            [b"bad"],
                        ]
                    )
                ],
            )
        if x < 0.9:
            return Op(
                "cmd",
                [[b"RESTORE", g.g_k(), b"0", g.ch([b"", b"garbage", b"\x00\x01a\x0a\x00" + b"\x00" * 8, g.g_v()])]],
            )
        return Op("cmd", [self.simple(g, "keys")])

    def f_blocking(self, g):
        # real waiting is slow: most of this family's turns go to the others when there are others
        others = [f for f in self.families if f in ("list", "zset", "stream", "string", "hash", "set")]
        if others and g.r.random() < 0.8:
            return Op("cmd", [self.simple(g, g.ch(others))])
        if g.r.random() < 0.12:
            k = g.key("l")
            x = g.n(0, 4)
            if x == 0:
                return Op(
                    "wake",
                    [[b"BLPOP", k, b"2"], [b"DEL", k], [b"RPUSH", k, g.g_v(), g.g_v()], [b"LRANGE", k, b"0", b"-1"]],
                )
            if x == 1:
                return Op(
                    "wake",
                    [
                        [b"BLMOVE", k, b"list1", b"LEFT", b"RIGHT", b"2"],
                        [b"DEL", k],
                        [b"RPUSH", k, g.g_v()],
                        [b"LRANGE", b"list1", b"0", b"-1"],
                    ],
                )
            z = g.key("z")
            if x == 2:
                return Op(
                    "wake", [[b"BZPOPMIN", z, b"2"], [b"DEL", z], [b"ZADD", z, b"2", b"b", b"1", b"a"], [b"ZCARD", z]]
                )
            if x == 3:
                return Op(
                    "wake",
                    [
                        [b"BLMPOP", b"2", b"2", k, b"list2", b"RIGHT", b"COUNT", b"2"],
                        [b"DEL", k, b"list2"],
                        [b"RPUSH", b"list2", b"a", b"b", b"c"],
                        [b"LLEN", b"list2"],
                    ],
                )
            xs = g.key("x")
            return Op(
                "wake",
                [
                    [b"XREAD", b"BLOCK", b"2000", b"STREAMS", xs, b"0"],
                    [b"DEL", xs],
                    [b"XADD", xs, b"7-7", b"f", b"v"],
                    [b"XLEN", xs],
                ],
            )
        return None

    def f_set(self, g):
        if g.r.random() < 0.03:
            k = g.key("t")
            return Op("popdel", [[b"SPOP", k] + ([b"%d" % g.n(1, 4)] if g.p(0.6) else []), [b"SCARD", k], [b"DEL", k]])
        return None

    def f_server(self, g):
        if g.r.random() < 0.08:
            return Op(
                "raw",
                [],
                g.ch(
                    [
                        b"PING\r\n",
                        b"PING hello\r\n",
                        b"\r\nPING\r\n",
                        b'SET a "b c"\r\nGET a\r\n',
                        b"SET a 'x\\'y'\r\nGET a\r\n",
                        b'SET a "unbalanced\r\n',
                        b"*1\r\n$abc\r\n",
                        b"*abc\r\n",
                        b"*1\r\n+PING\r\n",
                        b"*1\r\n$-5\r\n",
                        b"*-1\r\nPING\r\n",
                        b"*0\r\nPING\r\n",
                        b"*2\r\n$3\r\nGET\r\n$1\r\na\r\n*1\r\n$4\r\nPING\r\n",
                        b"*1048577\r\n",
                        b"*1\r\n$536870913\r\n",
                        b'SET a "\\x41\\n"\r\nGET a\r\n',
                        b"GET\r\n",
                        b"\n\nPING\n",
                        b"*1\r\n$4\r\nPING\r\n" * 5,
                        b"*1\r\n$4\r\nQUIT\r\n*1\r\n$4\r\nPING\r\n",
                        b"*3\r\n$3\r\nSET\r\n$1\r\na\r\n$0\r\n\r\n*2\r\n$3\r\nGET\r\n$1\r\na\r\n",
                    ]
                ),
            )
        return None
