// Scope: live. Whether this page opens without a network, and whether a newer version of it waits.
import { create } from 'zustand'

interface OfflineState {
  /** Whether all of the page lies on this device. */
  readonly isKept: boolean
  /** `waits` to be used; `wanted` as soon as nobody speaks; used `elsewhere`, by another tab. */
  readonly newer: 'none' | 'waits' | 'wanted' | 'elsewhere'
}

export const useOffline = create<OfflineState>()(() => ({ isKept: false, newer: 'none' }))

/** What the page tells the worker that keeps it. */
export type WorkerMessage = 'use-newer' | 'keep-processor'
