/** Rules that single directives have for their texts, with Redis's refusals to the byte. */
import { statSync } from "node:fs";
import { resolve } from "node:path";
import { Refusal } from "./kinds.ts";
import { byteString, unicode } from "./syntax.ts";

/** @returns the judgement of a name that must not be a path; `noun` is how Redis calls it */
export function fileNameFault(
  directive: string,
  noun: string,
  mayBeEmpty = false,
): (text: string) => string | undefined {
  return (text) => {
    if (text === "" && !mayBeEmpty) return `${directive} can't be empty`;
    if (!/[/\\]/.test(text)) return undefined;
    return `${directive} can't be a path, just a ${noun}`;
  };
}

/** The system's text for an errno, as C's strerror says it. */
export function systemErrorText(error: unknown): string {
  const { code, errno } = error as { code?: string; errno?: number };
  const known: Record<string, string> = {
    EACCES: "Permission denied",
    EEXIST: "File exists",
    EISDIR: "Is a directory",
    ENOENT: "No such file or directory",
    ENOSPC: "No space left on device",
    ENOTDIR: "Not a directory",
    EPERM: "Operation not permitted",
    EROFS: "Read-only file system",
  };
  return known[code ?? ""] ?? code ?? String(errno ?? error);
}

/** The absolute path of an existing directory. */
export function resolveDirectory(before: string, path: string): string | Refusal {
  const absolute = resolve(unicode(before), unicode(path));
  try {
    if (statSync(absolute).isDirectory()) return byteString(absolute);
    return new Refusal("Not a directory");
  } catch (error) {
    return new Refusal(systemErrorText(error));
  }
}

const TITLE_VARIABLES = [
  "title",
  "listen-addr",
  "server-mode",
  "port",
  "tls-port",
  "unixsocket",
  "config-file",
];

/** `{{` is a brace; what is left after filling in an empty title must not be empty. */
export function titleTemplateFault(template: string): string | undefined {
  const filled = template.replace(/\{\{|\{([^}]*)\}/g, (whole, name) => {
    if (whole === "{{" || name === "title") return whole === "{{" ? "x" : "";
    return TITLE_VARIABLES.includes(name) ? "x" : whole;
  });
  if (filled.trim() !== "" && !filled.includes("{")) return undefined;
  return "template format is invalid or contains unknown variables";
}

const HOSTNAME_MAX = 256;

export function announcedHostnameFault(name: string): string | undefined {
  if (name.length >= HOSTNAME_MAX) return `Hostnames must be less than ${HOSTNAME_MAX} characters`;
  if (/^[A-Za-z0-9.-]*$/.test(name)) return undefined;
  return "Hostnames may only contain alphanumeric characters, hyphens or dots";
}

/** Characters that have a meaning in Redis's nodes.conf are not allowed. */
export function announcedNameFault(name: string): string | undefined {
  if (!/[!#$%&()*+:;<>?@[\]^{|}~]/.test(name)) return undefined;
  return "Announced human node name contained invalid character";
}
