/** SETNX SETEX PSETEX GETSET MSETNX, and Valkey's SET IFEQ and DELIFEQ. */
import {
  array,
  atMost,
  bulk,
  commandCase,
  error,
  int,
  nil,
  ok,
  ownCase,
  pass,
  step,
} from "./case.ts";

const SYNTAX = error("ERR syntax error");
const NOT_INTEGER = error("ERR value is not an integer or out of range");
const badExpiry = (command: string) => error(`ERR invalid expire time in '${command}' command`);

/** Values of every encoding, and of both places where bytes lie. */
const VALUES = ["", "12345", "-1", "short", "x".repeat(44), "x".repeat(45), "y".repeat(70_000)];

export const setFamilyCases = [
  commandCase("SETNX sets a key that is not there", [
    step("SETNX k v", int(1)),
    step("SETNX k w", int(0)),
    step("GET k", bulk("v")),
    step("SETNX n 17", int(1)),
    step("OBJECT ENCODING n", bulk("int")),
    step("SET due v PX 20", ok),
    pass(35),
    step("SETNX due new", int(1)),
    step("TTL due", int(-1)),
  ]),
  commandCase("SETEX and PSETEX set with a deadline", [
    step("SETEX k 100 v", ok),
    step("TTL k", atMost(100, 3)),
    step("PSETEX k 50000 w", ok),
    step("PTTL k", atMost(50_000, 3000)),
    step("GET k", bulk("w")),
    step(["SETEX", "k", "100", ""], ok),
    step("GET k", bulk("")),
    step("PSETEX k 20 7", ok),
    step("OBJECT ENCODING k", bulk("int")),
    pass(35),
    step("GET k", nil),
  ]),
  commandCase("SETEX and PSETEX refuse times that are no future", [
    step("SET k v", ok),
    ...["setex", "psetex"].flatMap((name) => [
      ...["0", "-1", "-9223372036854775808", "9223372036854775807"].map((time) =>
        step([name, "k", time, "w"], badExpiry(name)),
      ),
      ...["x", "", "1.5", "9223372036854775808", "01"].map((time) =>
        step([name, "k", time, "w"], NOT_INTEGER),
      ),
    ]),
    step("SETEX k 9223372036854776 w", badExpiry("setex")),
    step("GET k", bulk("v")),
  ]),
  commandCase("GETSET sets and answers what was there", [
    step("GETSET k 1", nil),
    step("GETSET k two", bulk("1")),
    step("EXPIRE k 100", int(1)),
    step(["GETSET", "k", ""], bulk("two")),
    step("TTL k", int(-1)),
    step(["GETSET", "k", "x".repeat(70_000)], bulk("")),
    step("GETSET k short", bulk("x".repeat(70_000))),
  ]),
  commandCase("MSETNX sets all or none", [
    step("MSETNX a 1 b 2", int(1)),
    step("MSETNX c 3 b 4 d 5", int(0)),
    step("MGET a b c d", array("1", "2", null, null)),
    step("MSETNX c 1 c 2", int(1)),
    step("GET c", bulk("2")),
    step("MSETNX x 1 y", error("ERR wrong number of arguments for 'msetnx' command")),
    step("SET due v PX 20", ok),
    pass(35),
    step("MSETNX due 1 e 2", int(1)),
    step("MGET due e", array("1", "2")),
  ]),
  ownCase(
    "SET IFEQ sets a key whose value is the one given",
    VALUES.flatMap((value) => [
      step(["SET", "k", value], ok),
      step(["SET", "k", "new", "IFEQ", `${value}+`], nil),
      step(["SET", "k", "new", "ifeq", value], ok),
      step("GET k", bulk("new")),
    ]),
  ),
  ownCase("SET IFEQ of a missing key sets nothing", [
    step(["SET", "k", "v", "IFEQ", ""], nil),
    step("SET k v IFEQ v GET", nil),
    step("EXISTS k", int(0)),
  ]),
  ownCase("SET IFEQ goes with GET and with every deadline", (now) => [
    step(`SET k v PXAT ${now + 100_001}`, ok),
    step("SET k w IFEQ x GET", bulk("v")),
    step("SET k w GET IFEQ v KEEPTTL", bulk("v")),
    step("PEXPIRETIME k", int(now + 100_001)),
    step("SET k x EX 50 IFEQ w", ok),
    step("TTL k", atMost(50, 3)),
    step("SET k y IFEQ x", ok),
    step("TTL k", int(-1)),
    step("SET k z IFEQ nx", nil),
  ]),
  ownCase("SET IFEQ excludes other conditions and wants a value", [
    step("SET k v", ok),
    step("SET k w IFEQ", SYNTAX),
    step("SET k w IFEQ v NX", SYNTAX),
    step("SET k w XX IFEQ v", SYNTAX),
    step("SET k w EX 10 IFEQ", SYNTAX),
    step("SET k w IFEQ v EX 0", badExpiry("set")),
    step("GET k", bulk("v")),
  ]),
  ownCase("DELIFEQ deletes a key whose value is the one given", [
    step("DELIFEQ k v", int(0)),
    ...VALUES.flatMap((value) => [
      step(["SET", "k", value], ok),
      step(["DELIFEQ", "k", `${value}+`], int(0)),
      step("EXISTS k", int(1)),
      step(["DELIFEQ", "k", value], int(1)),
      step("EXISTS k", int(0)),
    ]),
    step("SET k v PX 20", ok),
    pass(35),
    step("DELIFEQ k v", int(0)),
  ]),
];
