/** The words of a made-up English: what stands in eight places, who is there, and what is done there. */

/** A word in the singular and in the plural. */
export type Forms = readonly [singular: string, plural: string];

export interface Scene {
  readonly agents: readonly Forms[];
  readonly things: readonly Forms[];
  /** What agents do to things. */
  readonly verbs: readonly Forms[];
  readonly adjectives: readonly string[];
}

const list = (text: string): string[] => text.split(" ");
const nouns = (text: string): Forms[] => list(text).map((word) => [word, `${word}s`]);
const verbs = (text: string): Forms[] => list(text).map((word) => [`${word}s`, word]);

const scene = (agents: string, things: string, acts: string, adjectives: string): Scene => ({
  agents: nouns(agents),
  things: nouns(things),
  verbs: verbs(acts),
  adjectives: list(adjectives),
});

/** In every list the first word is the most common, the second half as common, the third a third as common. */
export const SCENES: readonly Scene[] = [
  scene(
    "chef waiter baker guest butler",
    "pot pan plate kettle cake",
    "stir taste bake serve",
    "hot greasy hungry",
  ),
  scene(
    "farmer shepherd rider picker miller",
    "cow fence barn tractor field",
    "feed mend milk tie",
    "muddy wooden stubborn",
  ),
  scene(
    "sailor captain pilot fisher diver",
    "boat rope anchor net crate",
    "haul load moor row",
    "rusty wet heavy",
  ),
  scene(
    "teacher pupil student tutor parent",
    "book pencil desk lesson map",
    "read learn explain forget",
    "clever lazy careful",
  ),
  scene(
    "judge lawyer guard clerk prisoner",
    "law letter cell verdict key",
    "sign study reject quote",
    "guilty strict honest",
  ),
  scene(
    "singer drummer pianist composer dancer",
    "song drum tune flute organ",
    "play hum rehearse perform",
    "loud famous shy",
  ),
  scene(
    "doctor nurse surgeon dentist visitor",
    "bed pill bandage needle wound",
    "clean count order wrap",
    "pale kind sick",
  ),
  scene(
    "king queen knight prince servant",
    "crown sword throne tower shield",
    "steal wear inherit carve",
    "golden noble cruel",
  ),
];

/** What agents do to agents, wherever they are. */
export const SOCIAL: readonly Forms[] = verbs("admire follow praise know call visit ignore greet");
export const DETERMINERS: readonly (readonly string[])[] = [
  list("a the this every"),
  list("some the these many"),
];
export const PREPOSITIONS: readonly string[] = list("near behind beside with");
/** What may stand for the subject of the sentence before. */
export const PRONOUNS: Forms = ["she", "they"];
export const THAT = "that";
