// The families of mechanisms, as the documents and the playground tell them.

/**
 * The folders of src/attention, each with its title and what it is for. In the order of a call: score → mask → normalise, what
 * tells positions apart, and the whole; then the other kinds of attention.
 *
 * @type {[folder: string, title: string, about: string][]}
 */
export const FAMILIES = [
  ["score", "Scores", "How much a key matters to a query, as a number of any size."],
  ["mask", "Masks", "Which keys a query may attend to."],
  ["normalize", "Normalisers", "How scores become weights."],
  ["position", "Positions", "What tells attention where a token stands; by itself it knows no order."],
  ["sequence", "Attention over sequences", "Every query reads the keys, with weights over them."],
  ["sparse", "Sparse attention", "Every query reads some of the keys, so that time grows less than T·S."],
  ["linear", "Linear attention", "The past is summed, or compressed, so that time grows with T alone."],
  [
    "adaptive",
    "Adaptive attention",
    "The mechanism learns how far, how sparsely, or whether at all to look.",
  ],
  [
    "discrete",
    "Discrete attention",
    "A query reads one thing, and what stands in for the gradient that this has not.",
  ],
  [
    "spiking",
    "Spiking attention",
    "Neurons that fire or not, and attention that only adds; its gradient is a surrogate.",
  ],
  [
    "quantum",
    "Quantum attention, simulated",
    "Circuits of up to eight qubits on exact state vectors; nothing runs on a quantum computer.",
  ],
  [
    "memory",
    "Memories",
    "What is beyond the context is kept in slots, which are read and written by attention.",
  ],
  ["transformer", "Transformer blocks", "Attention and what stands around it."],
  [
    "set",
    "Sets and slots",
    "Elements without an order read each other, gather in slots, or are read at chosen points.",
  ],
  [
    "feature",
    "Attention over features",
    "Gates over channels and places of an image, and attention between them.",
  ],
  ["glimpse", "Glimpses", "A small window that moves over an image."],
];
