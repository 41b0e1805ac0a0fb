#!/usr/bin/env python3
"""difffuzz: send the same seeded random commands to two Redis-compatible servers, compare replies.

  difffuzz.py --a 127.0.0.1:7000 --b 127.0.0.1:7001 --count 200000 --seed 1

Both servers are FLUSHED over and over.  The stream of commands is a function of the seed, the episode and the options
only.  Python 3.8+, no dependencies.
Exit status: 0 no mismatch, 1 mismatches, 2 usage, 3 a server went away for good.
"""

import argparse
import collections
import json
import random
import re
import sys
import time

from grammar import FAMILIES, Generator, Op
from resp import BadProto, Closed, Hang, qcmd, show
from runner import Mismatch, Resync, Runner
from shrink import shrink
from values import KINDS, KINDS_OF_FAMILY

CONFIG_THAT_SHOULD_AGREE = (
    b"*max-*-entries",
    b"*max-*-value",
    b"*max-listpack-size",
    b"maxmemory*",
    b"lfu*",
    b"*stream-node*",
    b"proto-max-bulk-len",
    b"hll-*",
)
LINES_SHOWN = 14
GONE = (OSError, Closed, Hang, BadProto)


def addr(s):
    h, _, p = s.rpartition(":")
    return (h or "127.0.0.1", int(p))


def options():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("--a", type=addr, required=True, help="reference server host:port")
    ap.add_argument("--b", type=addr, required=True, help="server under test host:port")
    ap.add_argument("--seed", default="1")
    ap.add_argument("--count", type=int, default=100000, help="commands")
    ap.add_argument("--episode", type=int, default=None, help="run only this episode of the seed")
    ap.add_argument("--episode-len", type=int, default=300, help="operations between two FLUSHALLs")
    ap.add_argument("--families", default=",".join(FAMILIES), help="comma list; -name removes one")
    ap.add_argument(
        "--kinds", help="letters of %s: the kinds of key that are used (default: what the families make)" % KINDS
    )
    ap.add_argument("--resp3", action="store_true")
    ap.add_argument("--errors", choices=["exact", "code", "any"], default="exact")
    ap.add_argument("--mask-script-pos", action="store_true", help="ignore chunk name and line in script errors")
    ap.add_argument("--no-encoding", action="store_true", help="do not compare OBJECT ENCODING")
    ap.add_argument("--refcount", action="store_true", help="compare OBJECT REFCOUNT")
    ap.add_argument("--dump-bytes", action="store_true", help="compare DUMP payloads byte for byte")
    ap.add_argument("--cross-restore", action="store_true", help="restore A's DUMP payloads on B")
    ap.add_argument("--strict-order", action="store_true", help="order of listpack hashes must agree")
    ap.add_argument("--ttl-tolerance", type=float, default=2.0, help="seconds")
    ap.add_argument("--repeat", type=int, default=1, help="each command is sent so many times in one piece")
    ap.add_argument("--mutate", type=float, default=0.06, help="share of commands with broken arguments")
    ap.add_argument("--wrongtype", type=float, default=0.05, help="share of keys of another type")
    ap.add_argument("--no-huge", dest="huge", action="store_false", help="no values above 4 KB")
    ap.add_argument("--no-state", dest="state", action="store_false", help="no whole-state comparison per episode")
    ap.add_argument("--timeout", type=float, default=10.0)
    ap.add_argument("--show", type=int, default=2, help="mismatches printed in full per command")
    ap.add_argument("--shrink", type=int, default=60, help="replays to minimise one printed mismatch (0: off)")
    ap.add_argument("--max-mismatches", type=int, default=100000)
    ap.add_argument("--skip", default="", help="commands not to send, comma list (e.g. LCS,OBJECT FREQ)")
    ap.add_argument(
        "--ignore",
        action="append",
        default=[],
        metavar="REGEX",
        help="a known difference: searched in 'COMMAND<tab>reply of A<tab>reply of B'; a leading ! means that the"
        " states differ after it, so the episode ends; repeatable",
    )
    ap.add_argument("--ignore-file", help="one such regex per line, # comments")
    ap.add_argument("--force", action="store_true", help="go on though a server holds keys")
    ap.add_argument("--report", metavar="FILE", help="the result as JSON")
    o = ap.parse_args()
    o.families = families(ap, o.families)
    o.kinds = o.kinds or "".join(sorted({k for f in o.families for k in KINDS_OF_FAMILY.get(f, "")})) or KINDS
    if o.ignore_file:
        with open(o.ignore_file) as f:
            o.ignore += [l.rstrip("\n") for l in f if l.strip() and not l.startswith("#")]
    o.ignore = [(re.compile(x[1:].lstrip() if x.startswith("!") else x), x.startswith("!")) for x in o.ignore]
    o.uses_scripts = "script" in o.families
    o.skip = {s.upper() for s in o.skip.split(",") if s}
    return o


def families(ap, text):
    chosen = list(FAMILIES) if text.startswith("-") else []
    for f in text.split(","):
        if f.lstrip("-") not in FAMILIES + [""]:
            ap.error("no family %s; there are: %s" % (f, " ".join(FAMILIES)))
        if f.startswith("-"):
            chosen.remove(f[1:])
        elif f:
            chosen.append(f)
    return chosen


