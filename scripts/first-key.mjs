/**
 * First key: `npm run -s first-key -- USER > key.sql`, for a deployment that has no key yet.
 *
 * Writes SQL for the control database to standard output and the key, this once, to standard error; the SQL holds only its
 * hash. Apply it with `npx wrangler d1 execute DB --remote --env production --file key.sql`. That key has every scope, so the
 * API makes all others (`POST /v1/keys`).
 */
import { keyPrefix, makeSecretKey, sha256 } from "./home.mjs";
import { fail } from "./repository.mjs";

const USER = /^[A-Za-z0-9._-]{1,64}$/;
const SCOPES = "run memory libraries tools webhooks admin";

const user = process.argv[2] ?? "";
if (!USER.test(user)) fail("Name a user: npm run -s first-key -- USER (1 to 64 of letters, digits, - _ .)");
const key = makeSecretKey();
const now = Date.now();
process.stdout.write(
  `INSERT OR IGNORE INTO users (id, shard, created_at) VALUES ('${user}', 0, ${now});
INSERT INTO api_keys (id, prefix, sha256, user, scopes, name, created_at)
  VALUES ('key_first${now}', '${keyPrefix(key)}', '${sha256(key)}', '${user}', '${SCOPES}', 'first', ${now});
`,
);
process.stderr.write(`The key, shown this once: ${key}\n`);
