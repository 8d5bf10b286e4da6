/**
 * Python's pickle format, read without running anything: containers, texts and numbers come as they are; classes and functions
 * are names, and only those that the caller knows are called.
 *
 * Format: cpython's Lib/pickletools.py, protocols 0–5. What no checkpoint needs is refused by its name.
 */
import { damaged, unsupported } from "./bytes.ts";

/** A class or function of Python, by its name. */
export class PickledName {
  readonly name: string;
  constructor(name: string) {
    this.name = name;
  }
}

/** An object that was made by a known function and then given a state, or a container of Python's. */
export type Pickled =
  | null
  | boolean
  | number
  | bigint
  | string
  | Uint8Array
  | Pickled[]
  | Map<Pickled, Pickled>
  | PickledName
  | object;

export interface UnpickleOptions {
  /** The file, for errors. */
  readonly file: string;
  /** What each known function or class makes of its arguments. */
  readonly calls: ReadonlyMap<string, (args: readonly Pickled[]) => Pickled>;
  /** What a persistent id stands for. */
  readonly persistent: (id: Pickled) => Pickled;
}

const MARK = Symbol("mark");
type Item = Pickled | typeof MARK;

/** Names of the opcodes that are well formed and refused. */
const REFUSED: Readonly<Record<string, string>> = {
  I: "INT", L: "LONG", F: "FLOAT", S: "STRING", V: "UNICODE", P: "PERSID", i: "INST", o: "OBJ",
  "\x82": "EXT1", "\x83": "EXT2", "\x84": "EXT4", "\x97": "NEXT_BUFFER", "\x98": "READONLY_BUFFER",
}; // biome-ignore format: a table

/** More than any model has; a few bytes could ask for as many as memory holds. */
const MOST_ITEMS = 10_000_000;

/**
 * One pickle from the start of `bytes`.
 *
 * @returns its value, and how many bytes it took
 * @throws DataError DAMAGED · UNSUPPORTED for a class, function or opcode that is not known
 */
export function unpickle(bytes: Uint8Array, options: UnpickleOptions): { value: Pickled; length: number } {
  return new Machine(bytes, options).run();
}

class Machine {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #options: UnpickleOptions;
  readonly #memo = new Map<number, Pickled>();
  #stack: Item[] = [];
  #at = 0;
  #items = 0;

