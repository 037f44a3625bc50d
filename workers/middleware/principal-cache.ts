/** Principal cache: verified callers of one isolate, for a while, at most so many; the longest unused goes first. */
import type { Principal } from "#workers/edge.ts";

export class PrincipalCache {
  readonly #entries = new Map<string, { readonly principal: Principal; readonly until: number }>();
  readonly #ms: number;
  readonly #most: number;

  constructor(ms: number, most: number) {
    this.#ms = ms;
    this.#most = most;
  }

  get(digest: string, now: number): Principal | null {
    const entry = this.#entries.get(digest);
    if (entry === undefined) return null;
    this.#entries.delete(digest);
    if (entry.until <= now) return null;
    this.#entries.set(digest, entry);
    return entry.principal;
  }

  set(digest: string, principal: Principal, now: number): void {
    this.#entries.set(digest, { principal, until: now + this.#ms });
    if (this.#entries.size <= this.#most) return;
    const oldest = this.#entries.keys().next();
    if (!oldest.done) this.#entries.delete(oldest.value);
  }

  /** Forgets one secret, or every secret of one key. */
  forget(what: { readonly digest: string } | { readonly identity: string }): void {
    if ("digest" in what) {
      this.#entries.delete(what.digest);
      return;
    }
    for (const [digest, entry] of this.#entries) {
      if (entry.principal.identity === what.identity) this.#entries.delete(digest);
    }
  }
}
