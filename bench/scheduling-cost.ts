/**
 * Scheduling cost: microseconds of processor time that a policy takes for one call when many wait.
 *
 * Use `dispatchCost(name, waiting)`: a call is taken, ends, and its program sends the next, with `waiting` programs of half as many
 * users in the line.
 */
import { BANDS, openPolicy, type PolicyName } from "#kernel/sched/policy.ts";

const ROUNDS = 2_000;

export function dispatchCost(name: PolicyName, waiting: number): number {
  const policy = openPolicy(name, { slots: 16 });
  let [id, now] = [0, 0];
  const come = (user: string, program: string): void => {
    id += 1;
    policy.enqueue({ id, user, program, band: "normal", enqueuedAt: now });
  };
  for (let index = 0; index < waiting; index += 1) come(`user ${index % (waiting / 2)}`, `program ${index}`);
  const round = (): void => {
    const call = policy.take(now, BANDS);
    if (call === null) throw new Error("nobody waits");
    now += 0.01;
    policy.end(call.id, { seconds: 2, programOver: id % 10 === 0, learn: true }, now);
    come(call.user, call.program);
  };
  for (let warm = 0; warm < ROUNDS / 2; warm += 1) round();
  const started = performance.now();
  for (let turn = 0; turn < ROUNDS; turn += 1) round();
  return ((performance.now() - started) * 1_000) / ROUNDS;
}
