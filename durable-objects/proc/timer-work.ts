/**
 * Timer work: what each named timer does when it is due.
 */
import { HEARTBEAT_MS } from "#shared/limits.ts";
import { setTimer, type TimerWork } from "#kernel/proc/alarm.ts";
import { expire } from "#kernel/proc/expire.ts";
import { ringUsage } from "#kernel/proc/ledger-exchange.ts";
import { liveRuns } from "#kernel/proc/runs.ts";
import { flush } from "#kernel/vm/flush.ts";
import { finishForgetting } from "#kernel/vm/forget/forget-document.ts";
import { ringEmbeddings } from "#kernel/vm/search/embeddings.ts";
import { ringLatent } from "#kernel/vm/search/latent.ts";
import { ringIdle } from "#kernel/vm/sleep/sleep.ts";
import { ringSummaries } from "#kernel/vm/summary/summarise.ts";

export const TIMER_WORK: TimerWork = {
  /** Being woken is the work: booting recovered the runs. While any is live, the next beat is set. */
  heartbeat(kernel) {
    if (liveRuns(kernel, null) > 0) setTimer(kernel, "heartbeat", kernel.now() + HEARTBEAT_MS);
  },
  flush: (kernel) => flush(kernel),
  expire,
  summarise: ringSummaries,
  latent: ringLatent,
  embed: ringEmbeddings,
  documents: (kernel) => finishForgetting(kernel),
  idle: ringIdle,
  usage: ringUsage,
};
