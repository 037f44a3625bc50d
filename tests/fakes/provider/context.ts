/**
 * What the global setup of the fake provider tells every test file.
 */
import "vitest";

declare module "vitest" {
  export interface ProvidedContext {
    /** Origin of the fake provider (`server.ts`). */
    readonly provider: string;
  }
}
