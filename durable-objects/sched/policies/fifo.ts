/**
 * FIFO: first come, first served.
 */
import type { Order } from "#kernel/sched/policies/ranked.ts";

export class Fifo implements Order {
  readonly name = "fifo";

  rank(): number {
    return 0;
  }
}
