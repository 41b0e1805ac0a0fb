/** HELLO, AUTH, SELECT, PING, ECHO and every subcommand of CLIENT that one connection can see. https://redis.io/docs/latest/commands/client/ */
import {
  bulk,
  type CommandCase,
  commandCase,
  type Expected,
  error,
  int,
  nil,
  ok,
  type Step,
  simple,
  step,
  step72,
} from "./case.ts";

const SYNTAX = error("ERR syntax error");
const NOT_INTEGER = error("ERR value is not an integer or out of range");
const BAD_NAME = error("ERR Client names cannot contain spaces, newlines or special characters.");

/** The raw reply, whatever the protocol, has a line that matches. */
const shows =
  (pattern: RegExp): Expected =>
  (raw) =>
    pattern.test(raw) ? undefined : `expected ${pattern}, got ${JSON.stringify(raw)}`;

const INFO_FIELDS =
  /id=\d+ addr=127\.0\.0\.1:\d+ laddr=127\.0\.0\.1:\d+ fd=\d+ name=\S* age=\d+ idle=0 flags=N db=\d+ sub=0 psub=0 ssub=0 multi=-1 qbuf=26 qbuf-free=\d+ argv-mem=10 multi-mem=0 rbs=\d+ rbp=\d+ obl=0 oll=0 omem=0 tot-mem=[1-9]\d+ events=r cmd=client\|(info|list) user=default redir=-1 resp=[23]/;

function wrongArity(command: string): Expected {
  return error(`ERR wrong number of arguments for '${command}' command`);
}

const refusals = (...rows: [command: string, reply: Expected][]): Step[] =>
  rows.map(([command, reply]) => step(command, reply));

