import type { OwnBackbone } from '../../src/storage/ownModels.ts'

/** Removes a model that was brought; what can do so is loaded when it is asked for. */
export async function removeModel(backbone: OwnBackbone): Promise<void> {
  const { removeOwnModel } = await import('../stores/engine/addModel.ts')
  await removeOwnModel(backbone)
}
