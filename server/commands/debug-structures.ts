/** What DEBUG shows of the core's inner structures, in words. */
import { KeyState } from "../../core-wasm/abi.ts";
import type { CommandContext } from "./context.ts";

const SEGMENT_BUCKETS = 16;
const BUCKET_CELLS = 12;
/** What a slot of each level of the wheel spans. */
const WHEEL_SPANS = ["1 ms", "256 ms", "66 s", "4.7 h", "50 days", "35 years"];

const percent = (part: number, whole: number) => `${((part * 100) / whole).toFixed(1)} %`;

function tableText({ core }: CommandContext, db: number): string {
  const at = core.inspectTable(db);
  if (at === 0) return "No stats available for empty dictionaries\n";
  const figure = (index: number) => core.memory.words.getUint32(at + 4 * index, true);
  const segments = figure(2);
  const buckets = segments * SEGMENT_BUCKETS;
  const lines = [
    ` table size: ${buckets * BUCKET_CELLS}`,
    ` number of elements: ${figure(0)}`,
    ` with a deadline: ${figure(1)}`,
    ` segments: ${segments}, directory cells: ${figure(3)}`,
    ` cells in use: ${percent(figure(0), buckets * BUCKET_CELLS)}`,
    ` entries behind their bucket: ${figure(4)}`,
    " buckets by entries:",
  ];
  for (let entries = 0; entries <= BUCKET_CELLS; entries++)
    lines.push(`   ${entries}: ${figure(5 + entries)} (${percent(figure(5 + entries), buckets)})`);
  return lines.map((line) => `${line}\n`).join("");
}

/** DEBUG HTSTATS dbid */
export function tableStats(context: CommandContext): void {
  const { args, config, reply } = context;
  const db = args.integer(2);
  if (db === undefined) return reply.error("ERR value is not an integer or out of range");
  if (db < 0 || db >= config.get("databases")) return reply.error("ERR Out of range database");
  reply.verbatim(`[Dictionary HT]\n${tableText(context, db)}`, "txt");
}

/** DEBUG HTSTATS-KEY key: no value has a table of its own so far. */
export function tableStatsOfKey({ args, client, core, reply }: CommandContext): void {
  const key = args.bytes(2);
  if (core.peekKey(client.db, key.byteOffset | 0, key.length) === KeyState.Missing)
    return reply.error("ERR no such key");
  reply.error("ERR The value stored at the specified key is not represented using an hash table");
}

/** DEBUG WHEEL: what hangs at which level of the expiry wheel. */
export function wheelStats({ core, reply, services }: CommandContext): void {
  const at = core.inspectWheel();
  const figure = (index: number) => core.memory.words.getUint32(at + 4 * index, true);
  const lines = WHEEL_SPANS.map(
    (span, level) =>
      `level ${level}, slots of ${span}: ${figure(2 * level)} in use, ${figure(2 * level + 1)} keys`,
  );
  const next = core.nextDeadlineMs() - services.clock.nowMs();
  lines.push(Number.isFinite(next) ? `next in ${Math.round(next)} ms` : "nothing is due");
  reply.verbatim(lines.map((line) => `${line}\n`).join(""), "txt");
}
