/** `npm run first-key`: the SQL it writes opens a freshly migrated control database to the key it shows, and to no other. */
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { expect, it } from "vitest";
import { sha256 } from "#scripts/home.mjs";
import { ROOT } from "#scripts/repository.mjs";

function firstKey(...args: string[]): { sql: string; told: string; code: number | null } {
  const run = spawnSync(process.execPath, [join(ROOT, "scripts/first-key.mjs"), ...args], { encoding: "utf8" });
  return { sql: run.stdout, told: run.stderr, code: run.status };
}

it("writes SQL that makes exactly the shown key valid", () => {
  const { sql, told } = firstKey("alice");
  const key = /lam_[0-9A-Za-z]+/.exec(told)?.[0] ?? "";
  expect(sql).not.toContain(key);
  const database = new DatabaseSync(":memory:");
  database.exec(readFileSync(join(ROOT, "migrations/control/0000_control.sql"), "utf8"));
  database.exec(sql);
  const row = database.prepare("SELECT user, sha256, prefix, scopes FROM api_keys").get();
  expect(row).toMatchObject({ user: "alice", sha256: sha256(key), prefix: key.slice(0, 12) });
  // An id that the API can name, so that the key can be revoked.
  expect(database.prepare("SELECT id FROM api_keys").get()?.["id"]).toMatch(/^key_[A-Za-z0-9]{1,64}$/);
  expect(database.prepare("SELECT shard FROM users").get()).toMatchObject({ shard: 0 });
});

it("refuses what is no user name", () => {
  for (const name of ["", "a'b", "a b", "x".repeat(65)]) {
    const refused = firstKey(name);
    expect(refused.code).toBe(1);
    expect(refused.sql).toBe("");
  }
});
