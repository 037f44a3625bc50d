/**
 * Budget book: what a process used, set aside and may use today. Pure: `budget.ts` stores what must survive and speaks to the ledger.
 *
 * A call fits while what was used today, what calls under way may use, and what it may use itself stay below the ceiling. Only an
 * answer of the ledger raises a ceiling. A unit that nothing limits has none (null). A call belongs to the day on which it began.
 */
import { NOTHING, type Amount, type Exchange, type Exchanged } from "#shared/ledger-api.ts";
import { UNITS } from "#shared/schema/quota.ts";

/** What is stored of a process's budget. */
export interface BudgetStart {
  readonly day: number;
  /** What ended calls of the day used. */
  readonly used: Amount;
  /** What calls may use that have not ended, by the day they began on. */
  readonly reserved: ReadonlyMap<number, Amount>;
}

type Ceiling = Exchanged["ceiling"];

const UNLIMITED: Ceiling = { microdollars: null, tokens: null };

export class BudgetBook {
  readonly day: number;
  /** When the ledger last answered, milliseconds since 1970; null before it did. */
  answeredAt: number | null = null;
  #used: Amount;
  readonly #reserved: Map<number, Amount>;
  /** Nothing may be used that the ledger did not grant to this very book. */
  #ceiling: Ceiling = { microdollars: 0, tokens: 0 };
  #left: Ceiling = { microdollars: 0, tokens: 0 };

  /** `before` is yesterday's book: when nothing limited it, nothing limits this one, for as long as that is trusted. */
  constructor({ day, used, reserved }: BudgetStart, before: BudgetBook | null = null) {
    this.day = day;
    this.#used = used;
    this.#reserved = new Map(reserved);
    if (before === null || before.answeredAt === null || before.limited) return;
    this.answeredAt = before.answeredAt;
    this.#ceiling = UNLIMITED;
    this.#left = UNLIMITED;
  }

  /** Whether anything limits this process, as far as the ledger told. */
  get limited(): boolean {
    return this.answeredAt !== null && UNITS.some((unit) => this.#ceiling[unit] !== null);
  }

  /** What was used today, or set aside for calls that began today. */
  get inUse(): Amount {
    return add(this.#used, this.#reserved.get(this.day) ?? NOTHING);
  }

  /** What it keeps for its next calls. */
  get spare(): Amount {
    const { inUse } = this;
    const of = (unit: keyof Amount): number => Math.max(0, (this.#ceiling[unit] ?? 0) - inUse[unit]);
    return { microdollars: of("microdollars"), tokens: of("tokens") };
  }

  /** What can still be had today, by unit; null for one that nothing limits. An estimate: other processes take of the same. */
  get obtainable(): Ceiling {
    const { spare } = this;
    const of = (unit: keyof Amount): number | null =>
      this.#ceiling[unit] === null ? null : spare[unit] + (this.#left[unit] ?? 0);
    return { microdollars: of("microdollars"), tokens: of("tokens") };
  }

  fits(want: Amount): boolean {
    const { inUse } = this;
    return UNITS.every((unit) => {
      const ceiling = this.#ceiling[unit];
      return ceiling === null || want[unit] === 0 || inUse[unit] + want[unit] <= ceiling;
    });
  }

  /** Sets aside what a call may use. Only for one that fits. */
  reserve(want: Amount): void {
    this.#reserved.set(this.day, add(this.#reserved.get(this.day) ?? NOTHING, want));
  }

  /** A call that began on `day` ended: what was set aside for it is free, what it used is used. */
  settle(day: number, reserved: Amount, used: Amount): void {
    const rest = subtract(this.#reserved.get(day) ?? NOTHING, reserved);
    if (rest.microdollars === 0 && rest.tokens === 0) this.#reserved.delete(day);
    else this.#reserved.set(day, rest);
    if (day === this.day) this.#used = add(this.#used, used);
  }

  /** Lets go of what it keeps; the next exchange tells the ledger. */
  giveBack(): void {
    const { inUse } = this;
    const of = (unit: keyof Amount): number | null => {
      const ceiling = this.#ceiling[unit];
      return ceiling === null ? null : Math.min(ceiling, inUse[unit]);
    };
    this.#ceiling = { microdollars: of("microdollars"), tokens: of("tokens") };
  }

  /** What an exchange tells of ceilings. */
  statement(): Pick<Exchange, "day" | "hold" | "unsettled"> {
    const { inUse } = this;
    const of = (unit: keyof Amount): number => Math.max(this.#ceiling[unit] ?? 0, inUse[unit]);
    const earlier = [...this.#reserved].filter(([day]) => day < this.day);
    return {
      day: this.day,
      hold: { microdollars: of("microdollars"), tokens: of("tokens") },
      unsettled: earlier.map(([day, amount]) => ({ day, ...amount })),
    };
  }

  /**
   * Takes the answer to the exchange that was made last, and made by this very book. Answers true when it gave something back that
   * the ledger is still to hear of.
   */
  take(answer: Exchanged, now: number): boolean {
    this.#ceiling = answer.ceiling;
    this.#left = answer.left;
    this.answeredAt = now;
    const { spare } = this;
    if (!answer.giveBack || (spare.microdollars === 0 && spare.tokens === 0)) return false;
    this.giveBack();
    return true;
  }
}

function add(one: Amount, other: Amount): Amount {
  return { microdollars: one.microdollars + other.microdollars, tokens: one.tokens + other.tokens };
}

function subtract(one: Amount, other: Amount): Amount {
  return {
    microdollars: Math.max(0, one.microdollars - other.microdollars),
    tokens: Math.max(0, one.tokens - other.tokens),
  };
}
