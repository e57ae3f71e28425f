import { REMARKS } from '../../../src/core/remarkTexts.ts'

export const words = REMARKS
