/**
 * Driver table: which driver reaches the models of this deployment. The one door to models.
 *
 * A model id that begins with the name of a provider of `PROVIDERS` and a slash belongs to that provider; every other one is
 * behind the `AI` binding: Workers AI in production, the local engine elsewhere.
 */
import { providerOf, WORKERS_AI } from "#shared/models.ts";
import type { Driver, ModelList } from "#kernel/infer/drivers/driver.ts";
import { readGateway } from "#kernel/infer/drivers/gateway.ts";
import { openai } from "#kernel/infer/drivers/openai.ts";
import { readProviders, type ProvidersEnv } from "#kernel/infer/drivers/providers.ts";
import { workersAi, type AiBinding } from "#kernel/infer/drivers/workers-ai.ts";

export interface DriverEnv extends ProvidersEnv {
  readonly AI: AiBinding;
  readonly AI_GATEWAY?: string;
}

export function openDriver(env: DriverEnv): Driver {
  const binding = workersAi(env.AI, { gateway: readGateway(env) });
  const providers = new Map(readProviders(env).map((provider) => [provider.name, openai(provider)]));
  const lists = (): Promise<ModelList[]> => listAll(new Map([[WORKERS_AI, binding], ...providers]));
  return {
    lists,
    models: async () => (await lists()).flatMap(({ cards }) => cards),
    infer: (request, signal) => (providers.get(providerOf(request.model)) ?? binding).infer(request, signal),
  };
}

/** The lists of all providers. One that does not answer does not hide the others; rejects when none does. */
async function listAll(drivers: ReadonlyMap<string, Driver>): Promise<ModelList[]> {
  const asked = [...drivers].map(async ([provider, driver]) => ({ provider, cards: await driver.models() }));
  const answers = await Promise.allSettled(asked);
  const answered = answers.flatMap((answer) => (answer.status === "fulfilled" ? [answer.value] : []));
  const first = answers[0];
  if (answered.length === 0 && first?.status === "rejected") throw first.reason;
  return answered;
}
