/**
 * One dispatch of a compute shader: what a device needs to run it, and nothing of how. What plans passes (forward,
 * backward, decode) knows no device; what runs them (`run.ts` on typed arrays, a host on its own buffers) knows no
 * attention. A list of passes runs in its order, each seeing what the ones before it wrote.
 */

/** A storage buffer of a pass. Passes of one plan that name the same buffer share it. */
export interface PassBinding {
  readonly name: string;
  readonly access: "read" | "read_write";
  /** The part that is bound, in bytes, where the whole is larger than a device binds at once; a multiple of 256. @default 0 */
  readonly offset?: number;
  /** @default all that follows */
  readonly size?: number;
}

/**
 * Binds storage buffers 0 … n − 1 in the order of `bindings` and the uniform buffer as binding n, all of group 0, and
 * dispatches the entry point `main`. Equal code means an equal pipeline, so a host keeps pipelines by their code.
 */
export interface ShaderPass {
  readonly label: string;
  /** WGSL, its directives (`enable f16;`) first. */
  readonly code: string;
  readonly bindings: readonly PassBinding[];
  /** The bytes of the uniform buffer, a multiple of 16. */
  readonly uniforms: ArrayBuffer;
  /** Workgroups along x, y and z. */
  readonly workgroups: readonly [number, number, number];
}

/** Passes and the buffers that none of the caller's arrays is: scratch between them, by name, in bytes. */
export interface PassPlan {
  readonly passes: readonly ShaderPass[];
  readonly scratch: Readonly<Record<string, number>>;
}

/** What a device lets a pass have; the least that WebGPU promises is `BASE_LIMITS`. */
export interface PassLimits {
  readonly maxStorageBuffersPerShaderStage: number;
  readonly maxStorageBufferBindingSize: number;
  readonly maxComputeWorkgroupsPerDimension: number;
  readonly maxComputeWorkgroupStorageSize: number;
}

export const BASE_LIMITS: PassLimits = {
  maxStorageBuffersPerShaderStage: 8,
  maxStorageBufferBindingSize: 128 * 2 ** 20,
  maxComputeWorkgroupsPerDimension: 65535,
  maxComputeWorkgroupStorageSize: 16384,
};
