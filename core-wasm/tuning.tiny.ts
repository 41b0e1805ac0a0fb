/** Build constants of the test build: see `tuning.ts`. */

export const BUCKET_SLOTS: i32 = 3;
