/**
 * Build constants. The test build replaces this file by `tuning.tiny.ts`, which makes segments so small that
 * splits, merges, doublings and page changes happen all the time.
 */

/** Cells of a bucket in use, at most 12 (what fits 64 bytes). */
export const BUCKET_SLOTS: i32 = 12;
/** Longer strings are written by a snapshot in pieces of this size. More than what is embedded. */
export const SNAPSHOT_PIECE_BYTES: u32 = 262144;
/** Members of a leaf of a sorted set's tree, children of an inner node: either fills a block of 768 bytes. */
export const LEAF_SLOTS: u32 = 62;
export const INNER_SLOTS: u32 = 37;
/** Blocks of a leaf of a tree of ids, children of an inner node: 256 and 512 bytes. */
export const ID_LEAF_SLOTS: u32 = 63;
export const ID_INNER_SLOTS: u32 = 25;
/** Whether tests choose where memory ends (memory/scarcity.ts). */
export const CHOSEN_SCARCITY: bool = false;
