import type { Chunk, ServedFile } from './servedFile.ts'

/** A run of bytes of a file: from the first, to before the last. */
export interface ByteSpan {
  readonly from: number
  readonly to: number
}

/** A file as its writers see it. */
export interface ChunkTarget {
  readonly file: ServedFile
  readonly chunks: readonly Chunk[]
  /** Whether a chunk is here. */
  has(index: number): boolean
  /**
   * Takes a chunk that is whole.
   *
   * @returns what is wrong with it, or nothing.
   */
  finish(index: number, chunk: Chunk, content: Uint8Array<ArrayBuffer>): Promise<string>
}

/** A span of a file, some of its chunks, as it comes: what has come of the next of them. */
export class SpanWriter {
  readonly file: ServedFile
  readonly #target: ChunkTarget
  readonly #span: ByteSpan
  /** The chunk that is coming; one buffer serves all, so that a large file needs little memory. */
  readonly #buffer: Uint8Array<ArrayBuffer>
  /** Where in the file the next byte goes. */
  #position = 0
  /** The coming chunk, and how many bytes of it are in the buffer. */
  #coming = 0
  #filled = 0
  /** The server's mark of the version that the bytes in the buffer come from; empty where it gives none. */
  #version = ''

  constructor(target: ChunkTarget, span: ByteSpan) {
    this.file = target.file
    this.#target = target
    this.#span = span
    this.#buffer = new Uint8Array(Math.max(0, ...target.chunks.map(({ bytes }) => bytes)))
  }

  /** Bytes of the span that have been checked. */
  get checkedBytes(): number {
    return this.#chunks().reduce((sum, { chunk, isHere }) => sum + (isHere ? chunk.bytes : 0), 0)
  }

  get uncheckedBytes(): number {
    return this.#target.has(this.#coming) ? 0 : this.#filled
  }

  /** Bytes of the span that have come, checked or not. */
  get doneBytes(): number {
    return this.checkedBytes + this.uncheckedBytes
  }

  get isWhole(): boolean {
    return this.#chunks().every(({ isHere }) => isHere)
  }

  /** The first run of bytes that is missing of the span, behind what has come of it. */
  get missing(): ByteSpan {
    const chunks = this.#chunks()
    const first = chunks.findIndex(({ isHere }) => !isHere)
    const behind = chunks.find(({ isHere }, index) => index > first && isHere)
    const from = chunks[first]?.chunk.offset ?? this.#span.to
    return { from: from + this.#filled, to: behind?.chunk.offset ?? this.#span.to }
  }

  /** The version that a continuation must be of; empty where any will do. */
  get expectedVersion(): string {
    return this.#filled > 0 ? this.#version : ''
  }

  /** Says from where, and of which version, the next bytes are: those already here go on, or are given up. */
  seek(position: number, version: string): void {
    if (position !== this.#position) this.#filled = 0
    this.#position = position
    this.#version = version
  }

  /** Gives up the beginning of the coming chunk. */
  dropUnchecked(): void {
    this.#position -= this.#filled
    this.#filled = 0
  }

  /**
   * Takes the next bytes, also of chunks beside the span; those of chunks that are here already are passed over.
   *
   * @returns what is wrong with a chunk that they made full, or nothing.
   */
  async write(bytes: Uint8Array): Promise<string> {
    const { chunks } = this.#target
    let taken = 0
    while (taken < bytes.byteLength) {
      const index = chunks.findLastIndex(({ offset }) => offset <= this.#position)
      const chunk = chunks[index]
      if (!chunk || this.#position >= this.file.bytes) {
        return `${this.file.path} is longer than the ${this.file.bytes} bytes expected`
      }
      const inChunk = this.#position - chunk.offset
      const part = bytes.subarray(taken, taken + chunk.bytes - inChunk)
      taken += part.byteLength
      this.#position += part.byteLength
      if (this.#target.has(index)) continue
      this.#buffer.set(part, inChunk)
      this.#coming = index
      this.#filled = inChunk + part.byteLength
      if (this.#filled < chunk.bytes) continue
      const damage = await this.#target.finish(index, chunk, this.#buffer.subarray(0, chunk.bytes))
      this.#filled = 0
      if (damage) return damage
    }
    return ''
  }

  #chunks(): readonly { readonly chunk: Chunk; readonly isHere: boolean }[] {
    const { from, to } = this.#span
    return this.#target.chunks
      .map((chunk, index) => ({ chunk, isHere: this.#target.has(index) }))
      .filter(({ chunk: { offset } }) => offset >= from && offset < to)
  }
}
