/** From a text with `scoreMod` and `maskMod` to everything that the page shows of them. */
import * as tf from "@tensorflow/tfjs-core";
import type { Program } from "acorn";
import { HeedError } from "../../../src/core/errors.ts";
import { derivative } from "../../../src/core/expression/derivative.ts";
import { Evaluator } from "../../../src/core/expression/evaluate.ts";
import { gathersOf } from "../../../src/core/expression/expression.ts";
import { planBlock } from "../../../src/core/expression/intervals.ts";
import {
  type HostModification,
  hostModification,
  learnedTensors,
  type Modification,
  type ModificationOptions,
} from "../../../src/core/expression/modification.ts";
import { toWgslBody } from "../../../src/core/expression/to-wgsl.ts";
import { compileModified } from "../../../src/core/modified-program.ts";
import type { HostArray } from "../../../src/core/notation.ts";
import { isAllowed, transformScore, unmodifiedScore } from "../../../src/core/program-rows.ts";
import { attention } from "../../../src/ops/attention.ts";
import { withoutTensors } from "../../call/functions.ts";
import { Interpreter, messageOf } from "../../script/interpret.ts";
import { parseScript, ScriptError, startOf } from "../../script/parse.ts";
import { scopeWith } from "../../script/table.ts";
import type { Panel } from "../catalogue/panels.ts";
import { randomGrid } from "../values.ts";
import { codeOf, NAMES } from "./code.ts";
import { constantsOf } from "./constants.ts";
import { mathOf } from "./expression-math.ts";
import type { Formula, ScoreAnswer, ScoreRequest, ScoreSizes } from "./protocol.ts";
import { referenceText } from "./reference-text.ts";

const OP = "attention";
type Functions = ModificationOptions<tf.Tensor>;

/** q, k or v of the example, [1, H, n, D]. */
export function headsOf({ H, D, seed }: ScoreSizes, n: number, stream: number): number[][][][] {
  return [Array.from({ length: H }, (_, h) => randomGrid(seed, stream + 3 * h, n, D))];
}

/**
 * @throws ScriptError with the line · HeedError of the tracer and of attention
 */
export function answerScore({ text, sizes, head, block }: ScoreRequest): ScoreAnswer {
  const program = parseScript(text);
  return withoutTensors(() => {
    const [interpreter, functions] = functionsOf(program);
    return placed(program, interpreter, functions, () => {
      const { T, S, H, D } = sizes;
      const data = {
        queries: headsOf(sizes, T, 0),
        keys: headsOf(sizes, S, 1),
        values: headsOf(sizes, S, 2),
      };
      const [q, k, v] = [data.queries, data.keys, data.values].map((x) => tf.tensor4d(x));
      const shapes = { B: 1, T, S, H, Hkv: H, D, Dv: D };
      const tensors = Object.fromEntries(
        Object.entries(functions.tensors ?? {}).map(([key, x]) => [key, onHost(x)]),
      );
      const host = compileModified<HostArray>(OP, shapes, {
        ...functions,
        tensors,
      } as ModificationOptions<HostArray>);
      const modification = host.modification!;
      const products = (tf.matMul(q!, k!, false, true).arraySync() as number[][][][])[0]![head]!;
      const places = products.map((row, i) => row.map((product, j) => ({ product, i, j })));
      const map = (f: (product: number, i: number, j: number) => number): Panel =>
        places.map((row) => row.map(({ product, i, j }) => f(product, i, j)));
      const slopes = hostModification(modification);
      const result = attention(q as tf.Tensor4D, k as tf.Tensor4D, v as tf.Tensor4D, {
        ...functions,
        weights: true,
      });
      const shown = { weights: result.weights.arraySync(), output: result.output.arraySync() };
      return {
        constants: constantsOf(text, program),
        formulas: formulasOf(modification),
        scores: map((product, i, j) => unmodifiedScore(host, product, 0, head, i, j)),
        changed: map((product, i, j) =>
          isAllowed(host, 0, head, i, j)
            ? transformScore(host, product, 0, head, i, j)
            : Number.NEGATIVE_INFINITY,
        ),
        slopes:
          modification.score &&
          map((product, i, j) => slopeAt(slopes, unmodifiedScore(host, product, 0, head, i, j), head, i, j)),
        weights: shown.weights[0]![head]!,
        output: shown.output[0]![head]!,
        blocks: blocksOf(modification, sizes, head, block),
        wgsl: wgslOf(modification),
        reference: referenceText([
          ...(modification.score ? [["scoreMod", modification.score] as const] : []),
          ...(modification.mask ? [["maskMod", modification.mask] as const] : []),
        ]),
        code: codeOf(text, data, functions),
        shown,
      };
    });
  });
}

