/**
 * Runs a script by walking its tree: constants and variables, arrows, calls, members, operators, ternaries, for and if. There is no
 * `eval`, no `new`, no `this`, no way to the page; what a script can call is what its scope holds.
 */
import type * as acorn from "acorn";
import { HeedError } from "../../src/core/errors.ts";
import { isTraced, memberOf } from "./members.ts";
import { binary, truthOf, unary } from "./operators.ts";
import { ScriptError, startOf } from "./parse.ts";
import { bind, elements, properties } from "./patterns.ts";
import { Scope } from "./scope.ts";

/** After so many steps a script is stopped. */
const MOST_STEPS = 3_000_000;

/** What a statement leads to: nothing, or the value that its function returns. */
type Completion = { readonly value: unknown } | undefined;

export class Interpreter {
  #steps = 0;
  /** The first thing that went wrong; who called the script may have made another error of it. */
  failure: ScriptError | undefined;

  /** Runs statements; gives what `return` gives. */
  run(body: readonly acorn.AnyNode[], scope: Scope): unknown {
    return this.#block(body, scope)?.value;
  }

  #block(body: readonly acorn.AnyNode[], scope: Scope): Completion {
    for (const statement of body) {
      const done = this.#statement(statement, scope);
      if (done) return done;
    }
    return undefined;
  }

  #statement(node: acorn.AnyNode, scope: Scope): Completion {
    switch (node.type) {
      case "VariableDeclaration":
        for (const { id, init } of node.declarations) {
          const value = init ? this.evaluate(init, scope) : undefined;
          this.#at(id, () =>
            bind(id, value, scope, node.kind === "const", (one) => this.evaluate(one, scope)),
          );
        }
        return undefined;
      case "ExpressionStatement": {
        const value = this.evaluate(node.expression, scope);
        if (isTraced(value))
          throw this.#fail(
            node,
            "Nothing reads this traced value; return it, or choose with condition.select(a, b).",
          );
        return undefined;
      }
      case "ReturnStatement":
        return { value: node.argument ? this.evaluate(node.argument, scope) : undefined };
      case "BlockStatement":
        return this.#block(node.body, new Scope(scope));
      case "IfStatement": {
        const test = this.evaluate(node.test, scope);
        const branch = this.#at(node, () => truthOf(test, "if")) ? node.consequent : node.alternate;
        return branch ? this.#statement(branch, scope) : undefined;
      }
      case "ForStatement":
        return this.#for(node, new Scope(scope));
      case "EmptyStatement":
        return undefined;
      default:
        throw this.#fail(
          node,
          `${named(node.type)} is not offered here; write const, arrows and expressions.`,
        );
    }
  }

  #for({ init, test, update, body }: acorn.ForStatement, scope: Scope): Completion {
    if (init?.type === "VariableDeclaration") this.#statement(init, scope);
    else if (init) this.evaluate(init, scope);
    while (!test || this.#at(test, () => truthOf(this.evaluate(test, scope), "for"))) {
      const done = this.#statement(body, scope);
      if (done) return done;
      if (update) this.evaluate(update, scope);
    }
    return undefined;
  }

  /** The value of an expression. @throws ScriptError with the line */
  evaluate(node: acorn.AnyNode, scope: Scope): unknown {
    if (++this.#steps > MOST_STEPS) throw this.#fail(node, `This takes more than ${MOST_STEPS} steps.`);
    return this.#at(node, () => this.#value(node, scope));
  }

  #value(node: acorn.AnyNode, scope: Scope): unknown {
    const of = (one: acorn.AnyNode) => this.evaluate(one, scope);
    switch (node.type) {
      case "Literal":
        if (node.regex || node.bigint)
          throw new TypeError("regular expressions and bigints are not offered here");
        return node.value;
      case "Identifier":
        return node.name === "undefined" ? undefined : scope.read(node.name);
      case "ArrayExpression":
        return elements(node.elements, of);
      case "ObjectExpression":
        return properties(node.properties, of);
      case "ArrowFunctionExpression":
        return this.#arrow(node, scope);
      case "UnaryExpression":
        return unary(node.operator, of(node.argument));
      case "BinaryExpression":
        return binary(node.operator, of(node.left), of(node.right));
      case "LogicalExpression": {
        const left = of(node.left);
        if (node.operator === "??") return left ?? of(node.right);
        return truthOf(left, node.operator) === (node.operator === "&&") ? of(node.right) : left;
      }
      case "ConditionalExpression":
        return truthOf(of(node.test), "?:") ? of(node.consequent) : of(node.alternate);
      case "MemberExpression":
        return memberOf(of(node.object), this.#key(node, scope));
      case "CallExpression":
        return this.#call(node, scope);
      case "AssignmentExpression":
      case "UpdateExpression":
        return this.#assign(node, scope);
      default:
        throw new TypeError(`${named(node.type)} is not offered here`);
    }
  }

  #key({ property, computed }: acorn.MemberExpression, scope: Scope): string | number {
    if (!computed) return (property as acorn.Identifier).name;
    const key = this.evaluate(property, scope);
    if (typeof key === "number" || typeof key === "string") return key;
    throw new TypeError("an index must be a number or a name");
  }

  #call({ callee, arguments: given }: acorn.CallExpression, scope: Scope): unknown {
    const f = this.evaluate(callee, scope);
    if (typeof f !== "function") throw new TypeError(`${textOf(callee)} is no function`);
    return (f as (...args: unknown[]) => unknown)(...elements(given, (one) => this.evaluate(one, scope)));
  }

  #arrow(node: acorn.ArrowFunctionExpression, scope: Scope): unknown {
    if (node.async) throw new TypeError("async is not offered here");
    return (...args: unknown[]) => {
      const own = new Scope(scope);
      const inner = (one: acorn.AnyNode) => this.evaluate(one, own);
      for (const [n, parameter] of node.params.entries()) {
        const isRest = parameter.type === "RestElement";
        const value = isRest ? args.slice(n) : args[n];
        this.#at(parameter, () => bind(isRest ? parameter.argument : parameter, value, own, false, inner));
      }
      return node.body.type === "BlockStatement"
        ? this.run(node.body.body, own)
        : this.evaluate(node.body, own);
    };
  }

  #assign(node: acorn.AssignmentExpression | acorn.UpdateExpression, scope: Scope): unknown {
    const target = node.type === "UpdateExpression" ? node.argument : node.left;
    if (target.type !== "Identifier") throw new TypeError("only variables can be assigned to");
    const operator = node.operator.slice(0, -1);
    const by = node.type === "UpdateExpression" ? 1 : this.evaluate(node.right, scope);
    return scope.assign(target.name, operator === "" ? by : binary(operator, scope.read(target.name), by));
  }

  /** Does something, and gives its errors the place of a node, unless they have one. */
  #at<X>(node: acorn.AnyNode, work: () => X): X {
    try {
      return work();
    } catch (error) {
      throw this.failure ?? this.#fail(node, messageOf(error));
    }
  }

  #fail(node: acorn.AnyNode, message: string): ScriptError {
    this.failure ??= new ScriptError(message, startOf(node));
    return this.failure;
  }
}

/** What an error says; a place in it is one of the page's own files, and says nothing to the reader. */
export function messageOf(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  const at = error instanceof HeedError ? error.details.at : undefined;
  return typeof at === "string" ? message.replace(` at ${at}`, "") : message;
}

/** `FunctionDeclaration` as words: "function declaration"; TypeScript's own begin with TS. */
const named = (type: string) =>
  type
    .replace(/^TS/, "")
    .replace(/(?<=[a-z])[A-Z]/g, (letter) => ` ${letter}`)
    .toLowerCase();

function textOf(node: acorn.AnyNode): string {
  if (node.type === "Identifier") return node.name;
  if (node.type === "MemberExpression" && !node.computed)
    return `${textOf(node.object)}.${textOf(node.property)}`;
  return "this";
}
