/**
 * Production: the modules that a deployment uploads start in workerd, with the settings of wrangler.toml and a fake model.
 *
 * What the Worker loads on use (the kernel, the readers of documents, the docs page) is loaded here from the built modules.
 */
import { spawnSync } from "node:child_process";
import { globSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { convertV4MiniflareOptions, Miniflare } from "miniflare";
import { afterAll, beforeAll, expect, it } from "vitest";
import { ROOT } from "#scripts/repository.mjs";
import { startProvider, type FakeProvider } from "#tests/fakes/provider/server.ts";
import { makePdf, printed } from "#tests/fixtures/pdf.ts";

const FAKE_AI = `
import { WorkerEntrypoint } from "cloudflare:workers";
const answer = 'data: {"response":"Hello from the model."}\\n\\ndata: [DONE]\\n\\n';
export class FakeAi extends WorkerEntrypoint {
  run() { return new Response(answer).body; }
  models() { return [{ name: "fake" }]; }
}
export default {};
`;

const folder = mkdtempSync(join(tmpdir(), "lamina-production-"));
let server: Miniflare | undefined;
let provider: FakeProvider | undefined;
let key = "";

beforeAll(async () => {
  script("build-worker.mjs", folder);
  provider = await startProvider();
  const settings = readFileSync(join(ROOT, "wrangler.toml"), "utf8");
  const runtime = {
    compatibilityDate: /^compatibility_date = "(.+)"$/m.exec(settings)?.[1] ?? "",
    compatibilityFlags: (/^compatibility_flags = \[(.+)\]$/m.exec(settings)?.[1] ?? "").match(/[a-z_]+/g) ?? [],
  };
  const modules = globSync("**/*.{js,mjs}", { cwd: folder })
    .toSorted((one, other) => Number(other === "index.js") - Number(one === "index.js"))
    .map((path) => ({ type: "ESModule" as const, path: join(folder, path) }));
  const worker = {
    name: "lamina",
    modulesRoot: folder,
    modules,
    ...runtime,
    durableObjects: {
      PROCESS: { className: "Process", useSQLite: true },
      POOL: { className: "Pool", useSQLite: true },
      LEDGER: { className: "Ledger", useSQLite: true },
    },
    d1Databases: ["DB", "MEM_0"],
    bindings: {
      DEFAULT_MODEL: "shed/oak",
      PROVIDERS: JSON.stringify({ shed: { baseUrl: `${provider.url}/v1`, keyFrom: "SHED_KEY", models: { oak: {} } } }),
      SHED_KEY: "key-of-the-shed",
    },
  };
  const started = new Miniflare(
    convertV4MiniflareOptions({
      cf: false, // no look at the network
      workers: [
        { ...worker, serviceBindings: { AI: { name: "fake-ai", entrypoint: "FakeAi" } } },
        { name: "fake-ai", modules: true, script: FAKE_AI, ...runtime },
      ],
    }),
  );
  server = started;
  const { stdout, stderr } = script("first-key.mjs", "alice");
  key = /lam_[0-9A-Za-z]+/.exec(stderr)?.[0] ?? "";
  await apply("DB", [...migrations("control"), ...stdout.split(/;\n/)]);
  await apply("MEM_0", migrations("memory"));
});
afterAll(async () => {
  await server?.dispose();
  await provider?.close();
  rmSync(folder, { recursive: true, force: true });
});

function script(name: string, ...parameters: string[]): { stdout: string; stderr: string } {
  const { status, stdout, stderr } = spawnSync(process.execPath, [join(ROOT, "scripts", name), ...parameters], {
    encoding: "utf8",
  });
  if (status !== 0) throw new Error(`${name} failed: ${stdout}${stderr}`);
  return { stdout, stderr };
}

function migrations(name: string): string[] {
  const at = join(ROOT, "migrations", name);
  const files = globSync("*.sql", { cwd: at }).toSorted((one, other) => one.localeCompare(other));
  return files.flatMap((file) => readFileSync(join(at, file), "utf8").split("--> statement-breakpoint"));
}

async function apply(binding: string, statements: readonly string[]): Promise<void> {
  const database = await server?.getD1Database(binding, "lamina");
  for (const statement of statements) if (statement.trim() !== "") await database?.prepare(statement).run();
}

async function call(method: string, path: string, type: string, body?: string | Uint8Array): Promise<unknown> {
  const response = await server?.dispatchFetch(`http://lamina.example${path}`, {
    method,
    headers: { authorization: `Bearer ${key}`, "content-type": type, "idempotency-key": path },
    ...(body === undefined ? {} : { body }),
  });
  const text = (await response?.text()) ?? "";
  return { status: response?.status, body: text.startsWith("{") ? (JSON.parse(text) as unknown) : text };
}

it("starts, and loads the kernel for an instruction", async () => {
  expect(await call("GET", "/health", "")).toMatchObject({ status: 200 });
  const run = await call(
    "POST",
    "/v1/instructions",
    "application/json",
    '{"input":"Say hello.","stream":false,"model":"fake"}',
  );
  expect(run).toMatchObject({ status: 200, body: { status: "done" } });
  expect(JSON.stringify(run)).toContain("Hello from the model.");
});

it("loads the AI SDK for a model of an OpenAI-compatible provider", async () => {
  const body = '{"input":"Say hello.","stream":false}';
  const run = await call("POST", "/v1/instructions?sdk", "application/json", body);
  expect(run).toMatchObject({ status: 200, body: { status: "done" } });
  expect(JSON.stringify(run)).toContain("Hello from the fake provider.");
  const [seen] = provider?.book.seen("oak") ?? [];
  expect(seen?.headers["authorization"]).toBe("Bearer key-of-the-shed");
});

it("loads the readers of documents and the docs page", async () => {
  const markdown = await call("POST", "/v1/memory/documents?name=a.md", "text/markdown", "# Keys\n\nUnder the pot.\n");
  expect(markdown).toMatchObject({ status: 201, body: { state: "done", pages: 1 } });
  const pdf = makePdf([printed([["The boat is called Marzipan.", 12]])]);
  const read = await call("POST", "/v1/memory/documents?name=b.pdf", "application/pdf", pdf);
  expect(read).toMatchObject({ status: 201, body: { pages: 1 } });
  const page = await call("GET", "/docs", "");
  expect(page).toMatchObject({ status: 200, body: expect.stringContaining("Lamina API") as unknown });
});
