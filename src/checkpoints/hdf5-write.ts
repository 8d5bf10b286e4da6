import { hdf5Library } from "./hdf5-library.ts";

/** What an HDF5 file of variables is to hold. */
export interface Hdf5Group {
  /** Written as the attribute `name`. */
  readonly name: string;
  /** float32 values by the names of data sets. */
  readonly datasets: ReadonlyMap<
    string,
    { readonly values: Float32Array; readonly shape: readonly number[] }
  >;
}

let files = 0;

/**
 * An HDF5 file with these groups, by their paths.
 *
 * @throws OptionError NOT_READY without h5wasm
 */
export async function encodeHdf5(groups: ReadonlyMap<string, Hdf5Group>): Promise<Uint8Array> {
  const { File, Group, module } = await hdf5Library();
  const place = `/heed-out-${files++}.h5`;
  const file = new File(place, "w");
  try {
    const made = new Set<string>();
    for (const [path, { name, datasets }] of groups) {
      const parts = path.split("/");
      for (let n = 1; n <= parts.length; n++) {
        const group = parts.slice(0, n).join("/");
        if (!made.has(group))
          new Group(file.file_id, parts.slice(0, n - 1).join("/")).create_group(parts[n - 1]!);
        made.add(group);
      }
      const group = new Group(file.file_id, path);
      group.create_attribute("name", name);
      for (const [key, { values, shape }] of datasets)
        group.create_dataset({ name: key, data: values, shape, dtype: "<f" });
    }
  } finally {
    file.close();
  }
  try {
    return module.FS.readFile(place);
  } finally {
    module.FS.unlink(place);
  }
}
