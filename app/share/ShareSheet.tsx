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
import { detailText } from '../words/details.ts'
import { shareText } from '../words/share.ts'

/** The forms that anybody may want, and those for other programs. */
const first: readonly ShareForm[] = ['role', 'pack', 'charx', 'png']
const others: readonly ShareForm[] = ['json', 'peft', 'gguf']

/** What is in each file, whom it needs, how large it is; one button each. */
export function ShareSheet() {
  const { subject, forms, isBusy, failure } = useShare()
  if (!subject) return null
  const link = forms.find(({ form }) => form === 'link')
  return (
    <Dialog title={shareText('title', { name: nameOf(subject) })} onClose={closeShare}>
      {subject.kind === 'member' && (
        <div className={styles.person} {...accentProps(subject.member.accent)}>
          <Portrait member={subject.member} size="medium" />
          <p>{subject.member.isTrained ? shareText('byWeights') : shareText('byText')}</p>
        </div>
      )}
      {failure && <ErrorNotice failure={failure} onRetry={() => void openShare(subject)} />}
      <Forms forms={forms.filter(({ form }) => first.includes(form))} />
      {link && <LinkForm link={link} />}
      {forms.some(({ form }) => others.includes(form)) && (
        <Fold title={shareText('others')}>
          <Forms forms={forms.filter(({ form }) => others.includes(form))} />
        </Fold>
      )}
      <p role="status" className={asides.quiet}>
        {isBusy ? shareText('packing') : ''}
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
  const title = shareText(`form.${shared.form}`)
  return (
    <li className={styles.form}>
      <span className={styles.words}>
        <span className={styles.title}>{title}</span>
        <span className={asides.quiet}>
          {'file' in shared
            ? shareText(`form.${shared.form}.about`)
            : shareText('notThis', { reason: detailText(shared.reason) })}
        </span>
      </span>
      {'file' in shared && (
        <Button
          label={shareText('save', { size: bytes(shared.file.size) })}
          title={`${title}, ${shared.name}`}
          icon="out"
          onClick={() => saveFile(shared.name, shared.file)}
        />
      )}
    </li>
  )
}