def note_configuration(run):
    """Prints where the two servers are configured differently, because replies may then differ rightly."""

    def pairs(reply):
        if reply[0] == "%":
            return {k[1]: v[1] for k, v in reply[1]}
        if reply[0] == "*":
            return dict(zip([x[1] for x in reply[1][::2]], [x[1] for x in reply[1][1::2]]))
        return {}

    for pattern in CONFIG_THAT_SHOULD_AGREE:
        a, b = (pairs(c.do([b"CONFIG", b"GET", pattern])) for c in (run.A, run.B))
        for k in sorted(set(a) & set(b)):
            if a[k] != b[k]:
                print("note: CONFIG %s differs: %s / %s" % (k.decode(), a[k].decode(), b[k].decode()))


class Tally:
    """What was sent, and what differed, by the name of the operation."""

    def __init__(self):
        self.sent, self.mismatches = collections.Counter(), collections.Counter()
        self.kinds = collections.defaultdict(collections.Counter)
        self.printed, self.skipped = collections.Counter(), collections.Counter()

    def total(self):
        return sum(self.mismatches.values())

    def print(self):
        print("mismatches: %d" % self.total())
        for n, c in self.mismatches.most_common():
            print("  %-28s %6d of %7d sent   %s" % (n, c, self.sent[n], dict(self.kinds[n])))


def reconnect(run, wait=0.0):
    """Connects again. @raise OSError and others of GONE when a server is not there any more"""
    try:
        run.connect()
    except OSError:
        time.sleep(wait)
        run.connect()


def skipped(o, op):
    """The names of its commands, or their subcommands, that are not to be sent."""
    words = [[w.upper().decode("latin1") for w in c[:2]] for c in op.cmds if c]
    return o.skip & ({w[0] for w in words} | {" ".join(w) for w in words})


def episode(o, run, gen, tally, number):
    """One history from empty servers on. @return the mismatch that ended it, with the history, or None"""
    rng = random.Random("%s:%d" % (o.seed, number))
    history, op = [], None
    try:
        for _ in range(o.episode_len):
            op = gen.op(rng)
            if skipped(o, op):
                tally.skipped.update(skipped(o, op))
                continue
            history.append(op)
            tally.sent[op.name()] += 1
            run.run(op)
        if o.state:
            op = Op("cmd", [[b"STATE"]])
            run.compare_state()
    except Resync:
        run.connect()
    except Mismatch as m:
        return m, op, history
    except GONE as e:
        return Mismatch(type(e).__name__ + ": " + str(e), op.cmds[0] if op.cmds else [b"RAW"], "?", "?"), op, history
    return None


def explain(o, run, tally, number, found):
    """Counts a mismatch and, the first times, prints the shortest history that shows it."""
    m, op, history = found
    name = "STATE" if m.what == "state" else op.name()
    if m.what == "reply in EXEC":
        name = "EXEC>" + Op("cmd", [m.cargs]).name()
    tally.mismatches[name] += 1
    tally.kinds[name][m.what.split(":")[0]] += 1
    if tally.printed[name] >= o.show:
        return
    tally.printed[name] += 1
    mini = history
    if m.what == "state":
        mini = [h for h in history if any(m.cargs[2] in c for c in h.cmds)]
    elif o.shrink:
        try:
            mini = shrink(run, history, m, o.shrink)
        except GONE:
            pass
    print(
        "\n=== mismatch %d: %s (%s)  seed %s episode %d, after %d operations"
        % (tally.total(), name, m.what, o.seed, number, len(history))
    )
    lines = [l for h in mini for l in h.text()]
    if len(lines) > LINES_SHOWN:
        print("   ... %d more commands before" % (len(lines) - LINES_SHOWN))
    for l in lines[-LINES_SHOWN:]:
        print("   > " + l)
    print("   at: " + qcmd(m.cargs))
    print("   A:  " + show(m.a))
    print("   B:  " + show(m.b))
    sys.stdout.flush()


def write_report(o, run, tally, seconds):
    with open(o.report, "w") as f:
        json.dump(
            {
                "commands": run.commands,
                "seconds": seconds,
                "sent": tally.sent,
                "skipped": tally.skipped,
                "mismatches": tally.mismatches,
                "ignored": run.ignored,
            },
            f,
            indent=1,
        )


def main():
    o = options()
    run = Runner(o)
    run.connect()
    for c, n in ((run.A, "a"), (run.B, "b")):
        size = c.do([b"DBSIZE"])
        if size[1] != b"0" and not o.force:
            print("--%s holds %s keys; it would be flushed. Use --force." % (n, size[1].decode()))
            return 2
    note_configuration(run)
    gen, tally = Generator(o), Tally()
    started, gone = time.time(), False
    number = -1 if o.episode is None else o.episode - 1
    while run.commands < o.count and tally.total() < o.max_mismatches:
        number += 1
        try:
            run.reset()
            found = episode(o, run, gen, tally, number)
            if found:
                compared = run.commands
                explain(o, run, tally, number, found)
                run.commands = compared
                reconnect(run, wait=1)
        except GONE as e:
            print("a server is gone: %s" % e)
            gone = True
            break
        if o.episode is not None:
            break
    seconds = time.time() - started
    print(
        "\n%d commands, %d episodes, %.0f s (%.0f commands/s), seed %s%s, families: %s"
        % (
            run.commands,
            number + 1,
            seconds,
            run.commands / max(seconds, 0.001),
            o.seed,
            ", RESP3" if o.resp3 else "",
            ",".join(o.families),
        )
    )
    tally.print()
    if run.ignored:
        print("known differences ignored: %d" % sum(run.ignored.values()))
        for x, c in run.ignored.most_common():
            print("  %6d  %s" % (c, x))
    if o.report:
        write_report(o, run, tally, seconds)
    return 3 if gone else 1 if tally.total() else 0


if __name__ == "__main__":
    sys.exit(main())
