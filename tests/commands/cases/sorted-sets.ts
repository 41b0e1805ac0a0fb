/** Cases of the sorted set commands, whose grammar and errors a reference server is asked for too. */
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
const NOT_INTEGER = error("ERR value is not an integer or out of range");
const NOT_FLOAT = error("ERR value is not a valid float");
const BAD_SCORES = error("ERR min or max is not a float");
const BAD_NAMES = error("ERR min or max not valid string range item");
const SYNTAX = error("ERR syntax error");

const doubleText = (text: string, protocol: Protocol) =>
  protocol === 3 ? `,${text}\r\n` : texts.bulk(text);
const double = (text: string) => raw((protocol) => doubleText(text, protocol));

/** Members with scores: flat in RESP2, pairs in RESP3. */
function scored(...words: string[]): Expected {
  return raw((protocol) => {
    const pairs: string[] = [];
    for (let i = 0; i < words.length; i += 2)
      pairs.push(texts.bulk(words[i]!) + doubleText(words[i + 1]!, protocol));
    return protocol === 3
      ? `*${pairs.length}\r\n${pairs.map((pair) => `*2\r\n${pair}`).join("")}`
      : `*${words.length}\r\n${pairs.join("")}`;
  });
}

/** One pair, or pairs that are flat in both protocols. */
function flatScored(...words: string[]): Expected {
  return raw(
    (protocol) =>
      `*${words.length}\r\n${words.map((word, i) => (i % 2 === 0 ? texts.bulk(word) : doubleText(word, protocol))).join("")}`,
  );
}

/** ZMPOP's answer: the key and pairs. */
function popped(key: string, ...words: string[]): Expected {
  return raw((protocol) => {
    let pairs = "";
    for (let i = 0; i < words.length; i += 2)
      pairs += `*2\r\n${texts.bulk(words[i]!)}${doubleText(words[i + 1]!, protocol)}`;
    return `*2\r\n${texts.bulk(key)}*${words.length / 2}\r\n${pairs}`;
  });
}

const nilArray = raw((protocol) => (protocol === 3 ? "_\r\n" : "*-1\r\n"));
const fill = step("ZADD z 1 a 2 b 3 c 4 d 5 e", int(5));
const names = step("ZADD n 0 alpha 0 bar 0 cool 0 down 0 elephant", int(5));

