"""Writes a trace that heed reads: two causal heads, once as weights and once as q, k and lse."""

import json
import sys

import numpy as np
from safetensors.numpy import save_file

tokens = ["The", "cat", "sat", "on", "the", "mat"]
rng = np.random.default_rng(7)
q, k = rng.standard_normal((2, 2, len(tokens), 8), dtype=np.float32)  # [heads, tokens, width]
scores = np.where(np.tri(len(tokens), dtype=bool), q @ k.transpose(0, 2, 1) / np.sqrt(8), -np.inf)
lse = np.log(np.exp(scores).sum(-1))  # the logarithm of each row's sum
attn = np.exp(scores - lse[..., None])

tensors = {"attn.0": attn, "q.1": q, "k.1": k, "lse.1": lse}
layer = {"alignQ": "src", "alignK": "src", "maskSpec": {"right": 0}}
trace = {"version": 1, "tokens": {"src": tokens}, "layers": [layer, layer]}
tensors = {name: np.ascontiguousarray(x, dtype=np.float32) for name, x in tensors.items()}
save_file(tensors, sys.argv[1], metadata={"attn_trace": json.dumps(trace)})
