/** What a JSON text says, or undefined when it is none. The value is unknown until a schema has read it. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
