/**
 * Run usage: what the calls of one run used together, and of which model, as the run's row keeps it and the API shows it.
 */
import type { Usage } from "#shared/abi.ts";
import type { UsageCounts } from "#shared/schema/usage.ts";

type Counts = { -readonly [Key in keyof UsageCounts]: UsageCounts[Key] };

/** Sums of one run, and of each model it used. */
export interface RunUsage {
  inputTokens: number;
  cachedTokens: number;
  outputTokens: number;
  microdollars: number;
  neurons: number;
  readonly models: (Counts & { readonly model: string })[];
}

/** The columns of `runs` that hold it; `models` is JSON. */
export type RunUsageRow = {
  input_tokens: number;
  cached_tokens: number;
  output_tokens: number;
  microdollars: number;
  neurons: number;
  models: string;
};

const COUNTS = ["calls", "inputTokens", "cachedTokens", "outputTokens", "microdollars", "neurons", "ms"] as const;

export function readRunUsage(row: RunUsageRow): RunUsage {
  return {
    inputTokens: row.input_tokens,
    cachedTokens: row.cached_tokens,
    outputTokens: row.output_tokens,
    microdollars: row.microdollars,
    neurons: row.neurons,
    models: JSON.parse(row.models) as RunUsage["models"],
  };
}

/** Adds one call. */
export function addCall(usage: RunUsage, model: string, counts: UsageCounts): void {
  for (const key of ["inputTokens", "cachedTokens", "outputTokens", "microdollars", "neurons"] as const) {
    usage[key] += counts[key];
  }
  const known = usage.models.find((one) => one.model === model);
  if (known === undefined) usage.models.push({ model, ...counts });
  else for (const key of COUNTS) known[key] += counts[key];
}

/** As the API shows it: each model by itself only when there were several. `ms` is the wall time of the run. */
export function viewUsage({ models, ...sums }: RunUsage, model: string, ms: number): Usage {
  return { model, ...sums, ms, ...(models.length > 1 ? { models } : {}) };
}
