/**
 * Fields of a hash's table that have a deadline: how their blocks hold it. The order by deadline is a treap (keyspace/treap.ts).
 *
 *   block with a deadline: 0 u8 TIMED_MARK |1 - |2 u48 deadline in ms |8 left |12 right |16 size (treap.ts) |20 sized field, sized value
 */
import { TIMED_MARK } from "../keyspace/table";

const DEADLINE_SHIFT: u64 = 16;

/** ms; 0 = the field of this block has none. */
export function deadlineOfBlock(ref: usize): u64 {
  return <u32>load<u8>(ref) === TIMED_MARK ? load<u64>(ref) >> DEADLINE_SHIFT : 0;
}

/** Makes a block one with a deadline, below 2^48. It is in no order yet. */
export function markBlock(ref: usize, deadline: u64): void {
  store<u64>(ref, (deadline << DEADLINE_SHIFT) | TIMED_MARK);
}
