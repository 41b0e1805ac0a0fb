"""Random keys and arguments: mostly plausible, sometimes at an edge, sometimes broken."""

INT_EDGE = [
    b"0",
    b"1",
    b"-1",
    b"2",
    b"10",
    b"9223372036854775807",
    b"-9223372036854775808",
    b"9223372036854775808",
    b"-9223372036854775809",
    b"9223372036854775806",
    b"4294967296",
    b"2147483648",
    b"-2147483649",
    b"18446744073709551615",
]
INT_BAD = [
    b"",
    b"abc",
    b"1.5",
    b" 1",
    b"1 ",
    b"+1",
    b"01",
    b"-0",
    b"1e3",
    b"0x10",
    b"--1",
    b"\x00",
    b"1\x00",
    b"99999999999999999999",
]
FLOAT_OK = [
    b"0",
    b"1",
    b"-1",
    b"0.1",
    b"3.14159",
    b"1e3",
    b"-2.5e-3",
    b"1e17",
    b"1e-10",
    b"123456789.123456789",
    b"inf",
    b"-inf",
    b"+inf",
    b"1.7976931348623157e308",
    b"5e-324",
    b"-0",
    b"0.30000000000000004",
    b"100",
    b"9007199254740993",
    b"1e21",
    b"1e22",
    b"4.5",
    b"2.0",
    b"1.0",
]
FLOAT_BAD = [b"nan", b"", b"abc", b"1.2.3", b"infinit", b" 1", b"1 ", b"0x1p3", b"1e400", b"-1e400", b"--1"]
WORDS = [
    b"a",
    b"b",
    b"c",
    b"d",
    b"foo",
    b"bar",
    b"hello world",
    b"Hello",
    b"",
    b"x",
    b"ab",
    b"abc",
    b"abcdefghij",
    b"ohmytext",
    b"mynewtext",
    b"\xff\xfe\x00bin",
    b"\r\n",
    b"\xc3\xa9",
]

KINDS = "slhtzxpgb"
# which kinds a family makes: without them its keys of other kinds would be missing for ever
KINDS_OF_FAMILY = {
    "string": "s",
    "bitops": "b",
    "hash": "h",
    "list": "l",
    "set": "t",
    "zset": "zt",
    "stream": "x",
    "hll": "ps",
    "geo": "gz",
    "sort": "lt",
    "blocking": "lzx",
    "script": "slhz",
}
# Lexicographic ranges are only defined while all scores are equal (on a skiplist the answer otherwise depends on
# random levels), so their keys, lex1.., are touched by nothing else.
KEYNAMES = {
    "y": b"lex",
    "s": b"str",
    "l": b"list",
    "h": b"hash",
    "t": b"set",
    "z": b"zset",
    "x": b"stream",
    "p": b"hll",
    "g": b"geo",
    "b": b"bits",
}
NKEYS = 4


