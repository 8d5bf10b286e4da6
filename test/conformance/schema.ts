/** The part of JSON Schema that conformance/schema.json uses; an unknown keyword throws rather than pass. */
export interface Schema {
  readonly [keyword: string]: unknown;
}

type Check = (value: unknown, keyword: never, schema: Schema, root: Schema) => string[];

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

const TYPES: Record<string, (value: unknown) => boolean> = {
  object: isObject,
  array: Array.isArray,
  string: (value) => typeof value === "string",
  number: (value) => typeof value === "number",
  integer: Number.isInteger,
  boolean: (value) => typeof value === "boolean",
};

const CHECKS: Record<string, Check> = {
  type: (value, types: string | string[]) =>
    [types].flat().some((type) => TYPES[type]!(value)) ? [] : [`is no ${[types].flat().join(" or ")}`],
  const: (value, wanted: unknown) => (value === wanted ? [] : [`is not ${wanted}`]),
  enum: (value, choices: unknown[]) => (choices.includes(value) ? [] : [`is none of ${choices.join(", ")}`]),
  minimum: (value, least: number) => ((value as number) >= least ? [] : [`is below ${least}`]),
  minItems: (value, least: number) => ((value as unknown[]).length >= least ? [] : ["is too short"]),
  pattern: (value, pattern: string) => (new RegExp(pattern).test(String(value)) ? [] : [`is not ${pattern}`]),
  required: (value, names: string[]) =>
    names.filter((name) => !(name in (value as object))).map((name) => `lacks ${name}`),
  properties: (value, parts: Record<string, Schema>, _, root) =>
    Object.entries(parts).flatMap(([name, part]) =>
      isObject(value) && name in value ? at(name, validate(value[name], part, root)) : [],
    ),
  additionalProperties: (value, part: Schema | false, { properties = {} }, root) =>
    Object.entries(value as object)
      .filter(([name]) => !(name in (properties as object)))
      .flatMap(([name, item]) =>
        part === false ? [`must not have ${name}`] : at(name, validate(item, part, root)),
      ),
  propertyNames: (value, part: Schema, _, root) =>
    Object.keys(value as object).flatMap((name) => at(name, validate(name, part, root))),
  items: (value, part: Schema, _, root) =>
    (value as unknown[]).flatMap((item, n) => at(String(n), validate(item, part, root))),
  anyOf: (value, parts: Schema[], _, root) =>
    parts.some((part) => validate(value, part, root).length === 0) ? [] : ["is none of what it may be"],
  oneOf: (value, parts: Schema[], _, root) =>
    parts.filter((part) => validate(value, part, root).length === 0).length === 1
      ? []
      : ["is not exactly one of what it may be"],
  $ref: (value, place: string, _, root) => validate(value, definition(root, place), root),
  $schema: () => [],
  title: () => [],
  $defs: () => [],
};

const at = (name: string, problems: string[]) => problems.map((problem) => `${name} ${problem}`);

function definition(root: Schema, place: string): Schema {
  const found = (root.$defs as Record<string, Schema>)[place.replace("#/$defs/", "")];
  if (!found) throw new Error(`no ${place} in the schema`);
  return found;
}

/** What is wrong with a value, one line each. */
export function validate(value: unknown, schema: Schema, root: Schema = schema): string[] {
  const { type } = schema;
  // A value of the wrong type has one problem, not one for every keyword.
  if (type && CHECKS.type!(value, type as never, schema, root).length > 0) {
    return CHECKS.type!(value, type as never, schema, root);
  }
  return Object.entries(schema).flatMap(([keyword, wanted]) => {
    const check = CHECKS[keyword];
    if (!check) throw new Error(`unknown keyword ${keyword}`);
    return check(value, wanted as never, schema, root);
  });
}
