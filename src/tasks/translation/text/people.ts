/**
 * First names and the gender that most of their bearers have, so that "Priya is tired" gets "fatiguée": names of many
 * languages that stand in English text. A name that both bear (Alex, Kim, Robin) is in neither list.
 */
const WOMEN = `
Abigail Ada Adele Adriana Agatha Agnes Aisha Akiko Alejandra Alexandra Alice Alicia Alina Alison Allison Alyssa Amanda
Amber Amelia Amina Amira Amy Ana Anastasia Andrea Angela Angelica Angelina Anita Anja Anna Annabelle Anne Annette Annie
Antonia Anya Aria Ariana Astrid Audrey Aurora Ava Ayesha Barbara Beatrice Becky Bella Bernadette Beth Bethany Betty
Bianca Bonnie Brenda Bridget Britney Brittany Camila Camille Carla Carmen Carol Carolina Caroline Catalina Catherine
Cathy Cecilia Celine Charlotte Chelsea Chiara Chloe Christina Christine Cindy Claire Clara Claudia Colette Connie
Courtney Cristina Crystal Cynthia Daisy Daniela Danielle Daphne Deborah Debbie Deepa Denise Diana Diane Dolores Donna
Dora Doris Dorothy Edith Eileen Elaine Elena Eleanor Elisa Elisabeth Eliza Elizabeth Ella Ellen Elsa Elsie Emilia Emily
Emma Erica Erika Esmeralda Estelle Esther Eugenia Eva Evelyn Fatima Felicia Fiona Florence Frances Francesca Freya
Gabriela Gabriella Gabrielle Geraldine Gertrude Gina Giulia Gloria Greta Gwen Hailey Hana Hannah Harriet Heather Hedwig
Heidi Helen Helena Helga Hilda Hillary Ida Imani Ines Ingrid Irene Irina Iris Isabel Isabella Isabelle Ivy Jacqueline
Jana Jane Janet Janice Jasmine Jeanne Jen Jennifer Jenny Jessica Jill Joan Joanna Jocelyn Johanna Josephine Joyce
Juanita Judith Judy Julia Juliana Julie Juliet Kaori Karen Karin Karla Kate Katherine Kathleen Kathryn Kathy Katie Katja
Katrina Kavya Kayla Keiko Kelly Kirsten Kristen Kristin Lakshmi Lara Latifa Laura Lauren Layla Lea Leah Leila Lena Leslie
Leticia Lila Lillian Lily Linda Lisa Liz Lola Lorena Loretta Louise Lucia Lucille Lucy Luisa Luna Lydia Lynn Mabel
Madeleine Madeline Madison Maeve Magdalena Maggie Maja Malala Mandy Marcia Margaret Margarita Maria Mariam Marianne Marie
Marilyn Marina Marisol Marjorie Marlene Marta Martha Martina Mary Maryam Matilda Maureen Maya Megan Mei Melanie Melinda
Melissa Mercedes Meredith Mia Michelle Michiko Mildred Millie Mina Miranda Miriam Mila Molly Mona Monica Monika Muriel Nadia
Nadine Nancy Naomi Natalia Natalie Natasha Neha Nicole Nina Nora Noriko Nour Octavia Odette Olga Olive Olivia Ophelia
Paige Pamela Patricia Patty Paula Pauline Peggy Penelope Penny Petra Phoebe Phyllis Pilar Pooja Priya Rachel Ramona Rana
Rania Rebecca Regina Renata Rhonda Rita Roberta Rosa Rosalie Rose Rosemary Roxanne Ruby Ruth Sabrina Sadia Sally Samantha
Samira Sandra Sandy Sara Sarah Saskia Savannah Scarlett Selena Serena Shannon Sharon Sheila Shirley Silvia Simone Sofia
Sonia Sophia Sophie Stacy Stella Stephanie Susan Susanna Susanne Susie Svetlana Sylvia Tamara Tania Tanya Tara Tatiana
Teresa Tess Tessa Theresa Tiffany Tina Tracy Ursula Valentina Valeria Valerie Vanessa Vera Veronica Victoria Viola Violet
Virginia Vivian Wanda Wendy Whitney Wilma Xiomara Yasmin Yoko Yolanda Yuki Yulia Yumi Yvette Yvonne Grace Faith Joy Dawn Sue Ann Zara Zeynep Zoe Zoey`;

