import { describe, expect, test } from 'vitest'

import { generateA, generateB } from '../../reference/hypernetwork.ts'
import { hypernetworkBackwardReference, zeroGradients } from '../../reference/hypernetworkBackward.ts'
import { GRADIENT_TOLERANCE, gradientError, inner } from '../../support/gradcheck.ts'
import { parametersOf, tinyConfig, tinyPack } from '../../support/tinyPack.ts'
import { normals } from '../../support/values.ts'

/** Parameters of the tiny pack under which no layer norm sees a variance near zero, so that differences are small steps. */
const SEED = 2

describe.each([
  { side: 'A', A: 'hyper+static', B: 'shared', bare: false },
  { side: 'A', A: 'hyper', B: 'shared', bare: true },
  { side: 'B', A: 'shared', B: 'hyper', bare: false },
] as const)('$side of A from $A, B from $B, without norms $bare, seed 2600', ({ side, ...options }) => {
  const config = tinyConfig(options)
  const params = new Map<string, Float64Array>(
    [...parametersOf(tinyPack({ ...options, seed: SEED }))].map(([name, values]) => [
      name,
      Float64Array.from(values),
    ]),
  )
  const places = [
    { side, role: 2, layerId: 1 },
    { side, role: 0, layerId: 11 },
  ]
  const generate = side === 'A' ? generateA : generateB
  const probes = places.map(({ role, layerId }, i) =>
    normals(2600 + i, generate(params, config, role, layerId).length),
  )
  const gradients = zeroGradients(params)
  places.forEach((place, i) => hypernetworkBackwardReference(gradients, params, config, place, probes[i]!))
  const reached = [...gradients].filter(([, values]) => values.some((value) => value !== 0))

  test.each(reached.map(([name]) => name))('of %s', (name) => {
    const error = gradientError(
      (point) => {
        const moved = new Map<string, Float64Array>(params).set(name, point)
        return places.reduce(
          (sum, { role, layerId }, i) => sum + inner(generate(moved, config, role, layerId), probes[i]!),
          0,
        )
      },
      params.get(name)!,
      gradients.get(name)!,
    )
    expect(error).toBeLessThan(GRADIENT_TOLERANCE)
  })
})
