/**
 * Random commands that change the keyspace, by family: what the tests of snapshots, logs and crashes are driven with. A family of
 * commands adds its list here, so that all of them meet it.
 */
import type { Random } from "./random.ts";

type Operation = (random: Random, key: () => string) => string[];

/** Keys of each family; a few commands take one of another's, so that types meet. */
const KEYS = 60;
/** Strings of this length have a block of their own, and are large to the tiny build's snapshots. */
const LARGE_BYTES = 20_000;

const value = (random: Random) =>
  random.chance(0.3) ? String(random.below(1e9)) : "v".repeat(random.below(90));
const large = (random: Random) =>
  String.fromCharCode(97 + random.below(26)).repeat(LARGE_BYTES + random.below(2 * LARGE_BYTES));
const soon = (random: Random) => String(1 + random.below(3000));

const element = (random: Random) =>
  random.chance(0.02) ? large(random) : random.chance(0.5) ? value(random) : `e${random.below(9)}`;
const elements = (random: Random, count: number) =>
  Array.from({ length: count }, () => element(random));
const end = (random: Random) => random.pick(["LEFT", "RIGHT"]);
const offset = (random: Random) => String(random.below(200) - 100);

const LISTS: readonly Operation[] = [
  (random, key) => ["RPUSH", key(), ...elements(random, 1 + random.below(60))],
  (random, key) => ["LPUSH", key(), ...elements(random, 1 + random.below(60))],
  (random, key) => ["RPUSH", key(), ...Array.from({ length: 400 }, () => value(random))],
  (random, key) => [random.pick(["LPOP", "RPOP"]), key()],
  (random, key) => [random.pick(["LPOP", "RPOP"]), key(), String(random.below(200))],
  (random, key) => ["LMOVE", key(), key(), end(random), end(random)],
  (random, key) => ["LMPOP", "2", key(), key(), end(random), "COUNT", String(1 + random.below(9))],
  (random, key) => ["LSET", key(), offset(random), element(random)],
  (random, key) => ["LINSERT", key(), "AFTER", `e${random.below(9)}`, element(random)],
  (random, key) => ["LREM", key(), offset(random), `e${random.below(9)}`],
  (random, key) => ["LTRIM", key(), offset(random), offset(random)],
];

const STRINGS: readonly Operation[] = [
  (random, key) => ["SET", key(), value(random)],
  (random, key) => ["SET", key(), value(random)],
  (random, key) => ["SET", key(), value(random), "PX", soon(random)],
  (random, key) => ["SET", key(), value(random), "KEEPTTL"],
  (random, key) => ["SET", key(), large(random)],
  (random, key) => ["APPEND", key(), random.chance(0.1) ? large(random) : value(random)],
  (random, key) => ["SETRANGE", key(), String(random.below(200)), value(random)],
  (_, key) => ["INCR", key()],
  (random, key) => ["INCRBYFLOAT", key(), String(random.below(100) / 8)],
  (_, key) => ["GETDEL", key()],
  (random, key) => ["GETEX", key(), "PX", soon(random)],
  (_, key) => ["GETEX", key(), "PERSIST"],
  (random, key) => ["MSET", key(), value(random), key(), value(random)],
  (random, key) => ["MSETNX", key(), value(random), key(), value(random)],
];

const member = (random: Random) =>
  random.chance(0.5) ? String(random.below(700)) : `m${random.below(700)}`;
const members = (random: Random) =>
  Array.from({ length: 1 + random.below(60) }, () => member(random));

const SETS: readonly Operation[] = [
  (random, key) => ["SADD", key(), ...members(random)],
  (random, key) => ["SADD", key(), ...members(random)],
  (random, key) => ["SADD", key(), ...Array.from({ length: 300 }, () => member(random))],
  (random, key) => ["SREM", key(), ...members(random)],
  (_, key) => ["SPOP", key()],
  (random, key) => ["SPOP", key(), String(random.below(100))],
  (random, key) => ["SMOVE", key(), key(), member(random)],
  (_, key) => ["SINTERSTORE", key(), key(), key()],
  (_, key) => ["SUNIONSTORE", key(), key(), key()],
  (_, key) => ["SDIFFSTORE", key(), key(), key()],
];

