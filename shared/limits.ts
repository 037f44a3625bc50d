/**
 * Limits: every constant that bounds something, one per line, with its unit and what it protects.
 *
 * A limit is changed here and nowhere else; `tests/shared/limits.test.ts` and the tests it names hold each edge.
 */

// Edge
export const BODY_BYTES = 1_048_576; // bytes of a request body; protects the Worker's memory
export const INSTRUCTION_BYTES = 65_536; // UTF-8 bytes of one instruction; protects the prompt budget
export const IMPORT_BYTES = 33_554_432; // bytes of one import stream; protects the process's object
export const IMPORT_LINE_BYTES = 262_144; // bytes of one import row; protects the Worker's memory
export const IMPORT_BATCH_ROWS = 200; // rows sent to the process in one call; protects the object's event loop
export const IMPORT_BATCH_BYTES = 524_288; // bytes of rows sent in one call; protects the RPC message
export const DOCUMENT_BYTES = 268_435_456; // bytes of one document over all its requests; protects the object's storage
export const DOCUMENT_PART_BYTES = 67_108_864; // bytes of one request of a document; protects what a broken connection costs
export const DOCUMENT_PDF_BYTES = 16_777_216; // bytes of one PDF, which is read as a whole; protects the Worker's memory
export const DOCUMENT_PDF_PAGES = 5_000; // printed pages of one PDF; protects the Worker's time
export const DOCUMENT_CHUNK_BYTES = 4_096; // bytes of a document that are sliced at a time; protects the size of a batch
export const DOCUMENT_BATCH_PAGES = 64; // pages of a document that make a batch; protects the object's event loop
export const DOCUMENT_BATCH_PAGES_MOST = 1_200; // pages of a batch when they are tiny; protects the same
export const DOCUMENT_BATCH_BYTES = 1_048_576; // bytes of a document after which a batch is sent though it is not full; shows progress
export const DOCUMENT_STATE_CHARACTERS = 262_144; // characters of a reader's state between two requests; protects the object's rows
export const DOCUMENTS = 10_000; // documents of one process; protects its list
export const FORGET_WAIT_MS = 20_000; // milliseconds a reply waits for a document to be deleted; the rest goes on behind it
export const FORGET_BATCH_PAGES = 200; // pages of a document forgotten in one transaction; protects the object's event loop
export const DOCUMENT_TITLE_CHARACTERS = 200; // characters of a document's title or name; protects every page's context line
export const REQUESTS_PER_SECOND = 200; // requests per second and key, sustained; protects one process from one client
export const REQUEST_BURST = 400; // requests a key may send at once; protects the same
export const KEY_CACHE_MS = 60_000; // milliseconds a verified key is trusted without asking D1; the revocation lag
export const KEY_CACHE_ENTRIES = 10_000; // verified keys remembered per isolate; protects its memory
export const SESSION_MS = 2_592_000_000; // milliseconds a browser session lives (30 days)
export const LOGIN_LINK_MS = 600_000; // milliseconds a one-time link to the page can be used
export const LIST_ITEMS = 50; // items of a list when no limit is given
export const LIST_ITEMS_MOST = 500; // items of a list at the most; protects memory and D1
export const SEARCH_RESULTS = 10; // results of a search when no limit is given
export const SEARCH_RESULTS_MOST = 100; // results of a search at the most
export const QUERY_CHARACTERS = 4_096; // characters of a search query; protects the index scan
export const REPLY_WAIT_MS = 60_000; // milliseconds a non-streaming reply waits before it answers 202
export const SSE_KEEP_ALIVE_MS = 15_000; // milliseconds between comments on an idle stream; keeps proxies from closing it
export const JSON_DEPTH = 32; // levels of nesting a JSON schema or argument may have; protects recursive readers
export const DISCARDED_BYTES = 33_554_432; // bytes of a body that are read and thrown away after its reply; lets a client read the reply
export const MODEL_LIST_MS = 300_000; // milliseconds the list of models is kept; protects the provider
export const MODEL_LIST_WAIT_MS = 10_000; // milliseconds providers may take to list their models; protects whoever waits for the first list
export const MODEL_LIST_RETRY_MS = 30_000; // milliseconds before a list that failed, or whose reader died, is asked for again
export const MODEL_CARDS = 2_000; // models of one provider's list that are kept; protects the row and the isolate's memory
export const TRAP_ATTEMPTS = 3; // tries of one call into a process; protects against a restart in mid-call
export const IDEMPOTENCY_KEY_CHARACTERS = 255; // characters of an Idempotency-Key

