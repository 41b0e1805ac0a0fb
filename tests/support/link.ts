/** A client's socket that is none: it takes everything and says where it would be connected. */
import type { Link } from "../../server/client/client.ts";

export function stubLink(more: Partial<Link> = {}): Link {
  return {
    address: "127.0.0.1:1000",
    localAddress: "127.0.0.1:1",
    fd: 3,
    isUnixSocket: false,
    write: (bytes, begin = 0, end = bytes.length) => end - begin,
    pause: () => {},
    resume: () => {},
    end: () => {},
    terminate: () => {},
    ...more,
  };
}
