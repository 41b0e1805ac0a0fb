/**
 * What write commands cause, as data: what a log holds of them, which keyspace events they raise, which keys they touch.
 * The core's effect records are compared with it, and a reference server's append-only file and notifications.
 */
import { streamEffectCases } from "./stream-effects.ts";

/** A word of the log; an instant is given in ms from now. */
export type LogWord = string | { inMs: number };

export interface EffectCase {
  name: string;
  /** Commands that prepare the keyspace. */
  before?: string[];
  /** Time that passes before the command. */
  passMs?: number;
  command: string | ((nowMs: number) => string);
  /** Redis does not have the command. */
  notInRedis?: true;
  /** The lines of the log, SELECT left out. */
  log: LogWord[][];
  /** What a reference logs instead, where we log less on purpose. */
  referenceLog?: LogWord[][];
  /** "event key", in order; with "@database" behind it in another than the first. */
  events: string[];
  /** Keys touched, at least once each. */
  touched: string[];
}

const IN_100_S = { inMs: 100_000 };
const inSeconds = (nowMs: number) => Math.ceil(nowMs / 1000) + 100;

function unchanged(command: string, before: string[] = [], events: string[] = []): EffectCase {
  return {
    name: `${command} that changes nothing leaves nothing`,
    before,
    command,
    log: [],
    events,
    touched: [],
  };
}

function verbatim(
  command: string,
  { before = [], events, touched }: { before?: string[]; events: string[]; touched: string[] },
): EffectCase {
  const name = `${command} is logged as it came`;
  return { name, before, command, log: [command.split(" ")], events, touched };
}

const LIST_CASES: EffectCase[] = [
  verbatim("RPUSH l a b", { events: ["new l", "rpush l"], touched: ["l"] }),
  verbatim("LPUSH l b", { before: ["RPUSH l a"], events: ["lpush l"], touched: ["l"] }),
  unchanged("LPUSHX l b"),
  verbatim("RPUSHX l b", { before: ["RPUSH l a"], events: ["rpush l"], touched: ["l"] }),
  verbatim("LPOP l", { before: ["RPUSH l a b"], events: ["lpop l"], touched: ["l"] }),
  verbatim("RPOP l", { before: ["RPUSH l a"], events: ["rpop l", "del l"], touched: ["l"] }),
  verbatim("LPOP l 5", { before: ["RPUSH l a b"], events: ["lpop l", "del l"], touched: ["l"] }),
  unchanged("LPOP l 0", ["RPUSH l a"]),
  verbatim("LSET l 0 b", { before: ["RPUSH l a"], events: ["lset l"], touched: ["l"] }),
  verbatim("LINSERT l AFTER a b", {
    before: ["RPUSH l a"],
    events: ["linsert l"],
    touched: ["l"],
  }),
  unchanged("LINSERT l AFTER x b", ["RPUSH l a"]),
  verbatim("LREM l 0 a", { before: ["RPUSH l a b a"], events: ["lrem l"], touched: ["l"] }),
  verbatim("LREM l 0 a", { before: ["RPUSH l a"], events: ["lrem l", "del l"], touched: ["l"] }),
  unchanged("LREM l 0 x", ["RPUSH l a"]),
  verbatim("LTRIM l 1 1", { before: ["RPUSH l a b"], events: ["ltrim l"], touched: ["l"] }),
  verbatim("LTRIM l 1 0", { before: ["RPUSH l a"], events: ["ltrim l", "del l"], touched: ["l"] }),
  {
    name: "LTRIM that keeps everything is told, but not logged",
    before: ["RPUSH l a"],
    command: "LTRIM l 0 -1",
    log: [],
    events: ["ltrim l"],
    touched: ["l"],
  },
  verbatim("LMOVE l m LEFT RIGHT", {
    before: ["RPUSH l a b"],
    events: ["new m", "rpush m", "lpop l"],
    touched: ["l", "m"],
  }),
  verbatim("RPOPLPUSH l l", {
    before: ["RPUSH l a b"],
    events: ["lpush l", "rpop l"],
    touched: ["l"],
  }),
  ...[
    { command: "BLPOP none l 0", log: ["LPOP", "l"], event: "lpop l" },
    { command: "BRPOP l 0", log: ["RPOP", "l"], event: "rpop l" },
    { command: "BLMPOP 0 1 l LEFT", log: ["LPOP", "l", "1"], event: "lpop l" },
  ].map(({ command, log, event }) => ({
    name: `${command} is logged as what it did`,
    before: ["RPUSH l a b"],
    command,
    log: [log],
    events: [event],
    touched: ["l"],
  })),
  ...[
    { command: "BLMOVE l m RIGHT RIGHT 0", log: ["LMOVE", "l", "m", "RIGHT", "RIGHT"], push: "r" },
    { command: "BRPOPLPUSH l m 0", log: ["RPOPLPUSH", "l", "m"], push: "l" },
  ].map(({ command, log, push }) => ({
    name: `${command} is logged without its timeout`,
    before: ["RPUSH l a"],
    command,
    log: [log],
    events: ["new m", `${push}push m`, "rpop l", "del l"],
    touched: ["l", "m"],
  })),
  {
    name: "LMPOP is logged as what it did",
    before: ["RPUSH l a b"],
    command: "LMPOP 2 none l RIGHT COUNT 9",
    log: [["RPOP", "l", "2"]],
    events: ["rpop l", "del l"],
    touched: ["l"],
  },
];

