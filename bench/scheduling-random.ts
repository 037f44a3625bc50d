/**
 * Scheduling random: seeded numbers for the workloads, the same on every machine.
 *
 * Use `new Random(seed)`, one per purpose, so that drawing more of one thing changes nothing else (common random numbers).
 */
export class Random {
  #state: number;
  #spare: number | null = null;

  /** The words of the seed are mixed, so that neighbours have nothing in common. */
  constructor(...seed: readonly number[]) {
    this.#state = 0x9e3779b9;
    for (const word of seed) {
      this.#state = Math.imul(this.#state ^ (word + 0x7f4a7c15), 0x85ebca6b) >>> 0;
      for (let turn = 0; turn < 4; turn += 1) this.uniform();
    }
  }

  /** In [0, 1): Mulberry32. */
  uniform(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let word = this.#state;
    word = Math.imul(word ^ (word >>> 15), word | 1);
    word ^= word + Math.imul(word ^ (word >>> 7), word | 61);
    return ((word ^ (word >>> 14)) >>> 0) / 4_294_967_296;
  }

  below(limit: number): number {
    return Math.floor(this.uniform() * limit);
  }

  exponential(mean: number): number {
    return -mean * Math.log(1 - this.uniform());
  }

  normal(): number {
    if (this.#spare !== null) {
      const spare = this.#spare;
      this.#spare = null;
      return spare;
    }
    const radius = Math.sqrt(-2 * Math.log(1 - this.uniform()));
    const angle = 2 * Math.PI * this.uniform();
    this.#spare = radius * Math.sin(angle);
    return radius * Math.cos(angle);
  }

  /** Lognormal with this mean, and this deviation of its logarithm. */
  lognormal(mean: number, sigma: number): number {
    return mean * Math.exp(sigma * this.normal() - (sigma * sigma) / 2);
  }

  /** Gamma of this shape and mean (Marsaglia and Tsang's method). */
  gamma(shape: number, mean: number): number {
    if (shape < 1) return this.gamma(shape + 1, (mean * (shape + 1)) / shape) * this.uniform() ** (1 / shape);
    const d = shape - 1 / 3;
    const c = 1 / Math.sqrt(9 * d);
    for (;;) {
      const x = this.normal();
      const v = (1 + c * x) ** 3;
      if (v > 0 && Math.log(1 - this.uniform()) < 0.5 * x * x + d - d * v + d * Math.log(v))
        return (d * v * mean) / shape;
    }
  }

  /** A count of at least one with this mean; `shape` 1 is geometric, more is narrower. */
  count(mean: number, shape: number): number {
    const rate = this.gamma(shape, mean - 1);
    let count = 1;
    for (let time = this.exponential(1); time < rate; time += this.exponential(1)) count += 1;
    return count;
  }
}
