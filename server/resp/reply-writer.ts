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
  const isResp3 = () => i32[PROTOCOL] === 3;

  function text(line: string): void {
    if (i32[OUT_TOP]! + line.length > i32[OUT_END]!) drain();
    let top = i32[OUT_TOP]!;
    for (let i = 0; i < line.length; i++) u8[top++] = line.charCodeAt(i);
    i32[OUT_TOP] = top;
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

  function latin1(value: string): Uint8Array {
    return Buffer.from(value, "latin1");
  }

  const writer = {
    errors: 0,
    ok: () => text("+OK\r\n"),
    simple: (line: string) => text(`+${line}\r\n`),
    raw: (replies: string) => bytes(latin1(replies)),
    error(line: string) {
      writer.errors++;
      onError(line);
      text(`-${line.replace(/[\r\n]/g, " ")}\r\n`);
    },
    integer: (value: number | bigint) => text(`:${value}\r\n`),
    double(value: number) {
      if (isResp3()) text(`,${doubleText(value)}\r\n`);
      else writer.bulk(doubleText(value));
    },
    boolean: (value: boolean) =>
      text(isResp3() ? `#${value ? "t" : "f"}\r\n` : `:${value ? 1 : 0}\r\n`),
    bigNumber: (digits: string) => (isResp3() ? text(`(${digits}\r\n`) : writer.bulk(digits)),
    bulk(value: string | Uint8Array) {
      text(`$${value.length}\r\n`);
      bytes(typeof value === "string" ? latin1(value) : value);
      text("\r\n");
    },
    verbatim(value: string, format: string) {
      if (!isResp3()) return writer.bulk(value);
      text(`=${value.length + 4}\r\n${format}:`);
      bytes(latin1(value));
      text("\r\n");
    },
    nil: () => text(isResp3() ? "_\r\n" : "$-1\r\n"),
    nilArray: () => text(isResp3() ? "_\r\n" : "*-1\r\n"),
    array: (count: number) => text(`*${count}\r\n`),
    map: (count: number) => text(isResp3() ? `%${count}\r\n` : `*${count * 2}\r\n`),
    set: (count: number) => text(`${isResp3() ? "~" : "*"}${count}\r\n`),
    push: (count: number) => text(`${isResp3() ? ">" : "*"}${count}\r\n`),
    attribute: (count: number) => text(`|${count}\r\n`),
  };
  return writer;
}
