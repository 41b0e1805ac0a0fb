/** Cases of the stream commands, whose grammar and errors a reference server is asked for too. */
import {
  array,
  bulk,
  commandCase,
  error,
  int,
  nil,
  ok,
  ownCase,
  pass,
  raw,
  step,
  step72,
} from "./case.ts";

const WRONG_TYPE = error("WRONGTYPE Operation against a key holding the wrong kind of value");
const NOT_INTEGER = error("ERR value is not an integer or out of range");
const SYNTAX = error("ERR syntax error");
const INVALID_ID = error("ERR Invalid stream ID specified as stream command argument");
const SMALLER = error(
  "ERR The ID specified in XADD is equal or smaller than the target stream top item",
);
const NIL_ARRAY = raw((protocol) => (protocol === 3 ? "_\r\n" : "*-1\r\n"));

type Entry = readonly [id: string, ...fields: string[]];

const text = (word: string) => `$${word.length}\r\n${word}\r\n`;
const entryText = ([id, ...fields]: Entry) =>
  `*2\r\n${text(id)}*${fields.length}\r\n${fields.map(text).join("")}`;
const listText = (list: readonly Entry[]) => `*${list.length}\r\n${list.map(entryText).join("")}`;
/** Entries as XRANGE answers them. */
const entries = (...list: Entry[]) => raw(() => listText(list));
/** One stream's entries as XREAD answers them. */
const read = (key: string, ...list: Entry[]) =>
  raw((protocol) => (protocol === 3 ? "%1\r\n" : "*1\r\n*2\r\n") + text(key) + listText(list));

