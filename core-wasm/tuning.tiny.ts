/** Build constants of the test build: see `tuning.ts`. */

export const BUCKET_SLOTS: i32 = 3;
export const SNAPSHOT_PIECE_BYTES: u32 = 20000;