const field = (random: Random) => `f${random.below(700)}`;
const pairs = (random: Random, count: number) =>
  Array.from({ length: count }, () => [field(random), value(random)]).flat();

const fields = (random: Random, count: number) =>
  Array.from({ length: count }, () => field(random));

const HASHES: readonly Operation[] = [
  (random, key) => ["HSET", key(), ...pairs(random, 1 + random.below(20))],
  (random, key) => ["HSET", key(), ...pairs(random, 1)],
  (random, key) => ["HSET", key(), ...pairs(random, 600)],
  (random, key) => ["HSET", key(), field(random), large(random)],
  (random, key) => ["HSETNX", key(), field(random), value(random)],
  (random, key) => ["HINCRBY", key(), `n${random.below(3)}`, String(random.below(1000))],
  (random, key) => ["HINCRBYFLOAT", key(), `n${random.below(3)}`, String(random.below(100) / 8)],
  (random, key) => ["HDEL", key(), ...Array.from({ length: 40 }, () => field(random))],
  (random, key) => ["HDEL", key(), field(random)],
  (random, key) => ["HPEXPIRE", key(), soon(random), "FIELDS", "3", ...fields(random, 3)],
  (random, key) => ["HPERSIST", key(), "FIELDS", "9", ...fields(random, 9)],
  (random, key) => ["HSETEX", key(), "PX", soon(random), "FIELDS", "5", ...pairs(random, 5)],
  (random, key) => ["HGETEX", key(), "PX", soon(random), "FIELDS", "2", ...fields(random, 2)],
  (random, key) => ["HGETDEL", key(), "FIELDS", "3", ...fields(random, 3)],
];

const HYPERLOGLOGS: readonly Operation[] = [
  (random, key) => ["PFADD", key(), ...members(random)],
  (random, key) => ["PFADD", key(), ...Array.from({ length: 900 }, () => `${random.below(1e9)}`)],
  (_, key) => ["PFCOUNT", key()],
  (_, key) => ["PFMERGE", key(), key(), key()],
];

const score = (random: Random) => String((random.below(400) - 200) / 8);
const scored = (random: Random, count: number) =>
  Array.from({ length: count }, () => [score(random), member(random)]).flat();

const SORTED_SETS: readonly Operation[] = [
  (random, key) => ["ZADD", key(), ...scored(random, 1 + random.below(40))],
  (random, key) => ["ZADD", key(), ...scored(random, 1 + random.below(40))],
  (random, key) => ["ZADD", key(), ...scored(random, 200)],
  (random, key) => ["ZADD", key(), random.pick(["NX", "XX", "GT", "LT"]), ...scored(random, 20)],
  (random, key) => ["ZINCRBY", key(), score(random), member(random)],
  (random, key) => ["ZREM", key(), ...members(random)],
  (random, key) => [random.pick(["ZPOPMIN", "ZPOPMAX"]), key(), String(random.below(60))],
  (random, key) => ["ZMPOP", "2", key(), key(), random.pick(["MIN", "MAX"])],
  (random, key) => ["ZREMRANGEBYRANK", key(), "0", String(random.below(40))],
  (random, key) => ["ZREMRANGEBYSCORE", key(), score(random), score(random)],
  (random, key) => ["GEOADD", key(), String(random.below(90)), String(random.below(60)), "m7"],
  (_, key) => ["GEOSEARCHSTORE", key(), key(), ..."FROMLONLAT 2 1 BYRADIUS 4e6 m".split(" ")],
  (_, key) => ["ZRANGESTORE", key(), key(), "10", "-10"],
  (_, key) => ["ZUNIONSTORE", key(), "2", key(), key()],
  (_, key) => ["ZINTERSTORE", key(), "2", key(), key()],
  (_, key) => ["ZDIFFSTORE", key(), "2", key(), key()],
];

/** Entries of ascending ids mostly, so that ids can be guessed: 1-0 up to 400-3. */
const id = (random: Random) => `${1 + random.below(400)}-${random.below(4)}`;
const group = (random: Random) => `g${random.below(3)}`;
const consumer = (random: Random) => `c${random.below(4)}`;
const entry = (random: Random) =>
  random.chance(0.6)
    ? ["f1", value(random), "f2", value(random)]
    : pairs(random, 1 + random.below(3));

