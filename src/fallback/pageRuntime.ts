import mjsUrl from 'onnxruntime-web/ort-wasm-simd-threaded.mjs?url'
import wasmUrl from 'onnxruntime-web/ort-wasm-simd-threaded.wasm?url'

import type { OrtRuntime } from './ortRuntime.ts'

/** More threads than these wait for memory rather than compute. */
const MOST_THREADS = 4

/** What of Trusted Types is used; the DOM library of TypeScript does not know them. */
interface TrustedTypesFactory {
  createPolicy(name: string, rules: { createScriptURL(url: string): string | null }): unknown
}

/** Half of the cores, or both of two; threads need a page that is isolated from others. */
export function threadCount(): number {
  if (!globalThis.crossOriginIsolated) return 1
  const cores = navigator.hardwareConcurrency
  return cores <= 2 ? cores : Math.min(MOST_THREADS, Math.ceil(cores / 2))
}

/** Onnxruntime starts its threads by address; under Trusted Types only a default policy can let just this one pass. */
function allowThreadScript(address: string): void {
  const { trustedTypes } = globalThis as { readonly trustedTypes?: TrustedTypesFactory }
  trustedTypes?.createPolicy('default', { createScriptURL: (url) => (url === address ? url : null) })
}

let loading: Promise<OrtRuntime> | undefined

/**
 * onnxruntime-web on WebAssembly, for a worker of the page; its files are loaded on the first call. With several
 * threads it installs the worker's default Trusted Types policy, so there must be no other.
 */
export function loadPageRuntime(): Promise<OrtRuntime> {
  loading ??= load()
  return loading
}

function absolute(url: string): string {
  return new URL(url, globalThis.location.href).href
}

async function load(): Promise<OrtRuntime> {
  const threads = threadCount()
  if (threads > 1) allowThreadScript(absolute(mjsUrl))
  const ort = await import('onnxruntime-web/wasm')
  ort.env.wasm.numThreads = threads
  // Both named: else each thread would run the worker's own script.
  ort.env.wasm.wasmPaths = { mjs: absolute(mjsUrl), wasm: absolute(wasmUrl) }
  return ort
}
