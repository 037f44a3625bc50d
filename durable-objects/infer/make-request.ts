/**
 * Make request: what a run asks its model for, by what the model can do.
 *
 * An answer that has to meet a JSON schema and the tools of a run do not go together everywhere (many models answer in JSON mode
 * and never call, or call and ignore the schema). So a run that wants one is told its schema in words (`context.ts`), and asks with
 * tools and without JSON mode; when what comes back does not meet the schema, the one repair asks without tools and in JSON mode. A
 * model without tools is asked in JSON mode at once; for free text it is told of the tools in words (`head.ts`). A model that has no
 * JSON mode, or that refused it in this run, has the words.
 */
import { MODEL_TOOLS } from "#shared/calls.ts";
import type { InferRequest } from "#kernel/infer/drivers/driver.ts";
import type { Kernel } from "#kernel/kernel.ts";
import type { LiveRun } from "#kernel/proc/live-run.ts";
import { assembleContext } from "#kernel/vm/context/context.ts";

export function makeRequest(kernel: Kernel, run: LiveRun): InferRequest {
  const card = kernel.models.card(run.model);
  const repairs = run.reply !== null && run.reasks > 0;
  const tools = repairs || (card?.tools === false && run.reply !== null) ? [] : MODEL_TOOLS;
  const mode = tools.length === 0 && card?.json !== false && !run.withoutJsonMode.has(run.model);
  return {
    model: run.model,
    messages: assembleContext(kernel, run),
    tools,
    reply: mode ? run.reply : null,
    affinity: `${kernel.user}/${kernel.process}`,
    card,
  };
}
