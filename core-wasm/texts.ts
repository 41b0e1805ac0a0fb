/**
 * Static texts of the core, as packed references to bytes in the data segment: address in the low half, length in the
 * high half. String literals would be UTF-16 and have to be copied letter by letter.
 */
import { error, errorAbout, raw } from "./reply";

/** Answers the error line. */
export function fail(text: u64): void {
  error(<usize>(text & 0xffffffff), <u32>(text >> 32));
}

/** Answers the error line, closed by a word of the client's. */
export function failAbout(text: u64, word: usize, wordLength: u32): void {
  errorAbout(<usize>(text & 0xffffffff), <u32>(text >> 32), word, wordLength);
}

/** Answers the bytes as they are. */
export function say(text: u64): void {
  raw(<usize>(text & 0xffffffff), <u32>(text >> 32));
}

function text(ptr: usize, length: u32): u64 {
  return <u64>ptr | ((<u64>length) << 32);
}

/** -WRONGTYPE Operation against a key holding the wrong kind of value */
export function wrongTypeText(): u64 {
  return text(
    memory.data<u8>([
      45, 87, 82, 79, 78, 71, 84, 89, 80, 69, 32, 79, 112, 101, 114, 97, 116, 105, 111, 110, 32, 97,
      103, 97, 105, 110, 115, 116, 32, 97, 32, 107, 101, 121, 32, 104, 111, 108, 100, 105, 110, 103,
      32, 116, 104, 101, 32, 119, 114, 111, 110, 103, 32, 107, 105, 110, 100, 32, 111, 102, 32, 118,
      97, 108, 117, 101,
    ]),
    66,
  );
}

/** -OOM command not allowed when used memory > 'maxmemory'. */
export function oomText(): u64 {
  return text(
    memory.data<u8>([
      45, 79, 79, 77, 32, 99, 111, 109, 109, 97, 110, 100, 32, 110, 111, 116, 32, 97, 108, 108, 111,
      119, 101, 100, 32, 119, 104, 101, 110, 32, 117, 115, 101, 100, 32, 109, 101, 109, 111, 114,
      121, 32, 62, 32, 39, 109, 97, 120, 109, 101, 109, 111, 114, 121, 39, 46,
    ]),
    56,
  );
}

/** -OOM out of memory: the keyspace has reached its 4 GiB */
export function noMemoryText(): u64 {
  return text(
    memory.data<u8>([
      45, 79, 79, 77, 32, 111, 117, 116, 32, 111, 102, 32, 109, 101, 109, 111, 114, 121, 58, 32,
      116, 104, 101, 32, 107, 101, 121, 115, 112, 97, 99, 101, 32, 104, 97, 115, 32, 114, 101, 97,
      99, 104, 101, 100, 32, 105, 116, 115, 32, 52, 32, 71, 105, 66,
    ]),
    54,
  );
}

/** -ERR syntax error */
export function syntaxText(): u64 {
  return text(
    memory.data<u8>([45, 69, 82, 82, 32, 115, 121, 110, 116, 97, 120, 32, 101, 114, 114, 111, 114]),
    17,
  );
}

/** -ERR value is not an integer or out of range */
export function notIntegerText(): u64 {
  return text(
    memory.data<u8>([
      45, 69, 82, 82, 32, 118, 97, 108, 117, 101, 32, 105, 115, 32, 110, 111, 116, 32, 97, 110, 32,
      105, 110, 116, 101, 103, 101, 114, 32, 111, 114, 32, 111, 117, 116, 32, 111, 102, 32, 114, 97,
      110, 103, 101,
    ]),
    44,
  );
}

/** -ERR Unsupported option */
export function unsupportedText(): u64 {
  return text(
    memory.data<u8>([
      45, 69, 82, 82, 32, 85, 110, 115, 117, 112, 112, 111, 114, 116, 101, 100, 32, 111, 112, 116,
      105, 111, 110, 32,
    ]),
    24,
  );
}

/** -ERR increment or decrement would overflow */
export function overflowText(): u64 {
  return text(
    memory.data<u8>([
      45, 69, 82, 82, 32, 105, 110, 99, 114, 101, 109, 101, 110, 116, 32, 111, 114, 32, 100, 101,
      99, 114, 101, 109, 101, 110, 116, 32, 119, 111, 117, 108, 100, 32, 111, 118, 101, 114, 102,
      108, 111, 119,
    ]),
    42,
  );
}

