/**
 * Bytes with their length in front: how members of collections keep their names and values.
 *   length < 254: u8 length, bytes; otherwise: u8 254, u32 length, bytes
 */
const LONG: u32 = 254;
const LONG_PREFIX: u32 = 5;

/** What `length` bytes take with their length. */
export function sizedTotal(length: u32): u32 {
  return length + (length < LONG ? 1 : LONG_PREFIX);
}

export function sizedLength(at: usize): u32 {
  const short = <u32>load<u8>(at);
  return short < LONG ? short : load<u32>(at, 1);
}

export function sizedPtr(at: usize): usize {
  return at + (<u32>load<u8>(at) < LONG ? 1 : LONG_PREFIX);
}

/** The byte behind. */
export function sizedEnd(at: usize): usize {
  return sizedPtr(at) + sizedLength(at);
}

/** Writes them. @returns the byte behind */
export function writeSized(at: usize, ptr: usize, length: u32): usize {
  if (length < LONG) store<u8>(at, <u8>length);
  else {
    store<u8>(at, <u8>LONG);
    store<u32>(at, length, 1);
  }
  const to = sizedPtr(at);
  memory.copy(to, ptr, length);
  return to + length;
}
