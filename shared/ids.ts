/**
 * Ids: the names of users, processes, threads, runs and pages, as branded strings.
 *
 * A string becomes an id only through the `parse…` function of its kind, which answers null for anything outside the
 * alphabet. Durable Object names and run ids are composed here and nowhere else, so that an id can never smuggle a
 * separator into another id.
 */
declare const brand: unique symbol;
type Branded<Name extends string> = string & { readonly [brand]: Name };

export type UserId = Branded<"user">;
export type ProcessId = Branded<"process">;
export type ThreadId = Branded<"thread">;
export type RunId = Branded<"run">;
export type PageHandle = Branded<"page">;
export type DocumentId = Branded<"document">;

const USER = /^[A-Za-z0-9._-]{1,64}$/;
const PROCESS = /^[a-z0-9-]{1,32}$/;
const THREAD = /^[A-Za-z0-9._-]{1,64}$/;
const ULID = "[0-9A-HJKMNP-TV-Z]{26}";
const RUN = new RegExp(`^run_([a-z0-9-]{1,32})_(${ULID})$`);
const DOCUMENT = new RegExp(`^doc_${ULID}$`);
const HANDLE = /^p[0-9a-z]{1,10}$/;

export const INIT_PROCESS = "init" as ProcessId;
export const MAIN_THREAD = "main" as ThreadId;

export function parseUserId(text: string): UserId | null {
  return USER.test(text) ? (text as UserId) : null;
}

export function parseProcessId(text: string): ProcessId | null {
  return PROCESS.test(text) ? (text as ProcessId) : null;
}

export function parseThreadId(text: string): ThreadId | null {
  return THREAD.test(text) ? (text as ThreadId) : null;
}

export function parsePageHandle(text: string): PageHandle | null {
  return HANDLE.test(text) ? (text as PageHandle) : null;
}

export function parseDocumentId(text: string): DocumentId | null {
  return DOCUMENT.test(text) ? (text as DocumentId) : null;
}

export function composeDocumentId(ulid: string): DocumentId {
  return `doc_${ulid}` as DocumentId;
}

/** Reads a run id and the process it belongs to. */
export function parseRunId(text: string): { readonly run: RunId; readonly process: ProcessId } | null {
  const match = RUN.exec(text);
  return match?.[1] === undefined ? null : { run: text as RunId, process: match[1] as ProcessId };
}

/** The Durable Object name of a process. `/` is in neither alphabet, so two owners can never share a name. */
export function processObjectName(user: UserId, process: ProcessId): string {
  return `${user}/${process}`;
}

/** Reads a Durable Object name back. */
export function parseProcessObjectName(name: string): { readonly user: UserId; readonly process: ProcessId } | null {
  const [first = "", second = "", ...rest] = name.split("/");
  const user = parseUserId(first);
  const process = parseProcessId(second);
  return user !== null && process !== null && rest.length === 0 ? { user, process } : null;
}

export function composeRunId(process: ProcessId, ulid: string): RunId {
  return `run_${process}_${ulid}` as RunId;
}

/** The handle of the page with this number: `p` and the number in base 36. Numbers are never reused in a process. */
export function composePageHandle(page: number): PageHandle {
  return `p${page.toString(36)}` as PageHandle;
}

/** The number behind a handle, or null when the handle is not in its one canonical form. */
export function pageNumber(handle: PageHandle): number | null {
  const page = Number.parseInt(handle.slice(1), 36);
  return Number.isSafeInteger(page) && composePageHandle(page) === handle ? page : null;
}

const ULID_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/** A ULID (ulid/spec): 48 bits of milliseconds, then 80 random bits; sorts by time. */
export function makeUlid(now: number, random: Uint8Array = crypto.getRandomValues(new Uint8Array(10))): string {
  let time = "";
  let rest = now;
  for (let digit = 0; digit < 10; digit += 1) {
    time = ULID_ALPHABET.charAt(rest % 32) + time;
    rest = Math.floor(rest / 32);
  }
  let bits = 0n;
  for (const byte of random.slice(0, 10)) bits = (bits << 8n) | BigInt(byte);
  let tail = "";
  for (let digit = 0; digit < 16; digit += 1) {
    tail = ULID_ALPHABET.charAt(Number(bits & 31n)) + tail;
    bits >>= 5n;
  }
  return time + tail;
}

/** A ULID above `previous`, also within one millisecond or after the clock was set back (ulid/spec, "monotonicity"). */
export function nextUlid(previous: string | null, now: number): string {
  const fresh = makeUlid(now);
  if (previous === null || fresh > previous) return fresh;
  const digits = [...previous];
  for (let place = digits.length - 1; place >= 0; place -= 1) {
    const digit = (ULID_ALPHABET.indexOf(digits[place] ?? "") + 1) % 32;
    digits[place] = ULID_ALPHABET.charAt(digit);
    if (digit > 0) break;
  }
  return digits.join("");
}