/** -ERR decrement would overflow */
export function decrementText(): u64 {
  return text(
    memory.data<u8>([
      45, 69, 82, 82, 32, 100, 101, 99, 114, 101, 109, 101, 110, 116, 32, 119, 111, 117, 108, 100,
      32, 111, 118, 101, 114, 102, 108, 111, 119,
    ]),
    29,
  );
}

/** -ERR string exceeds maximum allowed size (proto-max-bulk-len) */
export function tooLongText(): u64 {
  return text(
    memory.data<u8>([
      45, 69, 82, 82, 32, 115, 116, 114, 105, 110, 103, 32, 101, 120, 99, 101, 101, 100, 115, 32,
      109, 97, 120, 105, 109, 117, 109, 32, 97, 108, 108, 111, 119, 101, 100, 32, 115, 105, 122,
      101, 32, 40, 112, 114, 111, 116, 111, 45, 109, 97, 120, 45, 98, 117, 108, 107, 45, 108, 101,
      110, 41,
    ]),
    61,
  );
}

/** -ERR wrong number of arguments for 'mset' command */
export function msetArityText(): u64 {
  return text(
    memory.data<u8>([
      45, 69, 82, 82, 32, 119, 114, 111, 110, 103, 32, 110, 117, 109, 98, 101, 114, 32, 111, 102,
      32, 97, 114, 103, 117, 109, 101, 110, 116, 115, 32, 102, 111, 114, 32, 39, 109, 115, 101, 116,
      39, 32, 99, 111, 109, 109, 97, 110, 100,
    ]),
    49,
  );
}

/** -ERR invalid expire time in 'set' command */
export function expireSetText(): u64 {
  return text(
    memory.data<u8>([
      45, 69, 82, 82, 32, 105, 110, 118, 97, 108, 105, 100, 32, 101, 120, 112, 105, 114, 101, 32,
      116, 105, 109, 101, 32, 105, 110, 32, 39, 115, 101, 116, 39, 32, 99, 111, 109, 109, 97, 110,
      100,
    ]),
    41,
  );
}

/** -ERR invalid expire time in 'expire' command */
export function expireExpireText(): u64 {
  return text(
    memory.data<u8>([
      45, 69, 82, 82, 32, 105, 110, 118, 97, 108, 105, 100, 32, 101, 120, 112, 105, 114, 101, 32,
      116, 105, 109, 101, 32, 105, 110, 32, 39, 101, 120, 112, 105, 114, 101, 39, 32, 99, 111, 109,
      109, 97, 110, 100,
    ]),
    44,
  );
}

/** -ERR invalid expire time in 'pexpire' command */
export function expirePexpireText(): u64 {
  return text(
    memory.data<u8>([
      45, 69, 82, 82, 32, 105, 110, 118, 97, 108, 105, 100, 32, 101, 120, 112, 105, 114, 101, 32,
      116, 105, 109, 101, 32, 105, 110, 32, 39, 112, 101, 120, 112, 105, 114, 101, 39, 32, 99, 111,
      109, 109, 97, 110, 100,
    ]),
    45,
  );
}

/** -ERR invalid expire time in 'expireat' command */
export function expireExpireatText(): u64 {
  return text(
    memory.data<u8>([
      45, 69, 82, 82, 32, 105, 110, 118, 97, 108, 105, 100, 32, 101, 120, 112, 105, 114, 101, 32,
      116, 105, 109, 101, 32, 105, 110, 32, 39, 101, 120, 112, 105, 114, 101, 97, 116, 39, 32, 99,
      111, 109, 109, 97, 110, 100,
    ]),
    46,
  );
}

/** -ERR invalid expire time in 'pexpireat' command */
export function expirePexpireatText(): u64 {
  return text(
    memory.data<u8>([
      45, 69, 82, 82, 32, 105, 110, 118, 97, 108, 105, 100, 32, 101, 120, 112, 105, 114, 101, 32,
      116, 105, 109, 101, 32, 105, 110, 32, 39, 112, 101, 120, 112, 105, 114, 101, 97, 116, 39, 32,
      99, 111, 109, 109, 97, 110, 100,
    ]),
    47,
  );
}

