import type { FileDataset } from "../dataset.ts";

/** 70,000 grey images of clothing, 28 × 28, in 10 classes. */
export const fashionMnist: FileDataset = {
  name: "fashion-mnist",
  title: "grey 28 × 28 images of clothing in 10 classes",
  licence: "MIT",
  url:
    "https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/" +
    "b2617bb6d3ffa2e429640350f613e3291e10b141/data/fashion",
  bytes: 30878645,
  classes: [
    ...["T-shirt/top", "Trouser", "Pullover", "Dress", "Coat"],
    ...["Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot"],
  ],
  files: [
    {
      name: "train-images-idx3-ubyte.gz",
      bytes: 26421880,
      sha256: "3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84",
    },
    {
      name: "train-labels-idx1-ubyte.gz",
      bytes: 29515,
      sha256: "a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845",
    },
    {
      name: "t10k-images-idx3-ubyte.gz",
      bytes: 4422102,
      sha256: "346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073",
    },
    {
      name: "t10k-labels-idx1-ubyte.gz",
      bytes: 5148,
      sha256: "67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5",
    },
  ],
  splits: {
    train: { rows: 55000, sha256: "f6a2e2f8f328cab01259742efa51ef0ff3814af458fee5fc16fcb54c0374f7ba" },
    valid: { rows: 5000, sha256: "af8863861d63d2854542a66b8f14b13c5fd863ceca0b0c177daa85b044185e09" },
    test: { rows: 10000, sha256: "eb7d6a637e06928bd180beb02809c9da0dee278decfc7b9eaad5427f5b5585c4" },
  },
  attribution: `# fashion-mnist: 28 × 28 grey images of clothing

Images by Zalando SE (https://github.com/zalandoresearch/fashion-mnist): Xiao, Rasul, Vollgraf 2017, "Fashion-MNIST: a
Novel Image Dataset for Benchmarking Machine Learning Algorithms", arXiv:1708.07747.

The files are as they were published. Images 55,000 to 59,999 of the training files serve for validation.

The MIT License (MIT) Copyright © 2017 Zalando SE, https://tech.zalando.com

Permission is hereby granted, free of charge, to any person obtaining a copy of this software and associated
documentation files (the “Software”), to deal in the Software without restriction, including without limitation the
rights to use, copy, modify, merge, publish, distribute, sublicense, and/or sell copies of the Software, and to permit
persons to whom the Software is furnished to do so, subject to the following conditions:

The above copyright notice and this permission notice shall be included in all copies or substantial portions of the
Software.

THE SOFTWARE IS PROVIDED “AS IS”, WITHOUT WARRANTY OF ANY KIND, EXPRESS OR IMPLIED, INCLUDING BUT NOT LIMITED TO THE
WARRANTIES OF MERCHANTABILITY, FITNESS FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT. IN NO EVENT SHALL THE AUTHORS OR
COPYRIGHT HOLDERS BE LIABLE FOR ANY CLAIM, DAMAGES OR OTHER LIABILITY, WHETHER IN AN ACTION OF CONTRACT, TORT OR
OTHERWISE, ARISING FROM, OUT OF OR IN CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER DEALINGS IN THE SOFTWARE.
`,
};
