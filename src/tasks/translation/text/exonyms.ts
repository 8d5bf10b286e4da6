/** Cities that French, German or Spanish call otherwise than English does: English, French, German, Spanish. */
import type { TargetLanguage } from "./language.ts";

const TABLE = `
Alexandria Alexandrie Alexandria Alejandría
Algiers Alger Algier Argel
Antwerp Anvers Antwerpen Amberes
Athens Athènes Athen Atenas
Barcelona Barcelone Barcelona Barcelona
Basel Bâle Basel Basilea
Beijing Pékin Peking Pekín
Belgrade Belgrade Belgrad Belgrado
Berlin Berlin Berlin Berlín
Bern Berne Bern Berna
Bordeaux Bordeaux Bordeaux Burdeos
Bruges Bruges Brügge Brujas
Brussels Bruxelles Brüssel Bruselas
Bucharest Bucarest Bukarest Bucarest
Cairo Le_Caire Kairo El_Cairo
Cape_Town Le_Cap Kapstadt Ciudad_del_Cabo
Cologne Cologne Köln Colonia
Copenhagen Copenhague Kopenhagen Copenhague
Damascus Damas Damaskus Damasco
Dresden Dresde Dresden Dresde
Dublin Dublin Dublin Dublín
Edinburgh Édimbourg Edinburgh Edimburgo
Florence Florence Florenz Florencia
Frankfurt Francfort Frankfurt Fráncfort
Geneva Genève Genf Ginebra
Genoa Gênes Genua Génova
Hamburg Hambourg Hamburg Hamburgo
Havana La_Havane Havanna La_Habana
Istanbul Istanbul Istanbul Estambul
Jerusalem Jérusalem Istanbul Istanbul Istanbul Estambul
Jerusalem Jerusalén
Kyoto Kyoto Kyoto Kioto
Kyiv Kiev Kiew Kiev
Krakow Cracovie Krakau Cracovia
Lisbon Lisbonne Lissabon Lisboa
London Londres London Londres
Los_Angeles Los_Angeles Los_Angeles Los_Ángeles
Lyon Lyon Los_Angeles Los_Angeles Los_Angeles Los_Ángeles
Lyon Lyon
Mexico_City Mexico Mexiko-Stadt Ciudad_de_México
Milan Milan Mailand Milán
Moscow Moscou Moskau Moscú
Munich Munich München Múnich
Naples Naples Neapel Nápoles
New_Orleans La_Nouvelle-Orléans New_Orleans Nueva_Orleans
New_York New_York New_York Nueva_York
New_York_City New_York New_York Nueva_York
Nice Nice Nizza Niza
Paris Paris Paris París
Philadelphia Philadelphie Philadelphia Filadelfia
Prague Prague Prag Praga
Rio_de_Janeiro Rio_de_Janeiro Rio_de_Janeiro Río_de_Janeiro
Rome Rome Rom Roma
Saint_Petersburg Saint-Pétersbourg Sankt_Petersburg San_Petersburgo
Seoul Séoul Seoul Seúl
Seville Séville Sevilla Sevilla
Shanghai Shanghai Schanghai Shanghái
Singapore Singapour Singapur Singapur
Stockholm Stockholm Stockholm Estocolmo
Strasbourg Strasbourg Straßburg Estrasburgo
Tokyo Tokyo Tokio Tokio
Turin Turin Turin Turín
Venice Venise Venedig Venecia
Vienna Vienne Wien Viena
Warsaw Varsovie Warschau Varsovia
Zurich Zurich Zürich Zúrich`;

const COLUMN: Record<TargetLanguage, number> = { fr: 1, de: 2, es: 3 };

const rows = new Map(
  TABLE.trim()
    .split("\n")
    .map((line) => line.split(" ").map((name) => name.replaceAll("_", " ")))
    .map((row) => [row[0]!, row]),
);

/** The English names of the table. */
export const CITIES_WITH_NAMES: readonly string[] = [...rows.keys()];

/** What a language calls a place, or the English name where it has no other. */
export function placeName(english: string, language: TargetLanguage): string {
  return rows.get(english)?.[COLUMN[language]] ?? english;
}
