/**
 * Errors: every failure code has one HTTP status, as the API contract says.
 */
import { describe, expect, it } from "vitest";
import { FAILURE_CODES, failure, failureTitle, httpStatus } from "#shared/errors.ts";

describe("failures", () => {
  it("map to the statuses of the contract", () => {
    expect(Object.fromEntries(FAILURE_CODES.map((code) => [code, httpStatus(code)]))).toEqual({
      invalid_request: 400,
      unauthorized: 401,
      forbidden: 403,
      not_found: 404,
      conflict: 409,
      payload_too_large: 413,
      rate_limited: 429,
      quota_exceeded: 429,
      model_unavailable: 503,
      overloaded: 503,
      internal: 500,
    });
  });

  it("carry a time to retry only when one is given", () => {
    expect(failure("conflict", "No.")).toEqual({ code: "conflict", detail: "No." });
    expect(failure("overloaded", "Later.", 2)).toEqual({ code: "overloaded", detail: "Later.", retryAfter: 2 });
  });

  it("have a title in words", () => {
    expect(FAILURE_CODES.map(failureTitle)).toContain("Payload too large");
    for (const code of FAILURE_CODES) expect(failureTitle(code)).toMatch(/^[A-Z][a-z ]+$/);
  });
});