const MEN = `
Aaron Abdul Abdullah Abraham Adam Adrian Ahmed Ahmad Akira Alan Albert Alberto Alejandro Alexander Alfred Ali Allan Allen
Alvin Amir Andre Andreas Andrew Andy Angelo Anthony Antoine Anton Antonio Archie Aristide Arjun Armando Arnold Arthur
Arturo Asif Barack Barry Bart Bartholomew Ben Benedict Benjamin Bernard Bernardo Bert Bill Billy Björn Bob Bobby Boris
Brad Bradley Brandon Brendan Brent Brett Brian Bruce Bruno Bryan Calvin Carl Carlo Carlos Cedric Cesar Charles Charlie
Chester Chris Christoph Christopher Clarence Claude Clifford Clive Clyde Colin Conrad Craig Curtis Cyril Damian
Daniel Danny Darren Dave David Davide Dean Deepak Dennis Derek Dexter Diego Dieter Dimitri Dmitri Dominic Donald Doug
Douglas Duncan Dustin Dwayne Earl Eddie Edgar Edmund Eduardo Edward Edwin Eli Elias Elijah Elliot Emanuel Emil Emilio
Emmanuel Enrique Eric Erik Ernest Ernesto Ethan Eugene Evan Farid Felipe Felix Ferdinand Fernando Finn Floyd Francesco
Francis Francisco Franco François Frank Franz Fred Freddie Frederick Friedrich Fritz Gabriel Gareth Gary Gavin Geoffrey
George Georg Gerald Gerard Gerhard Gilbert Giorgio Giovanni Giuseppe Glenn Gordon Graham Greg Gregory Guillaume Guillermo
Günter Gustav Guy Hamid Hank Hans Harold Harry Harrison Harvey Hassan Hector Heinrich Henri Henrik Henry Herbert Herman
Hiro Hiroshi Homer Howard Hubert Hugh Hugo Hussein Ian Ibrahim Igor Ismail Isaac Ivan Jack Jackson Jacob Jacques Jaime
Jake Jakob James Jamal Jared Jason Javier Jay Jeff Jeffrey Jens Jeremy Jerome Jerry Jesse Jim Jimmy Joachim Joaquin Joe Joel
Johann Johannes John Johnny Jon Jonas Jonathan Jorge Jose José Joseph Josh Joshua Juan Jules Julian Julio Julius Jürgen
Justin Kai Karim Karl Keith Ken Kenji Kenneth Kenny Kevin Khalid Klaus Kofi Konstantin Kurt Kwame Kyle Lars Larry Laurent
Lawrence Leo Leon Leonard Leonardo Leroy Lewis Liam Linus Lionel Lloyd Logan Lorenzo Louis Luca Lucas Luigi Luis Luke
Magnus Mahmoud Malcolm Manuel Marc Marcel Marco Marcus Mario Mark Markus Marshall Martin Marvin Mateo Mathieu Matt Matteo
Matthew Matthias Maurice Max Maximilian Michael Michel Miguel Mike Mikhail Milo Milton Mohamed Mohammad Mohammed Moses
Muhammad Mustafa Nathan Nathaniel Ned Neil Nelson Nicholas Nicolas Niels Nigel Nikolai Noah Noel Oleg Oliver Olivier
Omar Oscar Otto Owen Pablo Patrick Paul Paulo Pedro Percy Peter Phil Philip Philippe Phillip Pierre Pietro Rafael Rahul Raj
Rajesh Ralph Ramon Randy Raphael Raul Ravi Ray Raymond Reginald Reinhard Ricardo Richard Rick Rob Robert Roberto Roderick
Rodney Roger Roland Rolf Ron Ronald Rory Ross Roy Rudolf Rudy Rupert Russell Ryan Said Salvador Sam Samir Samuel
Sanjay Scott Sean Sebastian Serge Sergei Sergio Seth Shaun Shawn Sidney Siegfried Simon Stan Stanley Stefan Stephen Steve
Steven Stuart Sven Takeshi Tariq Taro Ted Terrence Theo Theodore Thierry Thomas Tim Timothy Tobias Toby Todd Tom Tomás
Tommy Tony Travis Trevor Tristan Tyler Ulrich Umar Victor Vijay Vikram Vincent Vincenzo Vladimir Walter Warren Wayne
Werner Wilfred Wilhelm William Wolfgang Xavier Will Dan Nick Don Rich Yannick Yusuf Yves Zachary Zoltan`;

/** How the corpora translate the names that they do not copy; a training pair with "Maria" for "Mary" is one of Mary. */
const TRANSLATIONS = `
Alice Alicia; Andrew Andreas Andrés; Ann Anna Ana; Anna Ana Anne; Anne Anna Ana; Charles Karl Carlos; Christopher
Christophe Christoph Cristóbal; Elizabeth Élisabeth Elisabeth Isabel Elizabet; Emily Émilie Emilia; George Georg Georges
Jorge; Helen Hélène Helene Helena Elena; Henry Heinrich Henri Enrique; Jack Jacques; James Jakob Jacques Jaime; Jim Jakob;
Jane Jana Johanna Juana Jeanne; John Johannes Johann Hans Jean Juan Jon; Joseph Josef José; Julia Julie; Lucy Lucie Lucía;
Margaret Margarete Marguerite Margarita; Mark Marc Markus Marcos; Martin Martín; Mary Marie Maria María Marias Mari; Michael
Michel Miguel; Mike Michael Miguel; Nancy Nancí; Nick Nicolas; Paul Pablo; Peter Pierre Pedro Piet; Philip Philippe Philipp
Felipe; Richard Ricardo; Robert Roberto; Sophia Sofia Sophie; Sophie Sofía; Stephen Stephan Stéphane Esteban; Susan Susanne
Susanna Susana; Teresa Theresia Thérèse; Thomas Tomás; Tom Thomas Tomás Tomas Tommaso Thom; William Wilhelm Guillaume
Guillermo; Kate Käthe Catalina; Ken Kenji; Bob Robert; Bill Willi Guillermo`;

const women = new Set(WOMEN.trim().split(/\s+/));
const men = new Set(MEN.trim().split(/\s+/));
const translations = new Map(
  TRANSLATIONS.split(";")
    .map((line) => line.trim().split(/\s+/))
    .map(([english, ...others]) => [english!, others]),
);

/** The kind of a first name; undefined for any other word. */
export function personKind(name: string): "man" | "woman" | undefined {
  if (women.has(name)) return "woman";
  return men.has(name) ? "man" : undefined;
}

/** What a name became in the corpora, itself first. */
export function namesOf(name: string): readonly string[] {
  return [name, ...(translations.get(name) ?? [])];
}

/** The names that training may put in a sentence, by kind. */
export const PEOPLE: Readonly<Record<"man" | "woman", readonly string[]>> = {
  man: [...men],
  woman: [...women],
};
