/** Cases of the geo commands, whose digits a reference server is asked for too. */
import {
  array,
  bulk,
  commandCase,
  type Expected,
  error,
  int,
  nil,
  ok,
  type Protocol,
  raw,
  step,
  step72,
  texts,
} from "./case.ts";

const WRONG_TYPE = error("WRONGTYPE Operation against a key holding the wrong kind of value");
const SYNTAX = error("ERR syntax error");
const NO_UNIT = error("ERR unsupported unit provided. please use M, KM, FT, MI");
const NO_MEMBER = error("ERR could not decode requested zset member");

const double = (text: string, protocol: Protocol) =>
  protocol === 3 ? `,${text}\r\n` : texts.bulk(text);
const place = (longitude: string, latitude: string, protocol: Protocol) =>
  `*2\r\n${double(longitude, protocol)}${double(latitude, protocol)}`;

/** Members with what was asked for behind them, in arrays of their own. */
function points(
  ...items: [member: string, ...parts: ((protocol: Protocol) => string)[]][]
): Expected {
  return raw(
    (protocol) =>
      `*${items.length}\r\n${items
        .map(
          ([member, ...parts]) =>
            `*${parts.length + 1}\r\n${texts.bulk(member)}${parts.map((part) => part(protocol)).join("")}`,
        )
        .join("")}`,
  );
}
const meters = (text: string) => () => texts.bulk(text);
const at = (longitude: string, latitude: string) => (protocol: Protocol) =>
  place(longitude, latitude, protocol);
const hash = (score: string) => () => `:${score}\r\n`;

const sicily = step(
  "GEOADD s 13.361389 38.115556 Palermo 15.087269 37.502669 Catania 12.758489 38.788135 edge1 17.241510 38.788135 edge2",
  int(4),
);
const PALERMO = at("13.36138933897018433", "38.11555639549629859");

