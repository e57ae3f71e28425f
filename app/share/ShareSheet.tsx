import type { SharedForm, ShareForm } from '../../src/exchange/share.ts'
import { accentProps, Portrait } from '../shared/Portrait.tsx'
import { Button } from '../shared/Button.tsx'
import { Dialog } from '../shared/Dialog.tsx'
import { ErrorNotice } from '../shared/ErrorNotice.tsx'
import { Fold } from '../shared/Fold.tsx'
import { bytes } from '../shared/format.ts'
import { saveFile } from '../stores/page/saveFile.ts'
import { closeShare, openShare, useShare } from '../stores/exchange/share.ts'
import type { ShareSubject } from '../stores/exchange/share.ts'
import { LinkForm } from './LinkForm.tsx'
import styles from './ShareSheet.module.css'
import asides from '../shared/Asides.module.css'

/** The forms that anybody may want, and those for other programs. */
const first: readonly ShareForm[] = ['role', 'pack', 'charx', 'png']
const others: readonly ShareForm[] = ['json', 'peft', 'gguf']

const words: Readonly<
  Record<Exclude<ShareForm, 'link'>, { readonly title: string; readonly about: string }>
> = {
  role: {
    title: 'The character as rehearsed',
    about: 'One file for this page: weights, card and face. It plays wherever the same model is loaded.',
  },
  pack: {
    title: 'The whole company',
    about: 'Everybody of the company in one file, with all that is needed to go on teaching.',
  },
  charx: {
    title: 'A character for every program (CHARX)',
    about: 'SillyTavern and RisuAI open it as an ordinary character; here the weights in it play.',
  },
  png: {
    title: 'A picture with the card in it (PNG)',
    about: 'The text alone, in the form that most programs read. No weights.',
  },
  json: { title: 'The card as text (JSON)', about: 'Character Card V3. No weights.' },
  peft: {
    title: 'A LoRA for PyTorch (PEFT)',
    about: 'A folder as PEFT reads it, zipped: exactly this character, for the model in PyTorch’s form.',
  },
  gguf: {
    title: 'A LoRA for llama.cpp (GGUF)',
    about: 'Exactly this character, for the model as a GGUF file.',
  },
}

/** What is in each file, whom it needs, how large it is; one button each. */
export function ShareSheet() {
  const { subject, forms, isBusy, failure } = useShare()
  if (!subject) return null
  const link = forms.find(({ form }) => form === 'link')
  return (
    <Dialog title={`Share ${nameOf(subject)}`} onClose={closeShare}>
      {subject.kind === 'member' && (
        <div className={styles.person} {...accentProps(subject.member.accent)}>
          <Portrait member={subject.member} size="medium" />
          <p>
            {subject.member.isTrained
              ? 'Weights of its own play this character. What you share is yours to give: mind whose words it learnt.'
              : 'A text plays this character, on any model.'}
          </p>
        </div>
      )}
      {failure && <ErrorNotice failure={failure} onRetry={() => void openShare(subject)} />}
      <Forms forms={forms.filter(({ form }) => first.includes(form))} />
      {link && <LinkForm link={link} />}
      {forms.some(({ form }) => others.includes(form)) && (
        <Fold title="For other programs">
          <Forms forms={forms.filter(({ form }) => others.includes(form))} />
        </Fold>
      )}
      <p role="status" className={asides.quiet}>
        {isBusy ? 'Packing…' : ''}
      </p>
    </Dialog>
  )
}

function nameOf(subject: ShareSubject): string {
  return subject.kind === 'member' ? subject.member.displayName : subject.pack.name
}

function Forms({ forms }: { readonly forms: readonly SharedForm[] }) {
  if (forms.length === 0) return null
  return (
    <ul className={styles.forms}>
      {forms.map((form) => (
        <FormRow key={form.form} shared={form} />
      ))}
    </ul>
  )
}

function FormRow({ shared }: { readonly shared: SharedForm }) {
  if (shared.form === 'link') return null
  const { title, about } = words[shared.form]
  return (
    <li className={styles.form}>
      <span className={styles.words}>
        <span className={styles.title}>{title}</span>
        <span className={asides.quiet}>{'file' in shared ? about : `Not this one: ${shared.reason}.`}</span>
      </span>
      {'file' in shared && (
        <Button
          label={`Save ${bytes(shared.file.size)}`}
          title={`${title}, ${shared.name}`}
          icon="out"
          onClick={() => saveFile(shared.name, shared.file)}
        />
      )}
    </li>
  )
}
