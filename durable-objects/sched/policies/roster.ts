/**
 * Roster: the programs and users a policy knows, and what each has had so far. Kept the same way for every policy.
 *
 * Use: `enqueued`, `withdrawn`, `taken` and `ended` follow a call; each touches its program. Times and service are seconds.
 * What must hold: a program without a call for `PROGRAM_IDLE_MS` is forgotten, so is the one touched longest ago when more than
 * `PROGRAMS_KNOWN` are known, and a user who had nothing for long, or for the longest of more than `USERS_KNOWN`: a holder that
 * crashed leaves nothing behind.
 */
import { LEARNED_CALLS, PROGRAM_IDLE_MS, PROGRAMS_KNOWN, USER_SERVICE_HALF_MS, USERS_KNOWN } from "#shared/limits.ts";

/** Seconds in which what a user had counts half. */
export const HALF_LIFE = USER_SERVICE_HALF_MS / 1_000;
const IDLE = PROGRAM_IDLE_MS / 1_000;
/** Longer than that of a program, so that no program outlives its user; by then the user's service is nothing. */
const USER_IDLE = Math.max(IDLE + 60, 16 * HALF_LIFE);
const MEAN_PRIOR = 2;
const MEAN_WEIGHT = 10;

export interface UserState {
  readonly name: string;
  /** Service had, in seconds, decayed to `usedAt`. */
  used: number;
  usedAt: number;
  waiting: number;
  running: number;
  /** Service had since the user is known, as VTC counts it. */
  counter: number;
  touchedAt: number;
  /** What `overuse.ts` found at its look of this number. */
  overuse: number;
  look: number;
}

export interface ProgramState {
  readonly key: string;
  readonly name: string;
  readonly user: UserState;
  readonly arrivedAt: number;
  waiting: number;
  running: number;
  /** Most calls it had waiting or running at once. */
  width: number;
  /** Stages finished. */
  stages: number;
  /** Service of all its ended calls. */
  attained: number;
  /** Sum over its finished stages of the longest call. */
  critical: number;
  /** The longest call of the stage it is in. */
  longest: number;
  /** A call of this stage told something of its kind. */
  taught: boolean;
  over: boolean;
  touchedAt: number;
}

/** What is over when a call left: its stage, and with that perhaps its program. */
export interface StageEnd {
  readonly finished: boolean;
  /** A call of the stage told something of its kind; one that told nothing is as if it had not been. */
  readonly taught: boolean;
  readonly programOver: boolean;
}

export interface EndedCall {
  readonly charged: number;
  readonly seconds: number;
  readonly learn: boolean;
  readonly over: boolean;
}

/** What of a roster outlives its object. */
export interface RosterState {
  readonly seconds: number;
  readonly calls: number;
  readonly users: readonly Pick<UserState, "name" | "used" | "usedAt" | "counter">[];
  readonly programs: readonly (Pick<
    ProgramState,
    "name" | "arrivedAt" | "touchedAt" | "width" | "stages" | "attained" | "critical"
  > & { readonly user: string })[];
}

export class Roster {
  /** In the order of the last touch. */
  readonly programs = new Map<string, ProgramState>();
  readonly users = new Map<string, UserState>();
  /** Users with a call that waits or runs. */
  activeUsers = 0;
  #seconds = MEAN_PRIOR * MEAN_WEIGHT;
  #calls = MEAN_WEIGHT;

  /** Mean seconds of a call. */
  get mean(): number {
    return this.#seconds / this.#calls;
  }

