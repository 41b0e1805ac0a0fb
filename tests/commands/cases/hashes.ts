/** Cases of the hash commands, whose grammar and errors a reference server is asked for too. */
import {
  anyOrder,
  array,
  bulk,
  commandCase,
  error,
  int,
  nil,
  ok,
  raw,
  step,
  step72,
  texts,
} from "./case.ts";

const WRONG_TYPE = error("WRONGTYPE Operation against a key holding the wrong kind of value");
const NOT_INTEGER = error("ERR value is not an integer or out of range");
const NOT_FLOAT = error("ERR value is not a valid float");
const SYNTAX = error("ERR syntax error");
const OVERFLOW = error("ERR increment or decrement would overflow");

/** A map in RESP3, a list of twice as many in RESP2. */
const pairs = (...words: string[]) =>
  raw(
    (protocol) =>
      `${protocol === 3 ? `%${words.length / 2}` : `*${words.length}`}\r\n${words.map(texts.bulk).join("")}`,
  );
/** HRANDFIELD's pairs: lists of two in RESP3. */
const listed = (...words: string[]) =>
  raw((protocol) => {
    if (protocol === 2) return `*${words.length}\r\n${words.map(texts.bulk).join("")}`;
    const two = (_: string, i: number) =>
      i % 2 === 0 ? `*2\r\n${texts.bulk(words[i]!)}${texts.bulk(words[i + 1]!)}` : "";
    return `*${words.length / 2}\r\n${words.map(two).join("")}`;
  });
const scan = (...words: string[]) =>
  raw(() => `*2\r\n$1\r\n0\r\n*${words.length}\r\n${words.map(texts.bulk).join("")}`);