/** An expiry command that is logged as an absolute deadline. */
function deadline(command: EffectCase["command"], name: string, options = ""): EffectCase {
  const line = ["PEXPIREAT", "k", IN_100_S];
  const result: EffectCase = {
    name,
    before: ["SET k v"],
    command,
    log: [line],
    events: ["expire k"],
    touched: ["k"],
  };
  // Redis leaves the condition in the line, where it holds again on replay; ours is decided.
  if (options !== "") result.referenceLog = [[...line, ...options.split(" ")]];
  return result;
}

function deletion(command: string): EffectCase {
  return {
    name: `${command} with a time not in the future is logged as DEL`,
    before: ["SET k v"],
    command,
    log: [["DEL", "k"]],
    events: ["del k"],
    touched: ["k"],
  };
}

/** SET with options, on a new key, logged as the line given. */
function setAs(
  command: EffectCase["command"],
  name: string,
  line: LogWord[],
  expires = true,
): EffectCase {
  const events = expires ? ["new k", "set k", "expire k"] : ["new k", "set k"];
  return { name, command, log: [line], events, touched: ["k"] };
}

const SET_WITH_DEADLINE: LogWord[] = ["SET", "k", "v", "PXAT", IN_100_S];
const DUE = { before: ["SET k v PX 20"], passMs: 35 };
const EXPIRED_LOG = [["DEL", "k"]];

