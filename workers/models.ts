/**
 * Models: the names a client may ask for, and what is known of them.
 *
 * `lamina` is the server's default; `lamina/<model>` is one model, by its name in the catalogue (`infer/models/catalogue.ts`), which
 * is the kernel's too. The drivers that ask providers are loaded only when a list is too old.
 */
import type { z } from "zod";
import { unknownCard, type ModelCard } from "#shared/models.ts";
import type { modelListSchema } from "#shared/schema/chat.ts";
import { openCatalogue, type Catalogue } from "#kernel/infer/models/catalogue.ts";
import { listsOf, type ModelSource } from "#kernel/infer/models/lists-of.ts";
import type { EdgeContext } from "#workers/edge.ts";

type ModelListing = z.infer<typeof modelListSchema>["data"][number];

export const DEFAULT_NAME = "lamina";

/** Cards of the models that can be asked for, the default one first. */
export async function modelCards(context: EdgeContext): Promise<readonly ModelCard[]> {
  const { DEFAULT_MODEL: standard } = context.env;
  const cards = await catalogueOf(context).load();
  const first = cards.find(({ id }) => id === standard) ?? unknownCard(standard);
  return [first, ...cards.filter(({ id }) => id !== standard)];
}

function catalogueOf(context: EdgeContext): Catalogue {
  const { env } = context;
  const driver = async (): Promise<ModelSource> => (await import("#kernel/infer/drivers/table.ts")).openDriver(env);
  const source: ModelSource = {
    models: async () => (await driver()).models(),
    lists: async () => listsOf(await driver()),
  };
  return openCatalogue(env, source, (work) => context.executionCtx.waitUntil(work));
}

/** What a client calls a model: a name of our own space is not said twice. */
export function publicName(model: string): string {
  return model.startsWith(`${DEFAULT_NAME}/`) ? model : `${DEFAULT_NAME}/${model}`;
}

/** The list of `GET /v1/models`: the default under its own name first, then every model. */
export async function listedModels(context: EdgeContext): Promise<ModelListing[]> {
  const cards = await modelCards(context);
  const listing = (id: string, { id: model, ...known }: ModelCard): ModelListing => {
    const { languages, ...facts } = known;
    const lamina = { ...facts, languages: languages === null ? null : [...languages], model };
    return { id, object: "model", created: 0, owned_by: DEFAULT_NAME, lamina };
  };
  return [
    ...cards.slice(0, 1).map((card) => listing(DEFAULT_NAME, card)),
    ...cards.map((card) => listing(publicName(card.id), card)),
  ];
}

/** The model a name means: `null` for the server's default, undefined for a name that is not known. */
export async function resolveModel(context: EdgeContext, name: string): Promise<string | null | undefined> {
  if (name === DEFAULT_NAME) return null;
  return (await modelCards(context)).find(({ id }) => publicName(id) === name || id === name)?.id;
}
