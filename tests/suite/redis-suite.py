#!/usr/bin/env python3
"""redis-suite: run Redis 7.0.15's own Tcl test suite against another server.

The suite itself is not shipped: it is unpacked from the Debian source package
`redis` (apt-get source --download-only --tar-only) into a cache folder.

Two modes:
  external  ./runtest --host H --port P ...      (server is running, or started per unit with --start)
  wrapped   src/redis-server is a wrapper that execs --server CMD; the suite starts and stops
            servers itself (persistence, replication, introspection, ... become runnable)

One unit is one runtest process with its own time-outs.  A test is counted as passed only
when the suite printed "[ok]: name".  Tests of the yardstick that never reported are "lost".
"""

import argparse
import collections
import fnmatch
import glob
import hashlib
import json
import os
import re
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import tarfile
import tempfile
import threading
import time

VERSION = "7.0.15"
SHA256 = "4b1dc4ee6d622a09fff9c6777191209750fb5e5a725ef78ea012d6eef4c22982"


def cache_default():
    base = os.environ.get("XDG_CACHE_HOME") or os.path.join(os.path.expanduser("~"), ".cache")
    return os.path.join(base, "redis-suite")


def deb_src_parts(folder):
    """Write the machine's own apt sources, turned into deb-src, to a private folder."""
    os.makedirs(folder, exist_ok=True)
    n = 0
    for f in sorted(glob.glob("/etc/apt/sources.list.d/*.sources")):
        text = open(f).read()
        text = re.sub(r"(?m)^Types:.*$", "Types: deb-src", text)
        open(os.path.join(folder, "s%d.sources" % n), "w").write(text)
        n += 1
    for f in ["/etc/apt/sources.list"] + sorted(glob.glob("/etc/apt/sources.list.d/*.list")):
        if not os.path.exists(f):
            continue
        lines = [re.sub(r"^deb\s", "deb-src ", l) for l in open(f) if l.startswith("deb ")]
        if lines:
            open(os.path.join(folder, "s%d.list" % n), "w").writelines(lines)
            n += 1
    if not n:
        sys.exit("no apt sources found to derive deb-src entries from; use --tarball")


def apt_fetch(folder):
    parts, lists = os.path.join(folder, "parts"), os.path.join(folder, "lists")
    os.makedirs(os.path.join(lists, "partial"), exist_ok=True)
    deb_src_parts(parts)
    opts = [
        "-o",
        "Dir::Etc::sourcelist=/dev/null",
        "-o",
        "Dir::Etc::sourceparts=" + parts,
        "-o",
        "Dir::State::lists=" + lists,
        "-o",
        "APT::Sandbox::User=root",
    ]
    print("+ apt-get update, apt-get source --download-only --tar-only redis (private folders)")
    subprocess.run(["apt-get", "-q", *opts, "update"], check=True, cwd=folder, stdout=subprocess.DEVNULL)
    subprocess.run(
        ["apt-get", "-q", *opts, "source", "--download-only", "--tar-only", "redis"],
        check=True,
        cwd=folder,
        stdout=subprocess.DEVNULL,
    )
    found = glob.glob(os.path.join(folder, "redis_%s.orig.tar.gz" % VERSION))
    if not found:
        sys.exit("the distribution's redis is not %s: %s (use --tarball)" % (VERSION, os.listdir(folder)))
    return found[0]


def obtain(args):
    if args.suite_dir:
        return os.path.abspath(args.suite_dir)
    os.makedirs(args.cache, exist_ok=True)
    tree = os.path.join(args.cache, "redis-" + VERSION)
    if os.path.exists(os.path.join(tree, "tests", "test_helper.tcl")):
        return tree
    tar = args.tarball or apt_fetch(args.cache)
    got = hashlib.sha256(open(tar, "rb").read()).hexdigest()
    if got != SHA256:
        sys.exit("sha256 of %s is %s, not %s" % (tar, got, SHA256))
    with tarfile.open(tar) as t:
        members = [
            m
            for m in t.getmembers()
            if re.match(
                r"redis-%s/(tests/|runtest|redis\.conf|utils/|src/commands|COPYING)" % re.escape(VERSION), m.name
            )
        ]
        t.extractall(args.cache, members=members)
    return tree


def which(*names):
    for n in names:
        p = n if os.path.isabs(n) and os.path.exists(n) else shutil.which(n)
        if p:
            return p
    return None