// Runs
export const THREAD_QUEUE = 32; // instructions waiting in one thread; then `overloaded`
export const RUNS_LIVE = 64; // runs queued or running in one process; then `overloaded`
export const RUN_STEPS = 16; // inferences of one run; stops a model that never answers
export const RUN_RECOVERIES = 3; // times a run is taken up again after its object died; stops a run that kills it
export const RUN_MS = 900_000; // milliseconds a run may take; protects the pool
export const VERIFY_REASKS = 1; // times an unsupported answer is asked again
export const IDEMPOTENCY_MS = 86_400_000; // milliseconds an idempotency key is remembered (24 h)
export const EVENTS_MS = 86_400_000; // milliseconds a finished run's event chunks are kept (24 h)
export const HEARTBEAT_MS = 30_000; // milliseconds between alarms while a run is live; keeps the object from eviction
export const INFER_ATTEMPTS = 3; // tries of one inference by one model whose failure can pass
export const INFER_ATTEMPTS_MOST = 6; // tries of one inference by all models together; stops a run that no model answers
export const INFERENCE_MS = 300_000; // milliseconds one whole answer of a model may take; stops one that never ends
export const RETRY_MS = 500; // milliseconds before the second try of an inference at the most, doubled for each one after
export const RETRY_MOST_MS = 10_000; // milliseconds before a further try at the most, unless the provider asks for more
export const RETRY_PATIENCE_MS = 60_000; // milliseconds a provider may ask a run to wait; beyond it the run fails, with that time
export const CANCEL_WAIT_MS = 5_000; // milliseconds a cancel waits for the run to end before it answers
export const OUTPUT_CHARACTERS = 262_144; // characters of one model answer; protects the object's rows
export const SYSCALLS_PER_STEP = 16; // system calls of one inference; protects the object
export const SEARCH_CHARACTERS = 262_144; // characters of all pages one memory_search keeps; protects the object's rows
export const SYSCALL_RESULT_CHARACTERS = 24_000; // characters of one system call's result shown to a model
export const TRANSCRIPT_MESSAGES = 2_000; // messages one chat/completions request may carry

