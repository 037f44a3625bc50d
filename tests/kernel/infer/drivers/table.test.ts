/**
 * Driver table: whose a model is, what the variables may hold, and that one provider's trouble stays its own.
 */
import { describe, expect, it, vi } from "vitest";
import { INFERENCE_SILENCE_MOST_MS, INFERENCE_SILENCE_MS, PROVIDERS_MOST } from "#shared/limits.ts";
import { readGateway } from "#kernel/infer/drivers/gateway.ts";
import { guessLatency } from "#kernel/infer/drivers/guess-latency.ts";
import { readProviders } from "#kernel/infer/drivers/providers.ts";
import { openDriver } from "#kernel/infer/drivers/table.ts";
import { fakeBinding, listModels, providerUrl, requestsOf } from "#tests/fakes/provider-client.ts";
import { collect, requestOf, textOf } from "#tests/kernel/infer/drivers/driver-spec.ts";
import { freshModel } from "#tests/kernel/infer/drivers/provider-drivers.ts";

const shed = { baseUrl: "http://127.0.0.1:1/v1" };

describe("the table", () => {
  it("sends a model of a provider to that provider, with its key, and every other to the binding", async () => {
    const PROVIDERS = JSON.stringify({ shed: { baseUrl: `${providerUrl()}/v1/`, keyFrom: "SHED_KEY" } });
    const driver = openDriver({ AI: fakeBinding(), PROVIDERS, SHED_KEY: "sk-shed" } as Parameters<
      typeof openDriver
    >[0]);
    for (const name of ["shed/", "@cf/", "lamina/", "elsewhere/"]) {
      const model = `${name}${freshModel()}`;
      expect(textOf(await collect(driver, requestOf(model)))).toBe("Hello from the fake provider.");
      const [there] = await requestsOf(model.replace("shed/", ""));
      expect(there?.path).toBe(name === "shed/" ? "/v1/chat/completions" : "/ai/run");
      expect(there?.headers["authorization"]).toBe(name === "shed/" ? "Bearer sk-shed" : undefined);
    }
  });

  it("lists the models of all providers, by provider, also while one does not answer", async () => {
    await listModels("workers-ai", [{ name: "@cf/one" }]);
    const PROVIDERS = JSON.stringify({ shed, barn: { baseUrl: `${providerUrl()}/v1` } });
    const driver = openDriver({ AI: fakeBinding(), PROVIDERS });
    const lists = (await driver.lists?.()) ?? [];
    expect(lists.map(({ provider }) => provider)).toEqual(["workers-ai", "barn"]);
    expect((await driver.models()).map(({ id }) => id)).toContain("@cf/one");
    await listModels("workers-ai", []);
  });

  it("rejects when nobody answers", async () => {
    const AI = { run: () => Promise.reject(new Error("down")), models: () => Promise.reject(new Error("down")) };
    await expect(openDriver({ AI, PROVIDERS: JSON.stringify({ shed }) }).models()).rejects.toThrow();
  });
});

describe("PROVIDERS", () => {
  it("is nothing when it is absent or empty", () => {
    expect([readProviders({}), readProviders({ PROVIDERS: " " })]).toEqual([[], []]);
  });

  it("tells of a key that is named and not there", () => {
    const log = vi.spyOn(console, "error").mockImplementation(() => undefined);
    const [read] = readProviders({ PROVIDERS: JSON.stringify({ shed: { ...shed, keyFrom: "SHED_KEY" } }) });
    expect(read).toMatchObject({ name: "shed", key: null });
    expect(log.mock.calls.map(([line]) => JSON.parse(String(line)) as unknown)).toMatchObject([
      { event: "provider-key-absent", provider: "shed", variable: "SHED_KEY" },
    ]);
    log.mockRestore();
  });

  it("leaves out what it cannot read, says so in the log, and keeps the rest", () => {
    const log = vi.spyOn(console, "error").mockImplementation(() => undefined);
    const read = (providers: unknown): string[] =>
      readProviders({ PROVIDERS: JSON.stringify(providers) }).map(({ name }) => name);
    expect(readProviders({ PROVIDERS: "{" })).toEqual([]);
    expect(read([])).toEqual([]);
    expect(
      read({ shed, "no address": shed, lamina: shed, "workers-ai": shed, a: {}, b: { baseUrl: "ftp://x" } }),
    ).toEqual(["shed"]);
    expect(read({ c: { ...shed, key: "sk-in-the-open" }, shed })).toEqual(["shed"]);
    expect(log).toHaveBeenCalledTimes(8);
    expect(JSON.stringify(log.mock.calls)).not.toContain("sk-in-the-open");
    log.mockRestore();
  });

  it("holds silence and number to their limits", () => {
    const log = vi.spyOn(console, "error").mockImplementation(() => undefined);
    const silence = (silenceMs: number): number | undefined =>
      readProviders({ PROVIDERS: JSON.stringify({ shed: { ...shed, silenceMs } }) })[0]?.silenceMs;
    expect(readProviders({ PROVIDERS: JSON.stringify({ shed }) })[0]?.silenceMs).toBe(INFERENCE_SILENCE_MS);
    expect(silence(INFERENCE_SILENCE_MOST_MS)).toBe(INFERENCE_SILENCE_MOST_MS);
    expect(silence(INFERENCE_SILENCE_MOST_MS + 1)).toBeUndefined();
    const many = Object.fromEntries(Array.from({ length: PROVIDERS_MOST + 1 }, (_, index) => [`p${index}`, shed]));
    expect(readProviders({ PROVIDERS: JSON.stringify(many) })).toHaveLength(PROVIDERS_MOST);
    log.mockRestore();
  });
});

describe("AI_GATEWAY", () => {
  it("is read, or no gateway is used", () => {
    const log = vi.spyOn(console, "error").mockImplementation(() => undefined);
    const read = (value: string): unknown => readGateway({ AI_GATEWAY: value });
    expect(read('{"id":"lamina","cacheTtl":60,"metadata":{"app":"lamina"}}')).toEqual({
      id: "lamina",
      cacheTtl: 60,
      metadata: { app: "lamina" },
    });
    expect(readGateway({})).toBeNull();
    // Retries of the gateway would be made behind the kernel's back.
    for (const bad of ["{", "{}", '{"id":""}', '{"id":"a","retries":{"maxAttempts":5}}']) expect(read(bad)).toBeNull();
    expect(log).toHaveBeenCalledTimes(4);
    log.mockRestore();
  });
});

it.each([
  ["@cf/meta/llama-3.2-3b-instruct", "fast"],
  ["@cf/qwen/qwen3-30b-a3b-fp8", "fast"],
  ["@cf/meta/llama-3.3-70b-instruct-fp8-fast", "standard"],
  ["llama-3.1-405b", "slow"],
  ["@cf/zai-org/glm-4.7-flash", "fast"],
  ["gpt-5-pro", "slow"],
  ["something", "standard"],
] as const)("%s is guessed to be %s", (name, latency) => {
  expect(guessLatency(name)).toBe(latency);
});