  constructor(bytes: Uint8Array, options: UnpickleOptions) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    this.#options = options;
  }

  run(): { value: Pickled; length: number } {
    for (;;) {
      const opcode = String.fromCharCode(this.#byte());
      if (opcode === ".") return { value: this.#pop(), length: this.#at };
      const step = STEPS[opcode];
      if (!step) this.#refuse(opcode);
      step(this.#hands);
    }
  }

  /** What the opcodes work with. */
  readonly #hands: Hands = {
    push: (value) => this.#push(value),
    pop: () => this.#pop(),
    top: () => this.#top(),
    popToMark: () => this.#popToMark(),
    mark: () => this.#stack.push(MARK),
    byte: () => this.#byte(),
    number: (read, width) => this.#number(read, width),
    take: (length) => this.#take(length),
    line: () => this.#line(),
    memo: this.#memo,
    call: (callee, args) => this.#call(callee, args),
    persistent: (id) => this.#options.persistent(id),
    fail: (rule, got) => this.#fail(rule, got),
  };

  #fail(rule: string, got: unknown): never {
    throw damaged(this.#options.file, rule, got);
  }

  #refuse(opcode: string): never {
    const name = REFUSED[opcode];
    if (!name) this.#fail("a pickle must have known opcodes", `0x${opcode.charCodeAt(0).toString(16)}`);
    const remedy = "save the weights again with torch.save of a state_dict";
    throw unsupported(this.#options.file, "a pickle must hold tensors and containers alone", name, remedy);
  }

  #take(length: number): Uint8Array {
    if (!(length >= 0 && this.#at + length <= this.#bytes.length))
      this.#fail("a pickle must end with STOP", `${this.#bytes.length} bytes`);
    this.#at += length;
    return this.#bytes.subarray(this.#at - length, this.#at);
  }

  #byte(): number {
    return this.#take(1)[0]!;
  }

  #number(read: "getUint16" | "getUint32" | "getInt32" | "getFloat64", width: number): number {
    const at = this.#at;
    this.#take(width);
    // Floats alone are big-endian.
    return this.#view[read](at, read !== "getFloat64");
  }

  #line(): string {
    const end = this.#bytes.indexOf(0x0a, this.#at);
    if (end < 0) this.#fail("a name must end with a line feed", "none");
    const text = new TextDecoder().decode(this.#bytes.subarray(this.#at, end));
    this.#at = end + 1;
    return text;
  }

  #push(value: Item): void {
    if (++this.#items > MOST_ITEMS) this.#fail(`a pickle must hold at most ${MOST_ITEMS} values`, "more");
    this.#stack.push(value);
  }

  #pop(): Pickled {
    const value = this.#stack.pop();
    if (value === undefined || value === MARK)
      this.#fail("a pickle must not take what it did not put", "it does");
    return value;
  }

  #top(): Pickled {
    const value = this.#pop();
    this.#stack.push(value);
    return value;
  }

  #popToMark(): Pickled[] {
    const from = this.#stack.lastIndexOf(MARK);
    if (from < 0) this.#fail("a pickle must have a mark for what it gathers", "none");
    return this.#stack.splice(from).slice(1) as Pickled[];
  }

  #call(callee: Pickled, args: Pickled): Pickled {
    const { file, calls } = this.#options;
    if (!(callee instanceof PickledName)) this.#fail("what is called must be a name", typeof callee);
    const make = calls.get(callee.name);
    if (!make) {
      throw unsupported(
        file,
        "a pickle must make nothing but tensors and containers",
        callee.name,
        "save the weights alone (torch.save of a state_dict, or safetensors); nothing of the file was run",
      );
    }
    if (!Array.isArray(args)) this.#fail(`the arguments of ${callee.name} must be a tuple`, typeof args);
    return make(args);
  }
}

interface Hands {
  push(value: Item): void;
  pop(): Pickled;
  top(): Pickled;
  popToMark(): Pickled[];
  mark(): void;
  byte(): number;
  number(read: "getUint16" | "getUint32" | "getInt32" | "getFloat64", width: number): number;
  take(length: number): Uint8Array;
  line(): string;
  memo: Map<number, Pickled>;
  call(callee: Pickled, args: Pickled): Pickled;
  persistent(id: Pickled): Pickled;
  fail(rule: string, got: unknown): never;
}

const utf8 = (bytes: Uint8Array) => new TextDecoder().decode(bytes);

/** A little-endian integer of any length in two's complement. */
function integer(bytes: Uint8Array): number | bigint {
  let value = 0n;
  for (let n = bytes.length - 1; n >= 0; n--) value = (value << 8n) | BigInt(bytes[n]!);
  value = BigInt.asIntN(8 * bytes.length, value);
  const small = Number(value);
  return Number.isSafeInteger(small) ? small : value;
}

/** No integer of a checkpoint is longer. */
const LONGEST_INTEGER = 64;

function pushInteger(hands: Hands, length: number): void {
  if (length > LONGEST_INTEGER) hands.fail(`an integer must have at most ${LONGEST_INTEGER} bytes`, length);
  hands.push(integer(hands.take(length)));
}

function setItems(hands: Hands, items: readonly Pickled[]): void {
  const target = hands.top();
  if (!(target instanceof Map)) hands.fail("what gets items must be a dict", typeof target);
  for (let n = 0; n + 1 < items.length; n += 2) target.set(items[n]!, items[n + 1]!);
}

function append(hands: Hands, items: readonly Pickled[]): void {
  const target = hands.top();
  if (!Array.isArray(target)) hands.fail("what is appended to must be a list", typeof target);
  for (const item of items) target.push(item);
}

function popped(hands: Hands, count: number): Pickled[] {
  return Array.from({ length: count }, () => hands.pop()).reverse();
}

