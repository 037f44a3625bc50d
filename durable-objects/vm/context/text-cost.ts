/**
 * Text cost: the estimate of `shared/tokens.ts` in quarter tokens, which add up without rounding.
 *
 * A text of cost `4 * n` is estimated at `n` tokens; the costs of two texts add up to the cost of the two joined.
 */
export function textCost(text: string): number {
  let cost = 0;
  for (let index = 0; index < text.length; index += 1) {
    const unit = text.charCodeAt(index);
    if (unit < 128) cost += 1;
    else if (unit < 0xdc00 || unit > 0xdfff) cost += 4;
  }
  return cost;
}
