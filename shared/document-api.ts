/**
 * Document API: the part of the process's face to the edge that is about documents (see `abi.ts`).
 */
import type { Caller, Page } from "#shared/abi.ts";
import type { DocumentId } from "#shared/ids.ts";
import type { Result } from "#shared/result.ts";
import type {
  DocumentBatch,
  DocumentForgotten,
  DocumentProgress,
  DocumentView,
  NewDocument,
} from "#shared/schema/documents.ts";

export interface DocumentApi {
  /** Opens a document, or answers the one that this key opened. */
  openDocument(caller: Caller, key: string, document: NewDocument): Promise<Result<DocumentProgress>>;
  documentProgress(caller: Caller, document: DocumentId): Promise<Result<DocumentProgress>>;
  /** Takes pages of a document, all or nothing; a batch that comes again changes nothing. */
  appendDocument(caller: Caller, document: DocumentId, batch: DocumentBatch): Promise<Result<DocumentView>>;
  readDocument(caller: Caller, document: DocumentId): Promise<Result<DocumentView>>;
  documents(caller: Caller, limit: number, cursor?: string): Promise<Result<Page<DocumentView>>>;
  forgetDocument(caller: Caller, document: DocumentId): Promise<Result<DocumentForgotten>>;
}