// Memory
export const PAGE_BYTES = 16_384; // UTF-8 bytes of one page; far below the 2 MB row that only production enforces
export const SLICE_TOKENS = 400; // tokens of a document at which a new page begins; protects the precision of search
export const SLICE_TOKENS_MOST = 500; // tokens of a page of prose of a document; protects the tail's budget
export const SLICE_TOKENS_WHOLE = 1_000; // tokens up to which code or a table stays on one page; protects the same
export const SLICE_CONTEXT_CHARACTERS = 240; // characters of the headings that a page of a document opens with; protects the same
export const PAGE_NUMBER_GAP = 10_000_000; // page numbers an imported handle may lie beyond the last; protects the counter
export const SESSION_GAP_MS = 21_600_000; // milliseconds between two pages of one session at the most (6 h); keeps strangers from lending words
export const CLAIM_CHARACTERS = 2_000; // characters of a page that is read for claims; protects the object's event loop
export const FORGET_ANSWERS = 50; // imported answers that are compared with a forgotten page; protects the object's event loop
export const FSCK_PAGES = 5_000; // pages one call of a check looks at; protects the object's event loop
export const FSCK_CHUNK = 200; // pages a check compares with D1 at once; protects the object's memory
export const FSCK_FOUND = 500; // divergences one report lists; protects the reply
export const RUNS_PER_PAGE = 500; // runs an exported page names; keeps its row below the line limit
export const CLAIMS_COMPARED = 50; // newest claims of one subject that a new one is compared with; protects the object's event loop
export const PAGES_SUCCEEDED = 8; // pages followed from one page to its successors and predecessors; protects page-in
export const PROVENANCE_PAGES = 2_000; // pages one page may name as what it was made from; protects the object's rows
export const TAGS_PER_PAGE = 16; // tags of one page
export const TAG_CHARACTERS = 64; // characters of one tag
export const SOURCE_CHARACTERS = 512; // characters of a page's source or speaker
export const PAGES_MAPPED = 40; // pages considered for one call by page-in; bounds what may have to come from D1
export const PAGE_IN_WAIT_MS = 3_000; // milliseconds a run waits for page bodies before it goes on with those at hand
export const PAGES_FOLDED = 10; // pages searched beyond those wanted, because facts made from a turn are folded into it
export const TAIL_TOKENS = 2_000; // tokens of fetched pages in one prompt, with what frames them; protects the cost of a call
export const TAIL_POINTERS = 12; // pages found by a search that the tail points to where they stand; protects its room for the others
export const EXCERPT_TOKENS = 500; // tokens of a longer page that the tail shows; protects the other pages of the tail
export const BODY_LOW_TOKENS = 4_000; // tokens of conversation left after a batch eviction, to begin with
export const BODY_LOWEST_TOKENS = 2_000; // tokens below which no lack of faults takes that mark; protects the run of a conversation
export const BODY_HIGHEST_TOKENS = 16_000; // tokens above which no faults take that mark; protects the cost of a call
export const BODY_GROWTH_TOKENS = 200; // tokens a call is expected to add to a conversation, until it was learned
export const WINDOW_TOKENS = 32_768; // tokens of a model's window when neither config nor an overflow told it; protects from overflows
export const ANSWER_TOKENS = 4_096; // tokens of the window kept free for an answer
export const TOKEN_MARGIN_PERCENT = 130; // percent of its estimate a text counts for until the model reported its usage
export const SUMMARY_TOKENS = 400; // tokens of the summary of one evicted range; protects the prompt of whoever reads it
export const RANGE_MESSAGES = 200; // messages one evicted range covers; protects the list of its members
export const STUB_RANGES = 6; // evicted ranges a prompt names; older ones are folded into one
export const STUB_TOKENS = 700; // tokens of the text that names them
export const PREMATURE_CALLS = 20; // calls within which a page that left and is wanted again left too early
export const RESIDENT_TOKENS = 4_000_000; // tokens of page bodies kept in the object; older clean bodies live in D1 only
export const FLUSH_BATCH_PAGES = 200; // pages of one write to D1
export const FLUSH_BATCH_BYTES = 1_000_000; // bytes of one json_each parameter; production allows 2 MB, local more
export const D1_WAIT_MS = 35_000; // milliseconds a query of the memory shard may take; above D1's own 30 s
export const FLUSH_DELAY_MS = 1_000; // milliseconds a page waits for others to be written to D1 with it; protects D1's query rate
export const FLUSH_RETRY_MS = 2_000; // milliseconds before a failed write to D1 is tried again, doubled up to 5 minutes
export const FLUSH_RETRY_MOST_MS = 300_000; // milliseconds between tries of a failing write at the most

// Summaries and sleep
export const SUMMARY_DELAY_MS = 1_000; // milliseconds after an eviction before a model is asked to retell it; lets the run go first
export const SUMMARY_PATIENCE_MS = 60_000; // milliseconds a summary waits at the most for runs to end; protects runs, and summaries from a process that never rests
export const SUMMARY_CALL_MS = 60_000; // milliseconds one call of a summariser may take, its wait for a slot included
export const SUMMARY_ATTEMPTS = 3; // tries of one model summary; then the extractive one stays for good
export const SUMMARY_INPUT_TOKENS = 24_000; // tokens of evicted text in one call of a summariser, whatever its window
export const SUMMARY_WINDOW_TOKENS = 8_192; // tokens of context of a model that does not say how many it takes
export const SUMMARY_CHUNKS = 24; // calls of one summary at the most; what is beyond keeps its extractive part
export const SUMMARY_HALVINGS = 4; // times the input of a call is halved after a model refused it as too large
export const SLEEP_IDLE_MS = 60_000; // milliseconds without a run after which a process consolidates its memory
export const SLEEP_PAUSE_MS = 1_000; // milliseconds between two slices of that work; lets everything else go first
export const SLEEP_SLICE_MS = 250; // milliseconds of one slice; protects the object's event loop
export const SLEEP_PAGES = 50; // pages one slice looks at; protects the same where no clock runs
export const SLEEP_TRIES = 3; // times a page's work is begun by an object that dies of it; then the page is passed over
export const SLEEP_MODEL_TOKENS_MOST = 10_000_000; // tokens a day that a person can let a model take for it
export const SLEEP_MODEL_TURNS = 12; // turns a model reads for facts in one call
export const BREAKER_FAILURES = 3; // failures in a row after which background calls of a model pause
export const BREAKER_MS = 600_000; // milliseconds of the first such pause, doubled each time
export const BREAKER_MOST_MS = 21_600_000; // milliseconds of such a pause at the most (6 h)
export const SUMMARY_TOKENS_MOST = 4_000; // tokens one summary may take, whatever is asked for; keeps it below the bytes of a page