def ping(host, port, timeout=3.0):
    try:
        with socket.create_connection((host, port), timeout) as s:
            s.settimeout(timeout)
            s.sendall(b"*1\r\n$4\r\nPING\r\n")
            return s.recv(64)[:1] in (b"+", b"-")
    except OSError:
        return False


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def send_simple(host, port, *cmds):
    try:
        with socket.create_connection((host, port), 5) as s:
            s.settimeout(5)
            for c in cmds:
                parts = [p.encode() for p in c.split(" ")]
                s.sendall(b"*%d\r\n" % len(parts) + b"".join(b"$%d\r\n%s\r\n" % (len(p), p) for p in parts))
                s.recv(65536)
    except OSError:
        pass


def kill_group(proc):
    """Ends one process group that this script started."""
    if proc is None:
        return
    try:
        os.killpg(proc.pid, signal.SIGTERM)
    except ProcessLookupError:
        return
    try:
        proc.wait(5)
    except subprocess.TimeoutExpired:
        pass
    try:
        os.killpg(proc.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass
    try:
        proc.wait(5)
    except subprocess.TimeoutExpired:
        pass


def children_of_tree(tree):
    """pids whose command line or working folder names our private tree copy (servers that the suite left)."""
    out = []
    for p in os.listdir("/proc"):
        if not p.isdigit() or int(p) == os.getpid():
            continue
        try:
            cwd = os.readlink("/proc/%s/cwd" % p)
            cmd = open("/proc/%s/cmdline" % p, "rb").read().decode("latin1")
        except OSError:
            continue
        if cwd.startswith(tree) or tree in cmd:
            out.append(int(p))
    return out


# Conditions of the suite that would leave out a test although it can run: file, condition, what it becomes
GATES = [("tests/unit/type/string.tcl", "if {[string match {*jemalloc*} [s mem_allocator]]} {", "if {1} {")]


def make_tree(suite, where, args):
    """A private copy of the tests folder, with src/ holding links or wrappers."""
    os.makedirs(where)
    shutil.copytree(os.path.join(suite, "tests"), os.path.join(where, "tests"), symlinks=True)
    os.makedirs(os.path.join(where, "tests", "tmp"), exist_ok=True)
    for file, gate, opened in GATES:
        with open(os.path.join(where, file), "r+b") as f:
            text = f.read().replace(gate.encode(), opened.encode())
            f.seek(0)
            f.truncate()
            f.write(text)
    for f in ("runtest", "redis.conf"):
        if os.path.exists(os.path.join(suite, f)):
            shutil.copy(os.path.join(suite, f), where)
    for d in ("utils",):
        if os.path.exists(os.path.join(suite, d)):
            os.symlink(os.path.join(suite, d), os.path.join(where, d))
    src = os.path.join(where, "src")
    os.makedirs(src)
    if os.path.exists(os.path.join(suite, "src", "commands")):
        os.symlink(os.path.join(suite, "src", "commands"), os.path.join(src, "commands"))
    for tool in ("redis-cli", "redis-benchmark", "redis-check-aof", "redis-check-rdb"):
        override = getattr(args, tool.replace("-", "_"), None)
        path = which(override or tool)
        if path:
            if override or tool != "redis-check-aof" and tool != "redis-check-rdb":
                os.symlink(path, os.path.join(src, tool))
            else:  # multi-call binaries look at argv[0]; keep the name
                os.symlink(path, os.path.join(src, tool))
    if args.mode == "wrapped":
        wrapper = os.path.join(src, "redis-server")
        with open(wrapper, "w") as f:
            f.write('#!/bin/sh\nexec %s "$@"\n' % args.server)
        os.chmod(wrapper, 0o755)
    return where


ANSI = re.compile(r"\x1b\[[0-9;]*m")
LINE = re.compile(r"^\[(ok|err|skip|ignore|exception|TIMEOUT)\]: ?(.*)$")


class Result:
    def __init__(self):
        self.ok, self.err, self.skip, self.hung, self.crashed_at = [], [], [], [], []
        self.progress = None
        self.errtext, self.exception, self.timeout, self.crashed = {}, None, False, False
        self.seconds = 0.0


def strip_ms(s):
    return re.sub(r" \(\d+ ms\)$", "", s)


def parse(text):
    r = Result()
    cur = None
    progress = None
    for raw in text.split("\n"):
        line = ANSI.sub("", raw).rstrip("\r")
        if line.startswith("Execution time of different units:") or line.startswith("!!! WARNING"):
            break
        m = LINE.match(line)
        if m:
            kind, rest = m.groups()
            cur = None
            if kind == "ok":
                r.ok.append(strip_ms(rest))
            elif kind == "err":
                name = re.sub(r" in tests/\S+\.tcl$", "", rest)
                r.err.append(name)
                cur = name
                r.errtext[name] = rest
            elif kind in ("skip", "ignore"):
                r.skip.append(rest)
            elif kind == "exception":
                r.exception = rest
                cur = "\0exception"
            elif kind == "TIMEOUT":
                r.timeout = True
            continue
        m = re.search(r"=> \(IN PROGRESS\) (.*)$", line)
        if m:
            progress = m.group(1)
            continue
        if cur == "\0exception":
            r.exception += "\n" + line
        elif cur and line and not line.startswith("["):
            if len(r.errtext[cur]) < 2000:
                r.errtext[cur] += "\n" + line
    r.progress = progress
    return r


def run_unit_once(unit, tree, args, port, baseport, skiptests, logpath):
    cmd = [
        "./runtest",
        "--single",
        unit,
        "--durable",
        "--timeout",
        str(args.timeout),
        "--baseport",
        str(baseport),
        "--portcount",
        str(args.portcount),
        "--clients",
        "1",
    ]
    if args.mode == "external":
        cmd += ["--host", args.host, "--port", str(port)]
    if args.tags:
        cmd += ["--tags", args.tags]
    skips = list(skiptests) + args.skip_of_unit.get(unit, [])
    if args.mode == "external" and not args.no_builtin_skips:
        skips += EXTERNAL_SKIPS
    for s in skips:
        cmd += ["--skiptest", s]
    if args.extra:
        cmd += shlex.split(args.extra)
    env = dict(os.environ, TERM="dumb", LC_ALL="C.UTF-8")
    start = time.time()
    with open(logpath, "ab") as log:
        log.write(("### " + " ".join(map(shlex.quote, cmd)) + "\n").encode())
        log.flush()
        pos = log.tell()
        p = subprocess.Popen(
            cmd,
            cwd=tree,
            stdout=log,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            env=env,
            start_new_session=True,
        )
        hard = False
        try:
            p.wait(args.unit_timeout)
        except subprocess.TimeoutExpired:
            hard = True
        kill_group(p)
    with open(logpath, "rb") as f:
        f.seek(pos)
        text = f.read().decode("utf-8", "replace")
    r = parse(text)
    r.timeout = r.timeout or hard
    r.hard = hard
    r.seconds = time.time() - start
    if args.mode == "wrapped":
        for pid in children_of_tree(tree):
            try:
                os.kill(pid, signal.SIGKILL)
            except OSError:
                pass
    return r


def start_server(args, port, folder):
    shutil.rmtree(folder, ignore_errors=True)
    os.makedirs(folder)
    cmd = args.start.replace("{port}", str(port)).replace("{dir}", folder)
    log = open(os.path.join(folder, "server.log"), "ab")
    p = subprocess.Popen(
        ["/bin/sh", "-c", "exec " + cmd],
        stdout=log,
        stderr=subprocess.STDOUT,
        stdin=subprocess.DEVNULL,
        cwd=folder,
        start_new_session=True,
    )
    for _ in range(200):
        if ping(args.host, port):
            return p
        if p.poll() is not None:
            break
        time.sleep(0.05)
    kill_group(p)
    raise RuntimeError("server did not start: %s (see %s)" % (cmd, log.name))


def run_unit(unit, slot, suite, args):
    port = args.port
    if args.start:
        port = args.port + slot if args.port else free_port()
    baseport = args.baseport + slot * (args.portcount + 32)
    tree = os.path.join(args.work, "tree%d" % slot)
    if not os.path.exists(tree):
        make_tree(suite, tree, args)
    logpath = os.path.join(args.out, "logs", unit.replace("/", "_") + ".log")
    os.makedirs(os.path.dirname(logpath), exist_ok=True)
    open(logpath, "wb").close()
    hung, crashed_at, best, total = [], [], None, 0.0
    for attempt in range(args.isolate + 1):
        server = None
        if args.mode == "external" and args.start:
            server = start_server(args, port, os.path.join(args.work, "srv%d" % slot))
        elif args.mode == "external" and not ping(args.host, port):
            if best is None:
                best = Result()
                best.exception = "server does not answer PING"
            break
        r = run_unit_once(unit, tree, args, port, baseport, hung + crashed_at, logpath)
        total += r.seconds
        dead = False
        if server is not None:
            dead = server.poll() is not None or not ping(args.host, port)
            kill_group(server)
        elif args.mode == "external":
            dead = not ping(args.host, port)
            if not dead:
                send_simple(args.host, port, "FLUSHALL", "FUNCTION FLUSH")
        r.crashed = dead
        best = r
        nxt = None
        if r.timeout and not r.hard and r.progress and r.progress not in hung:
            nxt = r.progress
            hung.append(nxt)
        elif dead and args.start:
            for n in r.err:
                if (
                    re.search(
                        r"I/O error|connection refused|couldn't open socket|Broken pipe|broken pipe", r.errtext[n]
                    )
                    and n not in crashed_at
                ):
                    nxt = n
                    crashed_at.append(n)
                    break
        if nxt is None or (args.mode == "external" and not args.start and dead):
            break
    best.hung = hung
    best.crashed_at = crashed_at
    # names skipped only because they hung or killed the server are failures
    for n in hung + crashed_at:
        if n in best.skip:
            best.skip.remove(n)
    best.seconds = total
    return best


# Tests that cannot work against an external server although the suite does not tag them so
# (this one asks for the server's pid, and its failure spoils the six tests after it).
EXTERNAL_SKIPS = ["SRANDMEMBER with a dict containing long chain"]


def arguments():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("--mode", choices=["external", "wrapped"], default="external")
    ap.add_argument("--cache", default=cache_default(), help="where the suite is kept")
    ap.add_argument("--tarball", help="redis_%s.orig.tar.gz that you have already" % VERSION)
    ap.add_argument("--suite-dir", help="an unpacked redis-%s tree" % VERSION)
    ap.add_argument("--obtain-only", action="store_true")
    ap.add_argument("--host", default="127.0.0.1")
    ap.add_argument("--port", type=int, default=6379, help="0 with --start: any free one")
    ap.add_argument(
        "--start", help="external mode: command that starts a fresh server per unit; {port} and {dir} are replaced"
    )
    ap.add_argument(
        "--server", help="wrapped mode: command prefix that the wrapper execs (config file and options follow)"
    )
    ap.add_argument("--units", default="*", help="comma list of glob patterns")
    ap.add_argument("--skip-units", default="", help="comma list of glob patterns")
    ap.add_argument("--tags", default="", help='as runtest, e.g. "-slow -needs:debug"')
    ap.add_argument("--no-debug", action="store_true", help="adds the tag -needs:debug")
    ap.add_argument("--no-slow", action="store_true", help="adds the tag -slow")
    ap.add_argument("--skip-tests", help="JSON file: names of tests to leave out, by unit")
    ap.add_argument(
        "--no-builtin-skips", action="store_true", help="external mode: do not skip " + repr(EXTERNAL_SKIPS)
    )
    ap.add_argument("--jobs", type=int, default=1, help="units at once (needs --start or wrapped mode)")
    ap.add_argument("--timeout", type=int, default=180, help="seconds without progress inside a unit")
    ap.add_argument("--unit-timeout", type=int, default=1200, help="hard limit per unit")
    ap.add_argument(
        "--isolate", type=int, default=6, help="re-runs of a unit without the test that hung or killed the server"
    )
    ap.add_argument("--baseport", type=int, default=21111)
    ap.add_argument("--portcount", type=int, default=200)
    ap.add_argument("--extra", default="", help="more runtest arguments, e.g. '--accurate' or '--ignore-encoding'")
    ap.add_argument("--out", default="redis-suite-out")
    ap.add_argument("--yardstick", help="JSON of a reference run; passed tests are counted against it")
    ap.add_argument("--save-yardstick", help="write this run's [ok] names as a yardstick")
    for tool in ("redis-cli", "redis-benchmark", "redis-check-aof", "redis-check-rdb"):
        ap.add_argument("--" + tool)
    args = ap.parse_args()
    if args.mode == "wrapped" and not args.server and not args.obtain_only:
        ap.error("wrapped mode needs --server")
    if args.no_debug:
        args.tags = (args.tags + " -needs:debug").strip()
    if args.no_slow:
        args.tags = (args.tags + " -slow").strip()
    if args.mode == "external" and not args.start:
        args.jobs = 1
    args.skip_of_unit = json.load(open(args.skip_tests)) if args.skip_tests else {}
    return args


def chosen_units(suite, args):
    """The suite's units that the patterns take, in the suite's order."""
    helper = open(os.path.join(suite, "tests", "test_helper.tcl")).read()
    units = re.search(r"set ::all_tests \{(.*?)\}", helper, re.S).group(1).split()
    takes = [p for p in args.units.split(",") if p]
    leaves = [p for p in args.skip_units.split(",") if p]
    return [
        u for u in units if any(fnmatch.fnmatch(u, p) for p in takes) and not any(fnmatch.fnmatch(u, p) for p in leaves)
    ]


def lost_of(yard, unit, r):
    """How many tests of the yardstick never reported."""
    if not yard:
        return 0
    return max(0, sum(yard["units"].get(unit, {}).values()) - len(r.ok) - len(r.err))


def run_all(units, suite, args, yard):
    """Runs the units, several at once, and prints a line for each. @return Result by unit"""
    results, lock, queue = {}, threading.Lock(), list(units)
    header = "%-42s %6s %6s %6s %6s %6s %8s" % ("unit", "ok", "err", "skip", "hung", "lost", "seconds")
    print(header)
    print("-" * len(header))

    def worker(slot):
        while True:
            with lock:
                if not queue:
                    return
                u = queue.pop(0)
            try:
                r = run_unit(u, slot, suite, args)
            except Exception as e:  # a server that does not start must not lose the other units
                r = Result()
                r.exception = str(e)
            with lock:
                results[u] = r
                note = ""
                if r.exception:
                    note += "  EXCEPTION"
                if r.timeout:
                    note += "  TIMEOUT"
                if r.crashed:
                    note += "  SERVER-DOWN"
                if r.crashed_at:
                    note += "  crashed-at:%d" % len(r.crashed_at)
                print_line(u, [len(r.ok), len(r.err), len(r.skip), len(r.hung), lost_of(yard, u, r)], r.seconds, note)

    args.work = tempfile.mkdtemp(prefix="redis-suite.")
    threads = [threading.Thread(target=worker, args=(i,)) for i in range(max(1, args.jobs))]
    started = time.time()
    try:
        for t in threads:
            t.start()
        for t in threads:
            t.join()
    finally:
        shutil.rmtree(args.work, ignore_errors=True)
    print("-" * len(header))
    sums = [sum(len(getattr(r, kind)) for r in results.values()) for kind in ("ok", "err", "skip", "hung")]
    sums.append(sum(lost_of(yard, u, r) for u, r in results.items()))
    print_line("TOTAL (%d units)" % len(results), sums, time.time() - started, "")
    return results


def print_line(name, counts, seconds, note):
    print("%-42s %6d %6d %6d %6d %6d %8.1f%s" % (name, *counts, seconds, note), flush=True)


def write_lists(results, args):
    """What failed and how, and what passed, as files in args.out."""
    with open(os.path.join(args.out, "failed.txt"), "w") as f:
        for u, r in results.items():
            for kind, names in (("err", r.err), ("hung", r.hung), ("crash", r.crashed_at)):
                for n in names:
                    f.write("%s\t%s\t%s\n" % (u, kind, n))
            if r.exception:
                f.write("%s\texception\t%s\n" % (u, r.exception.split("\n")[0]))
            if r.timeout:
                f.write("%s\ttimeout\t%s\n" % (u, r.progress or "hard limit"))
    with open(os.path.join(args.out, "failed-details.txt"), "w") as f:
        for u, r in results.items():
            for n in r.err:
                f.write("%s: %s\n\n" % (u, r.errtext[n]))
    table = {u: dict(collections.Counter(r.ok)) for u, r in results.items()}
    total = sum(len(r.ok) for r in results.values())
    with open(os.path.join(args.out, "passed.json"), "w") as f:
        json.dump({"mode": args.mode, "tags": args.tags, "total": total, "units": table}, f, indent=0, sort_keys=True)
    if args.save_yardstick:
        shutil.copy(os.path.join(args.out, "passed.json"), args.save_yardstick)
    return table


def compare(units, yard, table, args):
    """How many of the yardstick's tests passed, by name; those that did not go to missing.txt."""
    passed = wanted = 0
    with open(os.path.join(args.out, "missing.txt"), "w") as f:
        for u in units:
            have = table.get(u, {})
            for n, c in sorted(yard["units"].get(u, {}).items()):
                wanted += c
                got = min(c, have.get(n, 0))
                passed += got
                if got < c:
                    f.write("%s\t%s\n" % (u, n))
    print("yardstick: %d of %d passed by name = %.2f%%" % (passed, wanted, 100.0 * passed / max(1, wanted)))


def main():
    args = arguments()
    suite = obtain(args)
    print("suite:", suite)
    if args.obtain_only:
        return 0
    if not which("tclsh8.6", "tclsh8.5", "tclsh8.7"):
        sys.exit("tclsh 8.5+ is missing (Debian: tcl)")
    args.out = os.path.abspath(args.out)
    os.makedirs(args.out, exist_ok=True)
    units = chosen_units(suite, args)
    yard = json.load(open(args.yardstick)) if args.yardstick else None
    results = run_all(units, suite, args, yard)
    table = write_lists({u: results[u] for u in units if u in results}, args)
    if yard:
        compare(units, yard, table, args)
    print("lists in", args.out)
    return 0


if __name__ == "__main__":
    sys.exit(main())
