/**
 * Start: `npm start`. Brings up Lamina on this machine from a bare clone and stays until it is stopped.
 *
 * PORT (8787) and LAMINA_HOME (`.lamina`) are honoured. A taken port and a state folder in use are refused before anything
 * else is done. Ctrl-C, SIGTERM and SIGHUP end every process that was started here within five seconds.
 */
import { buildPage } from "./build-page.mjs";
import { buildPdf } from "./build-pdf.mjs";
import { keyFile, makeToken, openHome, readOrMakeKey, readPort, shownPath } from "./home.mjs";
import { installMissing } from "./install.mjs";
import { releaseLock, takeLock } from "./lock.mjs";
import { migrate } from "./migrate.mjs";
import { portFree } from "./ports.mjs";
import { endChildren, fail } from "./repository.mjs";
import { lastLogLines, logFile, serverReady, showErrors, startServer } from "./server.mjs";

/** Milliseconds the server gets to end by itself; a kill and the port check follow within the five seconds promised. */
const GRACE_MS = 2_500;

const port = readPort();
const home = openHome();
const stopping = new AbortController();

await takeLock(home, port);
process.once("exit", () => releaseLock(home));
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => void stop(0));

stopWithNpm();

if (!(await portFree(port))) fail(`Port ${port} is taken. Stop what listens there, or set PORT to another one.`);
await installMissing();
const key = readOrMakeKey(home);
const token = makeToken();
await Promise.all([buildPage().then(buildPdf), migrate(home)]);
if (!stopping.signal.aborted) await serve();

async function serve() {
  const child = startServer({ home, port, key, token });
  const ended = new Promise((resolve) => child.once("exit", resolve));
  if (!(await serverReady(child, home, port))) return serverFailed("The server did not start.");
  welcome();
  void showErrors(home, stopping.signal);
  await ended;
  await serverFailed("The server ended by itself.");
}

async function serverFailed(/** @type {string} */ line) {
  if (stopping.signal.aborted) return;
  process.stderr.write(`${lastLogLines(home)}\n${line} Its log: ${shownPath(logFile(home))}\n`);
  await stop(1);
}

/** Ends all children, proves that the port is free, and exits. A second signal changes nothing. */
async function stop(/** @type {number} */ code) {
  if (stopping.signal.aborted) return;
  stopping.abort();
  await endChildren(GRACE_MS);
  stopWithNpm();

  if (!(await portFree(port))) fail(`Port ${port} is still in use after the stop.`);
  process.exit(code);
}

/** A killed npm cannot tell us to stop; nobody would be left to do it. */
function stopWithNpm() {
  if (process.env["npm_lifecycle_event"] !== "start") return;
  const parent = process.ppid;
  setInterval(() => process.ppid !== parent && void stop(0), 1_000).unref();
}

function welcome() {
  const address = `http://localhost:${port}`;
  const file = shownPath(keyFile(home));
  process.stdout.write(`
Lamina runs on ${address}

  Chat   ${address}/#login=${token}
         (works once, within ten minutes)
  Key    ${file}
  Log    ${shownPath(logFile(home))}

Try it:

  curl -s ${address}/v1/instructions \\
    -H "authorization: Bearer $(cat ${file})" -H "content-type: application/json" \\
    -d '{"input": "Remember that the workshop is on 3 March in Lisbon.", "stream": false}'

Ctrl-C stops it.
`);
}
