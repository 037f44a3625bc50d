/** Digests: comparison in constant time, and random tokens. SHA-256 is in `shared/sha256.ts`. */
const encoder = new TextEncoder();

const ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/** True when both texts are the same; takes the same time whatever differs. For secrets of equal length, such as digests. */
export function sameSecret(left: string, right: string): boolean {
  const [one, other] = [encoder.encode(left), encoder.encode(right)];
  return one.byteLength === other.byteLength && crypto.subtle.timingSafeEqual(one, other);
}

/** Random letters and digits, unbiased: just under 6 bits each. */
export function randomText(characters: number): string {
  let text = "";
  while (text.length < characters) {
    for (const byte of crypto.getRandomValues(new Uint8Array(characters))) {
      if (byte < 248 && text.length < characters) text += ALPHABET.charAt(byte % 62);
    }
  }
  return text;
}
