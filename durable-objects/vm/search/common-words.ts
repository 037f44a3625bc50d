/**
 * Common words: what people say in every conversation, so that it tells nothing about this one. English; as `tokenize` gives it.
 *
 * Stop words are not repeated here. Used where a few words have to stand for a text: topics of a hint, and which of two
 * sentences to keep.
 */
export const COMMON_WORDS: ReadonlySet<string> = new Set(
  `really very just like thing things something anything everything nothing someone anyone everyone people person way ways lot
  lots kind sort good great nice best better awesome amazing wonderful fantastic cool fun happy glad excited exciting sounds
  sound looks look looking see seeing seen know knowing known think thinking thought feel feeling feels felt want wants wanted
  need needs needed love loved loves enjoy enjoyed hope hoping wish thanks thank please sorry sure yes yeah yep no nope oh wow
  hey hi hello bye okay ok well totally definitely absolutely actually maybe perhaps probably still even ever never always
  often sometimes again also too only once now today back going goes went gone gonna get gets getting got gotten make makes
  making made take takes taking took taken come comes coming came keep keeps keeping kept let lets try tries trying tried
  start started starting help helps helping helped use uses using used find finding found give gives giving gave given put
  work works working talk talking talked tell telling hear hearing heard share sharing shared bring brings brought show shows
  time times day days week weeks moment moments new old big little small long short next last first right important special
  different same other others another such own whole every each both few more most less least enough while during through over
  up down out off away around together myself yourself himself herself themselves ourselves guess mean means life world place
  point example following ensure consider provide include includes including based create specific various overall additional
  image photo picture pictures one two three because since though although however where ago yet soon far plus
  remember remind note question questions answer idea ideas stuff bit super pretty quite kinda keep
  可以 我们 你们 他们 这个 那个 一个 什么 没有 就是 还是 因为 所以 但是 如果 觉得 知道 现在 时候 已经 非常 真的 不是 一下 一些 这样 那么 怎么`.split(
    /\s+/,
  ),
);
