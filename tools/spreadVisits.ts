import { BaseSequencer } from 'vitest/node'
import type { TestSpecification } from 'vitest/node'

/** About how much longer than a file of another project one of this takes. */
const COSTS: Readonly<Record<string, number>> = { gpu: 4 }

const isVisit = ({ project }: TestSpecification): boolean => project.name === 'e2e'

/**
 * The order of test files: those that open the built page wait as much as they compute, so they are spread evenly over what the
 * others take, and what runs beside one fills its waiting.
 */
export class SpreadVisits extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    // oxlint-disable-next-line unicorn/no-array-sort -- it is Vitest's method, which answers with another list.
    const ordered = await super.sort(files)
    const others = ordered.filter((file) => !isVisit(file))
    return spread(ordered.filter(isVisit), others, ({ project }) => COSTS[project.name] ?? 1)
  }
}

/** `others` in their order, with the members of `few` put in among them after equal shares of their costs. */
export function spread<T>(few: readonly T[], others: readonly T[], costOf: (other: T) => number): T[] {
  const whole = others.reduce((sum, other) => sum + costOf(other), 0)
  let spent = 0
  const due = others.map((other) => {
    const count = Math.floor((spent * few.length) / whole) + 1
    spent += costOf(other)
    return count
  })
  return others.length === 0
    ? [...few]
    : others.flatMap((other, at) => [...few.slice(due[at - 1] ?? 0, due[at]), other])
}
