export declare function lavapipeAdapter(): Promise<GPUAdapter | string>;
