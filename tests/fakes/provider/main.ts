/**
 * Fake provider as a program: `node tests/fakes/provider/main.ts [PORT]`. Prints its address, and answers until it is ended.
 */
import { startProvider } from "#tests/fakes/provider/server.ts";

const { url } = await startProvider(Number(process.argv[2] ?? "0"));
process.stdout.write(`${url}\n`);
