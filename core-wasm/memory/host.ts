/** The one function the core asks of its host. */

/** Empties the region of `stream` (abi.ts `Stream`) before it returns; never calls back into the core. */
@external("env", "drain")
export declare function drain(stream: i32): void;