const onHost = (x: tf.Tensor): HostArray =>
  ({ shape: x.shape, dtype: x.dtype, values: x.dataSync() }) as HostArray;

const slopeAt = (host: HostModification, score: number, h: number, q: number, k: number) =>
  host.slope({ score, b: 0, h, q, k }, 0, {});

/** Runs the text; its functions are what it declares as `scoreMod`, `maskMod` and `tensors`. */
function functionsOf(program: Program): [Interpreter, Functions] {
  const interpreter = new Interpreter();
  const scope = scopeWith({});
  interpreter.run(program.body, scope);
  const taken = NAMES.find((name) => scope.own.includes(name));
  if (taken)
    throw new ScriptError(
      `${taken} is a name of the program that this becomes; take another one.`,
      startOf(program),
    );
  const option = (name: string) => (scope.own.includes(name) ? { [name]: scope.read(name) } : {});
  const functions = { ...option("scoreMod"), ...option("maskMod"), ...option("tensors") } as Functions;
  if (!functions.scoreMod && !functions.maskMod)
    throw new ScriptError(
      "Write const scoreMod = (score, { b, h, q, k }, tensors) => …, or const maskMod.",
      startOf(program),
    );
  return [interpreter, functions];
}

/** Errors of the functions with the line that failed; of what they answer, with the line on which they begin. */
function placed<X>(program: Program, interpreter: Interpreter, functions: Functions, work: () => X): X {
  try {
    return work();
  } catch (error) {
    if (interpreter.failure) throw interpreter.failure;
    if (!(error instanceof HeedError)) throw error;
    const option = String(error.details.name ?? (functions.scoreMod ? "scoreMod" : "maskMod"));
    const declared = program.body
      .flatMap((one) => (one.type === "VariableDeclaration" ? one.declarations : []))
      .find(({ id }) => id.type === "Identifier" && id.name === option.split(".")[0]);
    throw new ScriptError(messageOf(error), startOf(declared ?? program));
  }
}

function formulasOf(modification: Modification): Formula[] {
  const { nodes, score, mask } = modification;
  const slope = (leaf: Parameters<typeof derivative>[2]) => mathOf(derivative(nodes, score!, leaf));
  const learned = score
    ? gathersOf([score]).filter(({ name }) => learnedTensors(modification).includes(name))
    : [];
  return [
    ...(score ? [{ title: "score′, what the softmax sees", source: `"score′" = ${mathOf(score)}` }] : []),
    ...(mask
      ? [{ title: "visible, where a query may attend to a key", source: `"visible" = ${mathOf(mask)}` }]
      : []),
    ...(score
      ? [
          {
            title: "its derivative by the score",
            source: `\\frac{∂"score′"}{∂score} = ${slope(nodes.variable("score"))}`,
          },
        ]
      : []),
    ...learned.map((gather) => ({
      title: `its derivative by ${gather.name}`,
      source: `\\frac{∂"score′"}{∂{${mathOf(gather)}}} = ${slope(gather)}`,
    })),
  ];
}

function blocksOf(
  modification: Modification<HostArray>,
  { T, S }: ScoreSizes,
  h: number,
  block: number,
): Panel {
  const { nodes, mask, score, tensors } = modification;
  const { visible, full } = planBlock(nodes, { ...(mask && { mask }), ...(score && { score }) });
  const plan = new Evaluator([visible, full], tensors);
  const starts = (n: number) => Array.from({ length: Math.ceil(n / block) }, (_, at) => at * block);
  return starts(T).map((q0) =>
    starts(S).map((k0) => {
      const rows = { q0, q1: Math.min(T, q0 + block) - 1, k0, k1: Math.min(S, k0 + block) - 1 };
      const [isVisible, isFull] = plan.run({ b: 0, h, ...rows });
      return isVisible ? (isFull ? 1 : 0.5) : 0;
    }),
  );
}

/** What a shader has in its loop over a tile: the score, its derivative and the mask share their parts. */
function wgslOf(modification: Modification): string {
  const { nodes, score, mask, tensors } = modification;
  const names = Object.fromEntries(Object.keys(tensors).map((name) => [name, name]));
  const results = [
    ...(score
      ? ([
          ["changed", score],
          ["slope", derivative(nodes, score, nodes.variable("score"))],
        ] as const)
      : []),
    ...(mask ? ([["visible", mask]] as const) : []),
  ];
  const body = toWgslBody(
    results.map(([, root]) => root),
    { tensors },
    { score: "score", b: "b", h: "h", q: "q", k: "k", tensors: names },
  );
  const buffers = Object.keys(tensors).map((name) => `// ${name}: array<f32>, a storage buffer`);
  return [
    ...buffers,
    ...body.statements,
    ...body.results.map((text, n) => `let ${results[n]![0]} = ${text};`),
  ].join("\n");
}
