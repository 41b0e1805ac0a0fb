/** What commands on streams cause: ids as they were given, trims as exact, deliveries as XCLAIM and XGROUP SETID. */
import type { EffectCase, LogWord } from "./effects.ts";

const NOW = { inMs: 0 };
const TWO = ["XADD s 1-0 f v", "XADD s 2-0 f v"];
const GROUP = [...TWO, "XGROUP CREATE s g 0"];
const ENTRIES_READ = "tells how many entries the group has read, which Redis loses";

/** XCLAIM as it tells of one pending entry. */
function claimed(id: string, consumer: string, deliveries: string, last: string): LogWord[] {
  const words = ["XCLAIM", "s", "g", consumer, "0", id, "TIME", NOW, "RETRYCOUNT", deliveries];
  return [...words, "FORCE", "JUSTID", "LASTID", last];
}

function verbatim(
  command: string,
  before: string[],
  events: string[],
  touched: string[] = ["s"],
): EffectCase {
  const name = `${command} is logged as it came`;
  return { name, before, command, log: [command.split(" ")], events, touched };
}

const created = ["XGROUP", "CREATECONSUMER", "s", "g", "c"];
const moved = (id: string, count: string) => [
  "XGROUP",
  "SETID",
  "s",
  "g",
  id,
  "ENTRIESREAD",
  count,
];

export const streamEffectCases: readonly EffectCase[] = [
  verbatim("XADD s 1-0 f v", [], ["new s", "xadd s"]),
  verbatim("XADD s MAXLEN 1 3-0 f v", TWO, ["xadd s", "xtrim s"]),
  {
    name: "XADD with a partial id is logged with the whole one",
    command: "XADD s NOMKSTREAM 2-* f v",
    before: TWO,
    log: [["XADD", "s", "2-1", "f", "v"]],
    referenceLog: [["XADD", "s", "NOMKSTREAM", "2-1", "f", "v"]],
    events: ["xadd s"],
    touched: ["s"],
  },
  {
    name: "XADD that trims approximately is logged with what was left",
    command: "XADD s MAXLEN ~ 1 3-0 f v",
    before: TWO,
    log: [["XADD", "s", "MAXLEN", "=", "3", "3-0", "f", "v"]],
    events: ["xadd s"],
    touched: ["s"],
  },
  {
    name: "XTRIM that trims approximately is logged with what was left",
    command: "XTRIM s MINID ~ 5",
    before: TWO,
    log: [["XTRIM", "s", "MINID", "=", "18446744073709551615-18446744073709551615"]],
    events: ["xtrim s"],
    touched: ["s"],
  },
  verbatim("XTRIM s MAXLEN 1", TWO, ["xtrim s"]),
  verbatim("XDEL s 1-0 2-0 3-0", TWO, ["xdel s"]),
  verbatim("XSETID s 9-0", TWO, ["xsetid s"], []),
  verbatim("XGROUP CREATE s g 0", TWO, ["xgroup-create s"], []),
  verbatim("XGROUP CREATE s g 0 MKSTREAM", [], ["new s", "xgroup-create s"]),
  verbatim("XGROUP SETID s g 1", GROUP, ["xgroup-setid s"], []),
  verbatim("XGROUP CREATECONSUMER s g c", GROUP, ["xgroup-createconsumer s"], []),
  verbatim("XGROUP DESTROY s g", GROUP, ["xgroup-destroy s"], []),
  verbatim(
    "XGROUP DELCONSUMER s g c",
    [...GROUP, "XGROUP CREATECONSUMER s g c"],
    ["xgroup-delconsumer s"],
    [],
  ),
  verbatim("XACK s g 1-0", [...GROUP, "XREADGROUP GROUP g c STREAMS s >"], [], []),
  {
    name: `XREADGROUP is logged as what was delivered, and ${ENTRIES_READ}`,
    before: GROUP,
    command: "XREADGROUP GROUP g c STREAMS s >",
    log: [claimed("1-0", "c", "1", "1-0"), claimed("2-0", "c", "1", "2-0"), moved("2-0", "2")],
    referenceLog: [claimed("1-0", "c", "1", "1-0"), claimed("2-0", "c", "1", "2-0")],
    events: ["xgroup-createconsumer s"],
    touched: [],
  },
  {
    name: "XREADGROUP NOACK is logged as where the group is then",
    before: GROUP,
    command: "XREADGROUP GROUP g c COUNT 1 NOACK STREAMS s >",
    log: [created, moved("1-0", "1")],
    events: ["xgroup-createconsumer s"],
    touched: [],
  },
  {
    name: "XREADGROUP that makes a consumer and has nothing for it logs the consumer, which Redis loses",
    before: ["XGROUP CREATE s g $ MKSTREAM"],
    command: "XREADGROUP GROUP g c STREAMS s >",
    // 7.0 makes no consumer then.
    notInRedis: true,
    log: [created],
    events: ["xgroup-createconsumer s"],
    touched: [],
  },
  {
    name: "XREADGROUP of what is pending is not logged",
    before: [...GROUP, "XREADGROUP GROUP g c STREAMS s >"],
    command: "XREADGROUP GROUP g c STREAMS s 0",
    log: [],
    events: [],
    touched: [],
  },
  {
    name: "XCLAIM is logged as what was claimed",
    before: [...GROUP, "XREADGROUP GROUP g c STREAMS s >", "XGROUP CREATECONSUMER s g d"],
    command: "XCLAIM s g d 0 1-0 7-0",
    log: [claimed("1-0", "d", "2", "2-0")],
    events: [],
    touched: [],
  },
  {
    name: "XAUTOCLAIM is logged as what was claimed",
    before: [...GROUP, "XREADGROUP GROUP g c STREAMS s >", "XGROUP CREATECONSUMER s g d"],
    command: "XAUTOCLAIM s g d 0 0 COUNT 1 JUSTID",
    log: [claimed("1-0", "d", "1", "2-0")],
    events: [],
    touched: [],
  },
  {
    name: "XCLAIM of an entry that was deleted is logged as Redis does, and takes it out on replay",
    before: [...GROUP, "XREADGROUP GROUP g c STREAMS s >", "XDEL s 1-0"],
    command: "XCLAIM s g c 0 1-0",
    // The instant is that of the delivery, which a reference has a while before.
    notInRedis: true,
    log: [claimed("1-0", "c", "1", "2-0")],
    events: [],
    touched: [],
  },
];
