/**
 * Boot: what happens when a process's object comes to life, in order.
 *
 *     1. whose object is this      its name, or what an earlier boot stored
 *     2. tables                    brought to the newest version
 *     3. kernel                    caches empty, a new boot id
 *     4. recover                   runs of an earlier instance are queued again or ended
 *     5. work                      every thread with a queue is worked off
 *
 * Only `init` comes into being by being called; any other process must have been spawned.
 */
import type { Caller } from "#shared/abi.ts";
import { INIT_PROCESS, parseProcessObjectName } from "#shared/ids.ts";
import { cycle } from "#kernel/cycle.ts";
import { openEmbedder } from "#kernel/infer/drivers/embedder.ts";
import { openDriver } from "#kernel/infer/drivers/table.ts";
import { openCatalogue } from "#kernel/infer/models/catalogue.ts";
import type { Kernel } from "#kernel/kernel.ts";
import { setTimer } from "#kernel/proc/alarm.ts";
import { recover } from "#kernel/proc/recover.ts";
import { Breakers } from "#kernel/sched/breakers.ts";
import { isBooted, readMeta, upgradeSchema, writeMeta } from "#kernel/proc/schema.ts";
import { workThread } from "#kernel/proc/work-thread.ts";
import { PageIndex } from "#kernel/vm/search/page-index.ts";

/**
 * Boots the object, or answers null when it is no process. The first boot needs a call of the owner, whose shard it stores;
 * anybody else's call leaves nothing behind.
 */
export function boot(ctx: DurableObjectState, env: Cloudflare.Env, caller: Caller | null): Kernel | null {
  const { storage } = ctx;
  const born = isBooted(storage.sql);
  const name = parseProcessObjectName(ctx.id.name ?? (born ? (readMeta(storage.sql, "name") ?? "") : ""));
  if (name === null) return null;
  const owned = caller?.user === name.user && caller.process === name.process;
  if (!born && (!owned || name.process !== INIT_PROCESS)) return null;
  upgradeSchema(storage);
  if (!born && caller !== null) {
    writeMeta(storage.sql, "name", `${name.user}/${name.process}`);
    writeMeta(storage.sql, "shard", String(caller.shard));
    writeMeta(storage.sql, "created", String(Date.now()));
  }
  const driver = openDriver(env);
  const background = (work: Promise<unknown>): void => ctx.waitUntil(work);
  const kernel: Kernel = {
    storage,
    sql: storage.sql,
    env,
    bootId: crypto.randomUUID(),
    user: name.user,
    process: name.process,
    shard: Number(readMeta(storage.sql, "shard")),
    background,
    now: () => Date.now(),
    driver,
    models: openCatalogue(env, driver, background),
    embedder: openEmbedder(env),
    index: new PageIndex(storage.sql),
    pager: null,
    budget: null,
    prompts: new Map(),
    live: new Map(),
    busyThreads: new Set(),
    readers: new Map(),
    lingering: new Map(),
    breakers: new Breakers(),
    timers: new Map(),
    alarmAt: null,
    flushes: 0,
    flushing: null,
    working: new Map(),
  };
  for (const thread of recover(kernel)) workThread(kernel, thread, cycle);
  if (storage.sql.exec("SELECT 1 FROM pages WHERE dirty = 1 LIMIT 1").toArray().length > 0) {
    setTimer(kernel, "flush", kernel.now());
  }
  return kernel;
}