/** -ERR NX and XX, GT or LT options at the same time are not compatible */
export function nxConflictText(): u64 {
  return text(
    memory.data<u8>([
      45, 69, 82, 82, 32, 78, 88, 32, 97, 110, 100, 32, 88, 88, 44, 32, 71, 84, 32, 111, 114, 32,
      76, 84, 32, 111, 112, 116, 105, 111, 110, 115, 32, 97, 116, 32, 116, 104, 101, 32, 115, 97,
      109, 101, 32, 116, 105, 109, 101, 32, 97, 114, 101, 32, 110, 111, 116, 32, 99, 111, 109, 112,
      97, 116, 105, 98, 108, 101,
    ]),
    68,
  );
}

/** -ERR GT and LT options at the same time are not compatible */
export function gtLtConflictText(): u64 {
  return text(
    memory.data<u8>([
      45, 69, 82, 82, 32, 71, 84, 32, 97, 110, 100, 32, 76, 84, 32, 111, 112, 116, 105, 111, 110,
      115, 32, 97, 116, 32, 116, 104, 101, 32, 115, 97, 109, 101, 32, 116, 105, 109, 101, 32, 97,
      114, 101, 32, 110, 111, 116, 32, 99, 111, 109, 112, 97, 116, 105, 98, 108, 101,
    ]),
    58,
  );
}

/** -ERR invalid first DB index */
export function firstDbText(): u64 {
  return text(
    memory.data<u8>([
      45, 69, 82, 82, 32, 105, 110, 118, 97, 108, 105, 100, 32, 102, 105, 114, 115, 116, 32, 68, 66,
      32, 105, 110, 100, 101, 120,
    ]),
    27,
  );
}

/** -ERR invalid second DB index */
export function secondDbText(): u64 {
  return text(
    memory.data<u8>([
      45, 69, 82, 82, 32, 105, 110, 118, 97, 108, 105, 100, 32, 115, 101, 99, 111, 110, 100, 32, 68,
      66, 32, 105, 110, 100, 101, 120,
    ]),
    28,
  );
}

/** -ERR DB index is out of range */
export function dbRangeText(): u64 {
  return text(
    memory.data<u8>([
      45, 69, 82, 82, 32, 68, 66, 32, 105, 110, 100, 101, 120, 32, 105, 115, 32, 111, 117, 116, 32,
      111, 102, 32, 114, 97, 110, 103, 101,
    ]),
    29,
  );
}

/** -ERR invalid cursor */
export function cursorText(): u64 {
  return text(
    memory.data<u8>([
      45, 69, 82, 82, 32, 105, 110, 118, 97, 108, 105, 100, 32, 99, 117, 114, 115, 111, 114,
    ]),
    19,
  );
}

/** -ERR command is not known to the core */
export function unknownText(): u64 {
  return text(
    memory.data<u8>([
      45, 69, 82, 82, 32, 99, 111, 109, 109, 97, 110, 100, 32, 105, 115, 32, 110, 111, 116, 32, 107,
      110, 111, 119, 110, 32, 116, 111, 32, 116, 104, 101, 32, 99, 111, 114, 101,
    ]),
    37,
  );
}

/** +none */
export function typeNoneText(): u64 {
  return text(memory.data<u8>([43, 110, 111, 110, 101, 13, 10]), 7);
}

/** +string */
export function typeStringText(): u64 {
  return text(memory.data<u8>([43, 115, 116, 114, 105, 110, 103, 13, 10]), 9);
}

/** +list */
export function typeListText(): u64 {
  return text(memory.data<u8>([43, 108, 105, 115, 116, 13, 10]), 7);
}

/** +set */
export function typeSetText(): u64 {
  return text(memory.data<u8>([43, 115, 101, 116, 13, 10]), 6);
}

/** +zset */
export function typeZsetText(): u64 {
  return text(memory.data<u8>([43, 122, 115, 101, 116, 13, 10]), 7);
}

/** +hash */
export function typeHashText(): u64 {
  return text(memory.data<u8>([43, 104, 97, 115, 104, 13, 10]), 7);
}

/** +stream */
export function typeStreamText(): u64 {
  return text(memory.data<u8>([43, 115, 116, 114, 101, 97, 109, 13, 10]), 9);
}

/** PXAT */
export function pxatText(): u64 {
  return text(memory.data<u8>([80, 88, 65, 84]), 4);
}

/** KEEPTTL */
export function keepTtlText(): u64 {
  return text(memory.data<u8>([75, 69, 69, 80, 84, 84, 76]), 7);
}