function recall(hands: Hands, key: number): void {
  const value = hands.memo.get(key);
  if (value === undefined) hands.fail("a pickle must recall what it kept", key);
  hands.push(value);
}

function eightBytes(hands: Hands): number {
  const [low, high] = [hands.number("getUint32", 4), hands.number("getUint32", 4)];
  return high * 2 ** 32 + low;
}

const named = (module: Pickled, name: Pickled) => new PickledName(`${module}.${name}`);

const STEPS: Readonly<Record<string, (hands: Hands) => void>> = {
  // PROTO, FRAME: what follows says itself how long it is.
  "\x80": (h) => void h.byte(),
  "\x95": (h) => void h.take(8),
  // Constants and numbers.
  N: (h) => h.push(null),
  "\x88": (h) => h.push(true),
  "\x89": (h) => h.push(false),
  K: (h) => h.push(h.byte()),
  M: (h) => h.push(h.number("getUint16", 2)),
  J: (h) => h.push(h.number("getInt32", 4)),
  G: (h) => h.push(h.number("getFloat64", 8)),
  "\x8a": (h) => pushInteger(h, h.byte()),
  "\x8b": (h) => pushInteger(h, h.number("getUint32", 4)),
  // Texts and bytes.
  X: (h) => h.push(utf8(h.take(h.number("getUint32", 4)))),
  "\x8c": (h) => h.push(utf8(h.take(h.byte()))),
  "\x8d": (h) => h.push(utf8(h.take(eightBytes(h)))),
  U: (h) => h.push(utf8(h.take(h.byte()))),
  T: (h) => h.push(utf8(h.take(h.number("getUint32", 4)))),
  C: (h) => h.push(h.take(h.byte())),
  B: (h) => h.push(h.take(h.number("getUint32", 4))),
  "\x8e": (h) => h.push(h.take(eightBytes(h))),
  "\x96": (h) => h.push(h.take(eightBytes(h))),
  // Containers.
  "(": (h) => h.mark(),
  "0": (h) => void h.pop(),
  "1": (h) => void h.popToMark(),
  "2": (h) => h.push(h.top()),
  ")": (h) => h.push([]),
  "]": (h) => h.push([]),
  "}": (h) => h.push(new Map()),
  "\x8f": (h) => h.push([]),
  t: (h) => h.push(h.popToMark()),
  l: (h) => h.push(h.popToMark()),
  "\x85": (h) => h.push(popped(h, 1)),
  "\x86": (h) => h.push(popped(h, 2)),
  "\x87": (h) => h.push(popped(h, 3)),
  d: (h) => {
    const items = h.popToMark();
    h.push(new Map());
    setItems(h, items);
  },
  a: (h) => append(h, popped(h, 1)),
  e: (h) => append(h, h.popToMark()),
  "\x90": (h) => append(h, h.popToMark()),
  "\x91": (h) => h.push(h.popToMark()),
  s: (h) => setItems(h, popped(h, 2)),
  u: (h) => setItems(h, h.popToMark()),
  // What was kept.
  q: (h) => void h.memo.set(h.byte(), h.top()),
  r: (h) => void h.memo.set(h.number("getUint32", 4), h.top()),
  p: (h) => void h.memo.set(Number(h.line()), h.top()),
  "\x94": (h) => void h.memo.set(h.memo.size, h.top()),
  h: (h) => recall(h, h.byte()),
  j: (h) => recall(h, h.number("getUint32", 4)),
  g: (h) => recall(h, Number(h.line())),
  // Names and what they make.
  c: (h) => h.push(named(h.line(), h.line())),
  "\x93": (h) => h.push(named(...(popped(h, 2) as [Pickled, Pickled]))),
  R: (h) => {
    const [callee, args] = popped(h, 2) as [Pickled, Pickled];
    h.push(h.call(callee, args));
  },
  "\x81": (h) => {
    const [callee, args] = popped(h, 2) as [Pickled, Pickled];
    h.push(h.call(callee, args));
  },
  // BUILD: the state of an object, such as the metadata of a state_dict, says nothing of its tensors.
  b: (h) => void h.pop(),
  Q: (h) => h.push(h.persistent(h.pop())),
};
