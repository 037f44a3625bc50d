/**
 * Document type: what kind of document a content-type names, or why it cannot be read.
 */
import { failure } from "#shared/errors.ts";
import { failed, success, type Result } from "#shared/result.ts";

export const TEXT_TYPES = ["text/markdown", "text/plain", "text/html"] as const;

export type TextType = (typeof TEXT_TYPES)[number];

export type DocumentType = TextType | "application/pdf";

const TYPES: Readonly<Record<string, DocumentType>> = {
  "text/markdown": "text/markdown",
  "text/x-markdown": "text/markdown",
  "text/plain": "text/plain",
  "text/html": "text/html",
  "application/xhtml+xml": "text/html",
  "application/pdf": "application/pdf",
};

/** ASCII is UTF-8. */
const CHARSETS: readonly string[] = ["", "utf-8", "utf8", "us-ascii", "ascii"];

export function documentType(header: string): Result<DocumentType> {
  const [written = "", ...parameters] = header.split(";").map((part) => part.trim());
  const type = TYPES[written.toLowerCase()];
  if (type === undefined) {
    const known = [...new Set(Object.values(TYPES))].join(", ");
    return failed(failure("invalid_request", `The content-type must be one of ${known}.`));
  }
  const charset = parameters.find((parameter) => /^charset=/iu.test(parameter)) ?? "";
  const name = charset.slice("charset=".length).replaceAll('"', "").toLowerCase();
  if (CHARSETS.includes(name)) return success(type);
  return failed(failure("invalid_request", "The document must be sent in UTF-8; convert it first."));
}
