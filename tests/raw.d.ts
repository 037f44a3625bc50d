/** Texts that tests import as they are. */
declare module "*?raw" {
  const text: string;
  export default text;
}