const STREAMS: readonly Operation[] = [
  (random, key) => ["XADD", key(), "*", ...entry(random)],
  (random, key) => ["XADD", key(), id(random), ...entry(random)],
  (random, key) => ["XADD", key(), `${random.below(400)}-*`, ...entry(random)],
  (random, key) => ["XADD", key(), "MAXLEN", "~", String(random.below(100)), "*", ...entry(random)],
  (random, key) => ["XADD", key(), "*", "f", large(random)],
  (random, key) => ["XDEL", key(), id(random), id(random), id(random)],
  (random, key) => ["XTRIM", key(), "MAXLEN", String(random.below(60))],
  (random, key) => ["XTRIM", key(), "MINID", random.pick(["~", "="]), id(random)],
  (random, key) =>
    ["XSETID", key(), "9999999999999-0", "ENTRIESADDED", "100000"].slice(0, random.pick([3, 5])),
  (random, key) => [
    "XGROUP",
    "CREATE",
    key(),
    group(random),
    random.pick(["0", "$", id(random)]),
    "MKSTREAM",
  ],
  (random, key) => ["XGROUP", "CREATECONSUMER", key(), group(random), consumer(random)],
  (random, key) => ["XGROUP", "SETID", key(), group(random), id(random)],
  (random, key) => ["XGROUP", random.pick(["DESTROY", "DESTROY"]), key(), group(random)],
  (random, key) => ["XGROUP", "DELCONSUMER", key(), group(random), consumer(random)],
  (random, key) => ["XREADGROUP", "GROUP", group(random), consumer(random), "STREAMS", key(), ">"],
  (random, key) => [
    ...["XREADGROUP", "GROUP", group(random), consumer(random), "COUNT", String(random.below(9))],
    ...["NOACK", "STREAMS", key(), ">"].slice(random.below(2)),
  ],
  (random, key) => ["XREADGROUP", "GROUP", group(random), consumer(random), "STREAMS", key(), "0"],
  (random, key) => ["XACK", key(), group(random), id(random), id(random), id(random)],
  (random, key) => ["XCLAIM", key(), group(random), consumer(random), "0", id(random), "FORCE"],
  (random, key) => ["XAUTOCLAIM", key(), group(random), consumer(random), "0", "0", "COUNT", "5"],
];

const KEYSPACE: readonly Operation[] = [
  (_, key) => ["DEL", key(), key()],
  (_, key) => ["UNLINK", key()],
  (random, key) => ["PEXPIRE", key(), soon(random)],
  (_, key) => ["PERSIST", key()],
  (_, key) => ["RENAME", key(), key()],
  (_, key) => ["RENAMENX", key(), key()],
  (_, key) => ["COPY", key(), key(), "REPLACE"],
  (random, key) => ["COPY", key(), key(), "DB", String(random.below(DATABASES)), "REPLACE"],
  (random, key) => ["MOVE", key(), String(random.below(DATABASES))],
  (_, key) => ["GET", key()],
  (_, key) => ["TOUCH", key()],
];

/** Rare ones, on whole databases. */
const DATABASE: readonly Operation[] = [
  (random) => ["SWAPDB", String(random.below(DATABASES)), String(random.below(DATABASES))],
  (random) => ["FLUSHDB", random.pick(["ASYNC", "SYNC"])],
  (random) => ["FLUSHDB", random.pick(["ASYNC", "SYNC"])],
  (random) => ["FLUSHALL", random.pick(["ASYNC", "SYNC"])],
];

const FAMILIES: Readonly<Record<string, readonly Operation[]>> = {
  list: LISTS,
  string: STRINGS,
  set: SETS,
  hash: HASHES,
  hyperloglog: HYPERLOGLOGS,
  zset: SORTED_SETS,
  stream: STREAMS,
};

/** Databases that operations are meant for. */
export const DATABASES = 4;

/** A command of any family; one in `databaseOdds` is on a whole database. */
export function randomOperation(random: Random, databaseOdds = 300): string[] {
  if (random.chance(1 / databaseOdds)) return random.pick(DATABASE)(random, () => "");
  const names = Object.keys(FAMILIES);
  const own = random.pick(names);
  const key = () => `${random.chance(0.95) ? own : random.pick(names)}:${random.below(KEYS)}`;
  const operations = random.chance(0.35) ? KEYSPACE : FAMILIES[own]!;
  return random.pick(operations)(random, key);
}
