/** Towns and the like that need no article in French, German or Spanish: "in Boston" → "à Boston", "in Boston", "en Boston". */
import { CITIES_WITH_NAMES } from "./exonyms.ts";

const COPIED = `
Aberdeen Abuja Accra Adelaide Alicante Amman Amsterdam Anchorage Ankara Atlanta Auckland Austin Baltimore Bangalore Bangkok
Bath Belfast Berkeley Bilbao Birmingham Bologna Bonn Boston Bratislava Bremen Brighton Brisbane Bristol Brooklyn Budapest
Buenos_Aires Buffalo Calgary Cambridge Canberra Cardiff Casablanca Charlotte Chennai Chicago Cincinnati Cleveland 
Dakar Dallas Delhi New_Delhi Denver Detroit Doha Dortmund Dubai Düsseldorf Essen Fukuoka Gibraltar Glasgow Granada Grenoble
Hanoi Heidelberg Helsinki Hiroshima Ho_Chi_Minh_City Hollywood Hong_Kong Honolulu Houston Indianapolis Innsbruck 
Jakarta Johannesburg Kabul Karachi Kathmandu Kobe Kolkata Kuala_Lumpur Lagos Lahore Las_Vegas Leeds Leipzig Lima
Linz Liverpool Madrid Malaga Malmö Manchester Manhattan Manila Marseille Melbourne Memphis Miami Milwaukee
Minneapolis Monaco Montevideo Montpellier Montreal Mumbai Nagasaki Nagoya Nairobi Nantes Nara Nashville Newcastle Oakland
Orlando Osaka Oslo Ottawa Oxford Palermo Perth Pisa Pittsburgh Porto Portland Potsdam Rabat Reykjavik Riga 
Rotterdam Sacramento Salzburg San_Antonio San_Diego San_Francisco San_José Santiago São_Paulo Sapporo Sarajevo Seattle
Sendai Shibuya Shinjuku Sofia Southampton Stuttgart Sydney Tampa Tel_Aviv Toronto Toulouse Utrecht Valencia Vancouver
Vladivostok Washington Washington_DC Wellington Yokohama York`;

const places = new Set([
  ...CITIES_WITH_NAMES,
  ...COPIED.trim()
    .split(/\s+/)
    .map((name) => name.replaceAll("_", " ")),
]);

/** The first words of places with several. */
const beginnings = new Set(
  [...places].filter((name) => name.includes(" ")).map((name) => name.split(" ")[0]!),
);

export function isPlace(name: string): boolean {
  return places.has(name);
}

/** Whether a place with several words may begin with this one. */
export function beginsPlace(word: string): boolean {
  return beginnings.has(word);
}

/** "new york" as it is written: the places with several words, whatever the case of their letters. */
const several = new Map(
  [...places].filter((name) => name.includes(" ")).map((name) => [name.toLowerCase(), name]),
);
const SEVERAL = new RegExp(
  `(?<![\\p{L}\\p{M}])(?:${[...several.keys()].join("|")})(?![\\p{L}\\p{M}])`,
  "giu",
);

export function capitalizePlaces(text: string): string {
  return text.replace(SEVERAL, (name) => several.get(name.toLowerCase()) ?? name);
}

/** The places that training may put in a sentence. */
export const PLACES: readonly string[] = [...places];
