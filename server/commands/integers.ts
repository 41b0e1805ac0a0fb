/** Numbers in arguments, as Redis reads them. */

/** A canonical signed 64-bit integer, or undefined. */
export function parseInteger64(text: string): bigint | undefined {
  if (!/^(0|-?[1-9]\d{0,18})$/.test(text)) return undefined;
  const value = BigInt(text);
  return value === BigInt.asIntN(64, value) ? value : undefined;
}
