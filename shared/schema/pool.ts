/**
 * Reply of `GET /v1/pool`.
 */
import { z } from "zod";
import { PRIORITIES } from "#shared/priority.ts";
import { listOf } from "#shared/schema/list.ts";

const count = z.number().int().nonnegative();

const bandSchema = z.object({ leased: count, waiting: count });

const rateSchema = z
  .object({
    perMinute: z.number(),
    level: z.number().meta({ description: "What can be used now; below zero after a call larger than that" }),
  })
  .nullable();

export const poolSchema = z
  .object({
    pool: z.string().meta({ description: "Model, and #shard when its pool is made of several objects" }),
    policy: z.string().meta({ description: "How the next call of a priority is chosen" }),
    slots: count.meta({ description: "Calls that may run at once, as the provider takes them now" }),
    slotsMost: count,
    reserved: count.meta({ description: "Slots that only interactive calls get" }),
    leased: count,
    waiting: count,
    bands: z.object({ interactive: bandSchema, normal: bandSchema, batch: bandSchema }),
    oldestWaitMs: z.number(),
    pausedUntil: z.string().nullable().meta({ description: "The provider asked to wait until then (ISO 8601)" }),
    requests: rateSchema,
    tokens: rateSchema,
    today: z
      .object({
        day: z.string(),
        calls: count,
        tokens: count,
        throttled: count,
        failed: count,
        refused: count,
        meanWaitMs: z.number(),
      })
      .nullable()
      .meta({ description: "Since midnight UTC; null without the scope admin" }),
    holders: z
      .array(
        z.object({
          holder: z.string().meta({ description: "<user>/<run>, or <user>/<process>/<purpose>" }),
          user: z.string(),
          priority: z.enum(PRIORITIES),
          state: z.enum(["leased", "waiting"]),
          since: z.string(),
        }),
      )
      .meta({ description: "Who has a slot or waits for one: your own, with the scope admin everybody's" }),
  })
  .meta({ id: "Pool" });

export type PoolItem = z.infer<typeof poolSchema>;

export const poolListSchema = listOf(poolSchema);
