import { hexSha256 } from '../core/bytes.ts'
import type { ChunkStore } from './chunkStore.ts'
import { whatIsWrong } from './digest.ts'
import { chunksOf, isProvenWhole } from './servedFile.ts'
import type { Chunk, ServedFile } from './servedFile.ts'

/** A run of bytes of a file: from the first, to before the last. */
export interface ByteSpan {
  readonly from: number
  readonly to: number
}

/**
 * A file on its way: the chunks that are here, and the beginning of the one that is coming. Bytes become part of the file
 * only as a chunk whose hash is right; where only the whole has a hash, the file is `proven` before it is used.
 */
export class FileAssembly {
  readonly file: ServedFile
  readonly #store: ChunkStore | undefined
  readonly #chunks: readonly Chunk[]
  readonly #parts: (Blob | undefined)[]
  /** The chunk that is coming; one buffer serves all, so that a large file needs little memory. */
  readonly #buffer: Uint8Array<ArrayBuffer>
  /** Where in the file the next byte goes. */
  #position = 0
  /** How many bytes of the coming chunk are in the buffer. */
  #filled = 0
  /** The server's mark of the version that the bytes in the buffer come from; empty where it gives none. */
  #version = ''
  #isKept = true
  #isProven: boolean

  constructor(file: ServedFile, store: ChunkStore | undefined) {
    this.file = file
    this.#store = store
    this.#isProven = !isProvenWhole(file)
    this.#chunks = chunksOf(file)
    this.#parts = this.#chunks.map(() => undefined)
    this.#buffer = new Uint8Array(Math.max(0, ...this.#chunks.map(({ bytes }) => bytes)))
  }

  /** Takes what lies on this device; yields after each chunk. */
  async *readKept(): AsyncGenerator<number, void> {
    if (!this.#store) return
    const proof = this.#isProven ? undefined : await this.#store.readProof(this.file)
    const known = this.#chunks.map((chunk, index) => ({ ...chunk, sha256: proof?.[index] ?? chunk.sha256 }))
    for (const [index, chunk] of known.entries()) {
      this.#parts[index] = await this.#store.read(chunk)
      yield this.doneBytes
    }
    // Each chunk was looked at against what it was when the whole was right.
    if (proof && this.isWhole) this.#isProven = true
  }

  /** Whether the whole has still to be looked at. */
  get needsProof(): boolean {
    return this.isWhole && !this.#isProven
  }

  /**
   * Looks at the whole, where its chunks could not be checked one by one; a wrong one is given up.
   *
   * @returns what is wrong with it, or nothing.
   */
  async prove(): Promise<string> {
    const damage = await whatIsWrong(this.file, this.content())
    if (damage) {
      for (const chunk of this.#chunks) await this.#store?.remove(chunk)
      this.#parts.fill(undefined)
      return damage
    }
    this.#isProven = true
    const hashes: string[] = []
    for (const part of this.#parts) {
      if (part) hashes.push(await hexSha256(new Uint8Array(await part.arrayBuffer())))
    }
    await this.#store?.keepProof(this.file, hashes)
    return ''
  }

  /** Bytes that have been checked. */
  get checkedBytes(): number {
    return this.#chunks.reduce((sum, { bytes }, index) => sum + (this.#parts[index] ? bytes : 0), 0)
  }

  /** Bytes that have come, checked or not. */
  get doneBytes(): number {
    return this.checkedBytes + this.#filled
  }

  get isWhole(): boolean {
    return this.#parts.every((part) => part !== undefined)
  }

  /** Whether everything that came also lies on this device now. */
  get isKept(): boolean {
    return this.#isKept
  }

  /** The first run of bytes that is missing, behind what has come of it. */
  get missing(): ByteSpan {
    const first = this.#parts.indexOf(undefined)
    const behind = this.#parts.findIndex((part, index) => index > first && part !== undefined)
    const from = this.#chunks[first]?.offset ?? this.file.bytes
    return { from: from + this.#filled, to: this.#chunks[behind]?.offset ?? this.file.bytes }
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
   * Takes the next bytes; those of chunks that are here already are passed over.
   *
   * @returns what is wrong with a chunk that they made full, or nothing.
   */
  async write(bytes: Uint8Array): Promise<string> {
    let taken = 0
    while (taken < bytes.byteLength) {
      const index = this.#chunks.findLastIndex(({ offset }) => offset <= this.#position)
      const chunk = this.#chunks[index]
      if (!chunk || this.#position >= this.file.bytes) {
        return `${this.file.path} is longer than the ${this.file.bytes} bytes expected`
      }
      const inChunk = this.#position - chunk.offset
      const part = bytes.subarray(taken, taken + chunk.bytes - inChunk)
      taken += part.byteLength
      this.#position += part.byteLength
      if (this.#parts[index]) continue
      this.#buffer.set(part, inChunk)
      this.#filled = inChunk + part.byteLength
      if (this.#filled < chunk.bytes) continue
      const damage = await this.#finish(chunk, index)
      if (damage) return damage
    }
    return ''
  }

  async #finish(chunk: Chunk, index: number): Promise<string> {
    const content = this.#buffer.subarray(0, chunk.bytes)
    const digest = chunk.sha256 === null ? null : await hexSha256(content)
    this.#filled = 0
    if (digest !== chunk.sha256) {
      const place = chunk.bytes === this.file.bytes ? '' : ` from byte ${chunk.offset}`
      return `${this.file.path} has SHA-256 ${digest}${place}, expected ${chunk.sha256}`
    }
    const held = new Blob([content])
    const kept = await this.#store?.keep(chunk, held)
    this.#isKept &&= kept !== undefined
    this.#parts[index] = kept ?? held
    return ''
  }

  /** The file, once it is whole. */
  content(): Blob {
    return new Blob(this.#parts.filter((part) => part !== undefined))
  }
}
