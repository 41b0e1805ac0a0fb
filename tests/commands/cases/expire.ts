/** Deadlines: EXPIRE and its family, TTL and its family, PERSIST. https://redis.io/docs/latest/commands/expire/ */
import { atMost, bulk, commandCase, error, int, nil, ok, pass, step } from "./case.ts";

const NOT_INTEGER = error("ERR value is not an integer or out of range");
const NX_CONFLICT = error("ERR NX and XX, GT or LT options at the same time are not compatible");
const GT_LT_CONFLICT = error("ERR GT and LT options at the same time are not compatible");
const FAMILY = ["EXPIRE", "PEXPIRE", "EXPIREAT", "PEXPIREAT"];
const badTime = (command: string) => error(`ERR invalid expire time in '${command}' command`);

export const expireCases = [
  commandCase("EXPIRE and its family answer 0 for a missing key", [
    ...FAMILY.map((command) => step(`${command} none 9999999999`, int(0))),
    ...FAMILY.map((command) => step(`${command} none -1`, int(0))),
    ...FAMILY.map((command) => step(`${command} none 9999999999 XX`, int(0))),
  ]),
  commandCase("EXPIRE and its family set the deadline in their units", (now) => [
    step("SET k v", ok),
    step("EXPIRE k 100", int(1)),
    step("PTTL k", atMost(100_000, 3000)),
    step("TTL k", atMost(100, 3)),
    step("PEXPIRE k 200000", int(1)),
    step("PTTL k", atMost(200_000, 3000)),
    step(`EXPIREAT k ${Math.floor(now / 1000) + 300}`, int(1)),
    step("EXPIRETIME k", int(Math.floor(now / 1000) + 300)),
    step("PEXPIRETIME k", int((Math.floor(now / 1000) + 300) * 1000)),
    step(`PEXPIREAT k ${now + 400_001}`, int(1)),
    step("PEXPIRETIME k", int(now + 400_001)),
    step("EXPIRETIME k", int(Math.floor((now + 400_501) / 1000))),
    step("GET k", bulk("v")),
  ]),
  commandCase("EXPIRE moves a value of any length", [
    ...["", "v", "12345", "x".repeat(44), "x".repeat(45), "x".repeat(20_000)].flatMap((value) => [
      step(["SET", "k", value], ok),
      step("EXPIRE k 100", int(1)),
      step("GET k", bulk(value)),
      step("PERSIST k", int(1)),
      step("GET k", bulk(value)),
    ]),
  ]),
  commandCase("a key is gone on its deadline", [
    step("SET k v", ok),
    step("PEXPIRE k 30", int(1)),
    step("GET k", bulk("v")),
    pass(45),
    step("EXISTS k", int(0)),
    step("GET k", nil),
    step("PTTL k", int(-2)),
    step("TYPE k", (raw) => (raw === "+none\r\n" ? undefined : raw)),
    step("PERSIST k", int(0)),
    step("EXPIRE k 100", int(0)),
    step("DEL k", int(0)),
  ]),
  commandCase("a deadline that is not in the future deletes at once", (now) =>
    [
      ...[
        "EXPIRE k 0",
        "EXPIRE k -1",
        "PEXPIRE k 0",
        "PEXPIRE k -5",
        "EXPIREAT k 1",
        "PEXPIREAT k 1",
      ],
      ...["EXPIREAT k 0", "PEXPIREAT k -1", "EXPIREAT k -100", `PEXPIREAT k ${now - 1}`],
      ...["PEXPIRE k -9223372036854775808", "EXPIRE k -9223372036854775"],
      ...["PEXPIREAT k -9223372036854775808"],
    ].flatMap((command) => [
      step("SET k v", ok),
      step(command, int(1)),
      step("EXISTS k", int(0)),
      step("DBSIZE", int(0)),
    ]),
  ),
  commandCase("TTL, PTTL, EXPIRETIME and PEXPIRETIME tell missing from lasting", [
    ...["TTL", "PTTL", "EXPIRETIME", "PEXPIRETIME"].map((command) => step(`${command} k`, int(-2))),
    step("SET k v", ok),
    ...["TTL", "PTTL", "EXPIRETIME", "PEXPIRETIME"].map((command) => step(`${command} k`, int(-1))),
  ]),
  commandCase("TTL and EXPIRETIME round to the nearest second", (now) => {
    const second = Math.floor(now / 1000) + 1000;
    return [
      step("SET k v", ok),
      step(`PEXPIREAT k ${second * 1000 + 499}`, int(1)),
      step("EXPIRETIME k", int(second)),
      step(`PEXPIREAT k ${second * 1000 + 500}`, int(1)),
      step("EXPIRETIME k", int(second + 1)),
      step("PEXPIRE k 100900", int(1)),
      step("TTL k", int(101)),
    ];
  }),
  commandCase("PERSIST takes the deadline away", [
    step("PERSIST none", int(0)),
    step("SET k v", ok),
    step("PERSIST k", int(0)),
    step("EXPIRE k 100", int(1)),
    step("PERSIST k", int(1)),
    step("TTL k", int(-1)),
    step("PERSIST k", int(0)),
    step("GET k", bulk("v")),
  ]),
  commandCase("EXPIRE NX sets only a first deadline", [
    step("SET k v", ok),
    step("EXPIRE k 100 NX", int(1)),
    step("EXPIRE k 200 nx", int(0)),
    step("TTL k", atMost(100, 3)),
    step("EXPIRE k -1 NX", int(0)),
    step("EXISTS k", int(1)),
  ]),
  commandCase("EXPIRE XX sets only a further deadline", [
    step("SET k v", ok),
    step("EXPIRE k 100 XX", int(0)),
    step("TTL k", int(-1)),
    step("EXPIRE k 100", int(1)),
    step("EXPIRE k 200 XX", int(1)),
    step("TTL k", atMost(200, 3)),
  ]),
  commandCase("EXPIRE GT sets only a later deadline, and no deadline is the latest", (now) => [
    step("SET k v", ok),
    step("EXPIRE k 100 GT", int(0)),
    step(`PEXPIREAT k ${now + 100_000}`, int(1)),
    step(`PEXPIREAT k ${now + 100_000} GT`, int(0)),
    step(`PEXPIREAT k ${now + 99_999} GT`, int(0)),
    step(`PEXPIREAT k ${now + 100_001} GT`, int(1)),
    step("PEXPIRE k -1 GT", int(0)),
    step("PEXPIRETIME k", int(now + 100_001)),
    step("EXPIRE k 1000 XX GT", int(1)),
    step("TTL k", atMost(1000, 3)),
  ]),
  commandCase("EXPIRE LT sets only an earlier deadline, and no deadline is the latest", (now) => [
    step("SET k v", ok),
    step("EXPIRE k 100 XX LT", int(0)),
    step(`PEXPIREAT k ${now + 100_000} LT`, int(1)),
    step(`PEXPIREAT k ${now + 100_000} LT`, int(0)),
    step(`PEXPIREAT k ${now + 100_001} LT`, int(0)),
    step(`PEXPIREAT k ${now + 99_999} LT XX`, int(1)),
    step("PEXPIRETIME k", int(now + 99_999)),
    step("EXPIRE k -1 LT", int(1)),
    step("EXISTS k", int(0)),
  ]),
  commandCase("EXPIRE and its family take the conditions in their own units", [
    ...FAMILY.flatMap((command) => [
      step("SET k v", ok),
      step(`${command} k 9999999999999 XX`, int(0)),
      step(`${command} k 9999999999999 NX`, int(1)),
      step(`${command} k 9999999000000 LT`, int(1)),
      step(`${command} k 9999999999999 GT`, int(1)),
    ]),
  ]),
  commandCase("EXPIRE refuses conditions that exclude each other", [
    step("SET k v", ok),
    ...FAMILY.flatMap((command) => [
      ...["NX XX", "NX GT", "NX LT", "XX NX", "GT NX", "NX XX GT LT", "GT LT NX"].map((options) =>
        step(`${command} k 100 ${options}`, NX_CONFLICT),
      ),
      step(`${command} k 100 GT LT`, GT_LT_CONFLICT),
      step(`${command} k 100 XX LT GT`, GT_LT_CONFLICT),
    ]),
    step("EXPIRE k 100 NX NX", int(1)),
    step("EXPIRE k 100 XX XX", int(1)),
    step("EXPIRE none 100 NX XX", NX_CONFLICT),
    step("EXPIRE k abc GT LT", GT_LT_CONFLICT),
  ]),
  commandCase("EXPIRE names the option that it does not know", [
    step("SET k v", ok),
    ...FAMILY.map((command) => step(`${command} k 100 Foo`, error("ERR Unsupported option Foo"))),
    step("EXPIRE k 100 NX nX bar baz", error("ERR Unsupported option bar")),
    step("EXPIRE k 100 GT XX 200", error("ERR Unsupported option 200")),
    step("EXPIRE k abc Foo", error("ERR Unsupported option Foo")),
    step(["EXPIRE", "k", "100", ""], error("ERR Unsupported option ")),
    step(["EXPIRE", "k", "100", "a\r\nb"], error("ERR Unsupported option a  b")),
    step(["EXPIRE", "k", "100", "a\tb\xff"], error("ERR Unsupported option a\tb\xff")),
    step(
      ["EXPIRE", "k", "100", "x".repeat(300)],
      error(`ERR Unsupported option ${"x".repeat(300)}`),
    ),
    step("TTL k", int(-1)),
  ]),
  commandCase("EXPIRE refuses a time that is no integer", [
    step("SET k v", ok),
    ...FAMILY.flatMap((command) =>
      ["abc", "", "1.5", "1 ", "+1", "010", "9223372036854775808", "-9223372036854775809"].map(
        (time) => step([command, "k", time], NOT_INTEGER),
      ),
    ),
    step("EXPIRE none abc", NOT_INTEGER),
    step("TTL k", int(-1)),
  ]),
  commandCase("EXPIRE refuses a time beyond 64 bits of milliseconds", [
    step("SET k v", ok),
    step("EXPIRE k 9223372036854775807", badTime("expire")),
    step("EXPIRE k 9223372036854776", badTime("expire")),
    step("EXPIRE k 9223372036854775", badTime("expire")),
    step("EXPIRE k -9223372036854776", badTime("expire")),
    step("EXPIRE k -9223372036854775808", badTime("expire")),
    step("EXPIREAT k 9223372036854776", badTime("expireat")),
    step("EXPIREAT k -9223372036854776", badTime("expireat")),
    step("PEXPIRE k 9223372036854775807", badTime("pexpire")),
    step("PEXPIRE k 9223372036854770000", badTime("pexpire")),
    step("EXPIRE none 9223372036854775807", badTime("expire")),
    step("PEXPIREAT k 9223372036854775807", int(1)),
    step("PEXPIRETIME k", int(9223372036854775807n)),
    step("EXPIREAT k 9223372036854775", int(1)),
    step("PEXPIRETIME k", int(9223372036854775000n)),
    step("GET k", bulk("v")),
  ]),
];
