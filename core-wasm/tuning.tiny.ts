/** Build constants of the test build: see `tuning.ts`. */

export const BUCKET_SLOTS: i32 = 3;
export const SNAPSHOT_PIECE_BYTES: u32 = 20000;
export const LEAF_SLOTS: u32 = 4;
export const INNER_SLOTS: u32 = 4;
export const ID_LEAF_SLOTS: u32 = 4;
export const ID_INNER_SLOTS: u32 = 4;
export const CHOSEN_SCARCITY: bool = true;
