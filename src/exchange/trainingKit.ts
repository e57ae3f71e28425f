import { writeDataset } from '../formats/dataset.ts'
import { writeZip } from '../formats/zip.ts'
import type { ZipFile } from '../formats/zip.ts'
import type { RunRecord } from '../storage/runs.ts'

/** Where another machine finds a backbone. */
export type KitSource =
  /** In the playground's folder. */
  | { readonly kind: 'shipped'; readonly folder: string }
  | {
      readonly kind: 'hub'
      /** Where it is another hub than the usual one. */
      readonly endpoint: string | null
      readonly repository: string
      readonly revision: string
      /** The ONNX file. */
      readonly file: string
    }
  /** Somewhere on the visitor's disk. */
  | { readonly kind: 'folder' }

/** A run that is to go on another machine, and where its backbone is found. */
export interface TrainingKit extends Pick<RunRecord, 'roles' | 'dialogues' | 'config' | 'start'> {
  readonly source: KitSource
  /** Stem of the files' names. */
  readonly name: string
}

const LINES = 'lines.jsonl'
const CONFIG = 'config.json'
const COMPANY = 'company.hycora.safetensors'

/** The backbone's folder as the command names it. */
function folderOf(source: KitSource): string {
  if (source.kind === 'shipped') return `PLAYGROUND/${source.folder}`
  return source.kind === 'hub' ? 'model' : 'MODEL'
}

/** What comes before the command where the backbone is none of the playground's. */
function aboutBackbone(source: KitSource): string {
  if (source.kind === 'shipped') return ''
  if (source.kind === 'folder') return '\nMODEL is the folder of the model that you opened in the page.\n'
  const { endpoint, repository, revision, file } = source
  const setting = endpoint === null ? '' : `HF_ENDPOINT=${endpoint} `
  return `
The model comes from its hub (once, in the playground's folder, \`npm ci\`):

    ${setting}node PLAYGROUND/tools/hycora.mjs fetch ${repository}@${revision} --variant ${file} --into model
`
}

/** The one command, to be given in the kit's own folder. */
function commandOf({ source, start, name }: TrainingKit): string {
  const options = [
    `--backbone ${folderOf(source)}`,
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
${aboutBackbone(kit.source)}
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
