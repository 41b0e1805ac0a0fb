/** Cases of commands that the server owns, not the core: introspection, and what is answered for features that are off. */
import { array, type CommandCase, commandCase, error, nil, ok, step, step72 } from "./case.ts";

const NO_CLUSTER = error("ERR This instance has cluster support disabled");

const keysOf = (command: string, ...keys: string[]) =>
  step(["COMMAND", "GETKEYS", ...command.split(" ")], array(...keys));

const noKeysOf = (command: string, line: string) =>
  step(["COMMAND", "GETKEYS", ...command.split(" ")], error(line));

const NO_DEBUG = (shown: string) =>
  error(`ERR unknown subcommand or wrong number of arguments for '${shown}'. Try DEBUG HELP.`);

const WRONG_TYPE_NAME =
  "Wrong protocol type name. Please use one of the following: string|integer|double|bignum|null|array|set|map|attrib|push|verbatim|true|false";

const UNFIT = "ERR Invalid arguments specified for command";

/** HELP begins with how the command is called; the rest is in our own words. */
const helpOf = (command: string) =>
  step(command, (raw) =>
    raw.includes(
      `\r\n+${command.replace(" HELP", "")} <subcommand> [<arg> [value] [opt] ...]. Subcommands are:\r\n`,
    )
      ? undefined
      : raw,
  );

