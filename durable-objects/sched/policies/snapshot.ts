/**
 * Snapshot: what a policy knows, as JSON below 100 KB, so that an object that restarts goes on where it was.
 *
 * Of the users and the programs the ones touched last are kept. What must hold: anything that is not a snapshot restores nothing
 * and breaks nothing.
 */
import { z } from "zod";
import { SNAPSHOT_NAME_CHARACTERS, SNAPSHOT_PROGRAMS, SNAPSHOT_USERS } from "#shared/limits.ts";
import type { Roster } from "#kernel/sched/policies/roster.ts";

const amount = z.number().nonnegative().max(1e15);
const number = z.number();
const name = z.string().max(SNAPSHOT_NAME_CHARACTERS);
const snapshotSchema = z.object({
  version: z.literal(1),
  seconds: amount,
  calls: amount.min(1),
  turns: z.number().min(0).max(2),
  users: z.array(z.tuple([name, number, amount, number])).max(SNAPSHOT_USERS),
  programs: z.array(z.tuple([name, name, amount, amount, amount, amount, amount, amount])).max(SNAPSHOT_PROGRAMS),
  order: z.unknown(),
});

type Snapshot = z.infer<typeof snapshotSchema>;

export function takeSnapshot(roster: Roster, turns: number, order: unknown): Snapshot {
  const fits = (text: string): boolean => text.length <= SNAPSHOT_NAME_CHARACTERS;
  const users = [...roster.users.values()].filter((user) => fits(user.name) && user.used !== 0).slice(-SNAPSHOT_USERS);
  const programs = [...roster.programs.values()]
    .filter((program) => fits(program.name) && fits(program.user.name) && program.stages > 0)
    .slice(-SNAPSHOT_PROGRAMS);
  return {
    version: 1,
    ...roster.learned,
    turns,
    users: users.map((user) => [user.name, user.used, user.usedAt, user.counter]),
    programs: programs.map((program) => [
      ...([program.name, program.user.name] as const),
      ...([program.arrivedAt, program.touchedAt] as const),
      ...([program.width, program.stages, program.attained, program.critical] as const),
    ]),
    order,
  };
}

/** Answers what belongs to the lane and to the order, or null when it is no snapshot. */
export function restoreRoster(
  roster: Roster,
  snapshot: unknown,
): { readonly turns: number; readonly order: unknown } | null {
  const read = snapshotSchema.safeParse(snapshot);
  if (!read.success) return null;
  const { seconds, calls, turns, order } = read.data;
  const users = read.data.users.map(([user, used, usedAt, counter]) => ({ name: user, used, usedAt, counter }));
  const programs = read.data.programs.map(
    ([program, user, arrivedAt, touchedAt, width, stages, attained, critical]) => ({
      ...{ name: program, user, arrivedAt, touchedAt, width, stages, attained, critical },
    }),
  );
  roster.restore({ seconds, calls, users, programs });
  return { turns, order };
}
