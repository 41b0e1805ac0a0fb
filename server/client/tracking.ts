/** How the keys that a client reads, or all with some prefix, are tracked for it. The rules are in dispatch/tracking.ts. */
export class Tracking {
  /** Every key that begins with one of the prefixes, instead of those that the client reads. */
  bcast = false;
  /** Only what is read right behind CLIENT CACHING YES. */
  optin = false;
  /** Not what is read right behind CLIENT CACHING NO. */
  optout = false;
  /** Without what the client itself changes. */
  noloop = false;
  /** CLIENT CACHING was called for the command or transaction that comes next. */
  caching = false;
  /** Who gets the messages is gone. */
  broken = false;
  /** Of bcast; in the order of their bytes. */
  prefixes: string[] = [];

  /** @param redirect the id of the client that gets the messages, 0 = the tracking one itself */
  constructor(public redirect: number) {}

  /** Whether the keys of a command that reads are to be remembered. */
  get remembers(): boolean {
    if (this.bcast) return false;
    return this.optin ? this.caching : !(this.optout && this.caching);
  }
}

/** What CLIENT TRACKING ON asks for. */
export type TrackingOptions = Pick<
  Tracking,
  "redirect" | "prefixes" | "bcast" | "optin" | "optout" | "noloop"
>;
