/** A command as a client would send it, for one that has to wait: where it was read its bytes may have been changed or overwritten. */

/** A multibulk frame of these words. */
export function encodeRequest(words: readonly Uint8Array[]): Uint8Array {
  const parts: Uint8Array[] = [Buffer.from(`*${words.length}\r\n`)];
  for (const word of words) parts.push(Buffer.from(`$${word.length}\r\n`), word, LINE_END);
  return Buffer.concat(parts);
}

const LINE_END = Buffer.from("\r\n");
