/**
 * Tokens: one estimate of how many tokens a text takes, used wherever no model has reported its usage yet.
 *
 * ASCII counts a quarter token per character, any other character one token: right to about a third for English prose and
 * on the high side for Chinese, so that a budget errs towards too little text.
 */
export function estimateTokens(text: string): number {
  let ascii = 0;
  let other = 0;
  for (let index = 0; index < text.length; index += 1) {
    const unit = text.charCodeAt(index);
    if (unit < 128) ascii += 1;
    else if (unit < 0xdc00 || unit > 0xdfff) other += 1;
  }
  return Math.ceil(ascii / 4) + other;
}

/** UTF-8 bytes of a text. */
export function utf8Bytes(text: string): number {
  return new TextEncoder().encode(text).length;
}
