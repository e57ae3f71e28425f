import { writeDataset } from '../formats/dataset.ts'
import { writeZip } from '../formats/zip.ts'
import type { ZipFile } from '../formats/zip.ts'
import type { RunRecord } from '../storage/runs.ts'

/** A run that is to go on another machine, and where its backbone lies in the playground's folder. */
export interface TrainingKit extends Pick<RunRecord, 'roles' | 'dialogues' | 'config' | 'start'> {
  /** From the playground's folder. */
  readonly backboneFolder: string
  /** Stem of the files' names. */
  readonly name: string
}

const LINES = 'lines.jsonl'
const CONFIG = 'config.json'
const COMPANY = 'company.hycora.safetensors'

/** The one command, to be given in the kit's own folder. */
function commandOf({ backboneFolder, start, name }: TrainingKit): string {
  const options = [
    `--backbone PLAYGROUND/${backboneFolder}`,
    `--data ${LINES}`,
    `--config ${CONFIG}`,
    ...(start ? [`--start ${COMPANY}`] : []),
    `--out ${name}.hycora.safetensors`,
  ]
  return `train ${options.join(' ')}`
}

function readmeOf(kit: TrainingKit): string {
  const { roles, dialogues, start } = kit
  const heldOut = dialogues.filter(({ split }) => split !== 'train').length
  const command = commandOf(kit)
  return `# A rehearsal, elsewhere

| file | what |
|---|---|
| \`${LINES}\` | ${dialogues.length} dialogues of ${roles.join(', ')}; ${heldOut} of them are held out and not learnt |
| \`${CONFIG}\` | how they are learnt |
${
  start
    ? `| \`${COMPANY}\` | ${start.name}, whom the newcomer joins |
`
    : ''
}
You need a copy of the playground, and Python 3.10 or newer. Without an Nvidia card, install PyTorch's CPU build first, version 2.13.0, as pytorch.org's "Get started" gives it with Compute Platform CPU: the default on Linux pulls gigabytes of CUDA. Once, in the playground's folder, \`pip install ./scale\`. Then, in this folder, with PLAYGROUND put in:

    python -m hycora_scale ${command}

Stopped in the middle, the same command with \`--resume\` goes on. On several graphics cards it begins with \`accelerate launch -m hycora_scale\` in place of \`python -m hycora_scale\`.

Without Python, Node does the same on one graphics card (once, in the playground's folder, \`npm ci\`):

    node PLAYGROUND/tools/hycora.mjs ${command}

What comes of it, \`${kit.name}.hycora.safetensors\`, is a pack like any other: open it in the page, and it plays.
`
}

function textFile(path: string, content: string): ZipFile {
  return { path, bytes: new TextEncoder().encode(content) }
}

/**
 * The zip for training on another machine: lines with their split, configuration, the pack that the run goes on from, and a
 * README with the one command.
 *
 * @throws HycoraError `usage` when it would hold more than the format can.
 */
export async function writeTrainingKit(kit: TrainingKit): Promise<Blob> {
  const files = [
    textFile('README.md', readmeOf(kit)),
    textFile(LINES, writeDataset(kit.dialogues)),
    textFile(CONFIG, `${JSON.stringify(kit.config, null, 2)}\n`),
  ]
  const company = kit.start && {
    path: COMPANY,
    bytes: new Uint8Array(await kit.start.file.arrayBuffer()),
    store: true,
  }
  return new Blob([writeZip(company ? [...files, company] : files)], { type: 'application/zip' })
}
