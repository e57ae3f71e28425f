import type { ContrastConfig, TrainConfig } from './config.ts'

/**
 * The share of the base learning rate at step s, counted from 0:
 * `min(1, (s + 1) / warmup) · (1 | ½ + ½·cos(π·s / steps))`.
 */
export function learningRateShare(
  config: Pick<TrainConfig, 'schedule' | 'warmup' | 'steps'>,
  step: number,
): number {
  const rise = config.warmup > 0 ? Math.min(1, (step + 1) / config.warmup) : 1
  const fall = config.schedule === 'cosine' ? 0.5 + 0.5 * Math.cos((Math.PI * step) / config.steps) : 1
  return rise * fall
}

/**
 * The weight of the contrastive loss at an epoch e of E, 0 before `start`: `weight · 1`,
 * `weight · (e − start) / (E − start)`, or `weight · (½ − ½·cos(π·(e − start) / (E − start)))`.
 *
 * Reference: HyCoRA's released schedules.
 */
export function contrastWeight(
  { form, weight, start, schedule }: ContrastConfig,
  epoch: number,
  epochs: number,
): number {
  if (form === 'off' || epoch < start) return 0
  if (schedule === 'none') return weight
  const passed = epochs > start ? Math.min(1, (epoch - start) / (epochs - start)) : 1
  return weight * (schedule === 'linear' ? passed : 0.5 - 0.5 * Math.cos(Math.PI * passed))
}
