/** Replies of TypeScript's commands, into the same output window that the core writes. */
import { Address, IoField } from "../../core-wasm/abi.ts";
import type { CoreMemory } from "../core/memory.ts";

/** Methods name what is answered; the protocol in force decides the bytes. Texts are latin1. */
export interface ReplyWriter {
  ok(): void;
  simple(text: string): void;
  /** Bytes as they are: whole replies, written elsewhere. */
  raw(text: string): void;
  /** The whole line after `-`, its code included: "ERR syntax error". Line breaks become spaces. */
  error(line: string): void;
  integer(value: number | bigint): void;
  double(value: number): void;
  boolean(value: boolean): void;
  /** An integer of any size as digits: `(` in RESP3, a bulk string in RESP2. */
  bigNumber(digits: string): void;
  bulk(value: string | Uint8Array): void;
  /** `=` in RESP3, a bulk string in RESP2. `format` has three letters: "txt". */
  verbatim(value: string, format: string): void;
  /** `_` in RESP3, `$-1` in RESP2. */
  nil(): void;
  /** `_` in RESP3, `*-1` in RESP2. */
  nilArray(): void;
  array(count: number): void;
  /** `%` in RESP3, an array of 2 x count in RESP2. */
  map(count: number): void;
  set(count: number): void;
  push(count: number): void;
  /** `|`, for RESP3 only: what is said about the reply that follows the `count` pairs. */
  attribute(count: number): void;
  /** Error replies written so far. */
  readonly errors: number;
}

const OUT_TOP = (Address.IoBlock + IoField.OutTop) >> 2;
const OUT_END = (Address.IoBlock + IoField.OutEnd) >> 2;
const PROTOCOL = (Address.IoBlock + IoField.Protocol) >> 2;

const CR = 13;
const LF = 10;
const ZERO = 48;
const COLON = 58;
const DOLLAR = 36;
const ASTERISK = 42;
const PERCENT = 37;
const TILDE = 126;
const GREATER = 62;
const PIPE = 124;
/** A sign, the digits of a safe integer, and the line's end. */
const HEADER_MAX_BYTES = 1 + 16 + 2;
/** Up to here a loop is faster than a call. */
const SHORT_TEXT = 64;

function doubleText(value: number): string {
  if (Number.isNaN(value)) return "nan";
  if (!Number.isFinite(value)) return value > 0 ? "inf" : "-inf";
  return String(value);
}

/** `drain` empties the window, as for the core; `onError` is told the line of every error. */
export function createReplyWriter(
  memory: CoreMemory,
  drain: () => void,
  onError: (line: string) => void = () => {},
): ReplyWriter {
  const { u8, i32 } = memory;
  const window = Buffer.from(u8.buffer, u8.byteOffset, u8.length);
  const isResp3 = () => i32[PROTOCOL] === 3;

  // All of it goes straight into the window: words put together first would be garbage of many times the size of a reply like COMMAND's.

  function text(value: string): void {
    if (value.length > SHORT_TEXT) return longText(value);
    if (i32[OUT_TOP]! + value.length > i32[OUT_END]!) drain();
    let top = i32[OUT_TOP]!;
    for (let i = 0; i < value.length; i++) u8[top++] = value.charCodeAt(i);
    i32[OUT_TOP] = top;
  }

  /** A type's sign, a count and the line's end. */
  function header(sign: number, count: number): void {
    if (i32[OUT_TOP]! + HEADER_MAX_BYTES > i32[OUT_END]!) drain();
    let top = i32[OUT_TOP]!;
    u8[top++] = sign;
    let unit = 1;
    while (unit * 10 <= count) unit *= 10;
    for (; unit >= 1; unit /= 10) u8[top++] = ZERO + (Math.floor(count / unit) % 10);
    u8[top++] = CR;
    u8[top++] = LF;
    i32[OUT_TOP] = top;
  }

  function line(sign: string, value: string): void {
    text(sign);
    text(value);
    text("\r\n");
  }

  function longText(value: string): void {
    for (let from = 0; from < value.length; ) {
      if (i32[OUT_TOP]! >= i32[OUT_END]!) drain();
      const top = i32[OUT_TOP]!;
      const part = from === 0 ? value : value.slice(from);
      const written = window.write(part, top, i32[OUT_END]! - top, "latin1");
      i32[OUT_TOP] = top + written;
      from += written;
    }
  }

  function bytes(value: Uint8Array): void {
    for (let from = 0; from < value.length; ) {
      if (i32[OUT_TOP]! >= i32[OUT_END]!) drain();
      const top = i32[OUT_TOP]!;
      const part = value.subarray(from, from + i32[OUT_END]! - top);
      u8.set(part, top);
      i32[OUT_TOP] = top + part.length;
      from += part.length;
    }
  }

  const writer = {
    errors: 0,
    ok: () => text("+OK\r\n"),
    simple: (value: string) => line("+", value),
    raw: text,
    error(reason: string) {
      writer.errors++;
      onError(reason);
      line("-", reason.replace(/[\r\n]/g, " "));
    },
    integer(value: number | bigint) {
      if (Number.isSafeInteger(value) && Number(value) >= 0) header(COLON, Number(value));
      else line(":", String(value));
    },
    double(value: number) {
      if (isResp3()) text(`,${doubleText(value)}\r\n`);
      else writer.bulk(doubleText(value));
    },
    boolean: (value: boolean) =>
      text(isResp3() ? `#${value ? "t" : "f"}\r\n` : `:${value ? 1 : 0}\r\n`),
    bigNumber: (digits: string) => (isResp3() ? text(`(${digits}\r\n`) : writer.bulk(digits)),
    bulk(value: string | Uint8Array) {
      header(DOLLAR, value.length);
      if (typeof value === "string") text(value);
      else bytes(value);
      text("\r\n");
    },
    verbatim(value: string, format: string) {
      if (!isResp3()) return writer.bulk(value);
      text(`=${value.length + 4}\r\n${format}:`);
      text(value);
      text("\r\n");
    },
    nil: () => text(isResp3() ? "_\r\n" : "$-1\r\n"),
    nilArray: () => text(isResp3() ? "_\r\n" : "*-1\r\n"),
    array: (count: number) => header(ASTERISK, count),
    map: (count: number) => (isResp3() ? header(PERCENT, count) : header(ASTERISK, count * 2)),
    set: (count: number) => header(isResp3() ? TILDE : ASTERISK, count),
    push: (count: number) => header(isResp3() ? GREATER : ASTERISK, count),
    attribute: (count: number) => header(PIPE, count),
  };
  return writer;
}