class Gen:
    """Value generators; every method returns bytes (or a list of bytes)."""

    def __init__(self, rng, opts):
        self.r, self.o = rng, opts

    def ch(self, seq):
        return seq[int(self.r.random() * len(seq))]

    def p(self, x):
        return self.r.random() < x

    def n(self, a, b):
        return a + int(self.r.random() * (b - a + 1))

    def key(self, kind):
        x = self.r.random()
        if kind == "y":
            if x < self.o.wrongtype:
                return KEYNAMES[self.ch(self.o.kinds)] + b"1"
            return b"lex%d" % self.n(1, NKEYS)
        if x < self.o.wrongtype:
            kind = self.ch(self.o.kinds)
        elif x < self.o.wrongtype + 0.02:
            return self.ch([b"missing", b"", b"{tag}k", b"key with space", b"k\x00\xff", b"WRONGTYPE"])
        return KEYNAMES[kind] + b"%d" % self.n(1, NKEYS)

    def g_k(self):
        return self.key(self.ch(self.o.kinds))

    def g_nosuch(self):
        return b"nosuch%d" % self.n(1, 3)

    def g_v(self):
        x = self.r.random()
        if x < 0.35:
            return self.ch(WORDS)
        if x < 0.55:
            return b"%d" % self.n(-20, 200)
        if x < 0.62:
            return self.ch(INT_EDGE)
        if x < 0.68:
            return self.ch(FLOAT_OK)
        if x < 0.72:
            return self.ch(INT_BAD)
        if x < 0.90:
            return b"v%d" % self.n(0, 1000)
        if x < 0.96:
            return bytes(self.n(0, 255) for _ in range(self.n(1, 30)))
        if x < 0.985:
            return self.ch(WORDS[:6]) * self.n(20, 80)
        if x < 0.999 or not self.o.huge:
            return b"y" * self.n(40, 70)
        return self.ch([b"z", b"\x00", b"ab\r\n"]) * self.n(4000, 70000)

    def g_sv(self):
        return b"%d" % self.n(0, 99) if self.p(0.5) else self.ch(WORDS[:8])

    def g_i(self):
        x = self.r.random()
        if x < 0.80:
            return b"%d" % self.n(-10, 20)
        if x < 0.93:
            return self.ch(INT_EDGE)
        return self.ch(INT_BAD)

    def g_pi(self):
        return b"%d" % self.n(1, 9) if self.p(0.9) else self.ch(INT_EDGE + INT_BAD)

    def g_idx(self):
        x = self.r.random()
        if x < 0.90:
            return b"%d" % self.n(-7, 8)
        if x < 0.96:
            return self.ch(INT_EDGE)
        return self.ch(INT_BAD)

    def g_cnt(self):
        return (
            b"%d" % self.n(0, 5)
            if self.p(0.9)
            else self.ch([b"-1", b"100", b"9223372036854775807", b"abc", b"", b"1.5", b"-9223372036854775809"])
        )

    def g_rcnt(self):
        return (
            b"%d" % self.n(-6, 6)
            if self.p(0.8)
            else self.ch([b"1000", b"5000", b"abc", b"", b"1.5", b"9223372036854775808", b"-9223372036854775809"])
        )

    def g_fl(self):
        x = self.r.random()
        if x < 0.6:
            return b"%g" % (self.n(-200, 200) / self.ch([1, 2, 4, 10, 100, 3]))
        if x < 0.92:
            return self.ch(FLOAT_OK)
        return self.ch(FLOAT_BAD)

    def g_sc(self):
        return self.g_fl() if self.p(0.5) else b"%d" % self.n(-5, 15)

    def g_rng(self):
        x = self.r.random()
        if x < 0.3:
            return self.ch([b"-inf", b"+inf", b"inf", b"(-inf", b"(+inf"])
        if x < 0.62:
            return b"%d" % self.n(-6, 12)
        if x < 0.9:
            return b"(%d" % self.n(-6, 12)
        return self.ch([b"(1.5", b"abc", b"", b"(", b"nan", b"((1", b"1e2", b"-"])

    def g_lex(self):
        x = self.r.random()
        if x < 0.35:
            return self.ch([b"-", b"+"])
        if x < 0.92:
            return self.ch([b"[", b"("]) + self.g_m()
        return self.ch([b"", b"a", b"[", b"(", b"-inf", b"+x"])

    def g_f(self):
        return b"f%d" % self.n(1, 8) if self.p(0.85) else self.ch(WORDS)

    def g_m(self):
        x = self.r.random()
        if x < 0.6:
            return b"m%d" % self.n(1, 12)
        if x < 0.8:
            return b"%d" % self.n(-3, 12)
        return self.ch(WORDS + INT_EDGE)

    def g_im(self):
        return b"%d" % self.n(-3, 30) if self.p(0.93) else self.ch(INT_EDGE + INT_BAD)

    def g_off(self):
        return (
            b"%d" % self.n(0, 70)
            if self.p(0.9)
            else self.ch(
                [b"-1", b"4294967296", b"9223372036854775807", b"abc", b"", b"1.5", b"5000", b"-9223372036854775808"]
            )
        )

    def g_soff(self):
        return (
            b"%d" % self.n(0, 20)
            if self.p(0.9)
            else self.ch([b"-1", b"536870912", b"9223372036854775807", b"abc", b"", b"3000", b"4294967296"])
        )

    def g_bit(self):
        return self.ch([b"0", b"1"]) if self.p(0.95) else self.ch([b"2", b"-1", b"abc", b""])

    def g_bft(self):
        return (
            self.ch([b"u", b"i"]) + b"%d" % self.ch([1, 2, 4, 5, 8, 16, 31, 32, 63])
            if self.p(0.92)
            else self.ch([b"u64", b"i64", b"i65", b"u0", b"i0", b"x8", b"8", b"", b"u-1", b"I8"])
        )

    def g_bfo(self):
        return (
            (b"#" if self.p(0.4) else b"") + b"%d" % self.n(0, 40)
            if self.p(0.94)
            else self.ch([b"-1", b"#-1", b"abc", b"", b"4294967296", b"#9223372036854775807"])
        )

    def g_ttl(self):
        return (
            b"%d" % self.n(500, 90000)
            if self.p(0.85)
            else self.ch(
                [
                    b"0",
                    b"-1",
                    b"-9223372036854775808",
                    b"9223372036854775807",
                    b"9223372036854775",
                    b"abc",
                    b"",
                    b"1.5",
                    b"9223372036854776",
                ]
            )
        )

    def g_pttl(self):
        return (
            b"%d" % self.n(500000, 90000000)
            if self.p(0.85)
            else self.ch(
                [
                    b"0",
                    b"-1",
                    b"-9223372036854775808",
                    b"9223372036854775807",
                    b"abc",
                    b"",
                    b"1.5",
                    b"9223370000000000000",
                ]
            )
        )

    def g_exat(self):
        return (
            b"%d" % self.ch([4102444800, 4102444801, 33177117420])
            if self.p(0.8)
            else self.ch([b"0", b"-1", b"1", b"1000000000", b"abc", b"9223372036854775807", b"9223372036854776"])
        )

    def g_pxat(self):
        return (
            b"%d" % self.ch([4102444800000, 4102444800001, 33177117420000])
            if self.p(0.8)
            else self.ch([b"0", b"-1", b"1", b"1000000000000", b"abc", b"9223372036854775807", b"-9223372036854775808"])
        )

    def g_pat(self):
        return self.ch(
            [
                b"*",
                b"s*",
                b"*1",
                b"str?",
                b"[sl]*",
                b"[^s]*",
                b"h[a-c]sh*",
                b"\\*",
                b"",
                b"**1",
                b"[a",
                b"m*",
                b"f[1-4]",
                b"[z-a]*",
                b"?",
                b"*\xff*",
            ]
        )

    def g_sid(self):
        return (
            b"%d-%d" % (self.n(1, 12), self.n(0, 5))
            if self.p(0.9)
            else self.ch(
                [
                    b"0-0",
                    b"0",
                    b"18446744073709551615-18446744073709551615",
                    b"abc",
                    b"",
                    b"-",
                    b"1-",
                    b"-1-1",
                    b"18446744073709551616-0",
                    b"5",
                    b"1-2-3",
                ]
            )
        )

    def g_addid(self):
        x = self.r.random()
        if x < 0.70:
            return b"%d-%d" % (self.n(1, 40), self.n(0, 9))
        if x < 0.90:
            return b"%d-*" % self.n(1, 60)
        return self.ch(
            [b"0-0", b"0-1", b"0-*", b"100000-1", b"abc", b"", b"*-1", b"5", b"18446744073709551615-1", b"-1-*"]
        )

    def g_rs(self):
        return self.ch([b"-", b"0", b"1"]) if self.p(0.5) else (b"(" if self.p(0.2) else b"") + self.g_sid()

    def g_re(self):
        return self.ch([b"+", b"40", b"20"]) if self.p(0.5) else (b"(" if self.p(0.2) else b"") + self.g_sid()

    def g_grp(self):
        return b"g%d" % self.n(1, 2) if self.p(0.95) else b"nogroup"

    def g_con(self):
        return b"c%d" % self.n(1, 3)

    def g_lon(self):
        return (
            b"%.6f" % (self.n(-1790000, 1790000) / 10000.0)
            if self.p(0.94)
            else self.ch([b"180", b"-180", b"180.1", b"abc", b"nan", b"0", b"1e1"])
        )

    def g_lat(self):
        return (
            b"%.6f" % (self.n(-850000, 850000) / 10000.0)
            if self.p(0.94)
            else self.ch([b"85.05112878", b"-85.05112878", b"86", b"abc", b"0", b"inf"])
        )

    def g_rad(self):
        return (
            b"%d" % self.ch([0, 1, 100, 1000, 5000, 20000, 100000])
            if self.p(0.94)
            else self.ch([b"-1", b"abc", b"", b"1.5", b"inf"])
        )

    def g_unit(self):
        return self.ch([b"m", b"km", b"mi", b"ft"]) if self.p(0.97) else self.ch([b"xx", b"", b"M", b"KM"])

    def g_bto(self):
        return (
            self.ch([b"0.01", b"0.002", b"0.005"])
            if self.p(0.9)
            else self.ch([b"-1", b"abc", b"", b"nan", b"-0.1", b"1e400"])
        )

    def g_db(self):
        return (
            b"%d" % self.n(0, 3)
            if self.p(0.9)
            else self.ch([b"15", b"16", b"-1", b"abc", b"", b"99999999999999999999"])
        )

    def g_lcount(self):
        return b"%d" % self.n(1, 5)

    def g_ver(self):
        return self.ch([b"4", b"1", b"0", b"abc", b"", b"-1"])

    def g_sha(self):
        return self.ch(
            [
                b"e0e1f9fabfc9d4800c877a703b823ac0578ff8db",
                b"ffffffffffffffffffffffffffffffffffffffff",
                b"abc",
                b"E0E1F9FABFC9D4800C877A703B823AC0578FF8DB",
            ]
        )

    def g_ch(self):
        return self.ch([b"ch1", b"ch2", b"news.a"])


def key_of(kind):
    return lambda self: self.key(kind)


for _kind in KINDS + "y":
    setattr(Gen, "g_" + _kind, key_of(_kind))
