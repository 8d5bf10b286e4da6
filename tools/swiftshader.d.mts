export declare function prepareSwiftShader(): string | undefined;