export const QUERY_TERMS = 64; // different terms of a query that are scored, the rarest held ones; protects the index scan
export const SEGMENT_CHARACTERS = 1_000_000; // characters of index entries that are packed into one segment; what a cold start reads entry by entry
export const SEGMENT_BYTES = 900_000; // bytes of one index segment unless it is one page; far below the 2 MB row that only production enforces
export const TERM_CHARACTERS = 64; // characters of one indexed word; protects the index's memory
export const REFERENCE_RUNS = 4_096; // runs whose page references are kept for the replay; protects the object's size
export const REFERENCES_PER_RUN = 2_048; // page references noted of one run; protects the object's rows

// Latent space and enumeration
export const LATENT_PAGES = 48; // pages from which a process has a latent space; fewer teach nothing
export const LATENT_ROWS = 4_096; // pages sampled to learn a space; protects the object's memory and time
export const LATENT_TERMS = 16_384; // words of a space, the most common ones; protects the same
export const LATENT_STEP = 1_000_000; // multiply-adds between two pauses of a rebuild; protects the object's event loop
export const LATENT_PLACED_AT_ONCE = 8_192; // pages that a cold object places in its space before the first search; more wait for idle time
export const LATENT_SLOTS_AT_ONCE = 16_384; // pages placed in a space at once; protects the object's memory
export const LATENT_TERMS_PER_ROW = 2_048; // words of one stored row, below 400 KB; protects the row limit
export const EMBED_BATCH_PAGES = 32; // pages sent to an embedding model at once; protects the object's event loop
export const EMBED_CHARACTERS = 6_000; // characters of a page that a model embeds or reranks; models read no more
export const EMBED_DELAY_MS = 5_000; // milliseconds a page waits for others to be embedded with it
export const EMBED_WAIT_MS = 800; // milliseconds a search waits for an embedding model; then it is by words alone
export const EMBED_CANDIDATES = 200; // pages rescored by their whole vectors after the sketches; protects the object's reads
export const RERANK_PAGES = 50; // pages a reranker is shown
export const LATENT_GROWTH_PERCENT = 25; // percent more pages than a space was learned for, before it is learned anew
export const LATENT_IDLE_MS = 20_000; // milliseconds after the last write before a space is rebuilt; lets writes go first
export const ENUMERATED_PAGES = 160; // pages considered for a walk along time
export const WALK_TOKENS = 3_000; // tokens of the list in the tail when a question asks for a walk along time
export const ENUMERATED_WORDS_TOKENS = 24; // tokens of a page's words in such a walk