export const effectCases: EffectCase[] = [
  ...streamEffectCases,
  verbatim("SET k v", { events: ["new k", "set k"], touched: ["k"] }),
  verbatim("SET k w", { before: ["SET k v"], events: ["set k"], touched: ["k"] }),
  verbatim("SET k v NX", { events: ["new k", "set k"], touched: ["k"] }),
  verbatim("SET k w XX", { before: ["SET k v"], events: ["set k"], touched: ["k"] }),
  verbatim("SET k w KEEPTTL", { before: ["SET k v EX 100"], events: ["set k"], touched: ["k"] }),
  unchanged("SET k w NX", ["SET k v"]),
  unchanged("SET k w XX"),
  ...LIST_CASES,
  unchanged("SET k w NX GET", ["SET k v"]),
  unchanged("SET k w XX GET", [], ["keymiss k"]),
  unchanged("SET k v EX 0"),
  setAs("SET k v EX 100", "SET EX is logged with its absolute deadline", SET_WITH_DEADLINE),
  setAs("SET k v PX 100000 NX", "SET PX NX is logged without its condition", SET_WITH_DEADLINE),
  setAs((now) => `SET k v EXAT ${inSeconds(now)}`, "SET EXAT is logged in milliseconds", [
    ...["SET", "k", "v", "PXAT"],
    { inMs: 100_000 },
  ]),
  setAs(
    (now) => `SET k v PXAT ${now + 100_000}`,
    "SET PXAT is logged as it came",
    SET_WITH_DEADLINE,
  ),
  {
    name: "SET GET is logged without the GET",
    before: ["SET k v"],
    command: "SET k w GET",
    log: [["SET", "k", "w"]],
    events: ["set k"],
    touched: ["k"],
  },
  {
    name: "SET GET of a missing key raises keymiss first",
    command: "SET k w GET",
    log: [["SET", "k", "w"]],
    events: ["keymiss k", "new k", "set k"],
    touched: ["k"],
  },
  {
    name: "SET GET KEEPTTL keeps that word in the log",
    before: ["SET k v EX 100"],
    command: "SET k w KEEPTTL GET",
    log: [["SET", "k", "w", "KEEPTTL"]],
    events: ["set k"],
    touched: ["k"],
  },
  {
    name: "SET GET with a deadline is logged with the deadline alone",
    before: ["SET k v"],
    command: "SET k w XX GET EX 100",
    log: [["SET", "k", "w", "PXAT", IN_100_S]],
    events: ["set k", "expire k"],
    touched: ["k"],
  },

  verbatim("MSET a 1 b 2", {
    before: ["SET a 0"],
    events: ["set a", "new b", "set b"],
    touched: ["a", "b"],
  }),
  unchanged("MSET a 1 b"),
  verbatim("INCR k", { events: ["new k", "incrby k"], touched: ["k"] }),
  verbatim("DECR k", { before: ["SET k 5"], events: ["incrby k"], touched: ["k"] }),
  verbatim("INCRBY k 3", { before: ["SET k 5"], events: ["incrby k"], touched: ["k"] }),
  verbatim("DECRBY k 3", { before: ["SET k 5"], events: ["incrby k"], touched: ["k"] }),
  unchanged("INCR k", ["SET k text"]),
  unchanged("INCRBY k 1", ["SET k 9223372036854775807"]),
  {
    name: "INCRBYFLOAT is logged as SET of the sum",
    before: ["SET k 3 EX 100"],
    command: "INCRBYFLOAT k 1.250",
    log: [["SET", "k", "4.25", "KEEPTTL"]],
    events: ["incrbyfloat k"],
    touched: ["k"],
  },
  unchanged("INCRBYFLOAT k inf", ["SET k 3"]),
  verbatim("APPEND k v", { events: ["new k", "append k"], touched: ["k"] }),
  verbatim("APPEND k v", { before: ["SET k v"], events: ["append k"], touched: ["k"] }),

  verbatim("HSET h a 1 b 2", { events: ["new h", "hset h"], touched: ["h"] }),
  verbatim("HMSET h a 1", { before: ["HSET h a 2"], events: ["hset h"], touched: ["h"] }),
  verbatim("HSETNX h a 1", { events: ["new h", "hset h"], touched: ["h"] }),
  unchanged("HSETNX h a 1", ["HSET h a 2"]),
  verbatim("HINCRBY h a 1", { before: ["HSET h a 2"], events: ["hincrby h"], touched: ["h"] }),
  unchanged("HINCRBY h a 1", ["HSET h a text"]),
  {
    name: "HINCRBYFLOAT is logged as HSET of the sum",
    before: ["HSET h a 3"],
    command: "HINCRBYFLOAT h a 1.250",
    log: [["HSET", "h", "a", "4.25"]],
    events: ["hincrbyfloat h"],
    touched: ["h"],
  },
  unchanged("HINCRBYFLOAT h a 1", ["HSET h a text"]),
  verbatim("HDEL h a c", { before: ["HSET h a 1 b 2"], events: ["hdel h"], touched: ["h"] }),
  verbatim("HDEL h a b", {
    before: ["HSET h a 1 b 2"],
    events: ["hdel h", "del h"],
    touched: ["h"],
  }),
  unchanged("HDEL h c", ["HSET h a 1"]),
  ...[
    {
      name: "HEXPIRE is logged as the deadline of the fields that got it",
      before: ["HSET h a 1 b 2", "HEXPIRE h 9 FIELDS 1 b"],
      command: "HEXPIRE h 100 NX FIELDS 3 a none b",
      log: [["HPEXPIREAT", "h", IN_100_S, "FIELDS", "1", "a"]],
      events: ["hexpire h"],
      touched: ["h"],
    },
    {
      name: "HEXPIRE with a time not in the future is logged as HDEL",
      before: ["HSET h a 1 b 2"],
      command: "HEXPIRE h 0 FIELDS 2 a b",
      log: [
        ["HDEL", "h", "a"],
        ["HDEL", "h", "b"],
      ],
      events: ["hdel h", "del h"],
      touched: ["h"],
    },
    unchanged("HEXPIRE h 100 XX FIELDS 2 a none", ["HSET h a 1"]),
    verbatim("HPERSIST h FIELDS 1 a", {
      before: ["HSET h a 1", "HEXPIRE h 9 FIELDS 1 a"],
      events: ["hpersist h"],
      touched: ["h"],
    }),
    unchanged("HPERSIST h FIELDS 1 a", ["HSET h a 1"]),
    {
      name: "HGETDEL is logged as HDEL",
      before: ["HSET h a 1 b 2"],
      command: "HGETDEL h FIELDS 2 a none",
      log: [["HDEL", "h", "a"]],
      events: ["hdel h"],
      touched: ["h"],
    },
    {
      name: "HGETEX is logged as the deadline",
      before: ["HSET h a 1"],
      command: "HGETEX h EX 100 FIELDS 2 a none",
      log: [["HPEXPIREAT", "h", IN_100_S, "FIELDS", "1", "a"]],
      events: ["hexpire h"],
      touched: ["h"],
    },
    {
      name: "HGETEX PERSIST is logged as HPERSIST",
      before: ["HSET h a 1", "HEXPIRE h 9 FIELDS 1 a"],
      command: "HGETEX h PERSIST FIELDS 1 a",
      log: [["HPERSIST", "h", "FIELDS", "1", "a"]],
      events: ["hpersist h"],
      touched: ["h"],
    },
    unchanged("HGETEX h FIELDS 1 a", ["HSET h a 1"]),
    {
      name: "HSETEX is logged with the deadline, without the condition",
      command: "HSETEX h FNX EX 100 FIELDS 1 a 1",
      log: [["HSETEX", "h", "PXAT", IN_100_S, "FIELDS", "1", "a", "1"]],
      events: ["new h", "hset h", "hexpire h"],
      touched: ["h"],
    },
    verbatim("HSETEX h KEEPTTL FIELDS 1 a 1", { events: ["new h", "hset h"], touched: ["h"] }),
    unchanged("HSETEX h FXX FIELDS 1 a 1"),
    {
      name: "HSETEX with a time not in the future is logged as HDEL",
      before: ["HSET h a 1"],
      command: "HSETEX h PX 0 FIELDS 1 a 2",
      log: [["HDEL", "h", "a"]],
      events: ["hset h", "hdel h", "del h"],
      touched: ["h"],
    },
    {
      name: "HINCRBYFLOAT of a field with a deadline is logged so that it stays",
      before: ["HSET h a 1", "HEXPIRE h 9 FIELDS 1 a"],
      command: "HINCRBYFLOAT h a 0.5",
      log: [["HSETEX", "h", "KEEPTTL", "FIELDS", "1", "a", "1.5"]],
      events: ["hincrbyfloat h"],
      touched: ["h"],
    },
    {
      name: "fields found due are logged before the command",
      before: ["HSET h a 1 b 2", "HPEXPIRE h 20 FIELDS 1 a"],
      passMs: 40,
      command: "HSETNX h a 3",
      log: [
        ["HDEL", "h", "a"],
        ["HSETNX", "h", "a", "3"],
      ],
      events: ["hexpired h", "hset h"],
      touched: ["h"],
    },
  ].map((one): EffectCase => ({ ...one, notInRedis: true })),

  verbatim("RENAME a b", {
    before: ["SET a 1"],
    events: ["new b", "rename_from a", "rename_to b"],
    touched: ["a", "b"],
  }),
  verbatim("RENAME a b", {
    before: ["SET a 1 EX 100", "SET b 2"],
    events: ["new b", "rename_from a", "rename_to b"],
    touched: ["a", "b"],
  }),
  unchanged("RENAME a a", ["SET a 1"]),
  unchanged("RENAME none b", ["SET b 1"]),
  verbatim("RENAMENX a b", {
    before: ["SET a 1"],
    events: ["new b", "rename_from a", "rename_to b"],
    touched: ["a", "b"],
  }),
  unchanged("RENAMENX a b", ["MSET a 1 b 2"]),
  unchanged("RENAMENX a a", ["SET a 1"]),
  verbatim("MOVE k 3", {
    before: ["SET k v EX 100"],
    events: ["new k@3", "move_from k", "move_to k@3"],
    touched: ["k", "k@3"],
  }),
  unchanged("MOVE none 3"),
  unchanged("MOVE k 0", ["SET k v"]),
  verbatim("COPY a b", {
    before: ["SET a 1 EX 100"],
    events: ["new b", "copy_to b"],
    touched: ["b"],
  }),
  verbatim("COPY a b DB 3 REPLACE", {
    before: ["SET a 1"],
    events: ["new b@3", "copy_to b@3"],
    touched: ["b@3"],
  }),
  verbatim("COPY a b REPLACE", {
    before: ["MSET a 1 b 2"],
    events: ["new b", "copy_to b"],
    touched: ["b"],
  }),
  unchanged("COPY a b", ["MSET a 1 b 2"]),
  unchanged("COPY none b", [], ["keymiss none"]),
  unchanged("TOUCH a none", ["SET a 1"], ["keymiss none"]),
  unchanged("OBJECT ENCODING none"),
  unchanged("OBJECT IDLETIME k", ["SET k v"]),

  verbatim("SETNX k v", { events: ["new k", "set k"], touched: ["k"] }),
  unchanged("SETNX k w", ["SET k v"]),
  setAs("SETEX k 100 v", "SETEX is logged as SET with its absolute deadline", SET_WITH_DEADLINE),
  setAs("PSETEX k 100000 v", "PSETEX is logged as SET", SET_WITH_DEADLINE),
  unchanged("SETEX k 0 v"),
  {
    name: "GETSET is logged as SET",
    before: ["SET k v EX 100"],
    command: "GETSET k w",
    log: [["SET", "k", "w"]],
    events: ["set k"],
    touched: ["k"],
  },
  {
    name: "GETSET of a missing key raises keymiss first",
    command: "GETSET k w",
    log: [["SET", "k", "w"]],
    events: ["keymiss k", "new k", "set k"],
    touched: ["k"],
  },
  verbatim("MSETNX a 1 b 2", {
    events: ["new a", "set a", "new b", "set b"],
    touched: ["a", "b"],
  }),
  unchanged("MSETNX a 1 b 2", ["SET b 0"]),
  {
    name: "SET IFEQ is logged without its condition",
    before: ["SET k v"],
    command: "SET k w IFEQ v KEEPTTL",
    notInRedis: true,
    log: [["SET", "k", "w", "KEEPTTL"]],
    events: ["set k"],
    touched: ["k"],
  },
  { ...unchanged("SET k w IFEQ x", ["SET k v"]), notInRedis: true },
  {
    name: "DELIFEQ is logged as DEL",
    before: ["SET k v"],
    command: "DELIFEQ k v",
    notInRedis: true,
    log: [["DEL", "k"]],
    events: ["del k"],
    touched: ["k"],
  },
  { ...unchanged("DELIFEQ k x", ["SET k v"]), notInRedis: true },
  {
    name: "GETDEL is logged as DEL",
    before: ["SET k v"],
    command: "GETDEL k",
    log: [["DEL", "k"]],
    events: ["del k"],
    touched: ["k"],
  },
  unchanged("GETDEL none", [], ["keymiss none"]),
  deadline("GETEX k EX 100", "GETEX EX is logged as PEXPIREAT"),
  deadline("GETEX k PX 100000", "GETEX PX is logged as PEXPIREAT"),
  deadline((now) => `GETEX k EXAT ${inSeconds(now)}`, "GETEX EXAT is logged as PEXPIREAT"),
  deadline((now) => `GETEX k PXAT ${now + 100_000}`, "GETEX PXAT is logged as PEXPIREAT"),
  deletion("GETEX k PXAT 1"),
  {
    name: "GETEX PERSIST is logged as PERSIST",
    before: ["SET k v EX 100"],
    command: "GETEX k PERSIST",
    log: [["PERSIST", "k"]],
    events: ["persist k"],
    touched: ["k"],
  },
  unchanged("GETEX k PERSIST", ["SET k v"]),
  unchanged("GETEX k", ["SET k v EX 100"]),
  unchanged("GETEX none EX 100", [], ["keymiss none"]),
  verbatim("SETRANGE k 3 v", { events: ["new k", "setrange k"], touched: ["k"] }),
  verbatim("SETRANGE k 0 v", { before: ["SET k v"], events: ["setrange k"], touched: ["k"] }),
  unchanged("SETRANGE k -1 v", ["SET k v"]),
  unchanged("GETRANGE k 0 -1", ["SET k v"]),
  unchanged("GETRANGE none 0 -1", [], ["keymiss none"]),

  verbatim("SETBIT k 7 1", { events: ["new k", "setbit k"], touched: ["k"] }),
  verbatim("SETBIT k 0 0", { events: ["new k", "setbit k"], touched: ["k"] }),
  verbatim("SETBIT k 2 0", { before: ["SET k v"], events: ["setbit k"], touched: ["k"] }),
  verbatim("SETBIT k 8 0", { before: ["SET k v"], events: ["setbit k"], touched: ["k"] }),
  unchanged("SETBIT k 0 0", ["SET k v"]),
  unchanged("SETBIT k 0 2", ["SET k v"]),
  verbatim("BITOP AND k a b", {
    before: ["MSET a 1 b 2"],
    events: ["new k", "set k"],
    touched: ["k"],
  }),
  verbatim("BITOP NOT k k", { before: ["SET k v EX 100"], events: ["set k"], touched: ["k"] }),
  verbatim("BITOP OR k none other", {
    before: ["SET k v"],
    events: ["keymiss none", "keymiss other", "del k"],
    touched: ["k"],
  }),
  unchanged("BITOP OR none other", [], ["keymiss other"]),
  unchanged("BITOP XOR k none", [], ["keymiss none"]),
  verbatim("BITFIELD k SET u8 0 1 INCRBY u8 0 1", {
    events: ["new k", "setbit k"],
    touched: ["k"],
  }),
  verbatim("BITFIELD k SET u8 16 0", {
    before: ["SET k v"],
    events: ["setbit k"],
    touched: ["k"],
  }),
  verbatim("BITFIELD k GET u8 0 INCRBY u8 0 1", {
    before: ["SET k v"],
    events: ["setbit k"],
    touched: ["k"],
  }),
  unchanged("BITFIELD k INCRBY u8 0 0", ["SET k v"]),
  unchanged("BITFIELD k OVERFLOW FAIL SET u8 0 256", ["SET k v"]),
  unchanged("BITFIELD k GET u8 0", [], ["keymiss k"]),
  unchanged("BITFIELD_RO k GET u8 0", [], ["keymiss k"]),
  unchanged("BITFIELD_RO k SET u8 0 1"),
  unchanged("BITCOUNT k", [], ["keymiss k"]),
  unchanged("BITPOS k 1", ["SET k v"]),
  unchanged("GETBIT k 0", [], ["keymiss k"]),

  verbatim("DEL a none b", {
    before: ["MSET a 1 b 2"],
    events: ["del a", "del b"],
    touched: ["a", "b"],
  }),
  verbatim("UNLINK a b", {
    before: ["MSET a 1 b 2"],
    events: ["del a", "del b"],
    touched: ["a", "b"],
  }),
  unchanged("DEL none"),
  unchanged("UNLINK none"),

  deadline("EXPIRE k 100", "EXPIRE is logged as PEXPIREAT"),
  deadline("PEXPIRE k 100000", "PEXPIRE is logged as PEXPIREAT"),
  deadline((now) => `EXPIREAT k ${inSeconds(now)}`, "EXPIREAT is logged as PEXPIREAT"),
  deadline((now) => `PEXPIREAT k ${now + 100_000}`, "PEXPIREAT is logged as it came"),
  deadline("EXPIRE k 100 NX", "EXPIRE NX is logged without its condition", "NX"),
  deadline("EXPIRE k 100 LT", "EXPIRE LT is logged without its condition", "LT"),
  ...["EXPIRE k 0", "EXPIRE k -1", "PEXPIRE k 0", "EXPIREAT k 1", "PEXPIREAT k 1"].map(deletion),
  unchanged("EXPIRE none 100"),
  unchanged("EXPIRE none -1"),
  unchanged("EXPIRE k 100 XX", ["SET k v"]),
  unchanged("EXPIRE k -1 GT", ["SET k v"]),
  verbatim("PERSIST k", { before: ["SET k v EX 100"], events: ["persist k"], touched: ["k"] }),
  unchanged("PERSIST k", ["SET k v"]),
  unchanged("PERSIST none"),

  { ...verbatim("FLUSHDB", { events: [], touched: [] }), name: "FLUSHDB of nothing is logged" },
  { ...verbatim("FLUSHALL", { events: [], touched: [] }), name: "FLUSHALL of nothing is logged" },
  verbatim("FLUSHDB ASYNC", { before: ["SET k v"], events: [], touched: [] }),
  verbatim("FLUSHALL SYNC", { before: ["SET k v"], events: [], touched: [] }),
  unchanged("FLUSHALL wrong", ["SET k v"]),
  verbatim("SWAPDB 0 1", { before: ["SET k v"], events: [], touched: [] }),
  unchanged("SWAPDB 0 99"),

  unchanged("GET k", ["SET k v"]),
  unchanged("GET none", [], ["keymiss none"]),
  unchanged("MGET a none", ["SET a 1"], ["keymiss none"]),
  unchanged("EXISTS a none", ["SET a 1"], ["keymiss none"]),
  unchanged("STRLEN none", [], ["keymiss none"]),
  unchanged("TTL none", [], ["keymiss none"]),
  unchanged("TYPE none", [], ["keymiss none"]),
  unchanged("RANDOMKEY", ["SET k v"]),
  unchanged("KEYS *", ["SET k v"]),
  unchanged("DBSIZE", ["SET k v"]),

  ...["GET k", "MGET k", "EXISTS k", "TTL k", "STRLEN k", "TYPE k"].map((command) => ({
    ...DUE,
    name: `${command} that finds the key expired deletes it`,
    command,
    log: EXPIRED_LOG,
    events: ["expired k", "keymiss k"],
    touched: ["k"],
  })),
  ...["TOUCH k", "COPY k l"].map((command) => ({
    ...DUE,
    name: `${command} that finds the key expired deletes it and misses`,
    command,
    log: EXPIRED_LOG,
    events: ["expired k", "keymiss k"],
    touched: ["k"],
  })),
  ...["RENAME k l", "RENAMENX k l", "MOVE k 1", "OBJECT ENCODING k"].map((command) => ({
    ...DUE,
    name: `${command} that finds the key expired deletes it, and that is all`,
    command,
    log: EXPIRED_LOG,
    events: ["expired k"],
    touched: ["k"],
  })),
  ...["RENAME a k", "RENAMENX a k"].map((command) => ({
    before: ["SET a 1", "SET k v PX 20"],
    passMs: 35,
    name: `${command} over an expired key logs its deletion first`,
    command,
    log: [["DEL", "k"], command.split(" ")],
    events: ["expired k", "new k", "rename_from a", "rename_to k"],
    touched: ["a", "k"],
  })),
  {
    before: ["SET a 1", "SET k v PX 20"],
    passMs: 35,
    name: "COPY over an expired key logs its deletion first",
    command: "COPY a k",
    log: [
      ["DEL", "k"],
      ["COPY", "a", "k"],
    ],
    events: ["expired k", "new k", "copy_to k"],
    touched: ["k"],
  },
  ...["DEL k", "PERSIST k", "EXPIRE k 100", "SET k v XX"].map((command) => ({
    ...DUE,
    name: `${command} that finds the key expired deletes it, and does nothing else`,
    command,
    log: EXPIRED_LOG,
    events: ["expired k"],
    touched: ["k"],
  })),
  ...[
    { command: "SET k w", event: "set k" },
    { command: "SET k w NX", event: "set k" },
    { command: "INCR k", event: "incrby k" },
    { command: "APPEND k w", event: "append k" },
  ].map(({ command, event }) => ({
    ...DUE,
    name: `${command} that finds the key expired logs the deletion before itself`,
    command,
    log: [["DEL", "k"], command.split(" ")],
    events: ["expired k", "new k", event],
    touched: ["k"],
  })),
  {
    before: ["SET k v PX 20", "SET lasting v"],
    passMs: 35,
    name: "DEL of an expired key and a living one logs the deletion before itself",
    command: "DEL k lasting",
    log: [
      ["DEL", "k"],
      ["DEL", "k", "lasting"],
    ],
    events: ["expired k", "del lasting"],
    touched: ["k", "lasting"],
  },
  {
    ...DUE,
    name: "SET EX that finds the key expired logs the deletion before its rewritten form",
    command: "SET k w EX 100",
    log: [
      ["DEL", "k"],
      ["SET", "k", "w", "PXAT", IN_100_S],
    ],
    events: ["expired k", "new k", "set k", "expire k"],
    touched: ["k"],
  },
];