export const serverCases: readonly CommandCase[] = [
  commandCase("containers tell what they know", [
    helpOf("MODULE HELP"),
    helpOf("PUBSUB HELP"),
    helpOf("SCRIPT HELP"),
    helpOf("XGROUP HELP"),
    helpOf("XINFO HELP"),
    helpOf("LATENCY HELP"),
  ]),
  commandCase("functions: none is there", [
    step("FUNCTION FLUSH", ok),
    step("FUNCTION FLUSH ASYNC", ok),
    step("function flush sync", ok),
    step("FUNCTION FLUSH now", error("ERR FUNCTION FLUSH only supports SYNC|ASYNC option")),
    step("FUNCTION LIST", array()),
    step("FUNCTION LIST LIBRARYNAME x* WITHCODE", array()),
    step("FUNCTION LIST LIBRARYNAME", error("ERR library name argument was not given")),
    step("FUNCTION LIST x", error("ERR Unknown argument x")),
    step("FUNCTION DELETE x", error("ERR Library not found")),
    step("FUNCTION KILL", error("NOTBUSY No scripts in execution right now.")),
    step("FCALL f 0", error("ERR Function not found")),
    step("FCALL_RO f 1 k", error("ERR Function not found")),
    step("FUNCTION", error("ERR wrong number of arguments for 'function' command")),
    step("FUNCTION x", error("ERR unknown subcommand 'x'. Try FUNCTION HELP.")),
    step("FUNCTION DELETE", error("ERR wrong number of arguments for 'function|delete' command")),
  ]),
  commandCase("scripts: none is known", [
    step("SCRIPT FLUSH", ok),
    step("SCRIPT FLUSH x", error("ERR SCRIPT FLUSH only support SYNC|ASYNC option")),
    step("SCRIPT EXISTS 0123456789012345678901234567890123456789 x", (raw) =>
      raw === "*2\r\n:0\r\n:0\r\n" ? undefined : raw,
    ),
    step("SCRIPT KILL", error("NOTBUSY No scripts in execution right now.")),
  ]),
  commandCase("the cluster is off, whatever is asked of it", [
    ...[
      "CLUSTER ADDSLOTS 1",
      "CLUSTER ADDSLOTSRANGE 1 2",
      "CLUSTER BUMPEPOCH",
      "CLUSTER COUNT-FAILURE-REPORTS x",
      "CLUSTER COUNTKEYSINSLOT 1",
      "CLUSTER DELSLOTS 1",
      "CLUSTER DELSLOTSRANGE 1 2",
      "CLUSTER FAILOVER",
      "CLUSTER FLUSHSLOTS",
      "CLUSTER FORGET x",
      "CLUSTER GETKEYSINSLOT 1 1",
      "CLUSTER KEYSLOT k",
      "CLUSTER LINKS",
      "CLUSTER MEET h 1",
      "CLUSTER NODES",
      "CLUSTER REPLICAS x",
      "CLUSTER REPLICATE x",
      "CLUSTER RESET",
      "CLUSTER SAVECONFIG",
      "CLUSTER SET-CONFIG-EPOCH 1",
      "CLUSTER SETSLOT 1 STABLE",
      "CLUSTER SHARDS",
      "CLUSTER SLAVES x",
      "CLUSTER SLOTS",
    ].map((command) => step(command, NO_CLUSTER)),
    step72("new", "CLUSTER MYSHARDID", NO_CLUSTER),
    step("CLUSTER INFO", NO_CLUSTER),
    step("CLUSTER HELP", NO_CLUSTER),
    step("CLUSTER MYID x", error("ERR wrong number of arguments for 'cluster|myid' command")),
    step("CLUSTER x", error("ERR unknown subcommand 'x'. Try CLUSTER HELP.")),
    step("READONLY", NO_CLUSTER),
    step("READWRITE", NO_CLUSTER),
    step("ASKING", NO_CLUSTER),
  ]),
  commandCase("nobody replicates", [
    step("REPLICAOF NO ONE", ok),
    step("SLAVEOF no one", ok),
    step("FAILOVER", error("ERR FAILOVER requires connected replicas.")),
    step("FAILOVER ABORT", error("ERR No failover in progress.")),
    step("FAILOVER ABORT FORCE", error("ERR syntax error")),
    step("FAILOVER TO h x", error("ERR value is not an integer or out of range")),
    step("FAILOVER TIMEOUT 0", error("ERR FAILOVER timeout must be greater than 0")),
    step("FAILOVER FORCE", error("ERR FAILOVER requires connected replicas.")),
    step("ROLE", (raw) => (raw === "*3\r\n$6\r\nmaster\r\n:0\r\n*0\r\n" ? undefined : raw)),
    step("MODULE LIST", array()),
  ]),
  commandCase("the one user is the default one", [
    step("ACL WHOAMI", (raw) => (raw === "$7\r\ndefault\r\n" ? undefined : raw)),
    step("ACL USERS", array("default")),
    ...["ACL LOAD", "ACL SAVE"].map((command) =>
      step(
        command,
        error(
          "ERR This Redis instance is not configured to use an ACL file. You may want to specify users via the ACL SETUSER command and then issue a CONFIG REWRITE (assuming you have a Redis configuration file set) in order to store users in the Redis configuration.",
        ),
      ),
    ),
    step72(
      "users sanitize payloads unless told not to",
      "ACL LIST",
      array("user default on nopass sanitize-payload ~* &* +@all"),
    ),
    step("ACL GETUSER x", nil),
    step("ACL CAT x", error("ERR Unknown category 'x'")),
    step(
      "ACL CAT read x",
      error("ERR unknown subcommand or wrong number of arguments for 'CAT'. Try ACL HELP."),
    ),
    step("ACL GENPASS 5", (raw) => (/^\$2\r\n[0-9a-f]{2}\r\n$/.test(raw) ? undefined : raw)),
    step("ACL GENPASS", (raw) => (/^\$64\r\n[0-9a-f]{64}\r\n$/.test(raw) ? undefined : raw)),
    step("ACL GENPASS x", error("ERR value is not an integer or out of range")),
    ...["0", "4097"].map((bits) =>
      step(
        `ACL GENPASS ${bits}`,
        error(
          "ERR ACL GENPASS argument must be the number of bits for the output password, a positive number up to 4096",
        ),
      ),
    ),
  ]),
  commandCase("COMMAND GETKEYS follows every kind of key specification", [
    keysOf("GET k", "k"),
    keysOf("MSET a 1 b 2", "a", "b"),
    keysOf("del a b c", "a", "b", "c"),
    keysOf("BLPOP a b 0", "a", "b"),
    keysOf("LMPOP 2 a b LEFT", "a", "b"),
    keysOf("BLMPOP 0 2 a b LEFT COUNT 3", "a", "b"),
    keysOf("ZUNIONSTORE d 2 a b WEIGHTS 1 2", "d", "a", "b"),
    keysOf("ZINTER 2 a b", "a", "b"),
    keysOf("ZUNIONSTORE d 2x a b", "a", "b", "d"),
    step(["COMMAND", "GETKEYS", "ZINTER", " +01", "a"], array("a")),
    noKeysOf("ZINTER -1 a", UNFIT),
    keysOf("EVAL s 2 a b c", "a", "b"),
    keysOf("EVAL s 0"),
    keysOf("EVAL s x"),
    keysOf("FCALL f 1 a b", "a"),
    keysOf("XREAD COUNT 2 STREAMS a b 0 0", "a", "b"),
    keysOf("XREADGROUP GROUP g STREAMS COUNT 1 STREAMS a 0", "a"),
    keysOf("XGROUP CREATE s g $", "s"),
    keysOf("XINFO STREAM s", "s"),
    keysOf("GEORADIUS k 1 2 3 m STORE s", "k", "s"),
    keysOf("GEORADIUS k 1 2 3 m COUNT 1 STOREDIST s", "k", "s"),
    keysOf("GEORADIUS k 1 2 3 m", "k"),
    keysOf("SORT k BY b GET g LIMIT 0 1 STORE d ALPHA", "k", "d"),
    keysOf("SORT k STORE a STORE b", "k", "b"),
    keysOf("SORT_RO k BY STORE GET x", "k"),
    keysOf("SET k v GET", "k"),
    keysOf("MIGRATE h 1 k 0 10", "k"),
    step(
      ["COMMAND", "GETKEYS", ..."MIGRATE h 1".split(" "), "", "0", "10", "KEYS", "a", "b"],
      array("a", "b"),
    ),
    keysOf("MEMORY USAGE k", "k"),
    keysOf("PFCOUNT a b", "a", "b"),
    keysOf("SINTERCARD 2 a b LIMIT 1", "a", "b"),
    noKeysOf("x y", "ERR Invalid command specified"),
    noKeysOf("XGROUP x y", "ERR Invalid command specified"),
    noKeysOf("PING x", "ERR The command has no key arguments"),
    noKeysOf("CONFIG GET x", "ERR The command has no key arguments"),
    noKeysOf("GET k k", "ERR Invalid number of arguments specified for command"),
    noKeysOf("LMPOP 3 a LEFT", UNFIT),
    noKeysOf("LMPOP x a LEFT", UNFIT),
    noKeysOf("XREAD COUNT 2 STREAM a 0", UNFIT),
    noKeysOf("XREAD COUNT 1 STREAMS", UNFIT),
    step("COMMAND GETKEYS", error("ERR wrong number of arguments for 'command|getkeys' command")),
  ]),
  commandCase("COMMAND GETKEYSANDFLAGS tells what happens to each key", [
    ...(
      [
        ["SET k v", "k OW update"],
        ["SET k v GET", "k RW access update"],
        ["BITFIELD k OVERFLOW SAT GET u8 0 get u8 8", "k RO access"],
        ["BITFIELD k GET u8 0 SET u8 0 1", "k RW access update"],
        ["BITFIELD k GET u8", "k RW access update"],
        ["BITFIELD k", "k RO access"],
        ["SORT a STORE b", "a RO access", "b OW update"],
        ["ZUNIONSTORE d 1 a", "d OW update", "a RO access"],
        ["MIGRATE h 1 k 0 10", "k RW access delete"],
        ["XREAD STREAMS a 0", "a RO access"],
        ["ZINTERSTORE d 1e3 a", "a", "d"],
      ] as const
    ).map(([command, ...keys]) =>
      step(["COMMAND", "GETKEYSANDFLAGS", ...command.split(" ")], (raw, protocol) => {
        const flag = (word: string) => `+${word}\r\n`;
        const wanted = keys.map((line) => {
          const [key = "", ...flags] = line.split(" ");
          const set = `${protocol === 3 ? "~" : "*"}${flags.length}\r\n`;
          return `*2\r\n$${key.length}\r\n${key}\r\n${set}${flags.map(flag).join("")}`;
        });
        const text = `*${keys.length}\r\n${wanted.join("")}`;
        return raw === text ? undefined : `expected ${text}, got ${raw}`;
      }),
    ),
  ]),
  commandCase("COMMAND LIST filters, and INFO and DOCS take names", [
    step("COMMAND LIST FILTERBY PATTERN xgroup|*C*", (raw) =>
      raw.startsWith("*3\r\n") && raw.includes("xgroup|create\r\n") ? undefined : raw,
    ),
    step("COMMAND LIST FILTERBY PATTERN HGETAL?", array("hgetall")),
    step("COMMAND LIST FILTERBY MODULE x", array()),
    step("COMMAND LIST FILTERBY ACLCAT x", array()),
    step("COMMAND LIST FILTERBY x y", error("ERR syntax error")),
    step("COMMAND LIST FILTERBY PATTERN", error("ERR syntax error")),
    step("COMMAND LIST x", error("ERR syntax error")),
    step("COMMAND COUNT x", error("ERR wrong number of arguments for 'command|count' command")),
    step("COMMAND DOCS x", (raw, protocol) =>
      raw === (protocol === 3 ? "%0\r\n" : "*0\r\n") ? undefined : raw,
    ),
    step72("null instead of a null array", "COMMAND INFO x", array(null)),
    step("COMMAND x", error("ERR unknown subcommand 'x'. Try COMMAND HELP.")),
  ]),
  commandCase("DEBUG PROTOCOL answers each type in both protocols", [
    ...(
      [
        ["string", "$11\r\nHello World\r\n"],
        ["integer", ":12345\r\n"],
        [
          "bignum",
          "$37\r\n1234567999999999999999999999999999999\r\n",
          "(1234567999999999999999999999999999999\r\n",
        ],
        ["null", "$-1\r\n", "_\r\n"],
        ["array", "*3\r\n:0\r\n:1\r\n:2\r\n"],
        ["set", "*3\r\n:0\r\n:1\r\n:2\r\n", "~3\r\n:0\r\n:1\r\n:2\r\n"],
        [
          "map",
          "*6\r\n:0\r\n:0\r\n:1\r\n:1\r\n:2\r\n:0\r\n",
          "%3\r\n:0\r\n#f\r\n:1\r\n#t\r\n:2\r\n#f\r\n",
        ],
        ["true", ":1\r\n", "#t\r\n"],
        ["FALSE", ":0\r\n", "#f\r\n"],
        [
          "verbatim",
          "$25\r\nThis is a verbatim\nstring\r\n",
          "=29\r\ntxt:This is a verbatim\nstring\r\n",
        ],
      ] as const
    ).map(([type, resp2, resp3 = resp2]) =>
      step(["DEBUG", "PROTOCOL", type], (raw, protocol) =>
        raw === (protocol === 3 ? resp3 : resp2) ? undefined : raw,
      ),
    ),
    step72("the shortest digits of a double", "DEBUG PROTOCOL double", (raw, protocol) =>
      raw === (protocol === 3 ? ",3.141\r\n" : "$5\r\n3.141\r\n") ? undefined : raw,
    ),
    step("DEBUG PROTOCOL x", error(`ERR ${WRONG_TYPE_NAME}`)),
  ]),
  commandCase("DEBUG takes what tests send", [
    step("DEBUG LOG x", ok),
    step("DEBUG SLEEP 0", ok),
    step("debug sleep x", ok),
    step("DEBUG PAUSE-CRON 1", ok),
    step("DEBUG PAUSE-CRON 0", ok),
    step("DEBUG REPLYBUFFER PEAK-RESET-TIME never", ok),
    step("DEBUG REPLYBUFFER PEAK-RESET-TIME 100", ok),
    step("DEBUG REPLYBUFFER RESIZING 1", ok),
    step(
      "DEBUG REPLYBUFFER PEAK-RESET-TIME x",
      error("ERR value is not an integer or out of range"),
    ),
    step("DEBUG REPLYBUFFER x 1", NO_DEBUG("REPLYBUFFER")),
    step("DEBUG QUICKLIST-PACKED-THRESHOLD 1b", ok),
    step("DEBUG QUICKLIST-PACKED-THRESHOLD 0", ok),
    step(
      "DEBUG QUICKLIST-PACKED-THRESHOLD x",
      error("ERR argument must be a memory value bigger than 1 and smaller than 4gb"),
    ),
    step("DEBUG SET-SKIP-CHECKSUM-VALIDATION 0", ok),
    step("DEBUG SET-DISABLE-DENY-SCRIPTS 0", ok),
    step("DEBUG CHANGE-REPL-ID", ok),
    step(["DEBUG", "ERROR", "CODE a\r\nb"], error("CODE a  b")),
    step("DEBUG x", NO_DEBUG("x")),
    step("DEBUG sleep", NO_DEBUG("sleep")),
    step("DEBUG sleep 1 2", NO_DEBUG("sleep")),
    step("DEBUG toString", NO_DEBUG("toString")),
    step("DEBUG", error("ERR wrong number of arguments for 'debug' command")),
  ]),
  commandCase("LOLWUT draws, and tells the version of Redis", [
    ...["LOLWUT", "LOLWUT VERSION 5", "LOLWUT VERSION 6 10 5", "LOLWUT VERSION 99"].map((command) =>
      step(command, (raw) => (/Redis ver\. \d+\.\d+\.\d+/.test(raw) ? undefined : raw)),
    ),
    step("LOLWUT VERSION x", error("ERR value is not an integer or out of range")),
  ]),
  commandCase("MEMORY answers figures and words", [
    step("MEMORY PURGE", ok),
    step("MEMORY DOCTOR", (raw) => (/^[$=]\d+\r\n/.test(raw) ? undefined : raw)),
    step("MEMORY MALLOC-STATS", (raw) => (/^[$=]\d+\r\n/.test(raw) ? undefined : raw)),
    step("MEMORY STATS x", error("ERR wrong number of arguments for 'memory|stats' command")),
    step("MEMORY x", error("ERR unknown subcommand 'x'. Try MEMORY HELP.")),
  ]),
  commandCase("LASTSAVE answers the start of the server", [
    step("LASTSAVE", (raw) => {
      const age = Date.now() / 1000 - Number(raw.slice(1, -2));
      return age >= 0 && age < 3600 ? undefined : raw;
    }),
  ]),
];
