/**
 * Ledger: the account of one user: what each of their processes used, and what they may use. One object per user, named by the
 * user's id. A shell: every method is one call inward.
 */
import { DurableObject } from "cloudflare:workers";

export class Ledger extends DurableObject<Cloudflare.Env> {}
