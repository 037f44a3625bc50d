/**
 * Report: the form of every figure, printed as a table and written to `bench/results/<name>.json`.
 *
 * Use: collect `row(…)`s and call `writeReport(name, rows)`. A row without an aim is context for the others.
 */
import { execFileSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

export const ROOT = join(import.meta.dirname, "..");

export interface Row {
  readonly figure: string;
  readonly value: number;
  readonly unit: string;
  readonly baseline?: number;
  readonly aim: number | null;
  readonly met: boolean | null;
}

export interface Target {
  readonly baseline?: number;
  readonly aim?: number;
  /** True when a smaller value is the better one. */
  readonly lowerIsBetter?: boolean;
}

/** One figure, rounded to two decimals. */
export function row(figure: string, value: number, unit: string, target: Target = {}): Row {
  const rounded = Math.round(value * 100) / 100;
  const { aim, baseline } = target;
  const met = aim === undefined ? null : target.lowerIsBetter === true ? rounded <= aim : rounded >= aim;
  return { figure, value: rounded, unit, ...(baseline === undefined ? {} : { baseline }), aim: aim ?? null, met };
}

export function mean(values: readonly number[]): number {
  return values.length === 0 ? 0 : values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** The value below which `share` of the values lie (nearest rank). */
export function percentile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((one, other) => one - other);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
}

function commit(): string {
  try {
    const git = execFileSync("git", ["rev-parse", "--short", "HEAD"], {
      cwd: ROOT,
      stdio: ["ignore", "pipe", "ignore"],
    });
    return git.toString("utf8").trim();
  } catch {
    return "none";
  }
}

function verdict(met: boolean | null): string {
  if (met === null) return "";
  return met ? "met" : "MISSED";
}

export function writeReport(name: string, rows: readonly Row[]): void {
  const width = Math.max(...rows.map((entry) => entry.figure.length));
  for (const entry of rows) {
    const aim = entry.aim === null ? "" : `aim ${entry.aim}`;
    const baseline = entry.baseline === undefined ? "" : `reference ${entry.baseline}`;
    const value = `${entry.value.toFixed(2).padStart(9)} ${entry.unit.padEnd(8)}`;
    console.log(
      `${entry.figure.padEnd(width)} ${value} ${baseline.padEnd(16)} ${aim.padEnd(10)} ${verdict(entry.met)}`.trimEnd(),
    );
  }
  const folder = join(ROOT, "bench", "results");
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, `${name}.json`), `${JSON.stringify({ name, commit: commit(), rows }, null, 2)}\n`);
}
