/**
 * Words that English writes with a capital and that have a word of their own in the other languages: a translator
 * translates them. They are those of the corpora's training rows whose translations repeat them less often than not, and
 * countries. Every other capitalised word is a name, and copied.
 */
const TRANSLATED = `
I I'm I'd I'll I've II III OK TV ID UFO UFOs ATM ATMs DNA AIDS CEO VIP USA UK UN EU US GPS FAQ AD BC AC VCR CV MRI LA IRS
Mr Mrs Ms Miss Dr Prof Sir Madam Mt St God Lord Jesus Christ Santa Claus Bible Koran Christmas Christmases Easter
Thanksgiving Halloween Valentine Passover Ramadan Eve Mom Mum Mommy Mummy Dad Daddy Grandma Grandpa Mother Father Uncle
Aunt Doctor Professor President Queen King Prince Princess Emperor Pope Congress Parliament Senate Constitution Embassy
Internet Earth Moon Sun Mars Venus Jupiter Saturn Neptune Mercury Pluto Esperanto Coke Olympics Olympic Buddhism
Christianity Islam Judaism Buddhist Buddhists Christian Christians Catholic Catholics Muslim Muslims Jew Jews Jewish
Hindu Mormon Mormons Republican Republicans Democrat Democrats Democratic Socialist Communist Protestant
Monday Tuesday Wednesday Thursday Friday Saturday Sunday Mondays Tuesdays Wednesdays Thursdays Fridays Saturdays Sundays
January February March April May June July August September October November December
North South East West Northern Southern Eastern Western Central Arctic Antarctic Antarctica Pacific Atlantic Mediterranean
Caribbean Gulf Bay Channel Canal Islands Alps Himalayas Andes Carpathians Danube Rhine Nile Thames Amazon Baltic
Africa African Africans America American Americans Americas Asia Asian Asians Europe European Europeans Oceania
Afghanistan Albania Algeria Argentina Argentinian Arab Arabs Arabia Arabic Armenia Australia Australian Australians
Austria Austrian Austrians Bavaria Belarus Belgium Belgian Belgians Bolivia Bosnia Brazil Brazilian Brazilians Britain
British Bulgaria Bulgarian Burma California Cambodia Cameroon Canada Canadian Canadians Catalan Chile Chilean China
Chinese Colombia Colombian Croatia Croatian Cuba Cuban Cyprus Czech Denmark Danish Danes Dutch Ecuador Egypt Egyptian
Egyptians England English Englishman Englishmen Estonia Ethiopia Ethiopian Finland Finnish Filipino France French
Frenchman Frenchmen Georgia German Germans Germany Germanic Greece Greek Greeks Greenland Haiti Hawaii Hawaiian Hebrew
Holland Hungary Hungarian Iceland Icelandic India Indian Indians Indonesia Indonesian Iran Iranian Iraq Iraqi Ireland
Irish Irishman Israel Israeli Italy Italian Italians Jamaica Japan Japanese Jordan Kenya Korea Korean Koreans Kuwait Latin
Latvia Lebanon Libya Lithuania Luxembourg Malaysia Mandarin Martians Mexico Mexican Mexicans Mongolia Morocco Moroccan
Nepal Netherlands Nigeria Norman Normans Norway Norwegian Norwegians Pakistan Palestine Panama Persian Peru Philippines
Poland Polish Pole Poles Portugal Portuguese Quebec Roman Romans Romania Romanian Romanians Russia Russian Russians Scot
Scotland Scottish Serbia Siberia Sicily Singapore Slovakia Slovenia Soviet Spain Spanish Spaniard Spaniards Sweden Swedish
Swede Swiss Switzerland Syria Syrian Taiwan Texas Texan Thai Thailand Tunisia Turk Turks Turkey Turkish Ukraine Ukrainian
Venezuela Vietnam Vietnamese Viking Vikings Wales Welsh Zealand United States Kingdom Nations Republic Union Federal Civil
War World Great Prime Minister Milky Way Dipper Liberty Tower Bridge Palace Museum Street Avenue Road Park Square Station
Airport University School College Hospital Hotel Church Mount Lake River Sea Ocean New Year Year's Happy Merry Noah's Ark
Victorian Cinderella Confederate Buddha Bud Magellan Caesar Confucius Aristotle Plato Socrates Napoleon`;

const words = new Set(TRANSLATED.trim().split(/\s+/));

/** Whether a capitalised word is one that translations have a word of their own for. */
export function isTranslated(word: string): boolean {
  return words.has(word);
}
