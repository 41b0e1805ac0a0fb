/** The one function the core asks of its host. The file's name is the import's module name. */

/** Empties the region of `stream` (abi.ts `Stream`) before it returns; never calls back into the core. */
export declare function drain(stream: i32): void;
