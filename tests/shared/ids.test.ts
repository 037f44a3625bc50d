/** Ids: what each alphabet takes, and that composed names read back. */
import { describe, expect, it } from "vitest";
import {
  composePageHandle,
  composeRunId,
  INIT_PROCESS,
  makeUlid,
  pageNumber,
  parsePageHandle,
  parseProcessObjectName,
  parseRunId,
} from "#shared/ids.ts";

describe("ids", () => {
  it("reads a composed run id back", () => {
    const run = composeRunId(INIT_PROCESS, makeUlid(Date.UTC(2026, 0, 1)));
    expect(parseRunId(run)).toEqual({ run, process: "init" });
    expect(parseRunId(`${run}/x`)).toBeNull();
  });

  it("takes only the canonical form of a handle", () => {
    const handle = composePageHandle(123_456);
    expect(pageNumber(handle)).toBe(123_456);
    const padded = parsePageHandle("p00a");
    expect(padded === null ? null : pageNumber(padded)).toBeNull();
    expect(parsePageHandle("p3f'")).toBeNull();
  });

  it("keeps owners apart in object names", () => {
    expect(parseProcessObjectName("ann/init")).toEqual({ user: "ann", process: "init" });
    expect(parseProcessObjectName("ann/init/x")).toBeNull();
    expect(parseProcessObjectName("ann/../bob")).toBeNull();
  });

  it("sorts ULIDs by time", () => {
    expect(makeUlid(1_000) < makeUlid(2_000)).toBe(true);
  });
});
