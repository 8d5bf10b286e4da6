/** The page's own language: what it runs is what JavaScript runs, and there is no way out of it. */
import path from "node:path";
import * as tf from "@tensorflow/tfjs-core";
import { describe, expect, test } from "vitest";
import { codeOfMechanism } from "../../studio/playground/catalogue/code.ts";
import { panelsOf } from "../../studio/playground/catalogue/panels.ts";
import { attentionScope } from "../../studio/playground/catalogue/scope.ts";
import { Interpreter } from "../../studio/script/interpret.ts";
import { parseScript, ScriptError } from "../../studio/script/parse.ts";
import { drawings } from "../../tools/docs/mechanisms/headers.mjs";
import { apart, type Nested, runCopied } from "../support/copied-code.ts";

const root = path.resolve(import.meta.dirname, "../..");
const run = (text: string) => new Interpreter().run(parseScript(text).body, attentionScope());

describe("a script", () => {
  test("of every mechanism gives what its copied code gives in Node, on heed’s own kernels", () => {
    tf.setBackend("cpu");
    const all = drawings(root);
    expect(all.length).toBeGreaterThan(140);
    const before = tf.memory().numTensors;
    const interpreted = all.map(({ draws }) => {
      tf.engine().startScope();
      const panels = panelsOf(run(draws)) as Nested;
      tf.engine().endScope();
      return panels;
    });
    const programs = all.map(({ draws }) => ({
      code: codeOfMechanism(draws, parseScript(draws)),
      shows: { drawn: "" },
    }));
    const wrong = runCopied(programs).flatMap(({ drawn }, n) => {
      const difference = apart(interpreted[n]!, panelsOf(drawn) as Nested);
      return difference <= 1e-5 ? [] : [{ name: all[n]!.name, difference }];
    });
    expect(wrong).toEqual([]);
    expect(tf.memory().numTensors).toBe(before);
  });

  const closed: [way: string, text: string, message: RegExp][] = [
    ["a function's constructor", "return (() => 1).constructor;", /\.constructor is not offered/],
    ["a method's constructor", 'return [].map.constructor("return 1")();', /\.constructor is not offered/],
    ["an index that is a name", 'return [1]["constructor"];', /\.constructor is not offered/],
    ["a tensor's prototype", "return tf.scalar(1).__proto__;", /__proto__ is not offered/],
    ["a plain object's prototype", "return ({}).__proto__;", /__proto__ is not offered/],
    ["a string's methods", 'return "a".replace;', /\.replace is not offered/],
    ["eval", 'return eval("1");', /eval is not known/],
    ["globalThis", "return globalThis;", /globalThis is not known/],
    ["fetch", 'return fetch("/");', /fetch is not known/],
    ["this", "return this;", /this expression is not offered/],
    ["new", "return new Array(3);", /new expression is not offered/],
    ["import", 'return import("./x.js");', /import expression is not offered/],
    [
      "a function that is none of its own",
      "function f() {}\nreturn f;",
      /function declaration is not offered/,
    ],
    ["assigning to members", "const a = {};\na.b = 1;", /only variables can be assigned/],
    [
      "random numbers that nobody can repeat",
      "return Math.random();",
      /random is not|undefined is no|is no function/,
    ],
    ["a tagged template", "return tf.scalar`1`;", /tagged template expression is not offered/],
    ["a class", "class A {}", /class declaration is not offered/],
    ["a list that does not end", "return Array(1e9);", /a million places/],
    ["a loop that does not end", "for (;;) 1;", /more than 3000000 steps/],
    ["a recursion that does not end", "const f = () => f();\nreturn f();", /stack|recursion/i],
  ];
  test.each(closed)("has no way out: %s", (_, text, message) => {
    let found: unknown;
    try {
      run(text);
    } catch (error) {
      found = error;
    }
    expect(found).toBeInstanceOf(ScriptError);
    expect((found as ScriptError).message).toMatch(message);
  });

  test("keeps the names that it writes: __proto__ is one like others", () => {
    const made = run('return { "__proto__": { a: 1 } };') as object;
    expect(Object.getPrototypeOf(made)).toBe(Object.prototype);
    expect(Object.keys(made)).toEqual(["__proto__"]);
    expect(() => run("const { __proto__: p } = {};\nreturn p;")).toThrow(/__proto__ is not offered/);
  });

  test("says on which line it failed, innermost first", () => {
    expect(() => run("const f = (x) =>\n  tf.matMul(x, x);\nreturn f(tf.ones([2, 3]));")).toThrow(
      expect.objectContaining({ line: 2, column: 2 }),
    );
  });
});
