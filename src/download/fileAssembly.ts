import { hexSha256 } from '../core/bytes.ts'
import type { ChunkStore } from './chunkStore.ts'
import { whatIsWrong } from './digest.ts'
import { chunksOf, isProvenWhole } from './servedFile.ts'
import type { Chunk, ServedFile } from './servedFile.ts'
import { SpanWriter } from './spanWriter.ts'
import type { ByteSpan, ChunkTarget } from './spanWriter.ts'

/**
 * A file on its way: the chunks that are here. Bytes become part of the file only as a chunk whose hash is right; where only
 * the whole has a hash, the file is `proven` before it is used.
 */
export class FileAssembly implements ChunkTarget {
  readonly file: ServedFile
  readonly chunks: readonly Chunk[]
  readonly #store: ChunkStore | undefined
  readonly #parts: (Blob | undefined)[]
  readonly #writers = new Set<SpanWriter>()
  #isKept = true
  #isProven: boolean

  constructor(file: ServedFile, store: ChunkStore | undefined) {
    this.file = file
    this.#store = store
    this.#isProven = !isProvenWhole(file)
    this.chunks = chunksOf(file)
    this.#parts = this.chunks.map(() => undefined)
  }

  /** Takes what lies on this device; yields after each chunk. */
  async *readKept(): AsyncGenerator<number, void> {
    if (!this.#store) return
    const proof = this.#isProven ? undefined : await this.#store.readProof(this.file)
    const known = this.chunks.map((chunk, index) => ({ ...chunk, sha256: proof?.[index] ?? chunk.sha256 }))
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
      for (const chunk of this.chunks) await this.#store?.remove(chunk)
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
    return this.chunks.reduce((sum, { bytes }, index) => sum + (this.#parts[index] ? bytes : 0), 0)
  }

  /** Bytes that have come, checked or not. */
  get doneBytes(): number {
    return this.checkedBytes + [...this.#writers].reduce((sum, { uncheckedBytes }) => sum + uncheckedBytes, 0)
  }

  get isWhole(): boolean {
    return this.#parts.every((part) => part !== undefined)
  }

  /** Whether everything that came also lies on this device now. */
  get isKept(): boolean {
    return this.#isKept
  }

  has(index: number): boolean {
    return this.#parts[index] !== undefined
  }

  /** What is missing, in runs of chunks that have about so many bytes. */
  missingSpans(bytes: number): readonly ByteSpan[] {
    const spans: ByteSpan[] = []
    for (const [index, chunk] of this.chunks.entries()) {
      if (this.has(index)) continue
      const last = spans.at(-1)
      const to = chunk.offset + chunk.bytes
      if (last && last.to === chunk.offset && to - last.from <= bytes)
        spans[spans.length - 1] = { ...last, to }
      else spans.push({ from: chunk.offset, to })
    }
    return spans
  }

  /** Lets the bytes of a span come, all of them without one; whoever asks for it closes it. */
  open(span: ByteSpan = { from: 0, to: this.file.bytes }): SpanWriter {
    const writer = new SpanWriter(this, span)
    this.#writers.add(writer)
    return writer
  }

  /** Gives up what a writer has of a chunk that did not become whole. */
  close(writer: SpanWriter): void {
    this.#writers.delete(writer)
  }

  async finish(index: number, chunk: Chunk, content: Uint8Array<ArrayBuffer>): Promise<string> {
    const digest = chunk.sha256 === null ? null : await hexSha256(content)
    if (digest !== chunk.sha256) {
      const { path, bytes } = this.file
      return chunk.bytes === bytes
        ? `${path} has SHA-256 ${digest}, expected ${chunk.sha256}`
        : `${path} has SHA-256 ${digest} from byte ${chunk.offset}, expected ${chunk.sha256}`
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
