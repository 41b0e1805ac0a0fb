/** Figures of inner structures, for DEBUG: words in scratch, which the host reads at once and puts into text. */
import { Address } from "./abi";
import { tableIdOf } from "./keyspace/databases";
import { Table, table } from "./keyspace/table";
import { bucketFigures } from "./keyspace/table-walk";
import { levelFigures, WHEEL_LEVELS } from "./keyspace/wheel";
import { NO_TABLE, ScratchArea } from "./state";

const FIGURES: usize = Address.Scratch + ScratchArea.Found;

function put(index: u32, value: u32): void {
  store<u32>(FIGURES + ((<usize>index) << 2), value);
}

/**
 * The table of a database: 0 entries |1 with a deadline |2 segments |3 directory cells |4 entries that lie behind their bucket |5 buckets by
 * entries, from none to twelve. @returns address, 0 = nothing was ever stored in the database. O(segments)
 */
export function tableFigures(db: u32): usize {
  const id = tableIdOf(db);
  if (id === NO_TABLE) return 0;
  const t: Table = table(id);
  put(0, t.count);
  put(1, t.deadlines);
  put(2, t.segments);
  put(3, 1 << t.depth);
  bucketFigures(t, FIGURES + 16);
  return FIGURES;
}

/** The wheel, for each level: 2n slots in use |2n+1 entries. @returns address. O(entries with a deadline) */
export function wheelFigures(): usize {
  for (let level: u32 = 0; level < WHEEL_LEVELS; level++)
    levelFigures(level, FIGURES + ((<usize>level) << 3));
  return FIGURES;
}
