"""The shortest history that still ends in the same mismatch, found by replaying parts of it (ddmin)."""

from runner import Mismatch, Resync


def keys_of(op):
    s = set()
    for c in op.cmds:
        for a in c[1:]:
            s.add(a)
    return s


def replay(run, ops):
    """True mismatch (a Mismatch) when the sequence, from an empty server, shows one at its last step."""
    run.connect()
    run.reset()
    for i, op in enumerate(ops):
        try:
            run.run(op)
        except Resync:
            return None
        except Mismatch as m:
            return (i, m)
    return None


def shrink(run, ops, first, budget):
    target = first.cargs[0].upper()

    def bad(seq):
        nonlocal budget
        budget -= 1
        try:
            r = replay(run, seq)
        except OSError:
            return False
        return r is not None and r[0] == len(seq) - 1 and r[1].cargs[0].upper() == target and r[1].what == first.what

    last = ops[-1]
    cur = list(ops)
    rel = keys_of(last)
    cand = [o for o in ops[:-1] if keys_of(o) & rel or o.cmds and o.cmds[0][0].upper() in (b"SELECT", b"SWAPDB")] + [
        last
    ]
    if len(cand) < len(cur) and bad(cand):
        cur = cand
    if bad([last]):
        return [last]
    n = 2
    while len(cur) > 2 and budget > 0:
        body, size = cur[:-1], max(1, (len(cur) - 1) // n)
        done = True
        for i in range(0, len(body), size):
            if budget <= 0:
                break
            c = body[:i] + body[i + size :] + [last]
            if bad(c):
                cur, n, done = c, max(2, n - 1), False
                break
        if done:
            if size == 1:
                break
            n = min(len(body), n * 2)
    return cur
