import type { InferenceSession, Tensor } from 'onnxruntime-web'

/** What is used of onnxruntime's JavaScript interface, which onnxruntime-web and onnxruntime-node share. */
export interface OrtRuntime {
  readonly InferenceSession: {
    create(model: Uint8Array, options: InferenceSession.SessionOptions): Promise<InferenceSession>
  }
  readonly Tensor: typeof Tensor
}

export type OrtSession = InferenceSession
export type OrtTensor = Tensor