export const hashCases = [
  commandCase("HSET counts the fields that are new", [
    step("HSET h a 1 b 2", int(2)),
    step("HSET h a 3 c 4 c 5", int(1)),
    step("HGETALL h", pairs("a", "3", "b", "2", "c", "5")),
    step("HLEN h", int(3)),
    step("HMSET h a x d y", ok),
    step("HMGET h a b none d", array("x", "2", null, "y")),
    step("HSET h a", error("ERR wrong number of arguments for 'hset' command")),
    step("HSET h a 1 b", error("ERR wrong number of arguments for 'hset' command")),
    step("HMSET h a 1 b", error("ERR wrong number of arguments for 'hmset' command")),
    step(["HSET", "h", "", ""], int(1)),
    step(["HGET", "h", ""], bulk("")),
  ]),
  commandCase("a hash keeps integers and texts of every length as they came", [
    ...["0", "-1", "127", "4095", "-32768", "8388607", "2147483648", "9223372036854775807"].map(
      (number) => step(["HSET", "h", number, number], int(1)),
    ),
    ...["007", "+1", " 1", "-0", "1.0", "9223372036854775808", "x".repeat(64)].map((text) =>
      step(["HSET", "h", text, text], int(1)),
    ),
    step("OBJECT ENCODING h", bulk("listpack")),
    step("HGET h 8388607", bulk("8388607")),
    step("HGET h 007", bulk("007")),
    step("HGET h 7", nil),
    step(["HSET", "h", "long", "x".repeat(65)], int(1)),
    step("OBJECT ENCODING h", bulk("hashtable")),
    step("HGET h -32768", bulk("-32768")),
    step("HGET h -0", bulk("-0")),
    step("HSTRLEN h long", int(65)),
    step(["HSET", "h", "long", "y".repeat(300)], int(0)),
    step("HSTRLEN h long", int(300)),
    step("HLEN h", int(16)),
  ]),
  commandCase("HSETNX sets only a field that is missing", [
    step("HSETNX h f v", int(1)),
    step("HSETNX h f w", int(0)),
    step("HGET h f", bulk("v")),
    step("HSETNX h g w", int(1)),
    step("HLEN h", int(2)),
  ]),
  commandCase("fields are read one by one", [
    step("HSET h f value n 12345", int(2)),
    step("HGET h f", bulk("value")),
    step("HGET h none", nil),
    step("HGET none f", nil),
    step("HEXISTS h f", int(1)),
    step("HEXISTS h none", int(0)),
    step("HEXISTS none f", int(0)),
    step("HSTRLEN h f", int(5)),
    step("HSTRLEN h n", int(5)),
    step("HSTRLEN h none", int(0)),
    step("HSTRLEN none f", int(0)),
    step("HMGET none f g", array(null, null)),
    step("HLEN none", int(0)),
  ]),
  commandCase("HDEL deletes fields, and the hash with its last", [
    step("HSET h a 1 b 2 c 3", int(3)),
    step("HDEL h a none a", int(1)),
    step("HDEL none a", int(0)),
    step("HDEL h b c d", int(2)),
    step("EXISTS h", int(0)),
  ]),
  commandCase("all fields, all values, both", [
    step("HSET h a 1 b 2", int(2)),
    step("HKEYS h", array("a", "b")),
    step("HVALS h", array("1", "2")),
    step("HGETALL h", pairs("a", "1", "b", "2")),
    step("HKEYS none", array()),
    step("HVALS none", array()),
    step("HGETALL none", pairs()),
  ]),
  commandCase("HINCRBY counts", [
    step("HINCRBY h n 5", int(5)),
    step("HINCRBY h n -7", int(-2)),
    step("HSET h big 9223372036854775807", int(1)),
    step("HINCRBY h big 1", OVERFLOW),
    step("HINCRBY h big -1", int(9223372036854775806n)),
    step(
      "HSET h small -9223372036854775808 text x blank",
      error("ERR wrong number of arguments for 'hset' command"),
    ),
    step("HSET h small -9223372036854775808 text x", int(2)),
    step("HINCRBY h small -1", OVERFLOW),
    step("HINCRBY h text 1", error("ERR hash value is not an integer")),
    step("HINCRBY h n x", NOT_INTEGER),
    step("HINCRBY h n 1.5", NOT_INTEGER),
    step(["HSET", "h", "spaced", " 1"], int(1)),
    step("HINCRBY h spaced 1", error("ERR hash value is not an integer")),
    step("HGET h n", bulk("-2")),
  ]),
  commandCase("HINCRBYFLOAT adds as INCRBYFLOAT does", [
    step("HINCRBYFLOAT h f 10.50", bulk("10.5")),
    step("HINCRBYFLOAT h f 0.1", bulk("10.6")),
    step("HINCRBYFLOAT h f -5", bulk("5.6")),
    step("HSET h e 5.0e3 n 3 text x", int(3)),
    step("HINCRBYFLOAT h e 2.0e2", bulk("5200")),
    step("HINCRBYFLOAT h n 1", bulk("4")),
    step("HINCRBY h n 1", int(5)),
    step("HINCRBYFLOAT h text 1", error("ERR hash value is not a float")),
    step("HINCRBYFLOAT h f x", NOT_FLOAT),
    step(["HINCRBYFLOAT", "h", "f", ""], NOT_FLOAT),
    step("HINCRBYFLOAT h f nan", NOT_FLOAT),
    step("HINCRBYFLOAT h f inf", error("ERR value is NaN or Infinity")),
    step("HINCRBYFLOAT h f -inf", error("ERR value is NaN or Infinity")),
    step("HSET h infinite inf", int(1)),
    step("HINCRBYFLOAT h infinite 1", error("ERR increment would produce NaN or Infinity")),
    step("HGET h f", bulk("5.6")),
  ]),
  commandCase("HRANDFIELD judges its count", [
    step("HSET h a 1", int(1)),
    step("HRANDFIELD h", bulk("a")),
    step("HRANDFIELD none", nil),
    step("HRANDFIELD none 2", array()),
    step("HRANDFIELD none 2 WITHVALUES", array()),
    step("HRANDFIELD h 0", array()),
    step("HRANDFIELD h 5", array("a")),
    step("HRANDFIELD h -3", array("a", "a", "a")),
    step("HRANDFIELD h 5 WITHVALUES", listed("a", "1")),
    step("HRANDFIELD h -2 withvalues", listed("a", "1", "a", "1")),
    step("HRANDFIELD h 1 WITHVALUE", SYNTAX),
    step("HRANDFIELD h 1 WITHVALUES x", SYNTAX),
    step("HRANDFIELD h x", NOT_INTEGER),
    step("HRANDFIELD h x WITHVALUE", NOT_INTEGER),
    step(
      "HRANDFIELD h -9223372036854775808",
      error(
        "ERR value is out of range, value must between -9223372036854775807 and 9223372036854775807",
      ),
    ),
    step("HRANDFIELD h 9223372036854775807", array("a")),
    step("HRANDFIELD h 9223372036854775807 WITHVALUES", error("ERR value is out of range")),
    step("HRANDFIELD h -4611686018427387904 WITHVALUES", error("ERR value is out of range")),
    step("HSET h b 2", int(1)),
    step("HRANDFIELD h 2", anyOrder("a", "b")),
  ]),
  commandCase("HSCAN of a small hash answers all of it, whatever cursor comes", [
    step("HSET h a1 1 b 2 a2 3", int(3)),
    step("HSCAN h 0", scan("a1", "1", "b", "2", "a2", "3")),
    step("HSCAN h 77 MATCH a* COUNT 1", scan("a1", "1", "a2", "3")),
    step("HSCAN none 0", scan()),
    step("HSCAN none 0 COUNT 0", scan()),
    step("HSCAN h x", error("ERR invalid cursor")),
    step("HSCAN h 0 COUNT 0", SYNTAX),
    step("HSCAN h 0 COUNT x", NOT_INTEGER),
    step("HSCAN h 0 COUNT", SYNTAX),
    step("HSCAN h 0 TYPE hash", SYNTAX),
    step72("NOVALUES is of 7.4", "HSCAN h 0 NOVALUES", scan("a1", "b", "a2")),
    step72("NOVALUES is of 7.4", "HSCAN h 0 novalues MATCH b COUNT 5", scan("b")),
    step72("NOVALUES is of 7.4", "HSCAN h 0 MATCH b NOVALUES COUNT 5", scan("b")),
    step("HSCAN h 0 NOVALUES COUNT", SYNTAX),
  ]),
  commandCase("every hash command refuses a key of another type", [
    step("SET t text", ok),
    ...[
      ...["HSET t a 1", "HSET t a 1 b 2", "HMSET t a 1", "HSETNX t a 1", "HGET t a", "HMGET t a"],
      ...["HGETALL t", "HKEYS t", "HVALS t", "HLEN t", "HSTRLEN t a", "HEXISTS t a", "HDEL t a"],
      ...["HINCRBY t a 1", "HINCRBYFLOAT t a 1", "HRANDFIELD t", "HRANDFIELD t 1", "HSCAN t 0"],
    ].map((command) => step(command, WRONG_TYPE)),
    step("HSET h a 1", int(1)),
    ...["GET h", "INCR h", "APPEND h x", "SADD h x"].map((command) => step(command, WRONG_TYPE)),
    step("TYPE h", (answer) => (answer === "+hash\r\n" ? undefined : answer)),
    step("SET h text", ok),
  ]),
];
