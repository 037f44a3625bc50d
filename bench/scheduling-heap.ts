/**
 * Scheduling heap: what happens next in virtual time: the earliest first, then the order of insertion.
 */
export interface Timed {
  readonly at: number;
  readonly turn: number;
}

export class Heap<Item extends Timed> {
  readonly #items: Item[] = [];

  peek(): Item | undefined {
    return this.#items[0];
  }

  push(item: Item): void {
    const items = this.#items;
    let place = items.length;
    items.push(item);
    while (place > 0) {
      const parent = (place - 1) >> 1;
      const above = items[parent];
      if (above === undefined || !before(item, above)) break;
      items[place] = above;
      place = parent;
    }
    items[place] = item;
  }

  pop(): Item | undefined {
    const items = this.#items;
    const [first, last] = [items[0], items.pop()];
    if (last === undefined || items.length === 0) return first;
    let place = 0;
    for (;;) {
      let child = 2 * place + 1;
      const [left, right] = [items[child], items[child + 1]];
      if (left === undefined) break;
      let least = left;
      if (right !== undefined && before(right, left)) [least, child] = [right, child + 1];
      if (!before(least, last)) break;
      items[place] = least;
      place = child;
    }
    items[place] = last;
    return first;
  }
}

function before(one: Timed, other: Timed): boolean {
  return one.at < other.at || (one.at === other.at && one.turn < other.turn);
}
