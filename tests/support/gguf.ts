/** A GGUF file as the format's description says, read with plain offsets; knows only what adapters hold. */
export function readGguf(bytes: Uint8Array): {
  readonly fields: ReadonlyMap<string, string | number>
  readonly tensors: ReadonlyMap<string, { readonly shape: readonly number[]; readonly values: Float32Array }>
} {
  const file = Buffer.from(bytes)
  let at = 0
  const take = (count: number): number => {
    at += count
    return at - count
  }
  const u32 = (): number => file.readUInt32LE(take(4))
  const u64 = (): number => Number(file.readBigUInt64LE(take(8)))
  const text = (): string => {
    const length = u64()
    const start = take(length)
    return file.toString('utf8', start, start + length)
  }
  if (file.toString('latin1', 0, 4) !== 'GGUF' || file.readUInt32LE(4) !== 3)
    throw new Error('no GGUF of version 3')
  at = 8
  const [tensorCount, fieldCount] = [u64(), u64()]
  const fields = new Map<string, string | number>()
  for (let index = 0; index < fieldCount; index++) {
    const key = text()
    const type = u32()
    if (type === 8) fields.set(key, text())
    else if (type === 6) fields.set(key, file.readFloatLE(take(4)))
    else throw new Error(`type ${type}`)
  }
  const infos = Array.from({ length: tensorCount }, () => {
    const name = text()
    const lengths = Array.from({ length: u32() }, u64)
    return { name, shape: lengths.toReversed(), type: u32(), offset: u64() }
  })
  const data = Math.ceil(at / 32) * 32
  let end = 0
  const tensors = new Map(
    infos.map(({ name, shape, type, offset }) => {
      if (type !== 0 || offset !== end)
        throw new Error(`${name}: type ${type}, offset ${offset}, expected ${end}`)
      const count = shape.reduce((product, size) => product * size, 1)
      end += Math.ceil((4 * count) / 32) * 32
      const values = Float32Array.from({ length: count }, (_, index) =>
        file.readFloatLE(data + offset + 4 * index),
      )
      return [name, { shape, values }] as const
    }),
  )
  if (data + end !== file.length) throw new Error(`the file has ${file.length} bytes, expected ${data + end}`)
  return { fields, tensors }
}
