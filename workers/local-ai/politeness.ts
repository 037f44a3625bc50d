/**
 * The question inside its wrapping: greetings before it, "could you please tell me", "do you remember", thanks and smileys after it.
 *
 * Use: `plainQuestion(text)` before a question is read.
 *
 * What must hold: a question without wrapping comes back unchanged; what is left is never empty.
 */
const opening =
  /^(?:(?:hi|hiya|hello|hey|good (?:morning|afternoon|evening)|ok|okay|thanks|thank you|thx|great|cool|nice|well|so|um+|hmm+|sorry|excuse me|quick question|one question|question|please|pls|lamina)\b(?: there| lamina| again)?[\s!,.:;…-]*)+/i;
const asking =
  /^(?:(?:(?:can|could|would|will) you|please|kindly|just|maybe|perhaps|i(?:['’]d| would) like to know|i (?:want|need) to know|i (?:forgot|forget|can['’]?t remember|don['’]?t remember|wonder)|i was wondering|(?:do|did|can) you (?:still |happen to )?(?:know|remember|recall)|(?:tell|remind|show) me(?: again| please| of| about)?|any (?:idea|chance you know))[\s,:]+)+(?=(?:what|which|who|whom|whose|where|when|why|how|if|whether|my|the)\b)/i;
const closing =
  /[\s,]*(?:please|pls|thanks|thank you|thx|again|do you (?:know|remember))?[\s!.]*([?？]*)[\s\p{Extended_Pictographic}\u{fe0f}:;()]*$/iu;

export function plainQuestion(text: string): string {
  if (text.length > 400) return text;
  const bare = text.trim().replace(/^[\s\p{Extended_Pictographic}\u{fe0f}]+/u, "");
  const rest = bare
    .replace(/\b(what|who|where|when|how)s\b(?= )/gi, "$1's")
    .replace(opening, "")
    .replace(asking, "")
    .replace(/^(?:if|whether) (?=\w)/i, "");
  const asked = rest.replace(closing, "$1").trim();
  return asked.length > 3 ? asked : text;
}