// Pool
export const POOL_ATTEMPTS = 3; // times a run asks a pool that does not answer
export const POOL_SLOTS = 256; // concurrent inferences of one model until the provider says less
export const POOL_QUEUE = 4_096; // inferences waiting for one model; then `overloaded`
export const POOL_WAIT_MS = 120_000; // milliseconds an inference waits for a slot; then `overloaded`
export const POOL_WAIT_BATCH_MS = 840_000; // the same of one in the background; longer than it takes to age, so that it is served before
export const POOL_SHARDS_MOST = 1_024; // objects one model's pool may be made of; protects whoever asks all of them
export const POOL_STORED_ENDS = 64; // ended calls after which a pool stores what it learned; what a crash of it costs
export const POOL_STORED_MS = 10_000; // milliseconds after which the same is stored though fewer ended
export const RESERVED_PART = 16; // the part of the slots that only interactive inferences get: one in so many
export const RESERVED_SLOTS_FROM = 4; // slots from which on at least one is reserved for them
export const BUCKET_MS = 10_000; // milliseconds of a rate that may be used at once; protects the rate a provider counts per minute
export const RATE_PATIENCE_MS = 30_000; // milliseconds a call that waits for tokens lets higher bands pass; bounds the wait of a large one
export const DECREASE_MS = 1_000; // milliseconds between two halvings of a pool's slots; a provider's one refusal of many calls counts once
export const FAILED_RUN = 3; // failed calls in a row after which each takes slots away; one alone says nothing
export const PACE_PAUSE_MS = 1_000; // milliseconds a pool waits when its only slot is throttled and nobody said how long, doubled each time
export const PACE_PAUSE_MOST_MS = 60_000; // milliseconds of such a wait at the most
export const RETRY_AFTER_MOST_MS = 300_000; // milliseconds of a provider's Retry-After that a pool waits at the most
export const PROBE_MS = 1_000; // milliseconds after which the first call after a pause counts as let in; a refusal comes sooner
export const RAMP_MS = 500; // milliseconds in which the starts after a pause double; protects the provider from a stampede
export const AGED_MS = 60_000; // milliseconds after which a waiting inference of a run is overdue and served on the ageing lane
export const AGED_BATCH_MS = 600_000; // the same of one in the background
export const LANE_TURNS = 8; // served inferences that earn the ageing lane one; keeps a long line from turning into first come, first served
export const USER_SERVICE_HALF_MS = 60_000; // milliseconds in which the service a user had counts half; bounds what is held against one
export const PROGRAM_IDLE_MS = 900_000; // milliseconds without an inference after which a pool forgets a program; protects its memory from crashed runs
export const PROGRAMS_KNOWN = 16_384; // programs a pool knows; protects its memory
export const LEARNED_PROGRAMS = 4_096; // ended programs of one class after which what was learned of them counts half; keeps the newer half the heavier
export const LEARNED_CALLS = 65_536; // ended calls after which the mean call learned from them counts half; the same
export const SNAPSHOT_PROGRAMS = 256; // programs of a policy's snapshot, the ones touched last; keeps it below 100 KB
export const SNAPSHOT_USERS = 256; // users of the same
export const LINGER_MS = 500; // milliseconds an unused slot stays with its process for the next inference; saves two calls each
export const LINGER_PERCENT = 50; // percent of a pool's slots that may be leased while slots may linger; above it every slot goes back at once
export const LINGER_FREE_SLOTS = 4; // slots that must be free besides; protects a small pool, where every slot counts
export const LINGER_CALLS = 256; // calls a lingering slot serves before it goes back; bounds the report
export const LEASE_MS = 120_000; // milliseconds a slot is held without renewal; frees the slot of a crashed holder
export const INFERENCE_SILENCE_MS = 60_000; // milliseconds without a chunk after which a model counts as hung

export const ROUTE_OTHERS = 8; // models that were not chosen, as a trace names them; protects the object's rows

// Pinned memory
export const PINNED_TOKENS = 2_000; // tokens of pinned text in one prompt: blocks, standing instructions, preferences; protects the prompt budget
export const PINNED_LINE_TOKENS = 200; // tokens of one pinned page that are shown; protects the pinned text from one long page
export const PIN_CHANGES = 256; // changes of the pinned text that are remembered for frozen prompts; protects the object's rows
export const STANDING_COMPARED = 400; // newest recognised pages that a new one is held against, besides pinned and unpinned ones; protects the object's event loop
export const BLOCKS = 32; // blocks of one process; protects the prompt budget
export const BLOCK_CHARACTERS = 2_000; // characters (code points) of a block's value when no limit is given
export const BLOCK_CHARACTERS_MOST = 8_000; // characters a block's own limit may allow; protects the prompt budget
export const BLOCK_WAIT_MS = 2_000; // milliseconds a process waits for the owner of an attached block; then its last known value counts
export const BLOCK_LABEL_CHARACTERS = 64; // characters of a block's label
export const BLOCK_DESCRIPTION_CHARACTERS = 512; // characters of a block's description
export const STANDING_CHARACTERS = 500; // characters of one recognised standing instruction or preference; a longer sentence is no rule
export const STANDING_PINS = 200; // recognised instructions and preferences that are pinned; protects the making of the prompt
export const STANDING_PER_TEXT = 8; // standing instructions and preferences taken from one text; protects the pins from a pasted list