export const connectionCases: CommandCase[] = [
  commandCase("PING and ECHO answer with their message", [
    step("PING", simple("PONG")),
    step(["PING", "a\r\nb"], bulk("a\r\nb")),
    step("PING a b", wrongArity("ping")),
    step("ECHO hi", bulk("hi")),
    step("ECHO", wrongArity("echo")),
    step("ECHO a b", wrongArity("echo")),
  ]),
  commandCase("SELECT refuses what is no database", [
    step("SELECT 15", ok),
    step("SELECT 16", error("ERR DB index is out of range")),
    step("SELECT -1", error("ERR DB index is out of range")),
    step("SELECT x", NOT_INTEGER),
    step("SELECT 1.5", NOT_INTEGER),
    step("SELECT 9223372036854775808", NOT_INTEGER),
    step(
      "SELECT 2147483648",
      error("ERR value is out of range, value must between -2147483648 and 2147483647"),
    ),
    step("SELECT", wrongArity("select")),
    step("CLIENT INFO", shows(/ db=15 /)),
  ]),
  commandCase("AUTH without a password in force", [
    step(
      "AUTH secret",
      error(
        "ERR AUTH <password> called without any password configured for the default user. Are you sure your configuration is correct?",
      ),
    ),
    step("AUTH default anything", ok),
    step(
      "AUTH nobody anything",
      error("WRONGPASS invalid username-password pair or user is disabled."),
    ),
    step("AUTH a b c", SYNTAX),
    step("AUTH", wrongArity("auth")),
    step("PING", simple("PONG")),
  ]),
  commandCase("HELLO judges its arguments in Redis's order", [
    step("HELLO 4", error("NOPROTO unsupported protocol version")),
    step("HELLO 1", error("NOPROTO unsupported protocol version")),
    step("HELLO 9007199254740993", error("NOPROTO unsupported protocol version")),
    step("HELLO x", error("ERR Protocol version is not an integer or out of range")),
    step("HELLO 02", error("ERR Protocol version is not an integer or out of range")),
    step("HELLO 2 FOO", error("ERR Syntax error in HELLO option 'FOO'")),
    step("HELLO 2 AUTH a", error("ERR Syntax error in HELLO option 'AUTH'")),
    step("HELLO 2 SETNAME", error("ERR Syntax error in HELLO option 'SETNAME'")),
    step(["HELLO", "2", "SETNAME", "a b"], BAD_NAME),
    step(
      "HELLO 2 AUTH nobody x SETNAME n",
      error("WRONGPASS invalid username-password pair or user is disabled."),
    ),
    step("CLIENT GETNAME", nil),
    step72(
      "7.0 authenticates before it has read all options",
      "HELLO 2 AUTH nobody x WHAT",
      error("ERR Syntax error in HELLO option 'WHAT'"),
    ),
    step(
      "HELLO",
      shows(/server.*redis.*version.*proto.*id.*mode.*standalone.*role.*master.*modules/s),
    ),
    step("HELLO 3 AUTH default x SETNAME n1", shows(/^%7\r\n.*proto\r\n:3\r\n/s)),
    step("CLIENT GETNAME", bulk("n1")),
    step("HELLO", shows(/^%7\r\n.*proto\r\n:3\r\n/s)),
    step("HELLO 2", shows(/^\*14\r\n.*proto\r\n:2\r\n/s)),
    step(["CLIENT", "SETNAME", ""], ok),
  ]),
  commandCase("CLIENT SETNAME takes words of printable ASCII", [
    step("CLIENT SETNAME me", ok),
    step("CLIENT GETNAME", bulk("me")),
    step(["CLIENT", "SETNAME", "a b"], BAD_NAME),
    step(["CLIENT", "SETNAME", "a\nb"], BAD_NAME),
    step(["CLIENT", "SETNAME", "\xe9"], BAD_NAME),
    step("CLIENT GETNAME", bulk("me")),
    step("CLIENT INFO", shows(/ name=me /)),
    step(["CLIENT", "SETNAME", ""], ok),
    step("CLIENT GETNAME", nil),
    step("CLIENT SETNAME", wrongArity("client|setname")),
    step("CLIENT GETNAME x", wrongArity("client|getname")),
  ]),
  commandCase("CLIENT SETINFO keeps the library's name and version", [
    step72("new in 7.2", "CLIENT SETINFO lib-name lib", ok),
    step72("new in 7.2", "CLIENT SETINFO LIB-VER 1.2.3", ok),
    step72("new in 7.2", "CLIENT INFO", shows(/ lib-name=lib lib-ver=1\.2\.3\n/)),
    step72(
      "new in 7.2",
      ["CLIENT", "SETINFO", "LIB-ver", "a b"],
      error("ERR LIB-ver cannot contain spaces, newlines or special characters."),
    ),
    step72("new in 7.2", "CLIENT SETINFO lib x", error("ERR Unrecognized option 'lib'")),
    step72("new in 7.2", ["CLIENT", "SETINFO", "lib-name", ""], ok),
    step72("new in 7.2", "CLIENT INFO", shows(/ lib-name= /)),
    step72("new in 7.2", "CLIENT SETINFO lib-name", wrongArity("client|setinfo")),
  ]),
  commandCase("CLIENT INFO and LIST show every field, in Redis's order", [
    step("client info", shows(INFO_FIELDS)),
    step("client list", shows(INFO_FIELDS)),
    step("CLIENT LIST TYPE normal", shows(/id=\d+ .*cmd=client\|list /)),
    step("CLIENT LIST TYPE wrong", error("ERR Unknown client type 'wrong'")),
    ...["pubsub", "replica", "SLAVE", "master"].map((type) =>
      step(`CLIENT LIST TYPE ${type}`, shows(/^[$=]\d+\r\n(txt:)?\r\n$/)),
    ),
    step("CLIENT LIST TYPE", SYNTAX),
    step("CLIENT LIST TYPE a b", SYNTAX),
    step("CLIENT LIST ID", SYNTAX),
    step("CLIENT LIST ID x", error("ERR Invalid client ID")),
    step("CLIENT LIST ID 987654321", shows(/^[$=]\d+\r\n(txt:)?\r\n$/)),
    step("CLIENT LIST WHAT", SYNTAX),
    step("CLIENT INFO x", wrongArity("client|info")),
  ]),
  commandCase("CLIENT KILL judges its filters before it kills", [
    ...refusals(
      ["CLIENT KILL", wrongArity("client|kill")],
      ["CLIENT KILL 127.0.0.1:1", error("ERR No such client")],
      ["CLIENT KILL ID 1 x", SYNTAX],
      ["CLIENT KILL ID 0", error("ERR client-id should be greater than 0")],
      ["CLIENT KILL ID -1", error("ERR client-id should be greater than 0")],
      ["CLIENT KILL ID x", error("ERR client-id should be greater than 0")],
      ["CLIENT KILL TYPE wrong", error("ERR Unknown client type 'wrong'")],
      ["CLIENT KILL USER nobody", error("ERR No such user 'nobody'")],
      ["CLIENT KILL SKIPME maybe", SYNTAX],
      ["CLIENT KILL WHAT x", SYNTAX],
      ["CLIENT KILL SKIPME no ID 987654321", int(0)],
      ["CLIENT KILL TYPE pubsub", int(0)],
      ["CLIENT KILL ADDR 127.0.0.1:1 LADDR 127.0.0.1:1", int(0)],
      ["CLIENT KILL ID 987654321 USER default SKIPME yes", int(0)],
    ),
  ]),
  commandCase("CLIENT toggles take ON and OFF", [
    step("CLIENT NO-EVICT on", ok),
    step("CLIENT INFO", shows(/ flags=e /)),
    step72("new in 7.2", "CLIENT NO-TOUCH ON", ok),
    step72("new in 7.2", "CLIENT INFO", shows(/ flags=eT /)),
    step("CLIENT NO-EVICT OFF", ok),
    step72("new in 7.2", "CLIENT NO-TOUCH off", ok),
    step("CLIENT INFO", shows(/ flags=N /)),
    step("CLIENT NO-EVICT maybe", SYNTAX),
    step("CLIENT NO-EVICT", wrongArity("client|no-evict")),
    step72("new in 7.2", "CLIENT NO-TOUCH maybe", SYNTAX),
    step72("new in 7.2", "CLIENT NO-TOUCH", wrongArity("client|no-touch")),
    step("CLIENT REPLY ON", ok),
    step("CLIENT REPLY maybe", SYNTAX),
    step("CLIENT REPLY", wrongArity("client|reply")),
  ]),
  commandCase("CLIENT PAUSE judges its arguments, and UNPAUSE needs no pause", [
    ...refusals(
      ["CLIENT PAUSE", wrongArity("client|pause")],
      ["CLIENT PAUSE x", error("ERR timeout is not an integer or out of range")],
      ["CLIENT PAUSE 1.5", error("ERR timeout is not an integer or out of range")],
      ["CLIENT PAUSE -1", error("ERR timeout is negative")],
      ["CLIENT PAUSE x WHAT", error("ERR CLIENT PAUSE mode must be WRITE or ALL")],
      [
        "CLIENT PAUSE 1 ALL x",
        error("ERR unknown subcommand or wrong number of arguments for 'PAUSE'. Try CLIENT HELP."),
      ],
      ["CLIENT PAUSE 0", ok],
      ["CLIENT PAUSE 0 write", ok],
      ["PING", simple("PONG")],
      ["CLIENT UNPAUSE", ok],
      ["CLIENT UNPAUSE x", wrongArity("client|unpause")],
    ),
    step72(
      "7.0 lets the end of the pause overflow",
      "CLIENT PAUSE 9223372036854775807",
      error("ERR timeout is out of range"),
    ),
  ]),
  commandCase("CLIENT UNBLOCK of a client that is not blocked answers 0", [
    ...refusals(
      ["CLIENT UNBLOCK 987654321", int(0)],
      ["CLIENT UNBLOCK 987654321 TIMEOUT", int(0)],
      ["CLIENT UNBLOCK 987654321 error", int(0)],
      ["CLIENT UNBLOCK 1 what", error("ERR CLIENT UNBLOCK reason should be TIMEOUT or ERROR")],
      ["CLIENT UNBLOCK x", NOT_INTEGER],
      ["CLIENT UNBLOCK", wrongArity("client|unblock")],
      [
        "CLIENT UNBLOCK 1 ERROR x",
        error(
          "ERR unknown subcommand or wrong number of arguments for 'UNBLOCK'. Try CLIENT HELP.",
        ),
      ],
    ),
  ]),
  commandCase("CLIENT TRACKING's grammar, and what its kin answer while it is off", [
    ...refusals(
      ["CLIENT GETREDIR", int(-1)],
      ["CLIENT TRACKING OFF", ok],
      ["CLIENT TRACKING maybe", SYNTAX],
      ["CLIENT TRACKING", wrongArity("client|tracking")],
      ["CLIENT TRACKING on WHAT", SYNTAX],
      ["CLIENT TRACKING on REDIRECT", SYNTAX],
      ["CLIENT TRACKING on REDIRECT x", NOT_INTEGER],
      [
        "CLIENT TRACKING on REDIRECT 987654321",
        error("ERR The client ID you want redirect to does not exist"),
      ],
      ["CLIENT TRACKING on PREFIX a", error("ERR PREFIX option requires BCAST mode to be enabled")],
      [
        "CLIENT TRACKING on BCAST OPTIN",
        error("ERR OPTIN and OPTOUT are not compatible with BCAST"),
      ],
      [
        "CLIENT TRACKING on OPTIN OPTOUT",
        error("ERR You can't specify both OPTIN mode and OPTOUT mode"),
      ],
      [
        "CLIENT CACHING yes",
        error(
          "ERR CLIENT CACHING can be called only when the client is in tracking mode with OPTIN or OPTOUT mode enabled",
        ),
      ],
      [
        "CLIENT TRACKINGINFO",
        shows(/flags\r\n[*~]1\r\n\$3\r\noff\r\n.*redirect\r\n:-1\r\n.*prefixes\r\n\*0\r\n$/s),
      ],
    ),
  ]),
  commandCase("CLIENT says what it does not know, and goes on", [
    step("CLIENT", wrongArity("client")),
    step("CLIENT WHAT", error("ERR unknown subcommand 'WHAT'. Try CLIENT HELP.")),
    step("CLIENT HELP x", wrongArity("client|help")),
    step("CLIENT HELP", shows(/^\*\d+\r\n\+CLIENT <subcommand> /)),
    step("CLIENT ID x", wrongArity("client|id")),
    step("CLIENT ID", shows(/^:[1-9]\d*\r\n$/)),
  ]),
];
