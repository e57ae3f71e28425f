import { test } from 'vitest'

import { Random } from '../../../src/core/random.ts'
import { submit } from '../../../src/gpu/kernel.ts'
import { uploadTensor } from '../../../src/gpu/tensor.ts'
import { embedding } from '../../../src/kernels/embedding.ts'
import { embeddingCases } from '../../cases/embedding.ts'
import { embeddingReference } from '../../reference/embedding.ts'
import { expectClose } from '../../support/compare.ts'
import { testDevice } from '../../support/device.ts'
import { createGuarded, expectUntouched, readGuarded } from '../../support/guarded.ts'
import { packMatrix } from '../../support/packMatrix.ts'
import { columnsOf } from '../../support/rows.ts'
import { normals } from '../../support/values.ts'

const device = await testDevice()

test.each(embeddingCases)(
  '$format blocks $blockSize half scales $halfScales: $rows rows of [$vocabulary, $columns], seed $seed',
  async ({ vocabulary, columns, rows, seed, ...format }) => {
    const weights = normals(seed, vocabulary * columns)
    const { matrix, values } = packMatrix(device, weights, vocabulary, columns, format)
    const random = new Random(seed)
    const rowsOf = Uint32Array.from({ length: rows }, () => random.nextBelow(vocabulary))
    rowsOf[0] = vocabulary - 1
    const first = 100 * (seed % 2)
    const tokens = rowsOf.map((row) => first + row)
    // The last row's token lies behind the table.
    tokens[rows - 1] = first + vocabulary
    const y = createGuarded(device, [rows, columns + 5], 'y')
    const tensors = { tokens: uploadTensor(device, [rows], tokens, 'tokens'), y }
    const factor = 1 + (seed % 3)
    submit(device, [await embedding(device, matrix, tensors, { factor, first })], rows)
    const all = await readGuarded(device, y)
    const inside = columnsOf(all, columns + 5, 0, columns)
    const behind = (rows - 1) * columns
    expectClose(inside.slice(0, behind), embeddingReference(rowsOf.slice(0, -1), values, columns, factor))
    expectUntouched(inside.slice(behind))
    const spare = columnsOf(all, columns + 5, columns, 5)
    expectUntouched(spare)
  },
)
