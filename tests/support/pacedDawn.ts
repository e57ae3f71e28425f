import { paceDawn } from '../../src/cli/paceDawn.ts'

paceDawn()
