/**
 * Which keys somebody outside wants to hear of when they are touched (WATCH): a counter per cell of key hashes, so that
 * keys nobody asked for leave no record. A cell is shared by the keys of all databases that fall into it: the host tells
 * them apart.
 */
import { Address, INTEREST_CELLS, StateField } from "./abi";
import { hashOf } from "./memory/bytes";
import { ensure } from "./state";

function cellOf(key: usize, length: u32): usize {
  const cell = <usize>((hashOf(key, length) >> 24) & (INTEREST_CELLS - 1));
  return Address.State + StateField.Interest + (cell << 2);
}

/** One more asks for the key. Balanced by `ignore`, or by taking 1 from the counter. @returns the counter's address. O(length) */
export function heed(key: usize, length: u32): usize {
  const cell = cellOf(key, length);
  store<u32>(cell, load<u32>(cell) + 1);
  return cell;
}

export function ignore(key: usize, length: u32): void {
  const cell = cellOf(key, length);
  ensure(load<u32>(cell) > 0, 701);
  store<u32>(cell, load<u32>(cell) - 1);
}

/** Whether somebody may have asked for the key: never false for one that was. O(length) */
export function isHeeded(key: usize, length: u32): bool {
  return load<u32>(cellOf(key, length)) !== 0;
}
