/**
 * Ports: is one free on loopback?
 *
 * Both a bind and a connection are tried: on some systems a bind to 127.0.0.1 succeeds beside a listener on all addresses,
 * and `localhost` may mean ::1, where a stranger would answer our one-time link.
 */
import { connect, createServer } from "node:net";

/** True when nothing listens on the port at 127.0.0.1 or ::1 and it can be bound. */
export async function portFree(/** @type {number} */ port) {
  const answers = await Promise.all([answersAt("127.0.0.1", port), answersAt("::1", port)]);
  return !answers.includes(true) && (await canBind(port));
}

/** @returns {Promise<boolean>} */
function answersAt(/** @type {string} */ host, /** @type {number} */ port) {
  return new Promise((resolve) => {
    const socket = connect({ host, port });
    const settle = (/** @type {boolean} */ answered) => {
      socket.destroy();
      resolve(answered);
    };
    socket.setTimeout(500, () => settle(false));
    socket.once("connect", () => settle(true));
    socket.once("error", () => settle(false));
  });
}

/** @returns {Promise<boolean>} */
function canBind(/** @type {number} */ port) {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", () => resolve(false));
    server.listen(port, "127.0.0.1", () => server.close(() => resolve(true)));
  });
}

/** A port that was free a moment ago; for tests. @returns {Promise<number>} */
export function someFreePort() {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      server.close(() =>
        address !== null && typeof address === "object" ? resolve(address.port) : reject(new Error("no port")),
      );
    });
  });
}
