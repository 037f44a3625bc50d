/**
 * HTML entities: `&eacute;`, `&#233;` and `&#xe9;` as the characters they stand for (WHATWG HTML, 13.2.5.72 on).
 *
 * The names are those of HTML 4 and a few newer ones that pages use; an unknown one stays as it is written.
 */

/** Latin-1 names in the order of their characters, U+00A0 to U+00FF. */
const LATIN =
  "nbsp iexcl cent pound curren yen brvbar sect uml copy ordf laquo not shy reg macr deg plusmn sup2 sup3 acute micro para middot cedil sup1 ordm raquo frac14 frac12 frac34 iquest Agrave Aacute Acirc Atilde Auml Aring AElig Ccedil Egrave Eacute Ecirc Euml Igrave Iacute Icirc Iuml ETH Ntilde Ograve Oacute Ocirc Otilde Ouml times Oslash Ugrave Uacute Ucirc Uuml Yacute THORN szlig agrave aacute acirc atilde auml aring aelig ccedil egrave eacute ecirc euml igrave iacute icirc iuml eth ntilde ograve oacute ocirc otilde ouml divide oslash ugrave uacute ucirc uuml yacute thorn yuml";
const GREEK =
  "Alpha Beta Gamma Delta Epsilon Zeta Eta Theta Iota Kappa Lambda Mu Nu Xi Omicron Pi Rho - Sigma Tau Upsilon Phi Chi Psi Omega - - - - - - - alpha beta gamma delta epsilon zeta eta theta iota kappa lambda mu nu xi omicron pi rho sigmaf sigma tau upsilon phi chi psi omega";
const OTHERS =
  "amp=& lt=< gt=> quot=\" apos=' ensp=\u2002 emsp=\u2003 thinsp=\u2009 zwnj=\u200c zwj=\u200d ndash=– mdash=— lsquo=‘ rsquo=’ sbquo=‚ ldquo=“ rdquo=” bdquo=„ dagger=† Dagger=‡ bull=• hellip=… permil=‰ prime=′ Prime=″ lsaquo=‹ rsaquo=› euro=€ trade=™ larr=← uarr=↑ rarr=→ darr=↓ harr=↔ rArr=⇒ hArr=⇔ forall=∀ part=∂ exist=∃ empty=∅ nabla=∇ isin=∈ notin=∉ ni=∋ prod=∏ sum=∑ minus=− radic=√ infin=∞ and=∧ or=∨ cap=∩ cup=∪ int=∫ there4=∴ sim=∼ cong=≅ asymp=≈ ne=≠ equiv=≡ le=≤ ge=≥ sub=⊂ sup=⊃ sube=⊆ supe=⊇ oplus=⊕ otimes=⊗ perp=⊥ sdot=⋅ loz=◊ OElig=Œ oelig=œ Scaron=Š scaron=š Yuml=Ÿ fnof=ƒ circ=ˆ tilde=˜ hearts=♥ check=✓ star=☆ NewLine=\n Tab=\t";

const NAMED = new Map<string, string>([
  ...inOrder(LATIN, 0xa0),
  ...inOrder(GREEK, 0x391),
  ...OTHERS.split(" ").map((pair): [string, string] => {
    const middle = pair.indexOf("=");
    return [pair.slice(0, middle), pair.slice(middle + 1)];
  }),
]);

function inOrder(names: string, first: number): [string, string][] {
  return names.split(" ").map((name, index) => [name, String.fromCodePoint(first + index)]);
}

const ENTITY = /&(?:#(\d{1,8})|#x([0-9a-f]{1,8})|([a-z][a-z0-9]{1,30}));?/giu;
/** Numbers that pages written for Windows use for its own characters. */
const WINDOWS = "€ ‚ƒ„…†‡ˆ‰Š‹Œ Ž  ‘’“”•–—˜™š›œ žŸ";

export function decodeEntities(text: string): string {
  if (!text.includes("&")) return text;
  return text.replace(ENTITY, (written, decimal?: string, hex?: string, name?: string) => {
    if (name !== undefined) return named(written, name);
    return numbered(decimal === undefined ? Number.parseInt(hex ?? "", 16) : Number(decimal));
  });
}

function named(written: string, name: string): string {
  return NAMED.get(name) ?? NAMED.get(/^(?:AMP|LT|GT|QUOT|COPY|REG)$/u.test(name) ? name.toLowerCase() : "") ?? written;
}

function numbered(code: number): string {
  if (code >= 0x80 && code <= 0x9f) return WINDOWS[code - 0x80] ?? "\ufffd";
  const valid = code > 0 && code <= 0x10ffff && (code < 0xd800 || code > 0xdfff);
  return valid ? String.fromCodePoint(code) : "\ufffd";
}

/** Where a piece of text must be cut so that no entity that may go on in the next piece is cut: its length when none may. */
export function unfinishedEntity(text: string): number {
  const start = text.lastIndexOf("&");
  const open = start >= 0 && text.length - start <= 32 && /^&#?[a-z0-9]*$/iu.test(text.slice(start));
  return open ? start : text.length;
}
