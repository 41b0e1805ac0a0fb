/** Messages to systemd's notification socket (sd_notify): a datagram on a unix socket, which Bun itself cannot send. */
import { FFIType, ptr } from "bun:ffi";
import { openLibc } from "./libc.ts";

const AF_UNIX = 1;
const SOCK_DGRAM = 2;
const SOCK_CLOEXEC = 0o2000000;
const MSG_NOSIGNAL = 0x4000;
/** sun_path's size, with its end. */
const PATH_MAX = 108;

const { i32, u32, u64, i64, ptr: pointer } = FFIType;

/** struct sockaddr_un; `@` begins a name that is not in the file system. */
function socketAddress(path: string): Uint8Array {
  const name = Buffer.from(path);
  if (path.startsWith("@")) name[0] = 0;
  const address = Buffer.alloc(2 + name.length + (path.startsWith("@") ? 0 : 1));
  address.writeUInt16LE(AF_UNIX);
  name.copy(address, 2);
  return address;
}

/** Sends lines like "READY=1" to the socket named by NOTIFY_SOCKET. @returns whether they left */
function notifySystemd(socketPath: string, message: string): boolean {
  if (Buffer.byteLength(socketPath) >= PATH_MAX) return false;
  const libc = openLibc({
    socket: { args: [i32, i32, i32], returns: i32 },
    sendto: { args: [i32, pointer, u64, i32, pointer, u32], returns: i64 },
    close: { args: [i32], returns: i32 },
  });
  if (libc === undefined) return false;
  const fd = libc.socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return false;
  const address = socketAddress(socketPath);
  const bytes = Buffer.from(message);
  const to = ptr(address);
  const sent = libc.sendto(fd, ptr(bytes), bytes.length, MSG_NOSIGNAL, to, address.length);
  libc.close(fd);
  return Number(sent) === bytes.length;
}

export type Notify = (message: string) => void;

/** What tells systemd, if `supervised` says that it supervises this process. */
export function createNotify(
  supervised: "upstart" | "systemd" | "auto" | "no",
  env: Record<string, string | undefined>,
  warn: (text: string) => void,
): Notify {
  const socket = env["NOTIFY_SOCKET"];
  if (supervised === "systemd" && !socket)
    warn("systemd supervision requested or auto-detected, but NOTIFY_SOCKET not found");
  if (supervised === "upstart") warn("supervised upstart has no effect");
  if (!socket || (supervised !== "systemd" && supervised !== "auto")) return () => {};
  return (message) => {
    if (!notifySystemd(socket, message)) warn(`systemd could not be told: ${message.trim()}`);
  };
}
