/**
 * System calls: their names, their arguments, and how a model is told of them.
 *
 * One schema per call is both what a model is shown (as JSON schema) and what `syscall/syscall.ts` validates before
 * anything acts. `effect` calls change state: they are journaled before they act and never repeated after a crash.
 */
import { z } from "zod";
import { PAGE_BYTES, QUERY_CHARACTERS, SEARCH_RESULTS_MOST, TAG_CHARACTERS, TAGS_PER_PAGE } from "#shared/limits.ts";
import { blockEditSchema, labelSchema } from "#shared/schema/blocks.ts";
import { storableText } from "#shared/schema/text.ts";

const handle = z
  .string()
  .regex(/^p[0-9a-z]{1,10}$/)
  .describe("Handle of a page, such as p3f");

const memoryWrite = z.strictObject({
  text: storableText.min(1).max(PAGE_BYTES).describe("What to remember, as one self-contained sentence"),
  kind: z.enum(["fact", "note", "instruction"]).optional().describe("Kind of page; fact when absent"),
  at: z.string().max(64).optional().describe("When it happened or was said, ISO 8601; now when absent"),
  tags: z.array(z.string().min(1).max(TAG_CHARACTERS)).max(TAGS_PER_PAGE).optional(),
});

const memorySearch = z.strictObject({
  query: z.string().min(1).max(QUERY_CHARACTERS).describe("What to look for; names and dates help"),
  limit: z.int().min(1).max(SEARCH_RESULTS_MOST).optional(),
  kind: z.string().max(32).optional().describe("Only pages of this kind"),
});

const memoryRead = z.strictObject({ handle });
const memoryForget = z.strictObject({ handle });
const memoryPin = z.strictObject({ handle, pinned: z.boolean() });
const blockRead = z.strictObject({ label: labelSchema.optional().describe("All blocks when absent") });
const processList = z.strictObject({});
const memoryCheck = z.strictObject({ repair: z.boolean().optional() });
const processSleep = z.strictObject({});

export const SYSCALLS = {
  block_edit: {
    description:
      "Change a block: a short labelled text that stands in every prompt. Verbs: create, replace (words that occur exactly once), insert (after a line), delete, rename.",
    effect: true,
    arguments: blockEditSchema,
  },
  block_read: { description: "Show the blocks of this process in full.", effect: false, arguments: blockRead },
  memory_write: {
    description: "Remember a fact, note or standing instruction of the person for all later conversations.",
    effect: true,
    arguments: memoryWrite,
  },
  memory_search: {
    description: "Search everything the person ever said or stored; answers pages with handles to cite.",
    effect: false,
    arguments: memorySearch,
  },
  memory_read: { description: "Read one page in full by its handle.", effect: false, arguments: memoryRead },
  memory_forget: {
    description: "Delete one page for good. Only when the person asks for it and the page clearly matches.",
    effect: true,
    arguments: memoryForget,
  },
  memory_pin: {
    description: "Put a page into every prompt, or take it out again.",
    effect: true,
    arguments: memoryPin,
  },
  memory_check: {
    description: "Check whether the stores of this process's memory agree, and repair them.",
    effect: false,
    arguments: memoryCheck,
  },
  process_sleep: {
    description: "Consolidate this process's memory for a moment: facts from turns, duplicates, stale facts.",
    effect: false,
    arguments: processSleep,
  },
  process_list: { description: "List this person's processes and their state.", effect: false, arguments: processList },
} as const;

export type SyscallName = keyof typeof SYSCALLS;

export type SyscallArguments<Name extends SyscallName> = z.infer<(typeof SYSCALLS)[Name]["arguments"]>;

/** What a model, or a command, asks the kernel to do. `arguments` are unknown until `syscall.ts` has read them. */
export interface SystemCall {
  readonly id: string;
  readonly name: string;
  readonly arguments: unknown;
}

export function isSyscallName(name: string): name is SyscallName {
  return Object.hasOwn(SYSCALLS, name);
}

export interface ToolDefinition {
  readonly type: "function";
  readonly function: { readonly name: string; readonly description: string; readonly parameters: unknown };
}

/** What a model may ask for; commands may ask for more. */
export const MODEL_SYSCALLS: readonly SyscallName[] = [
  "block_edit",
  "memory_forget",
  "memory_read",
  "memory_search",
  "memory_write",
];

/** What only a person may ask for, by a command, whatever a model says: what stands in every prompt, and upkeep. */
export const COMMAND_SYSCALLS: readonly SyscallName[] = ["memory_check", "memory_pin", "process_sleep"];

/** The system calls as OpenAI-shaped tools, sorted by name so that the frozen prefix never changes by accident. */
export function syscallTools(names: readonly SyscallName[]): ToolDefinition[] {
  return names.toSorted().map((name) => {
    const { $schema: _, ...parameters } = z.toJSONSchema(SYSCALLS[name].arguments);
    return { type: "function", function: { name, description: SYSCALLS[name].description, parameters } };
  });
}

/** The tools of every prompt: made once, because they never change. */
export const MODEL_TOOLS: readonly ToolDefinition[] = syscallTools(MODEL_SYSCALLS);
