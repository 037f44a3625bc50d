/** Body and reply of `/v1/fsck`. */
import { z } from "zod";
import { DIVERGENCES, type Divergence } from "#shared/fsck.ts";
import { processQuery } from "#shared/schema/ids.ts";

const kinds = Object.keys(DIVERGENCES) as [Divergence, ...Divergence[]];
const kindSchema = z.enum(kinds).meta({
  description: kinds.map((kind) => `${kind}: ${DIVERGENCES[kind]}`).join(". "),
});

export const fsckBodySchema = z
  .strictObject({
    ...processQuery.shape,
    repair: z.boolean().optional().meta({ description: "Mend what is found; otherwise nothing is written" }),
    cursor: z.string().min(1).max(64).optional().meta({ description: "Where the check before this one stopped" }),
  })
  .meta({ id: "FsckBody" });

export const fsckReportSchema = z
  .object({
    checked: z.number().meta({ description: "Pages and rows looked at by this call" }),
    pending: z.number().meta({ description: "Pages on their way to the memory database: no divergence" }),
    counts: z.partialRecord(kindSchema, z.number()).readonly().meta({ description: "How often each kind was found" }),
    found: z
      .array(z.object({ kind: kindSchema, handle: z.string().nullable() }))
      .readonly()
      .meta({ description: "The first 500 of them" }),
    repaired: z.number(),
    cursor: z.string().optional().meta({ description: "Send it to go on; absent when the check is complete" }),
  })
  .meta({ id: "FsckReport" });