export const geoCases = [
  commandCase("GEOADD adds places, and judges them first", [
    sicily,
    step("GEOADD s CH 13.5 38.2 Palermo 1 2 new", int(2)),
    step("GEOADD s NX 1 2 Palermo 3 4 other", int(1)),
    step("GEOADD s XX 1 2 nobody", int(0)),
    step("GEOADD none xx 1 2 nobody", int(0)),
    step("GEOADD s NX XX 1 2 a", SYNTAX),
    step("GEOADD s 1 2 a 3", SYNTAX),
    step("GEOADD s GT 1 2 a", SYNTAX),
    step("GEOADD s 1 x a", error("ERR value is not a valid float")),
    step("GEOADD s 181 10 a", error("ERR invalid longitude,latitude pair 181.000000,10.000000")),
    step(
      "GEOADD s 1 2 a -0.1234567 -85.06 b",
      error("ERR invalid longitude,latitude pair -0.123457,-85.060000"),
    ),
    step(
      "GEOADD s 1e30 inf a",
      error("ERR invalid longitude,latitude pair 1000000000000000019884624838656.000000,inf"),
    ),
    step("ZCARD s", int(6)),
    step("GEOADD p 180 85.05112878 ne -180 -85.05112878 sw 0 0 zero", int(3)),
    step(
      "ZSCORE p sw",
      raw((protocol) => double("0", protocol)),
    ),
    step(
      "ZSCORE p zero",
      raw((protocol) => double("3377699720527872", protocol)),
    ),
  ]),
  commandCase("places are told to 17 decimals", [
    sicily,
    step(
      "GEOPOS s Palermo nobody Catania",
      raw(
        (p) =>
          `*3\r\n${PALERMO(p)}${p === 3 ? "_\r\n" : "*-1\r\n"}${place("15.08726745843887329", "37.50266842333162032", p)}`,
      ),
    ),
    step(
      "GEOPOS none a",
      raw((p) => `*1\r\n${p === 3 ? "_\r\n" : "*-1\r\n"}`),
    ),
    step(
      "GEOPOS s",
      raw(() => "*0\r\n"),
    ),
    step("GEOHASH s Palermo Catania nobody", array("sqc8b49rny0", "sqdtr74hyu0", null)),
    step("GEOHASH none a", array(null)),
    step("ZADD z 0 low 4503599627370495 high", int(2)),
    step(
      "GEOPOS z low high",
      raw(
        (p) =>
          `*2\r\n${place("-179.99999731779098511", "-85.05112751263942528", p)}${place("179.99999731779098511", "85.05112751263942528", p)}`,
      ),
    ),
  ]),
  commandCase("distances have four decimals", [
    sicily,
    step("GEODIST s Palermo Catania", bulk("166274.1516")),
    step("GEODIST s Palermo Catania km", bulk("166.2742")),
    step("GEODIST s Palermo Catania MI", bulk("103.3182")),
    step("GEODIST s Palermo Catania ft", bulk("545518.8700")),
    step("GEODIST s Palermo Palermo", bulk("0.0000")),
    step("GEODIST s Palermo nobody", nil),
    step("GEODIST none a b", nil),
    step("GEODIST s Palermo Catania yd", NO_UNIT),
    step("GEODIST s Palermo Catania m x", SYNTAX),
  ]),
  commandCase("GEOSEARCH finds what is within a circle or a box", [
    sicily,
    step("GEOSEARCH s FROMLONLAT 15 37 BYRADIUS 200 km ASC", array("Catania", "Palermo")),
    step("GEOSEARCH s FROMLONLAT 15 37 BYRADIUS 200 km DESC", array("Palermo", "Catania")),
    step(
      "GEOSEARCH s FROMLONLAT 15 37 BYBOX 400 400 km ASC WITHCOORD WITHDIST WITHHASH",
      points(
        [
          "Catania",
          meters("56.4413"),
          hash("3479447370796909"),
          at("15.08726745843887329", "37.50266842333162032"),
        ],
        ["Palermo", meters("190.4424"), hash("3479099956230698"), PALERMO],
        [
          "edge2",
          meters("279.7403"),
          hash("3481342659049484"),
          at("17.24151045083999634", "38.78813451624225195"),
        ],
        [
          "edge1",
          meters("279.7405"),
          hash("3479273021651468"),
          at("12.7584877610206604", "38.78813451624225195"),
        ],
      ),
    ),
    step(
      "GEOSEARCH s FROMMEMBER Palermo BYRADIUS 100 KM WITHDIST ASC",
      points(["Palermo", meters("0.0000")], ["edge1", meters("91.4007")]),
    ),
    step("GEOSEARCH s FROMLONLAT 15 37 BYRADIUS 400 km COUNT 1", array("Catania")),
    step(
      "GEOSEARCH s FROMLONLAT 15 37 BYRADIUS 400 km COUNT 3 DESC",
      array("edge1", "edge2", "Palermo"),
    ),
    step("GEOSEARCH s FROMLONLAT 15 37 BYRADIUS 1 m", array()),
    step("GEOSEARCH none FROMLONLAT 15 37 BYRADIUS 1 m", array()),
    step("GEOSEARCH none FROMMEMBER a BYRADIUS 1 m", array()),
    step("GEOSEARCH s FROMMEMBER nobody BYRADIUS 1 m", NO_MEMBER),
    step("GEOSEARCH s FROMMEMBER Palermo FROMLONLAT 1 2 BYRADIUS 1 m", SYNTAX),
    step("GEOSEARCH s FROMLONLAT 1 2 BYRADIUS 1 m BYBOX 1 1 m", SYNTAX),
    step(
      "geosearch s BYRADIUS 1 m ASC DESC",
      error("ERR exactly one of FROMMEMBER or FROMLONLAT can be specified for geosearch"),
    ),
    step(
      "GEOSEARCH s FROMLONLAT 1 2 ASC DESC",
      error("ERR exactly one of BYRADIUS and BYBOX can be specified for GEOSEARCH"),
    ),
    step("GEOSEARCH s FROMLONLAT 1 2 BYRADIUS x m", error("ERR need numeric radius")),
    step("GEOSEARCH s FROMLONLAT 1 2 BYRADIUS -1 m", error("ERR radius cannot be negative")),
    step("GEOSEARCH s FROMLONLAT 1 2 BYRADIUS 1 yd", NO_UNIT),
    step("GEOSEARCH s FROMLONLAT 1 2 BYBOX x 1 m", error("ERR need numeric width")),
    step("GEOSEARCH s FROMLONLAT 1 2 BYBOX 1 x m", error("ERR need numeric height")),
    step(
      "GEOSEARCH s FROMLONLAT 1 2 BYBOX 1 -1 m",
      error("ERR height or width cannot be negative"),
    ),
    step("GEOSEARCH s FROMLONLAT 1 2 BYBOX 1 1 yd", NO_UNIT),
    step("GEOSEARCH s FROMLONLAT 1 2 BYRADIUS 1 m COUNT 0", error("ERR COUNT must be > 0")),
    step(
      "GEOSEARCH s FROMLONLAT 1 2 BYRADIUS 1 m COUNT x",
      error("ERR value is not an integer or out of range"),
    ),
    step(
      "GEOSEARCH s FROMLONLAT 1 2 BYRADIUS 1 m ANY",
      error("ERR the ANY argument requires COUNT argument"),
    ),
    step("GEOSEARCH s FROMLONLAT 1 2 BYRADIUS 1 m STOREDIST", SYNTAX),
    step("GEOSEARCH s FROMLONLAT 1 2 BYRADIUS 1", SYNTAX),
  ]),
  commandCase("GEOSEARCHSTORE stores places or distances", [
    sicily,
    step("GEOSEARCHSTORE d s FROMLONLAT 15 37 BYRADIUS 200 km", int(2)),
    step("ZRANGE d 0 -1", array("Palermo", "Catania")),
    step("GEODIST d Palermo Catania", bulk("166274.1516")),
    step("GEOSEARCHSTORE d s FROMLONLAT 15 37 BYRADIUS 200 km STOREDIST COUNT 1", int(1)),
    step72(
      "shortest digits",
      "ZRANGE d 0 -1 WITHSCORES",
      raw((p) =>
        p === 3
          ? "*1\r\n*2\r\n$7\r\nCatania\r\n,56.4412578701582\r\n"
          : "*2\r\n$7\r\nCatania\r\n$16\r\n56.4412578701582\r\n",
      ),
    ),
    step("GEOSEARCHSTORE d s FROMLONLAT 1 2 BYRADIUS 1 km", int(0)),
    step("EXISTS d", int(0)),
    step("SET d text", ok),
    step("GEOSEARCHSTORE d none FROMLONLAT 1 2 BYRADIUS 1 km", int(0)),
    step("EXISTS d", int(0)),
    step(
      "GEOSEARCHSTORE d s FROMLONLAT 1 2 BYRADIUS 1 km WITHDIST",
      error("ERR GEOSEARCHSTORE is not compatible with WITHDIST, WITHHASH and WITHCOORD options"),
    ),
  ]),
  commandCase("GEORADIUS and GEORADIUSBYMEMBER search, and store", [
    sicily,
    step("GEORADIUS s 15 37 200 km ASC", array("Catania", "Palermo")),
    step(
      "GEORADIUS_RO s 15 37 200 km WITHDIST DESC",
      points(["Palermo", meters("190.4424")], ["Catania", meters("56.4413")]),
    ),
    step("GEORADIUSBYMEMBER s Palermo 200 km ASC", array("Palermo", "edge1", "Catania")),
    step("GEORADIUSBYMEMBER_RO s Palermo 200 km COUNT 2", array("Palermo", "edge1")),
    step("GEORADIUSBYMEMBER s nobody 200 km", NO_MEMBER),
    step("GEORADIUSBYMEMBER none nobody x yd", array()),
    step("GEORADIUS none 15 37 x km", error("ERR need numeric radius")),
    step("GEORADIUS s 15 37 200 km STORE d", int(2)),
    step("ZCARD d", int(2)),
    step("GEORADIUSBYMEMBER s Palermo 100 km STOREDIST d", int(2)),
    step("ZRANGE d 0 -1", array("Palermo", "edge1")),
    step("GEORADIUS s 1 2 1 m STORE d", int(0)),
    step("EXISTS d", int(0)),
    step("GEORADIUS none 1 2 1 m STORE s", int(0)),
    step("EXISTS s", int(0)),
    step("GEORADIUS_RO s 1 2 1 m STORE d", SYNTAX),
    step("GEORADIUSBYMEMBER_RO s a 1 m STOREDIST d", SYNTAX),
    step(
      "GEORADIUS s 1 2 1 m STORE d WITHDIST",
      error(
        "ERR STORE option in GEORADIUS is not compatible with WITHDIST, WITHHASH and WITHCOORD options",
      ),
    ),
    step("GEORADIUS s 1 2 1 m STORE", SYNTAX),
    step("GEORADIUS s 200 2 1 m", error("ERR invalid longitude,latitude pair 200.000000,2.000000")),
  ]),
  commandCase("every geo command refuses a key of another type", [
    step("SET t text", ok),
    ...[
      "GEOADD t 1 2 a",
      "GEODIST t a b",
      "GEOHASH t a",
      "GEOPOS t a",
      "GEORADIUS t 1 2 1 m",
      "GEORADIUS_RO t 1 2 1 m",
      "GEORADIUSBYMEMBER t a 1 m",
      "GEORADIUSBYMEMBER_RO t a 1 m",
      "GEOSEARCH t FROMLONLAT 1 2 BYRADIUS 1 m",
      "GEOSEARCHSTORE d t FROMLONLAT 1 2 BYRADIUS 1 m",
    ].map((command) => step(command, WRONG_TYPE)),
  ]),
];
