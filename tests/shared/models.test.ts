/** Models: what a name alone tells. */
import { expect, test } from "vitest";
import { familyOf, providerOf, unknownCard } from "#shared/models.ts";

test("the provider is the first part of a name, unless the name is one of Workers AI", () => {
  expect(
    ["@cf/qwen/qwen3-30b", "lamina/extractive", "scripted", "ollama/llama3.2", "router/meta/llama"].map((id) =>
      providerOf(id),
    ),
  ).toEqual(["workers-ai", "workers-ai", "workers-ai", "ollama", "router"]);
});

test("the family is that of the template", () => {
  const names = [
    "@cf/meta/llama-3.3-70b-instruct-fp8-fast",
    "@cf/deepseek-ai/deepseek-r1-distill-qwen-32b",
    "@cf/mistral/mistral-7b-instruct-v0.2-lora",
    "@cf/google/gemma-3-12b-it",
    "@cf/zai-org/glm-4.7-flash",
    "ollama/phi4",
  ];
  expect(names.map((name) => familyOf(name))).toEqual(["llama", "qwen", "mistral", "gemma", "other", "other"]);
});

test("of a model that is on no list nothing is known", () => {
  expect(unknownCard("ollama/x")).toMatchObject({ provider: "ollama", contextWindow: null, tools: null, price: null });
});
