"""Which two replies count as the same."""

import re

UNORDERED = {b"SMEMBERS", b"SINTER", b"SUNION", b"SDIFF", b"KEYS", b"HKEYS", b"HVALS"}
# Replies that hold scores: Redis 7.2 writes them with the fewest digits, 7.0 with 17.
SCORES = (b"Z", b"BZ", b"GEO")
NUMBER = re.compile(rb"-?\d+(\.\d+)?(e[+-]?\d+)?")
TTLS = {b"TTL": 1, b"EXPIRETIME": 1, b"PTTL": 1, b"PEXPIRETIME": 1}


class Cmp:
    def __init__(self, opts):
        self.o = opts

    def err(self, v):
        if self.o.errors == "any":
            return b""
        if self.o.errors == "code":
            return v.split(b" ", 1)[0]
        if self.o.mask_script_pos:
            v = re.sub(
                rb"(user_script|@user_function|@user_script|@enable_strict_lua|f_[0-9a-f]{40})(:\d+)?:?",
                b"<script>:",
                v,
            )
        return v

    def tree(self, r):
        """Errors normalised everywhere in the tree."""
        t, v = r
        if t in "-!":
            return (t, self.err(v))
        if t in "*~>" and v is not None:
            return (t, [self.tree(x) for x in v])
        if t == "%":
            return (t, [(self.tree(a), self.tree(b)) for a, b in v])
        return r

    def scores(self, r):
        """Doubles as numbers: those of RESP3, and texts that spell one. To 12 digits: the last bit of a sine is the C library's."""
        t, v = r
        if t in "*~" and v is not None:
            return (t, [self.scores(x) for x in v])
        if t in ",$" and v is not None and len(v) < 32 and NUMBER.fullmatch(v):
            return (t, float("%.12g" % float(v)))
        return r

    def norm(self, args, r):
        n = args[0].upper()
        r = self.tree(r)
        if n.startswith(SCORES):
            r = self.scores(r)
        t, v = r
        if t in "-!" or v is None:
            return r
        if n in UNORDERED and t in "*~":
            return (t, sorted(v, key=repr))
        if n == b"HGETALL":
            if t == "*":
                return (t, sorted(zip(v[::2], v[1::2]), key=repr))
            if t == "%":
                return (t, sorted(v, key=repr))
        if n in (b"SRANDMEMBER", b"HRANDFIELD", b"ZRANDMEMBER"):
            if t != "*":
                return (t, "one")
            try:
                c = int(args[2])
            except (ValueError, IndexError):
                return (t, len(v))
            if c >= 1000:
                return (t, self.pairs(args, v) if len(args) > 3 and t == "*" else sorted(v, key=repr))
            return (t, len(v))
        if n == b"SPOP":
            if t in "*~":
                return (t, sorted(v, key=repr))
            return (t, "one")
        if n == b"RANDOMKEY":
            return (t, "one")
        if n == b"TIME":
            return (t, len(v))
        if n == b"OBJECT" and len(args) > 1:
            sub = args[1].upper()
            if sub == b"IDLETIME":
                return (t, "n")
            if sub == b"HELP":
                return (t, "help")
            if sub == b"REFCOUNT" and not self.o.refcount:
                return (t, "n")
            if sub == b"ENCODING" and self.o.no_encoding:
                return (t, "enc")
        if n == b"MEMORY" and t == ":":
            return (t, "n")
        if n == b"XINFO":
            return self.xinfo(r)
        if n == b"XPENDING" and t == "*" and v and v[0][0] == "*" and len(args) > 4:
            return (t, [(a[0], [y if i != 2 else "idle" for i, y in enumerate(a[1])]) for a in v if a[1]])
        if n == b"FUNCTION":
            return self.sets(r)
        if n == b"COMMAND":
            return self.sets(self.without_notes(r))
        if n == b"CONFIG" and t in "*%":
            return (t, sorted(zip(v[::2], v[1::2]) if t == "*" else v, key=repr))
        if n == b"LOLWUT":
            return (t, "text")
        if n == b"PUBSUB" and t == "*":
            return r
        if (
            n in (b"GEORADIUS", b"GEORADIUS_RO", b"GEOSEARCH", b"GEORADIUSBYMEMBER", b"GEORADIUSBYMEMBER_RO")
            and t == "*"
        ):
            up = {a.upper() for a in args}
            if not (b"ASC" in up or b"DESC" in up or b"COUNT" in up):
                return (t, sorted(v, key=repr))
        return r

    def pairs(self, args, v):
        if v and v[0][0] == "*":
            return sorted(v, key=repr)
        return sorted(zip(v[::2], v[1::2]), key=repr)

    def without_notes(self, r):
        """COMMAND INFO with the notes of key specifications left out: they are prose."""
        t, v = r
        note = ("$", b"notes")
        if t in "*~" and v is not None:
            kept = [x for i, x in enumerate(v) if x != note and (i == 0 or v[i - 1] != note)]
            return (t, [self.without_notes(x) for x in kept])
        if t == "%":
            return (t, [(k, self.without_notes(x)) for k, x in v if k != note])
        return r

    def sets(self, r):
        """Order-free comparison of everything (FUNCTION LIST: dictionary order)."""
        t, v = r
        if t in "*~" and v is not None:
            return (t, sorted((self.sets(x) for x in v), key=repr))
        if t == "%":
            return (t, sorted(((self.sets(a), self.sets(b)) for a, b in v), key=repr))
        return r

    VOLATILE = (
        b"idle",
        b"inactive",
        b"seen-time",
        b"active-time",
        b"radix-tree-keys",
        b"radix-tree-nodes",
        b"delivery-time",
    )

    def xinfo(self, r, pel=False):
        t, v = r
        if v is None:
            return r
        if t == "*":
            out, i = [], 0
            while i < len(v):
                x = v[i]
                if x[0] == "$" and x[1] in self.VOLATILE and i + 1 < len(v):
                    out += [x, "volatile"]
                    i += 2
                    continue
                if x[0] == "$" and x[1] in (b"pel", b"pending") and i + 1 < len(v) and v[i + 1][0] == "*":
                    out += [x, self.pel(v[i + 1])]
                    i += 2
                    continue
                out.append(self.xinfo(x))
                i += 1
            return (t, out)
        if t == "%":
            return (
                t,
                [
                    (
                        k,
                        "volatile"
                        if k[1] in self.VOLATILE
                        else self.pel(x)
                        if k[1] in (b"pel", b"pending") and x[0] == "*"
                        else self.xinfo(x),
                    )
                    for k, x in v
                ],
            )
        return r

    def pel(self, r):
        return (
            r[0],
            [(e[0], [y if not (y[0] == ":" and int(y[1]) > 1000000000) else "time" for y in e[1]]) for e in r[1]],
        )

    def same(self, args, a, b):
        if a == b:
            return True
        n = args[0].upper()
        if n in TTLS and a[0] == ":" and b[0] == ":":
            x, y = int(a[1]), int(b[1])
            if x < 0 or y < 0:
                return x == y
            tol = self.o.ttl_tolerance * (1000 if n in (b"PTTL", b"PEXPIRETIME") else 1)
            return abs(x - y) <= max(tol, 1)
        return self.norm(args, a) == self.norm(args, b)
