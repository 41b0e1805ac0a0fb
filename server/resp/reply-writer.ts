/** Replies of TypeScript's commands, into the same output window that the core writes. */

/** Methods name what is answered; the protocol in force decides the bytes. Texts are latin1. */
export interface ReplyWriter {
  ok(): void;
  simple(text: string): void;
  /** The whole line after `-`, its code included: "ERR syntax error". Line breaks become spaces. */
  error(line: string): void;
  integer(value: number | bigint): void;
  double(value: number): void;
  boolean(value: boolean): void;
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
}
