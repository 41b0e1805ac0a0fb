/** Which table is whose: databases map to tables, so that SWAPDB and flushing are exchanges of a byte. */
import { Address, MAX_DATABASES } from "../abi";
import { Area, NO_TABLE } from "../state";

function mapCell(db: u32): usize {
  return Address.State + Area.DatabaseMap + <usize>db;
}

export function initDatabases(): void {
  memory.fill(mapCell(0), <u8>NO_TABLE, MAX_DATABASES);
}

/** Table id of a database, NO_TABLE while nothing was ever stored in it. */
export function tableIdOf(db: u32): u32 {
  return load<u8>(mapCell(db));
}

export function setTableId(db: u32, id: u32): void {
  store<u8>(mapCell(db), <u8>id);
}

/** The database a live table belongs to, NO_TABLE for an orphan. O(databases) */
export function databaseOf(tableId: u32): u32 {
  for (let db: u32 = 0; db < <u32>MAX_DATABASES; db++) if (tableIdOf(db) === tableId) return db;
  return NO_TABLE;
}
