/**
 * Priority: how much a run hurries. A pool serves runs of a higher priority first; lower ones age and are served all the same.
 */
export const PRIORITIES = ["interactive", "normal", "batch"] as const;

export type Priority = (typeof PRIORITIES)[number];