export const sortedSetCases = [
  commandCase("ZADD counts what is new, with CH also what has changed", [
    step("ZADD z 1 a 2 b", int(2)),
    step("ZADD z 5 a 3 c", int(1)),
    step("ZADD z CH 5 a 4 b 9 d", int(2)),
    step("ZADD z ch 5 a", int(0)),
    step("ZADD z 1 e 2 e 3 e", int(1)),
    step("ZSCORE z e", double("3")),
    step("ZCARD z", int(5)),
  ]),
  commandCase("ZADD's conditions", [
    step("ZADD z XX 1 a", int(0)),
    step("EXISTS z", int(0)),
    step("ZADD z NX 10 a", int(1)),
    step("ZADD z NX 20 a", int(0)),
    step("ZADD z XX CH 20 a 1 b", int(1)),
    step("ZADD z GT CH 15 a", int(0)),
    step("ZADD z GT CH 25 a 1 b", int(2)),
    step("ZADD z LT CH 30 a 0 b", int(1)),
    step("ZADD z xx lt ch 3 a 3 c", int(1)),
    step("ZRANGE z 0 -1 WITHSCORES", scored("b", "0", "a", "3")),
    step("ZADD z NX XX 1 a", error("ERR XX and NX options at the same time are not compatible")),
    ...["NX GT", "LT NX", "GT LT", "GT LT XX"].map((flags) =>
      step(
        `ZADD z ${flags} 1 a`,
        error("ERR GT, LT, and/or NX options at the same time are not compatible"),
      ),
    ),
    step("ZADD z NX XX GT 1 a", error("ERR XX and NX options at the same time are not compatible")),
  ]),
  commandCase("ZADD INCR and ZINCRBY answer the score", [
    step("ZADD z INCR 2.5 a", double("2.5")),
    step("ZINCRBY z 1 a", double("3.5")),
    step("ZADD z NX INCR 1 a", nil),
    step("ZADD z XX INCR 1 b", nil),
    step("ZADD none XX INCR 1 b", nil),
    step("ZADD z GT INCR -1 a", nil),
    step("ZADD z LT INCR -1 a", double("2.5")),
    step("ZADD z INCR 1 a 2 b", error("ERR INCR option supports a single increment-element pair")),
    step("ZINCRBY z inf a", double("inf")),
    step("ZINCRBY z -inf a", error("ERR resulting score is not a number (NaN)")),
    step("ZINCRBY z x a", NOT_FLOAT),
    step("ZINCRBY z nx a", SYNTAX),
    step("ZSCORE z a", double("inf")),
  ]),
  commandCase("ZADD judges its words before anything is changed", [
    step("ZADD z 1 a 2", SYNTAX),
    step("ZADD z NX XX CH", SYNTAX),
    step("ZADD z 1 a x b", NOT_FLOAT),
    step("ZADD z nan a", NOT_FLOAT),
    step(["ZADD", "z", "", "a"], NOT_FLOAT),
    step(["ZADD", "z", " 1", "a"], NOT_FLOAT),
    step("ZADD z 1e400 a", NOT_FLOAT),
    step("EXISTS z", int(0)),
    step("ZADD z 0x10 hex 1e3 exponent -inf low +inf high", int(4)),
    step(
      "ZRANGE z 0 -1 WITHSCORES",
      scored("low", "-inf", "hex", "16", "exponent", "1000", "high", "inf"),
    ),
  ]),
  commandCase("scores are written as short as they can be", [
    step("ZADD z 0.1 a", int(1)),
    step72("shortest digits", "ZSCORE z a", double("0.1")),
    step("ZADD z 1e20 a", int(0)),
    step("ZSCORE z a", double("1e+20")),
    step("ZADD z 3.0 a", int(0)),
    step("ZSCORE z a", double("3")),
    step("ZADD z -0 zero", int(1)),
    step("ZSCORE z zero", double("0")),
    step("ZADD z 1.5e-10 a", int(0)),
    step72("shortest digits", "ZSCORE z a", double("1.5e-10")),
  ]),
  commandCase("members are asked for and removed", [
    fill,
    step("ZSCORE z c", double("3")),
    step("ZSCORE z x", nil),
    step("ZSCORE none x", nil),
    step(
      "ZMSCORE z a x e",
      raw(
        (protocol) =>
          `*3\r\n${doubleText("1", protocol)}${texts.nil(protocol)}${doubleText("5", protocol)}`,
      ),
    ),
    step("ZMSCORE none a", array(null)),
    step("ZRANK z c", int(2)),
    step("ZREVRANK z c", int(2)),
    step("ZREVRANK z a", int(4)),
    step("ZRANK z x", nil),
    step("ZRANK none x", nil),
    step("ZREM z a x e", int(2)),
    step("ZREM none a", int(0)),
    step("ZCARD none", int(0)),
    step("ZREM z b c d", int(3)),
    step("EXISTS z", int(0)),
  ]),
  commandCase("ZRANK WITHSCORE", [
    fill,
    step72(
      "WITHSCORE",
      "ZRANK z c WITHSCORE",
      raw((p) => `*2\r\n:2\r\n${doubleText("3", p)}`),
    ),
    step72(
      "WITHSCORE",
      "ZREVRANK z a withscore",
      raw((p) => `*2\r\n:4\r\n${doubleText("1", p)}`),
    ),
    step72("WITHSCORE", "ZRANK z x WITHSCORE", nilArray),
    step72("WITHSCORE", "ZRANK none x WITHSCORE", nilArray),
    step72("WITHSCORE", "ZRANK z c WITHSCORES", SYNTAX),
    step("ZRANK z c WITHSCORE x", error("ERR wrong number of arguments for 'zrank' command")),
    step("ZREVRANK z c WITHSCORE x", error("ERR wrong number of arguments for 'zrevrank' command")),
  ]),
  commandCase("ZRANGE by ranks", [
    fill,
    step("ZRANGE z 0 1", array("a", "b")),
    step("ZRANGE z -2 -1", array("d", "e")),
    step("ZRANGE z 3 100", array("d", "e")),
    step("ZRANGE z 3 1", array()),
    step("ZRANGE z 9 10", array()),
    step("ZRANGE z -100 -100", array()),
    step("ZRANGE z 0 1 REV", array("e", "d")),
    step("ZRANGE z 0 1 REV WITHSCORES", scored("e", "5", "d", "4")),
    step("ZREVRANGE z 1 -2 WITHSCORES", scored("d", "4", "c", "3", "b", "2")),
    step("ZRANGE none 0 -1", array()),
    step("ZRANGE z x 1", NOT_INTEGER),
    step("ZRANGE z 0 1.5", NOT_INTEGER),
    step("ZRANGE z 0 1 nothing", SYNTAX),
    step("ZREVRANGE z 0 1 REV", SYNTAX),
    step("ZRANGE z 0 1 LIMIT 0", SYNTAX),
    step(
      "ZRANGE z 0 1 LIMIT 0 5",
      error(
        "ERR syntax error, LIMIT is only supported in combination with either BYSCORE or BYLEX",
      ),
    ),
    step("ZRANGE z 0 1 LIMIT 5 -1", array("a", "b")),
    step("ZRANGE z 0 1 BYSCORE BYLEX", SYNTAX),
  ]),
  commandCase("ranges by scores", [
    fill,
    step("ZRANGEBYSCORE z 2 4", array("b", "c", "d")),
    step("ZRANGEBYSCORE z (2 (4", array("c")),
    step("ZRANGEBYSCORE z -inf +inf WITHSCORES LIMIT 1 2", scored("b", "2", "c", "3")),
    step("ZRANGEBYSCORE z 4 2", array()),
    step("ZRANGEBYSCORE z (3 3", array()),
    step("ZRANGEBYSCORE z 3 3", array("c")),
    step("ZRANGEBYSCORE z 1 5 LIMIT -1 2", array()),
    step("ZRANGEBYSCORE z 1 5 LIMIT 2 -1", array("c", "d", "e")),
    step("ZRANGEBYSCORE z 1 5 LIMIT 2 0", array()),
    step("ZRANGEBYSCORE z 1 5 LIMIT 9 1", array()),
    step("ZRANGEBYSCORE z 1 5 LIMIT x 1", NOT_INTEGER),
    step("ZRANGEBYSCORE z 1 5 REV", SYNTAX),
    step("ZREVRANGEBYSCORE z 4 2", array("d", "c", "b")),
    step("ZREVRANGEBYSCORE z (4 (2 WITHSCORES", scored("c", "3")),
    step("ZREVRANGEBYSCORE z +inf -inf LIMIT 1 2", array("d", "c")),
    step("ZRANGE z 4 2 BYSCORE REV", array("d", "c", "b")),
    step("ZRANGE z 2 4 BYSCORE LIMIT 1 1", array("c")),
    step("ZCOUNT z 2 4", int(3)),
    step("ZCOUNT z (2 +inf", int(3)),
    step("ZCOUNT z 4 2", int(0)),
    step("ZCOUNT none 0 1", int(0)),
    ...["a 1", "1 b", "nan 1", "1 (x", "[1 2"].flatMap((ends) => [
      step(`ZRANGEBYSCORE z ${ends}`, BAD_SCORES),
      step(`ZCOUNT z ${ends}`, BAD_SCORES),
    ]),
    step(["ZCOUNT", "z", "", "1"], int(1)),
    step(["ZCOUNT", "z", "(", " 2"], int(2)),
    step("ZCOUNT z 0 1e400", int(5)),
  ]),
  commandCase("ranges by names", [
    names,
    step("ZRANGEBYLEX n - [cool", array("alpha", "bar", "cool")),
    step("ZRANGEBYLEX n (alpha (down", array("bar", "cool")),
    step("ZRANGEBYLEX n - + LIMIT 1 2", array("bar", "cool")),
    step("ZRANGEBYLEX n + -", array()),
    step("ZRANGEBYLEX n - -", array()),
    step("ZREVRANGEBYLEX n + [d", array("elephant", "down")),
    step("ZREVRANGEBYLEX n [cool - LIMIT 0 1", array("cool")),
    step("ZRANGE n [b (e BYLEX", array("bar", "cool", "down")),
    step("ZRANGE n (e [b BYLEX REV", array("down", "cool", "bar")),
    step("ZLEXCOUNT n [b (e", int(3)),
    step("ZLEXCOUNT n - +", int(5)),
    step("ZLEXCOUNT none - +", int(0)),
    ...["b c", "[a b", "+x -", "-x +"].flatMap((ends) => [
      step(`ZRANGEBYLEX n ${ends}`, BAD_NAMES),
      step(`ZLEXCOUNT n ${ends}`, BAD_NAMES),
    ]),
    step(
      "ZRANGE n - + BYLEX WITHSCORES",
      error("ERR syntax error, WITHSCORES not supported in combination with BYLEX"),
    ),
    step("ZRANGEBYLEX n - + BYLEX", SYNTAX),
    step("ZREMRANGEBYLEX n [b (e", int(3)),
    step("ZREMRANGEBYLEX n x y", BAD_NAMES),
    step("ZRANGE n 0 -1", array("alpha", "elephant")),
  ]),
  commandCase("ranges are removed", [
    fill,
    step("ZREMRANGEBYRANK z 0 0", int(1)),
    step("ZREMRANGEBYRANK z -1 -1", int(1)),
    step("ZREMRANGEBYRANK z 5 9", int(0)),
    step("ZREMRANGEBYRANK z a 9", NOT_INTEGER),
    step("ZREMRANGEBYRANK none 0 -1", int(0)),
    step("ZREMRANGEBYSCORE z (2 3", int(1)),
    step("ZREMRANGEBYSCORE z x 3", BAD_SCORES),
    step("ZRANGE z 0 -1", array("b", "d")),
    step("ZREMRANGEBYSCORE z -inf +inf", int(2)),
    step("EXISTS z", int(0)),
  ]),
  commandCase("ZRANGESTORE stores a range, or deletes", [
    fill,
    step("ZRANGESTORE d z 1 2", int(2)),
    step("ZRANGE d 0 -1 WITHSCORES", scored("b", "2", "c", "3")),
    step("ZRANGESTORE d z (2 +inf BYSCORE LIMIT 1 1", int(1)),
    step("ZRANGE d 0 -1", array("d")),
    step("ZRANGESTORE d z 0 1 REV", int(2)),
    step("ZRANGE d 0 -1", array("d", "e")),
    step("ZRANGESTORE z z 0 0", int(1)),
    step("ZRANGE z 0 -1", array("a")),
    step("ZRANGESTORE d z 5 6", int(0)),
    step("EXISTS d", int(0)),
    step("SET d text", ok),
    step("ZRANGESTORE d none 0 -1", int(0)),
    step("EXISTS d", int(0)),
    step("ZRANGESTORE d z 0 1 WITHSCORES", SYNTAX),
    step("ZRANGESTORE d z a 1", NOT_INTEGER),
  ]),
  commandCase("members are popped from both ends", [
    fill,
    step("ZPOPMIN z", flatScored("a", "1")),
    step("ZPOPMAX z", flatScored("e", "5")),
    step("ZPOPMIN z 0", array()),
    step("ZPOPMIN z 1", scored("b", "2")),
    step("ZPOPMAX z 9", scored("d", "4", "c", "3")),
    step("EXISTS z", int(0)),
    step("ZPOPMIN z", array()),
    step("ZPOPMAX z 3", array()),
    step("ZPOPMIN z -1", error("ERR value is out of range, must be positive")),
    step("ZPOPMIN z x", error("ERR value is out of range, must be positive")),
    step("ZPOPMIN z 1 2", SYNTAX),
  ]),
  commandCase("ZMPOP takes from the first sorted set there is", [
    fill,
    step("ZMPOP 2 none z MIN", popped("z", "a", "1")),
    step("ZMPOP 1 z MAX COUNT 2", popped("z", "e", "5", "d", "4")),
    step("ZMPOP 1 none MIN", nilArray),
    step("ZMPOP 0 z MIN", error("ERR numkeys should be greater than 0")),
    step("ZMPOP x z MIN", error("ERR numkeys should be greater than 0")),
    step("ZMPOP 2 z MIN", SYNTAX),
    step("ZMPOP 1 z MID", SYNTAX),
    step("ZMPOP 1 z MIN COUNT", SYNTAX),
    step("ZMPOP 1 z MIN COUNT 0", error("ERR count should be greater than 0")),
    step("ZMPOP 1 z MIN COUNT x", error("ERR count should be greater than 0")),
    step("ZMPOP 1 z MIN COUNT 1 COUNT 2", SYNTAX),
    step("ZMPOP 1 z MIN COUNT 99", popped("z", "b", "2", "c", "3")),
    step("EXISTS z", int(0)),
  ]),
  commandCase("sorted sets and sets are combined", [
    step("ZADD a 1 x 2 y 3 z", int(3)),
    step("ZADD b 10 y 20 z 30 w", int(3)),
    step("SADD s x w v", int(3)),
    step("ZUNION 2 a b", array("x", "y", "z", "w")),
    step("ZUNION 2 a b WITHSCORES", scored("x", "1", "y", "12", "z", "23", "w", "30")),
    step("ZINTER 2 a b WITHSCORES", scored("y", "12", "z", "23")),
    step("ZINTER 2 a b WEIGHTS 2 0.5 WITHSCORES", scored("y", "9", "z", "16")),
    step("ZINTER 2 a b AGGREGATE MIN WITHSCORES", scored("y", "2", "z", "3")),
    step("ZINTER 2 a b aggregate max withscores", scored("y", "10", "z", "20")),
    step("ZDIFF 2 a b WITHSCORES", scored("x", "1")),
    step("ZDIFF 2 a none", array("x", "y", "z")),
    step("ZDIFF 2 none a", array()),
    step("ZINTER 2 a s WITHSCORES", scored("x", "2")),
    step(
      "ZUNION 2 s a WEIGHTS 5 1 WITHSCORES",
      scored("y", "2", "z", "3", "v", "5", "w", "5", "x", "6"),
    ),
    step("ZUNION 1 a WEIGHTS inf WITHSCORES", scored("x", "inf", "y", "inf", "z", "inf")),
    step("ZUNION 2 a a WEIGHTS inf -inf WITHSCORES", scored("x", "0", "y", "0", "z", "0")),
    step("ZINTER 1 none", array()),
    step("ZINTERCARD 2 a b", int(2)),
    step("ZINTERCARD 2 a b LIMIT 1", int(1)),
    step("ZINTERCARD 2 a b LIMIT 0", int(2)),
    step("ZINTERCARD 2 a b LIMIT -1", error("ERR LIMIT can't be negative")),
    step("ZINTERCARD 2 a b LIMIT x", error("ERR LIMIT can't be negative")),
    step("ZINTERCARD 2 a b LIMIT", SYNTAX),
    step("ZINTERCARD 2 a b WITHSCORES", SYNTAX),
  ]),
  commandCase("combinations are stored", [
    step("ZADD a 1 x 2 y 3 z", int(3)),
    step("ZADD b 10 y 20 z 30 w", int(3)),
    step("SET d text", ok),
    step("ZUNIONSTORE d 2 a b WEIGHTS 1 2", int(4)),
    step("ZRANGE d 0 -1 WITHSCORES", scored("x", "1", "y", "22", "z", "43", "w", "60")),
    step("ZINTERSTORE a 2 a b AGGREGATE SUM", int(2)),
    step("ZRANGE a 0 -1 WITHSCORES", scored("y", "12", "z", "23")),
    step("ZDIFFSTORE d 2 d a", int(2)),
    step("ZRANGE d 0 -1", array("x", "w")),
    step("ZINTERSTORE d 2 a none", int(0)),
    step("EXISTS d", int(0)),
    step("ZUNIONSTORE d 2 a b WITHSCORES", SYNTAX),
    step("ZDIFFSTORE d 2 a b WEIGHTS 1 2", SYNTAX),
    step("ZDIFF 2 a b AGGREGATE MIN", SYNTAX),
    step("ZUNION 2 a b WEIGHTS 1", SYNTAX),
    step("ZUNION 2 a b WEIGHTS 1 x", error("ERR weight value is not a float")),
    step("ZUNION 2 a b AGGREGATE MEAN", SYNTAX),
    step("ZUNION 3 a b", SYNTAX),
    step("ZUNION x a b", NOT_INTEGER),
    ...["zunion", "zinter", "zdiff", "zintercard"].map((name) =>
      step(`${name} 0 a`, error(`ERR at least 1 input key is needed for '${name}' command`)),
    ),
    ...["zunionstore", "zinterstore", "zdiffstore"].map((name) =>
      step(`${name} d 0 a`, error(`ERR at least 1 input key is needed for '${name}' command`)),
    ),
  ]),
  commandCase("ZRANDMEMBER judges its words", [
    step("ZADD z 1 a", int(1)),
    step("ZRANDMEMBER z", bulk("a")),
    step("ZRANDMEMBER none", nil),
    step("ZRANDMEMBER none 3", array()),
    step("ZRANDMEMBER z 0", array()),
    step("ZRANDMEMBER z 2", array("a")),
    step("ZRANDMEMBER z -3", array("a", "a", "a")),
    step("ZRANDMEMBER z 1 WITHSCORES", scored("a", "1")),
    step("ZRANDMEMBER z -2 withscores", scored("a", "1", "a", "1")),
    step("ZRANDMEMBER z x", NOT_INTEGER),
    step("ZRANDMEMBER z 1 x", SYNTAX),
    step("ZRANDMEMBER z 1 WITHSCORES x", SYNTAX),
    step("ZRANDMEMBER z 9223372036854775807 WITHSCORES", error("ERR value is out of range")),
    step(
      "ZRANDMEMBER z -9223372036854775808",
      error(
        "ERR value is out of range, value must between -9223372036854775807 and 9223372036854775807",
      ),
    ),
  ]),
  commandCase("ZSCAN of a small sorted set answers all of it, whatever cursor comes", [
    step("ZADD z 1 a 2 b 3 ab", int(3)),
    step(
      "ZSCAN z 0",
      raw(
        () => `*2\r\n$1\r\n0\r\n*6\r\n${["a", "1", "b", "2", "ab", "3"].map(texts.bulk).join("")}`,
      ),
    ),
    step(
      "ZSCAN z 17 MATCH a* COUNT 1",
      raw(() => `*2\r\n$1\r\n0\r\n*4\r\n${["a", "1", "ab", "3"].map(texts.bulk).join("")}`),
    ),
    step("ZSCAN z x", error("ERR invalid cursor")),
    step("ZSCAN z 0 COUNT 0", SYNTAX),
    step("ZSCAN z 0 COUNT", SYNTAX),
    step("ZSCAN z 0 COUNT x", NOT_INTEGER),
    step(
      "ZSCAN none 0",
      raw(() => "*2\r\n$1\r\n0\r\n*0\r\n"),
    ),
  ]),
  commandCase("every sorted set command refuses a key of another type", [
    step("SET t text", ok),
    ...[
      "ZADD t 1 a",
      "ZINCRBY t 1 a",
      "ZREM t a",
      "ZCARD t",
      "ZSCORE t a",
      "ZMSCORE t a",
      "ZRANK t a",
      "ZREVRANK t a",
      "ZRANGE t 0 -1",
      "ZREVRANGE t 0 -1",
      "ZRANGEBYSCORE t 0 1",
      "ZREVRANGEBYSCORE t 1 0",
      "ZRANGEBYLEX t - +",
      "ZREVRANGEBYLEX t + -",
      "ZRANGESTORE d t 0 -1",
      "ZCOUNT t 0 1",
      "ZLEXCOUNT t - +",
      "ZREMRANGEBYRANK t 0 -1",
      "ZREMRANGEBYSCORE t 0 1",
      "ZREMRANGEBYLEX t - +",
      "ZPOPMIN t",
      "ZPOPMAX t 1",
      "ZMPOP 1 t MIN",
      "ZUNION 1 t",
      "ZINTER 1 t",
      "ZDIFF 1 t",
      "ZUNIONSTORE d 1 t",
      "ZINTERSTORE d 1 t",
      "ZDIFFSTORE d 1 t",
      "ZINTERCARD 1 t",
      "ZRANDMEMBER t",
      "ZRANDMEMBER t 1",
      "ZSCAN t 0",
    ].map((command) => step(command, WRONG_TYPE)),
    fill,
    step("GET z", WRONG_TYPE),
    step("SADD z a", WRONG_TYPE),
    step(
      "TYPE z",
      raw(() => "+zset\r\n"),
    ),
    step("OBJECT ENCODING z", bulk("listpack")),
    step("SET z text", ok),
  ]),
];
