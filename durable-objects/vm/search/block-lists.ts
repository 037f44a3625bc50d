/**
 * Many lists of 32-bit numbers in a few large arrays: a term's postings, a spelling piece's terms.
 *
 * Use `push(list, value)`, `copy(list, into)` and `remove(list, value)`; the caller numbers the lists from 0, and an empty list
 * costs a few bytes. A list is a chain of blocks that double up to 256 words, so that the many short lists waste little and the
 * few long ones are read almost in a row.
 * What must hold: the order within a list carries no meaning (removing moves the last value into the gap); a freed block is
 * used again; nothing is ever copied as a whole when the lists grow.
 */
const CHUNK_WORDS = 16_384;
const SMALLEST_LOG = 1;
const LARGEST_LOG = 8;
const NOWHERE = 0;

export function grown(size: number, needed: number): number {
  let next = Math.max(16, size);
  while (next < needed) next *= 2;
  return next;
}

export class BlockLists {
  readonly #chunks: Uint32Array[] = [];
  /** Word addresses of freed blocks, by the logarithm of their size. */
  readonly #free: number[][] = Array.from({ length: LARGEST_LOG + 1 }, () => []);
  /** Next unused word; word 0 is no block, so that an address of 0 says "none". */
  #end = 1 << SMALLEST_LOG;
  #first = new Uint32Array(16);
  #last = new Uint32Array(16);
  #length = new Uint32Array(16);
  /** Unused words of the last block, and the logarithm of its size. */
  #room = new Uint16Array(16);
  #lastLog = new Uint8Array(16);

  length(list: number): number {
    return this.#length[list] ?? 0;
  }

  get bytes(): number {
    return this.#chunks.length * CHUNK_WORDS * 4 + this.#first.length * 15;
  }

  push(list: number, value: number): void {
    if (list >= this.#first.length) this.#grow(list + 1);
    let room = this.#room[list] ?? 0;
    if (room === 0) room = this.#appendBlock(list);
    const last = this.#last[list] ?? 0;
    this.#write(last + (1 << (this.#lastLog[list] ?? 0)) - room, value);
    this.#room[list] = room - 1;
    this.#length[list] = (this.#length[list] ?? 0) + 1;
  }

  /** Copies a list to the front of `into`, which must have room for `length(list)` values; answers how many there are. */
  copy(list: number, into: Uint32Array): number {
    const length = this.length(list);
    let address = this.#first[list] ?? NOWHERE;
    let log = SMALLEST_LOG;
    for (let copied = 0; copied < length; log = Math.min(LARGEST_LOG, log + 1)) {
      const chunk = this.#chunkOf(address);
      const offset = address % CHUNK_WORDS;
      const count = Math.min(length - copied, (1 << log) - 1);
      for (let index = 1; index <= count; index += 1) into[copied + index - 1] = chunk[offset + index] ?? 0;
      copied += count;
      address = chunk[offset] ?? NOWHERE;
    }
    return length;
  }

  /** Removes the one value for which `matches` holds; answers whether there was one. */
  remove(list: number, matches: (value: number) => boolean): boolean {
    const length = this.length(list);
    let [address, before, found, seen] = [this.#first[list] ?? NOWHERE, NOWHERE, NOWHERE, 0];
    for (let log = SMALLEST_LOG; ; log = Math.min(LARGEST_LOG, log + 1)) {
      const count = Math.min(length - seen, (1 << log) - 1);
      for (let index = 1; found === NOWHERE && index <= count; index += 1)
        if (matches(this.#read(address + index))) found = address + index;
      seen += count;
      if (seen >= length) break;
      before = address;
      address = this.#read(address);
    }
    if (found === NOWHERE) return false;
    this.#dropLast(list, before, found);
    return true;
  }

  /** Moves the last value into the gap at `found`; `before` is the block before the last, if any. */
  #dropLast(list: number, before: number, found: number): void {
    const last = this.#last[list] ?? NOWHERE;
    const log = this.#lastLog[list] ?? SMALLEST_LOG;
    const room = (this.#room[list] ?? 0) + 1;
    const lastWord = last + (1 << log) - room;
    this.#write(found, this.#read(lastWord));
    this.#write(lastWord, 0);
    this.#length[list] = (this.#length[list] ?? 1) - 1;
    this.#room[list] = room;
    if (room < (1 << log) - 1) return;
    this.#free[log]?.push(last);
    this.#room[list] = 0;
    this.#last[list] = before;
    if (before === NOWHERE) this.#first[list] = NOWHERE;
    else this.#lastLog[list] = this.#logOfBlock(this.#length[list] ?? 0);
  }

  /** The size of the last block of a list whose blocks are all full. */
  #logOfBlock(length: number): number {
    let log = SMALLEST_LOG;
    for (let held = (1 << log) - 1; held < length; held += (1 << log) - 1) log = Math.min(LARGEST_LOG, log + 1);
    return log;
  }

  /** Adds an empty block to a list that has no room; answers the room in it. */
  #appendBlock(list: number): number {
    const last = this.#last[list] ?? NOWHERE;
    const log = last === NOWHERE ? SMALLEST_LOG : Math.min(LARGEST_LOG, (this.#lastLog[list] ?? 0) + 1);
    const size = 1 << log;
    const address = this.#free[log]?.pop() ?? this.#allocate(size);
    this.#write(address, NOWHERE);
    if (last === NOWHERE) this.#first[list] = address;
    else this.#write(last, address);
    this.#last[list] = address;
    this.#lastLog[list] = log;
    return size - 1;
  }

  /** Unused words in a row, never across two chunks. */
  #allocate(size: number): number {
    if ((this.#end % CHUNK_WORDS) + size > CHUNK_WORDS) this.#end += CHUNK_WORDS - (this.#end % CHUNK_WORDS);
    const address = this.#end;
    this.#end += size;
    while (this.#chunks.length * CHUNK_WORDS < this.#end) this.#chunks.push(new Uint32Array(CHUNK_WORDS));
    return address;
  }

  #chunkOf(address: number): Uint32Array {
    const chunk = this.#chunks[Math.floor(address / CHUNK_WORDS)];
    if (chunk === undefined) throw new Error("block lists: an address beyond the chunks");
    return chunk;
  }

  #read(address: number): number {
    return this.#chunkOf(address)[address % CHUNK_WORDS] ?? 0;
  }

  #write(address: number, value: number): void {
    this.#chunkOf(address)[address % CHUNK_WORDS] = value;
  }

  #grow(lists: number): void {
    const size = grown(this.#first.length, lists);
    this.#first = copyOf(this.#first, new Uint32Array(size));
    this.#last = copyOf(this.#last, new Uint32Array(size));
    this.#length = copyOf(this.#length, new Uint32Array(size));
    this.#room = copyOf(this.#room, new Uint16Array(size));
    this.#lastLog = copyOf(this.#lastLog, new Uint8Array(size));
  }
}

function copyOf<Numbers extends Uint8Array | Uint16Array | Uint32Array>(from: Numbers, into: Numbers): Numbers {
  into.set(from);
  return into;
}