export const streamCases = [
  commandCase("XADD takes whole, partial and no ids, and refuses what does not ascend", [
    step("XADD s 1-1 f v", bulk("1-1")),
    step("XADD s 1-* f v", bulk("1-2")),
    step("XADD s 5 f v", bulk("5-0")),
    step("XADD s 5 f v", SMALLER),
    step("XADD s 4-9 f v", SMALLER),
    step("XADD s 4-* f v", SMALLER),
    step("XADD s 0-0 f v", error("ERR The ID specified in XADD must be greater than 0-0")),
    step("XADD new 0-* f v", bulk("0-1")),
    step("XADD s x f v", INVALID_ID),
    step("XADD s - f v", INVALID_ID),
    step("XADD s 1-2-3 f v", INVALID_ID),
    step("XADD s -5 f v", INVALID_ID),
    step("XADD s 6-0 f", error("ERR wrong number of arguments for 'xadd' command")),
    step("XADD s 6-0 f v g", error("ERR wrong number of arguments for 'xadd' command")),
    step("XADD none NOMKSTREAM * f v", nil),
    step("EXISTS none", int(0)),
    step(
      "XADD s 18446744073709551615-18446744073709551615 f v",
      bulk("18446744073709551615-18446744073709551615"),
    ),
    step(
      "XADD s * f v",
      error("ERR The stream has exhausted the last possible ID, unable to add more items"),
    ),
    step("XLEN s", int(4)),
    step("XLEN none", int(0)),
    step("OBJECT ENCODING s", bulk("stream")),
    step(
      "TYPE s",
      raw(() => "+stream\r\n"),
    ),
  ]),
  commandCase("numbers of ids are read as the C library reads them", [
    step(["XADD", "s", " 007-+3", "f", "v"], bulk("7-3")),
    step(["XADD", "s", "8-1 ", "f", "v"], INVALID_ID),
    step(["XADD", "s", "8--1", "f", "v"], INVALID_ID),
    step(["XADD", "s", "18446744073709551616-1", "f", "v"], INVALID_ID),
    step(["XADD", "s", "8-", "f", "v"], INVALID_ID),
    step(["XADD", "s", "", "f", "v"], INVALID_ID),
  ]),
  commandCase("XRANGE and XREVRANGE answer what is between two ids", [
    ...["1-0", "1-1", "2-0", "3-5"].map((id) => step(`XADD s ${id} f ${id}`, bulk(id))),
    step("XDEL s 1-1 9-9", int(1)),
    step("XRANGE s - +", entries(["1-0", "f", "1-0"], ["2-0", "f", "2-0"], ["3-5", "f", "3-5"])),
    step("XREVRANGE s + - COUNT 2", entries(["3-5", "f", "3-5"], ["2-0", "f", "2-0"])),
    step("XRANGE s 1 1", entries(["1-0", "f", "1-0"])),
    step("XRANGE s (1-0 (3-5", entries(["2-0", "f", "2-0"])),
    step("XRANGE s 2 + COUNT 1", entries(["2-0", "f", "2-0"])),
    step("XRANGE s 5 4", entries()),
    step("XRANGE s - + COUNT 0", NIL_ARRAY),
    step("XRANGE s - + COUNT -3", NIL_ARRAY),
    step("XRANGE s - + COUNT x", NOT_INTEGER),
    step("XRANGE s - + COUNT", SYNTAX),
    step("XRANGE s - + LIMIT 3", SYNTAX),
    step("XRANGE none - +", entries()),
    step("XRANGE s (- +", INVALID_ID),
    step(
      "XRANGE s (18446744073709551615-18446744073709551615 +",
      error("ERR invalid start ID for the interval"),
    ),
    step("XRANGE s - (0-0", error("ERR invalid end ID for the interval")),
  ]),
  commandCase("trimming by length and by id, and its options", [
    ...Array.from({ length: 10 }, (_, i) => step(`XADD s ${i + 1}-0 f v`, bulk(`${i + 1}-0`))),
    step("XTRIM s MAXLEN 8", int(2)),
    step("XTRIM s MAXLEN ~ 2", int(0)),
    step("XTRIM s MINID = 5", int(2)),
    step("XADD s MAXLEN = 3 20-0 f v", bulk("20-0")),
    step("XLEN s", int(3)),
    step("XADD s MINID 20 21-0 f v", bulk("21-0")),
    step("XLEN s", int(2)),
    step("XADD s MAXLEN 0 22-0 f v", bulk("22-0")),
    step("XLEN s", int(0)),
    step("EXISTS s", int(1)),
    step("XTRIM none MAXLEN 3", int(0)),
    step("XTRIM s MAXLEN -1", error("ERR The MAXLEN argument must be >= 0.")),
    step("XTRIM s MAXLEN x", NOT_INTEGER),
    step("XTRIM s MINID x", INVALID_ID),
    step(
      "XTRIM s MAXLEN 1 MINID 1",
      error("ERR syntax error, MAXLEN and MINID options at the same time are not compatible"),
    ),
    step("XTRIM s MAXLEN ~ 1 LIMIT -1", error("ERR The LIMIT argument must be >= 0.")),
    step(
      "XTRIM s MAXLEN 1 LIMIT 5",
      error("ERR syntax error, LIMIT cannot be used without the special ~ option"),
    ),
    step(
      "XADD s LIMIT 5 * f v",
      error("ERR syntax error, LIMIT cannot be used without specifying a trimming strategy"),
    ),
    step("XTRIM s FOO 1", SYNTAX),
  ]),
  commandCase("XSETID judges ids and counts", [
    step("XADD s 5-0 f v", bulk("5-0")),
    step("XSETID s 9-0 ENTRIESADDED 20 MAXDELETEDID 2-0", ok),
    step("XADD s 8-0 f v", SMALLER),
    step(
      "XSETID s 4-0",
      error("ERR The ID specified in XSETID is smaller than the target stream top item"),
    ),
    step(
      "XSETID s 9-0 ENTRIESADDED 0",
      error("ERR The entries_added specified in XSETID is smaller than the target stream length"),
    ),
    step("XSETID s 9-0 ENTRIESADDED -1", error("ERR entries_added must be positive")),
    step(
      "XSETID s 9-0 MAXDELETEDID 10-0",
      error("ERR The ID specified in XSETID is smaller than the provided max_deleted_entry_id"),
    ),
    step("XSETID s 9-0 FOO", SYNTAX),
    step("XSETID none 1-0", error("ERR no such key")),
    step("XSETID s x", INVALID_ID),
  ]),
  commandCase("XREAD answers what is behind an id, of each stream that has something", [
    step("XADD a 1-0 f v", bulk("1-0")),
    step("XADD a 2-0 f w", bulk("2-0")),
    step("XADD b 7-0 g x", bulk("7-0")),
    step("XREAD STREAMS a 1", read("a", ["2-0", "f", "w"])),
    step("XREAD COUNT 1 STREAMS a b 0 7", read("a", ["1-0", "f", "v"])),
    step("XREAD STREAMS a b 2 $", NIL_ARRAY),
    step("XREAD STREAMS none 0", NIL_ARRAY),
    step("XREAD COUNT -5 STREAMS b 0", read("b", ["7-0", "g", "x"])),
    step("XREAD COUNT 1 FOO BAR", SYNTAX),
    step("XREAD COUNT x STREAMS a 0", NOT_INTEGER),
    step("XREAD BLOCK x STREAMS a 0", error("ERR timeout is not an integer or out of range")),
    step("XREAD BLOCK -1 STREAMS a 0", error("ERR timeout is negative")),
    step("XREAD STREAMS a x", INVALID_ID),
    step(
      "XREAD STREAMS a >",
      error(
        "ERR The > ID can be specified only when calling XREADGROUP using the GROUP <group> <consumer> option.",
      ),
    ),
    step(
      "XREAD GROUP g c STREAMS a >",
      error("ERR The GROUP option is only supported by XREADGROUP. You called XREAD instead."),
    ),
    step(
      "XREAD NOACK STREAMS a 1",
      error("ERR The NOACK option is only supported by XREADGROUP. You called XREAD instead."),
    ),
    step72(
      "names the command as it is looked up",
      "XREAD STREAMS a b 0",
      error(
        "ERR Unbalanced 'xread' list of streams: for each stream key an ID or '$' must be specified.",
      ),
    ),
    step("SET t text", ok),
    step("XREAD STREAMS a t 0 0", WRONG_TYPE),
  ]),
  ownCase("XREAD of + answers the last entry", [
    step("XADD s 1-0 f v", bulk("1-0")),
    step("XADD s 2-0 f w", bulk("2-0")),
    step("XADD s 3-0 f x", bulk("3-0")),
    step("XREAD STREAMS s +", read("s", ["3-0", "f", "x"])),
    step("XDEL s 3-0", int(1)),
    step("XREAD COUNT 9 STREAMS none s + +", read("s", ["2-0", "f", "w"])),
    step("XREAD STREAMS none +", NIL_ARRAY),
    step("XGROUP CREATE s g 0", ok),
    step("XREADGROUP GROUP g c STREAMS s +", INVALID_ID),
  ]),
  commandCase("XGROUP makes, moves and deletes groups and consumers", [
    step(
      "XGROUP CREATE s g $",
      error(
        "ERR The XGROUP subcommand requires the key to exist. Note that for CREATE you may want to use the MKSTREAM option to create an empty stream automatically.",
      ),
    ),
    step("XGROUP CREATE s g $ MKSTREAM", ok),
    step("XGROUP CREATE s g 0", error("BUSYGROUP Consumer Group name already exists")),
    step("XGROUP CREATE s h x", INVALID_ID),
    step(
      "XGROUP CREATE s h 0 ENTRIESREAD -2",
      error("ERR value for ENTRIESREAD must be positive or -1"),
    ),
    step("XGROUP CREATE s h 0 ENTRIESREAD 5", ok),
    step("XGROUP SETID s g 3-0 ENTRIESREAD 2", ok),
    step("XGROUP SETID s none 0", error("NOGROUP No such consumer group 'none' for key name 's'")),
    step("XGROUP CREATECONSUMER s g c", int(1)),
    step("XGROUP CREATECONSUMER s g c", int(0)),
    step("XGROUP DELCONSUMER s g c", int(0)),
    step("XGROUP DELCONSUMER s g none", int(0)),
    step("XGROUP DESTROY s h", int(1)),
    step("XGROUP DESTROY s h", int(0)),
    step(
      "XGROUP CREATE s i 0 FOO",
      error("ERR unknown subcommand or wrong number of arguments for 'CREATE'. Try XGROUP HELP."),
    ),
    step("SET t text", ok),
    step("XGROUP CREATE t g 0", WRONG_TYPE),
  ]),
  commandCase("a group's consumers are given entries, acknowledge them and see what is left", [
    ...["1-0", "2-0", "3-0"].map((id) => step(`XADD s ${id} f ${id}`, bulk(id))),
    step("XGROUP CREATE s g 0", ok),
    step(
      "XREADGROUP GROUP g c1 COUNT 2 STREAMS s >",
      read("s", ["1-0", "f", "1-0"], ["2-0", "f", "2-0"]),
    ),
    step("XREADGROUP GROUP g c2 NOACK STREAMS s >", read("s", ["3-0", "f", "3-0"])),
    step("XREADGROUP GROUP g c2 STREAMS s >", NIL_ARRAY),
    step("XREADGROUP GROUP g c1 STREAMS s 1", read("s", ["2-0", "f", "2-0"])),
    step("XREADGROUP GROUP g c2 STREAMS s 0", read("s")),
    step(
      "XPENDING s g",
      raw(() => `*4\r\n:2\r\n${text("1-0")}${text("2-0")}*1\r\n*2\r\n${text("c1")}${text("2")}`),
    ),
    step("XACK s g 1-0 9-0", int(1)),
    step("XACK s g 1-0 x", INVALID_ID),
    step("XACK none g 1-0", int(0)),
    step("XDEL s 2-0", int(1)),
    step(
      "XREADGROUP GROUP g c1 STREAMS s 0",
      raw(
        (protocol) =>
          `${protocol === 3 ? "%1\r\n" : "*1\r\n*2\r\n"}${text("s")}*1\r\n*2\r\n${text("2-0")}${protocol === 3 ? "_\r\n" : "*-1\r\n"}`,
      ),
    ),
    step("XPENDING s g - + 10 nobody", entries()),
    step("XPENDING s g IDLE 100000 - + 10", entries()),
    step("XPENDING s g - +", SYNTAX),
    step("XPENDING s g IDLE 5 - +", SYNTAX),
    step("XPENDING s none", error("NOGROUP No such key 's' or consumer group 'none'")),
    step(
      "XPENDING s g",
      raw(() => `*4\r\n:1\r\n${text("2-0")}${text("2-0")}*1\r\n*2\r\n${text("c1")}${text("1")}`),
    ),
    step(
      "XREADGROUP GROUP none c STREAMS s >",
      error("NOGROUP No such key 's' or consumer group 'none' in XREADGROUP with GROUP option"),
    ),
    step("XREADGROUP STREAMS s a b > > >", error("ERR Missing GROUP option for XREADGROUP")),
    step(
      "XREADGROUP GROUP g c STREAMS s $",
      error(
        "ERR The $ ID is meaningless in the context of XREADGROUP: you want to read the history of this consumer by specifying a proper ID, or use the > ID to get new messages. The $ ID would just return an empty result set.",
      ),
    ),
  ]),
  commandCase("a stream that is named twice is read on where its first reading ended", [
    ...["1-0", "2-0", "3-0"].map((id) => step(`XADD s ${id} f v`, bulk(id))),
    step("XGROUP CREATE s g 0", ok),
    step(
      "XREADGROUP GROUP g c COUNT 2 STREAMS s s s > > >",
      raw((protocol) =>
        protocol === 3
          ? `%2\r\n${text("s")}${listText([
              ["1-0", "f", "v"],
              ["2-0", "f", "v"],
            ])}${text("s")}${listText([["3-0", "f", "v"]])}`
          : `*2\r\n*2\r\n${text("s")}${listText([
              ["1-0", "f", "v"],
              ["2-0", "f", "v"],
            ])}*2\r\n${text("s")}${listText([["3-0", "f", "v"]])}`,
      ),
    ),
    step("XGROUP SETID s g 0", ok),
    step(
      "XREADGROUP GROUP g d STREAMS s s > >",
      read("s", ["1-0", "f", "v"], ["2-0", "f", "v"], ["3-0", "f", "v"]),
    ),
    step("XREADGROUP GROUP g d STREAMS s s > >", NIL_ARRAY),
  ]),
  commandCase("XCLAIM takes over what is pending, and forces what is not", [
    ...["1-0", "2-0", "3-0"].map((id) => step(`XADD s ${id} f v`, bulk(id))),
    step("XGROUP CREATE s g 0", ok),
    step("XREADGROUP GROUP g c1 COUNT 1 STREAMS s >", read("s", ["1-0", "f", "v"])),
    step("XCLAIM s g c2 0 1-0 2-0", entries(["1-0", "f", "v"])),
    step("XCLAIM s g c2 0 2-0 FORCE JUSTID RETRYCOUNT 7", array("2-0")),
    step("XCLAIM s g c1 100000 1-0", entries()),
    step("XCLAIM s g c1 0 9-0 FORCE", entries()),
    step(
      "XPENDING s g",
      raw(() => `*4\r\n:2\r\n${text("1-0")}${text("2-0")}*1\r\n*2\r\n${text("c2")}${text("2")}`),
    ),
    step("XDEL s 1-0", int(1)),
    step("XCLAIM s g c1 0 1-0", entries()),
    step("XCLAIM s g c1 x 1-0", error("ERR Invalid min-idle-time argument for XCLAIM")),
    step("XCLAIM s g c1 0 1-0 IDLE x", error("ERR Invalid IDLE option argument for XCLAIM")),
    step("XCLAIM s g c1 0 1-0 TIME x", error("ERR Invalid TIME option argument for XCLAIM")),
    step(
      "XCLAIM s g c1 0 1-0 RETRYCOUNT x",
      error("ERR Invalid RETRYCOUNT option argument for XCLAIM"),
    ),
    step("XCLAIM s g c1 0 1-0 FOO", error("ERR Unrecognized XCLAIM option 'FOO'")),
    step("XCLAIM s none c1 0 1-0", error("NOGROUP No such key 's' or consumer group 'none'")),
    step(
      "XPENDING s g",
      raw(() => `*4\r\n:1\r\n${text("2-0")}${text("2-0")}*1\r\n*2\r\n${text("c2")}${text("1")}`),
    ),
  ]),
  commandCase("XAUTOCLAIM goes through what is pending, and drops what was deleted", [
    ...["1-0", "2-0", "3-0", "4-0"].map((id) => step(`XADD s ${id} f v`, bulk(id))),
    step("XGROUP CREATE s g 0", ok),
    step(
      "XREADGROUP GROUP g c1 COUNT 3 STREAMS s >",
      read("s", ["1-0", "f", "v"], ["2-0", "f", "v"], ["3-0", "f", "v"]),
    ),
    step("XDEL s 2-0", int(1)),
    pass(20),
    step(
      "XAUTOCLAIM s g c2 10 - COUNT 2",
      raw(() => `*3\r\n${text("3-0")}${listText([["1-0", "f", "v"]])}*1\r\n${text("2-0")}`),
    ),
    step(
      "XAUTOCLAIM s g c2 10 3-0 JUSTID",
      raw(() => `*3\r\n${text("0-0")}*1\r\n${text("3-0")}*0\r\n`),
    ),
    step(
      "XAUTOCLAIM s g c2 10000 0",
      raw(() => `*3\r\n${text("0-0")}*0\r\n*0\r\n`),
    ),
    step("XAUTOCLAIM s g c2 x 0", error("ERR Invalid min-idle-time argument for XAUTOCLAIM")),
    step("XAUTOCLAIM s g c2 0 0 COUNT 0", error("ERR COUNT must be > 0")),
    step("XAUTOCLAIM s g c2 0 0 COUNT x", error("ERR COUNT must be > 0")),
    step("XAUTOCLAIM s g c2 0 0 FOO", SYNTAX),
    step("XAUTOCLAIM s g c2 0 x", INVALID_ID),
    step("XAUTOCLAIM s none c2 0 0", error("NOGROUP No such key 's' or consumer group 'none'")),
  ]),
  commandCase("XINFO tells of streams, groups and how far these are", [
    ...["1-0", "2-0", "3-0"].map((id) => step(`XADD s ${id} f v`, bulk(id))),
    step("XGROUP CREATE s g 0", ok),
    step("XREADGROUP GROUP g c COUNT 1 STREAMS s >", read("s", ["1-0", "f", "v"])),
    step(
      "XINFO GROUPS s",
      raw(
        (protocol) =>
          `*1\r\n${protocol === 3 ? "%6" : "*12"}\r\n${text("name")}${text("g")}${text("consumers")}:1\r\n${text("pending")}:1\r\n${text("last-delivered-id")}${text("1-0")}${text("entries-read")}:1\r\n${text("lag")}:2\r\n`,
      ),
    ),
    step("XDEL s 2-0", int(1)),
    step(
      "XINFO GROUPS s",
      raw(
        (protocol) =>
          `*1\r\n${protocol === 3 ? "%6" : "*12"}\r\n${text("name")}${text("g")}${text("consumers")}:1\r\n${text("pending")}:1\r\n${text("last-delivered-id")}${text("1-0")}${text("entries-read")}:1\r\n${text("lag")}${protocol === 3 ? "_\r\n" : "$-1\r\n"}`,
      ),
    ),
    step(
      "XINFO STREAM s",
      raw(
        (protocol) =>
          `${protocol === 3 ? "%10" : "*20"}\r\n${text("length")}:2\r\n${text("radix-tree-keys")}:1\r\n${text("radix-tree-nodes")}:2\r\n${text("last-generated-id")}${text("3-0")}${text("max-deleted-entry-id")}${text("2-0")}${text("entries-added")}:3\r\n${text("recorded-first-entry-id")}${text("1-0")}${text("groups")}:1\r\n${text("first-entry")}${entryText(["1-0", "f", "v"])}${text("last-entry")}${entryText(["3-0", "f", "v"])}`,
      ),
    ),
    step("XINFO STREAM none", error("ERR no such key")),
    step("XINFO CONSUMERS s none", error("NOGROUP No such consumer group 'none' for key name 's'")),
    step(
      "XINFO STREAM s FOO",
      error("ERR unknown subcommand or wrong number of arguments for 'STREAM'. Try XINFO HELP."),
    ),
    step("XINFO STREAM s FULL COUNT x", NOT_INTEGER),
    step("XGROUP CREATE e h 0 MKSTREAM", ok),
    step(
      "XINFO STREAM e FULL",
      raw(
        (protocol) =>
          `${protocol === 3 ? "%9" : "*18"}\r\n${text("length")}:0\r\n${text("radix-tree-keys")}:0\r\n${text("radix-tree-nodes")}:1\r\n${text("last-generated-id")}${text("0-0")}${text("max-deleted-entry-id")}${text("0-0")}${text("entries-added")}:0\r\n${text("recorded-first-entry-id")}${text("0-0")}${text("entries")}*0\r\n${text("groups")}*1\r\n${protocol === 3 ? "%7" : "*14"}\r\n${text("name")}${text("h")}${text("last-delivered-id")}${text("0-0")}${text("entries-read")}${protocol === 3 ? "_\r\n" : "$-1\r\n"}${text("lag")}:0\r\n${text("pel-count")}:0\r\n${text("pending")}*0\r\n${text("consumers")}*0\r\n`,
      ),
    ),
  ]),
  commandCase("every stream command refuses a key of another type", [
    step("SET t text", ok),
    ...[
      "XADD t * f v",
      "XLEN t",
      "XRANGE t - +",
      "XREVRANGE t + -",
      "XDEL t 1-0",
      "XTRIM t MAXLEN 1",
      "XSETID t 1-0",
      "XREADGROUP GROUP g c STREAMS t >",
      "XACK t g 1-0",
      "XPENDING t g",
      "XCLAIM t g c 0 1-0",
      "XAUTOCLAIM t g c 0 0",
      "XINFO STREAM t",
      "XINFO GROUPS t",
      "XINFO CONSUMERS t g",
    ].map((command) => step(command, WRONG_TYPE)),
    step("XADD s 1-0 f v", bulk("1-0")),
    step("GET s", WRONG_TYPE),
    step("SADD s a", WRONG_TYPE),
  ]),
];
