/**
 * A Worker with every exported class and nothing inside, for unit tests while the real entry does not compile.
 * Used through `TEST_MAIN=empty`; never part of the default run.
 */
import { DurableObject, WorkerEntrypoint } from "cloudflare:workers";

export class Process extends DurableObject {}

export class Pool extends DurableObject {}

export class LocalAi extends WorkerEntrypoint {}

export default {
  fetch: () => new Response("empty", { status: 501 }),
};
