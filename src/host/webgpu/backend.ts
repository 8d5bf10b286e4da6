/** What heed uses of TensorFlow.js' WebGPU backend: its device and buffers, and its open compute pass. */
import type { DataType, KernelBackend, TensorInfo, TypedArray } from "@tensorflow/tfjs-core";

/** TensorFlow.js' name of the backend. */
export const BACKEND = "webgpu";

/** Where a tensor is: on the device, in ordinary memory until a kernel reads it, or nowhere yet. */
export interface GpuTensor {
  readonly dtype: DataType;
  readonly shape: number[];
  values: TypedArray | null | undefined;
  resource: GPUBuffer | null | undefined;
}

/** Of the class `WebGPUBackend`; much of this is private in its types, and a plain property in what is published. */
export interface WebGpuBackend extends KernelBackend {
  readonly device: GPUDevice;
  readonly queue: GPUQueue;
  readonly bufferManager: { acquireBuffer(size: number, usage: number): GPUBuffer };
  readonly tensorMap: { get(dataId: object): GpuTensor; has(dataId: object): boolean };
  commandEncoder: GPUCommandEncoder | null;
  computePassEncoder: GPUComputePassEncoder | null;
  dispatchCountInPass: number;
  /** Buffers and tensors that the recorded commands read: kept until they are submitted. */
  readonly uniformPendingDisposal: GPUBuffer[];
  readonly commandQueueOwnedIds: WeakSet<object>;
  makeTensorInfo(shape: number[], dtype: DataType, values?: TypedArray): TensorInfo;
  uploadToGPU(dataId: object): void;
  ensureCommandEncoderReady(): void;
  endComputePassEncoder(): void;
  submitQueue(): void;
}
