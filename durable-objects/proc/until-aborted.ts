/**
 * Until aborted: the events of a source up to the moment when nobody wants more of them.
 *
 * It ends when its signal is aborted, also when the source goes on, or hangs, all the same. Whoever leaves early ends the source's
 * work, without waiting for it.
 */
export async function* untilAborted<Event>(events: AsyncIterable<Event>, signal: AbortSignal): AsyncGenerator<Event> {
  const iterator = events[Symbol.asyncIterator]();
  const { promise: aborted, resolve } = Promise.withResolvers<null>();
  const stop = (): void => resolve(null);
  signal.addEventListener("abort", stop, { once: true });
  try {
    for (;;) {
      if (signal.aborted) return;
      const next = await Promise.race([iterator.next(), aborted]);
      if (next === null || next.done === true) return;
      yield next.value;
    }
  } finally {
    signal.removeEventListener("abort", stop);
    // Not waited for: one that hangs never ends.
    void Promise.resolve(iterator.return?.()).catch(() => undefined);
  }
}
