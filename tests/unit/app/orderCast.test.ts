import { expect, test } from 'vitest'

import { orderCast } from '../../../app/cast/orderCast.ts'
import { readRoute, routeHash } from '../../../app/stores/page/route.ts'
import { readCast } from '../../../src/cast/member.ts'
import type { ChatSummary, Settings } from '../../../src/storage/records.ts'

const members = readCast({
  c: { displayName: 'Carla', card: {} },
  a: { displayName: 'Ann', card: {} },
  b: { displayName: 'bert', card: {} },
})
const talk = (key: string, updatedAt: number, deleted = false): ChatSummary => ({
  version: 1,
  id: `${key}${updatedAt}`,
  key,
  title: '',
  lastText: '',
  messages: 2,
  started: true,
  deleted,
  createdAt: 0,
  updatedAt,
})
const talks = [talk('a', 5), talk('b', 2), talk('a', 1), talk('c', 9, true)]

test.each<[Settings['castOrder'], readonly string[], string]>([
  ['cast', [], 'cab'],
  ['name', [], 'abc'],
  ['recent', [], 'abc'],
  ['cast', ['b'], 'bca'],
  ['name', ['c', 'b', 'gone'], 'bca'],
])('ordered as %s with %j first', (castOrder, favourites, expected) => {
  const keys = orderCast(members, { castOrder, favourites }, talks).map(({ key }) => key)
  expect(keys.join('')).toBe(expected)
})

test.each([
  ['#/chat/1f', { screen: 'chat', chat: '1f' }],
  ['#/chat/1f/2e', { screen: 'chat', chat: '1f', message: '2e' }],
  ['#/search', { screen: 'search' }],
  ['#/science', { screen: 'science' }],
  ['#/bench', { screen: 'bench' }],
] as const)('the address %s is a screen, and back', (hash, route) => {
  expect(readRoute(hash)).toEqual(route)
  expect(routeHash(route)).toBe(hash)
})
