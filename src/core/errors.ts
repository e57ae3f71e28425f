export type ErrorCode =
  | 'webgpu-unavailable'
  | 'device-lost'
  | 'out-of-memory'
  | 'shader-invalid'
  | 'shape-mismatch'
  | 'format-invalid'
  | 'format-unsupported'
  | 'model-incompatible'
  | 'template-refused'
  | 'not-a-number'
  | 'wrong-answers'
  | 'download-failed'
  | 'download-mismatch'
  | 'download-refused'
  | 'training-diverged'
  | 'storage-full'
  | 'storage-corrupt'
  | 'usage'
  | 'cancelled'

/** Why something failed, as plain data: what is posted between threads, kept in the page's state and shown. */
export interface Failure {
  readonly code: ErrorCode
  readonly message: string
}

/** The project's only error class; `code` is what crosses the worker boundary and what the app acts on. */
export class HycoraError extends Error implements Failure {
  override readonly name = 'HycoraError'
  readonly code: ErrorCode

  constructor(code: ErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }
}

/** Throws a HycoraError with `code` unless `condition` holds; the message is built only when needed. */
export function check(condition: unknown, code: ErrorCode, message: () => string): asserts condition {
  if (!condition) throw new HycoraError(code, message())
}

/** Any thrown value as a HycoraError; what is not one already becomes `code`, its message kept. */
export function asHycoraError(thrown: unknown, code: ErrorCode): HycoraError {
  if (thrown instanceof HycoraError) return thrown
  const message = thrown instanceof Error ? thrown.message : String(thrown)
  return new HycoraError(code, message, { cause: thrown })
}

/** Any thrown value as plain data; what is no HycoraError becomes `code`, its message kept. */
export function failureOf(thrown: unknown, code: ErrorCode): Failure {
  const error = asHycoraError(thrown, code)
  return { code: error.code, message: error.message }
}
