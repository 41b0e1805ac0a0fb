/** A log that cannot be used as it is; the message says which file and where. */
export class AofError extends Error {}
