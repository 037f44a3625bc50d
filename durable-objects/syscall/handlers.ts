/**
 * Handlers: what each system call does, by name.
 *
 * An effect's `act` is synchronous: it runs inside one transaction. What it needs from D1 is brought to hand by `prepare`.
 */
import { SYSCALLS, type SyscallName } from "#shared/calls.ts";
import { success, type Result } from "#shared/result.ts";
import type { Kernel } from "#kernel/kernel.ts";
import type { LiveRun } from "#kernel/proc/live-run.ts";
import {
  checkMemory,
  forgetMemory,
  prepareForget,
  prepareWriteMemory,
  readMemory,
  searchMemory,
  writeMemory,
} from "#kernel/syscall/sys-memory.ts";
import { editBlock, pinMemory, prepareBlockEdit, readBlocks } from "#kernel/syscall/sys-blocks.ts";
import type { Edited } from "#kernel/vm/pinned/blocks.ts";
import { sleepNow } from "#kernel/vm/sleep/sleep.ts";
import { listProcesses } from "#kernel/syscall/sys-process.ts";

export type Handler =
  | {
      readonly effect: true;
      /** What must wait happens before the transaction; `key` names the step, also when it is repeated after a crash. */
      readonly prepare?: (kernel: Kernel, args: unknown, key: string) => Promise<unknown>;
      readonly act: (kernel: Kernel, run: LiveRun, args: unknown, prepared: unknown) => Result<unknown>;
    }
  | {
      readonly effect: false;
      readonly prepare?: undefined;
      readonly act: (kernel: Kernel, run: LiveRun, args: unknown) => Promise<Result<unknown>> | Result<unknown>;
    };

export const HANDLERS: Readonly<Record<SyscallName, Handler>> = {
  block_edit: {
    effect: true,
    prepare: (kernel, args, key) => prepareBlockEdit(kernel, SYSCALLS.block_edit.arguments.parse(args), key),
    act: (kernel, _run, args, prepared) =>
      editBlock(kernel, SYSCALLS.block_edit.arguments.parse(args), prepared as Result<Edited> | null),
  },
  block_read: {
    effect: false,
    act: (kernel, _run, args) => readBlocks(kernel, SYSCALLS.block_read.arguments.parse(args)),
  },
  memory_pin: {
    effect: true,
    act: (kernel, _run, args) => pinMemory(kernel, SYSCALLS.memory_pin.arguments.parse(args)),
  },
  memory_write: {
    effect: true,
    prepare: (kernel, args) => prepareWriteMemory(kernel, SYSCALLS.memory_write.arguments.parse(args)),
    act: (kernel, run, args) => writeMemory(kernel, run, SYSCALLS.memory_write.arguments.parse(args)),
  },
  memory_search: {
    effect: false,
    act: (kernel, run, args) => searchMemory(kernel, run, SYSCALLS.memory_search.arguments.parse(args)),
  },
  memory_read: {
    effect: false,
    act: (kernel, run, args) => readMemory(kernel, run, SYSCALLS.memory_read.arguments.parse(args)),
  },
  memory_forget: {
    effect: true,
    prepare: (kernel, args) => prepareForget(kernel, SYSCALLS.memory_forget.arguments.parse(args)),
    act: (kernel, run, args) => forgetMemory(kernel, run, SYSCALLS.memory_forget.arguments.parse(args)),
  },
  memory_check: {
    effect: false,
    act: (kernel, _run, args) => checkMemory(kernel, SYSCALLS.memory_check.arguments.parse(args)),
  },
  // No effect in the journal's sense: every unit of it is its own transaction, and done twice it does nothing more.
  process_sleep: { effect: false, act: async (kernel, run) => success(await sleepNow(kernel, run.id)) },
  process_list: { effect: false, act: (kernel) => listProcesses(kernel) },
};
