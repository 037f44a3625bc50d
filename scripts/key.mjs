/**
 * Key: `npm run key`, for a lost local key. Writes a new one to LAMINA_HOME/key.
 *
 * The next start makes the new key valid and the old one worthless, since the server is only told one hash.
 */
import { keyFile, makeKey, openHome, shownPath } from "./home.mjs";
import { lockHolder } from "./lock.mjs";

const home = openHome();
makeKey(home);
process.stdout.write(`A new local key is in ${shownPath(keyFile(home))}.\n`);
process.stdout.write(
  lockHolder(home) === null
    ? "The next npm start makes it valid; the old key is worthless from then on.\n"
    : "The server still knows the old one: stop it and run npm start again.\n",
);
