"""Trains a `.keras` model of heed's on several devices with Keras 3 on JAX, and writes it back.

    pip install keras==3.12.0 "jax[cpu]==0.10.2"
    XLA_FLAGS=--xla_force_host_platform_device_count=4 python3 train-on-jax.py FROM.keras DATA.json TO.keras MODE

DATA.json has x and y ({shape, values}), learningRate and steps. MODE is "data", where each device has the whole model and a
share of the batch, or "model", where the matrices are shared out too. Prints the loss of each step as JSON.
"""

import json
import os
import sys

os.environ["KERAS_BACKEND"] = "jax"

import keras
import numpy as np
from keras import distribution

source, data, target, mode = sys.argv[1:]
devices = distribution.list_devices()

if mode == "data":
    distribution.set_distribution(distribution.DataParallel(devices=devices))
else:
    mesh = distribution.DeviceMesh((len(devices) // 2, 2), ["batch", "model"], devices)
    layout = distribution.LayoutMap(mesh)
    layout[".*dense.*kernel"] = (None, "model")  # columns of a Dense on two devices
    layout[".*(query|key|value).*kernel"] = (None, "model", None)  # heads on two devices
    layout[".*attention_output.*kernel"] = ("model", None, None)
    distribution.set_distribution(distribution.ModelParallel(layout_map=layout, batch_dim_name="batch"))

with open(data) as file:
    given = json.load(file)
x, y = (np.array(given[name]["values"], "float32").reshape(given[name]["shape"]) for name in "xy")

model = keras.saving.load_model(source)
model.compile(optimizer=keras.optimizers.SGD(given["learningRate"]), loss="mse")
fitted = model.fit(x, y, batch_size=len(x), epochs=given["steps"], shuffle=False, verbose=0)
model.save(target)
shared = [v.path for v in model.variables if len({str(s.index) for s in v.value.addressable_shards}) > 1]
print(json.dumps({"devices": len(devices), "shared": shared, "losses": fitted.history["loss"]}))
