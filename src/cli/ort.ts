import type { OrtRuntime } from '../fallback/ortRuntime.ts'

/** onnxruntime for Node: the native build where it is installed, else the page's WebAssembly. */
export async function loadOrt(): Promise<OrtRuntime> {
  try {
    return await import('onnxruntime-node')
  } catch {
    return import('onnxruntime-web')
  }
}