  enqueued(name: string, userName: string, now: number): ProgramState {
    this.#forget(now);
    const known = this.programs.get(programKey(userName, name));
    const program = known ?? newProgram(name, this.#user(userName, now), now);
    const { user } = program;
    if (user.waiting + user.running === 0) this.activeUsers += 1;
    user.waiting += 1;
    program.waiting += 1;
    program.over = false;
    program.width = Math.max(program.width, program.waiting + program.running);
    this.#touch(program, now);
    return program;
  }

  withdrawn(program: ProgramState): StageEnd {
    program.waiting -= 1;
    program.user.waiting -= 1;
    this.#rested(program.user);
    return stageEnd(program);
  }

  /** The call of the program that waited runs. Answers the seconds its user is charged until it ends. */
  taken(program: ProgramState, now: number): number {
    const { user } = program;
    program.waiting -= 1;
    program.running += 1;
    user.waiting -= 1;
    user.running += 1;
    this.#touch(program, now);
    this.#charge(user, this.mean, now);
    return this.mean;
  }

  /** A call that was charged `charged` seconds took `seconds`. */
  ended(program: ProgramState, { charged, seconds, learn, over }: EndedCall, now: number): StageEnd {
    const { user } = program;
    program.running -= 1;
    user.running -= 1;
    this.#charge(user, seconds - charged, now);
    program.attained += seconds;
    program.longest = Math.max(program.longest, seconds);
    program.over ||= over;
    if (learn) {
      program.taught = true;
      this.#learn(seconds);
    }
    this.#rested(user);
    this.#touch(program, now);
    return stageEnd(program);
  }

  forgetProgram(program: ProgramState): void {
    this.programs.delete(program.key);
  }

  /** The sums behind `mean`. */
  get learned(): { readonly seconds: number; readonly calls: number } {
    return { seconds: this.#seconds, calls: this.#calls };
  }

  /** Takes over what an earlier instance knew. */
  restore({ seconds, calls, users, programs }: RosterState): void {
    [this.#seconds, this.#calls] = [seconds, calls];
    for (const { name, used, usedAt, counter } of users) {
      const user = this.#user(name, usedAt);
      user.used += used;
      user.counter = Math.max(user.counter, counter);
    }
    for (const { name, user, ...state } of programs) {
      const key = programKey(user, name);
      if (this.programs.has(key)) continue;
      this.programs.set(key, { ...newProgram(name, this.#user(user, state.arrivedAt), state.arrivedAt), ...state });
    }
  }

  #learn(seconds: number): void {
    if (this.#calls >= LEARNED_CALLS) {
      this.#seconds /= 2;
      this.#calls /= 2;
    }
    this.#seconds += seconds;
    this.#calls += 1;
  }

  #user(name: string, now: number): UserState {
    const known = this.users.get(name);
    if (known !== undefined) return known;
    const user: UserState = {
      ...{ name, used: 0, usedAt: now, waiting: 0, running: 0 },
      ...{ counter: 0, touchedAt: now, overuse: 0, look: 0 },
    };
    this.users.set(name, user);
    return user;
  }

  /** Adds to what the user had. */
  #charge(user: UserState, seconds: number, now: number): void {
    user.used = usedBy(user, now) + seconds;
    user.usedAt = Math.max(user.usedAt, now);
    user.counter += seconds;
  }

  #rested(user: UserState): void {
    if (user.waiting + user.running === 0) this.activeUsers -= 1;
  }

  #touch(program: ProgramState, now: number): void {
    program.touchedAt = now;
    this.programs.delete(program.key);
    this.programs.set(program.key, program);
    const { user } = program;
    user.touchedAt = now;
    this.users.delete(user.name);
    this.users.set(user.name, user);
  }

  #forget(now: number): void {
    for (const program of this.programs.values()) {
      const old = program.touchedAt < now - IDLE;
      if (!old && this.programs.size < PROGRAMS_KNOWN) break;
      // One whose call waits or runs is alive, however long ago it was heard of.
      const alive = program.waiting + program.running > 0;
      if (alive) this.#touch(program, now);
      else this.programs.delete(program.key);
      if (alive && !old) break;
    }
    for (const user of this.users.values()) {
      const old = now - user.touchedAt >= USER_IDLE;
      if (!old && this.users.size < USERS_KNOWN) break;
      const alive = user.waiting + user.running > 0;
      this.users.delete(user.name);
      if (alive) this.users.set(user.name, Object.assign(user, { touchedAt: now }));
      if (alive && !old) break;
    }
  }
}

/** Seconds of service the user had, those of long ago counting less. */
export function usedBy(user: UserState, now: number): number {
  if (user.used === 0) return 0;
  return user.used * 2 ** (-Math.max(0, now - user.usedAt) / HALF_LIFE);
}

function stageEnd(program: ProgramState): StageEnd {
  const { taught } = program;
  if (program.waiting + program.running > 0) return { finished: false, taught, programOver: false };
  program.critical += program.longest;
  program.longest = 0;
  program.taught = false;
  if (taught) program.stages += 1;
  return { finished: true, taught, programOver: program.over };
}

/** Programs of two users are never one, whatever they are called. */
function programKey(user: string, program: string): string {
  return `${user}\n${program}`;
}

function newProgram(name: string, user: UserState, now: number): ProgramState {
  return {
    ...{ key: programKey(user.name, name), name, user, arrivedAt: now, touchedAt: now },
    ...{ waiting: 0, running: 0, width: 0, stages: 0, attained: 0, critical: 0, longest: 0 },
    ...{ taught: false, over: false },
  };
}
