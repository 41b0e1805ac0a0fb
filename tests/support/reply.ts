/**
 * Replies of either protocol as tests read them: a raw text of latin1 characters, and its parsed form.
 * Aggregates keep their kind, so that a map is not taken for an array.
 */

/** What RESP3 writes as a line of its own, and verbatim strings with their format before the text. */
type Resp3Line = "double" | "big number" | "boolean" | "verbatim";

export type Reply =
  | { kind: "simple" | "error" | "bulk" | Resp3Line; text: string }
  | { kind: "integer"; value: bigint }
  | { kind: "nil" }
  | { kind: "array" | "map" | "set" | "push"; items: Reply[] };

export interface Parsed {
  reply: Reply;
  /** Where the next reply begins. */
  end: number;
}

const LINES = {
  "+": "simple",
  "-": "error",
  ",": "double",
  "(": "big number",
  "#": "boolean",
} as const;
const AGGREGATES = { "*": "array", "%": "map", "~": "set", ">": "push" } as const;

/** The reply that begins at `start`, or undefined if the text ends before it does. @throws Error if it is none */
export function parseReply(text: string, start = 0): Parsed | undefined {
  const lineEnd = text.indexOf("\r\n", start);
  if (lineEnd < 0) return undefined;
  const line = text.slice(start + 1, lineEnd);
  const after = lineEnd + 2;
  const type = text[start];
  switch (type) {
    case "+":
    case "-":
    case ",":
    case "(":
    case "#":
      return { reply: { kind: LINES[type], text: line }, end: after };
    case ":":
      return { reply: { kind: "integer", value: BigInt(line) }, end: after };
    case "_":
      return { reply: { kind: "nil" }, end: after };
    case "$":
      return line === "-1"
        ? { reply: { kind: "nil" }, end: after }
        : parseBulk(text, after, Number(line), "bulk");
    case "=":
      return parseBulk(text, after, Number(line), "verbatim");
    case "*":
    case "%":
    case "~":
    case ">":
      if (line === "-1") return { reply: { kind: "nil" }, end: after };
      return parseItems(text, after, AGGREGATES[type], Number(line));
    default:
      throw new Error(`not a reply: ${JSON.stringify(text.slice(start, start + 40))}`);
  }
}

function parseBulk(
  text: string,
  start: number,
  length: number,
  kind: "bulk" | "verbatim",
): Parsed | undefined {
  const end = start + length;
  if (text.length < end + 2) return undefined;
  if (text.slice(end, end + 2) !== "\r\n") throw new Error("a bulk string without its line end");
  return { reply: { kind, text: text.slice(start, end) }, end: end + 2 };
}

function parseItems(
  text: string,
  start: number,
  kind: "array" | "map" | "set" | "push",
  count: number,
): Parsed | undefined {
  const items: Reply[] = [];
  let end = start;
  for (let left = kind === "map" ? 2 * count : count; left > 0; left--) {
    const item = parseReply(text, end);
    if (item === undefined) return undefined;
    items.push(item.reply);
    end = item.end;
  }
  return { reply: { kind, items }, end };
}

/** The one reply that the text is. @throws Error if it is less or more than that */
export function wholeReply(text: string): Reply {
  const parsed = parseReply(text);
  if (parsed === undefined || parsed.end !== text.length)
    throw new Error(`not one whole reply: ${JSON.stringify(text.slice(0, 200))}`);
  return parsed.reply;
}
