import type { CardArrival } from '../../src/exchange/arrival.ts'
import { greetingsOf, nameOf, unknownIn } from '../../src/cast/cardTexts.ts'
import { cardMember } from '../../src/cast/member.ts'
import type { CastMember } from '../../src/cast/member.ts'
import { plainName } from '../../src/cast/plainName.ts'
import { fillMacros } from '../../src/core/macros.ts'
import type { CharacterCard } from '../../src/formats/card.ts'
import { accentProps, Portrait } from '../shared/Portrait.tsx'
import { Button } from '../shared/Button.tsx'
import { DetailParagraph } from '../shared/Detail.tsx'
import { Fold } from '../shared/Fold.tsx'
import { bytes, list } from '../shared/format.ts'
import { Notice } from '../shared/Notice.tsx'
import { teachCard } from '../stores/exchange/arrivals.ts'
import { useSettings } from '../stores/page/settings.ts'
import styles from './ArrivalSheet.module.css'
import asides from '../shared/Asides.module.css'
import { arrivalsText } from '../words/arrivals.ts'

/** The longest part of a card's text that the sheet shows. */
const LONGEST = 4000
/** Entries of a lorebook, and names of macros, that it shows. */
const MOST_LORE = 100
const MOST_MACROS = 12

/** What a card holds: who it is, in its own words, and what comes with it. */
export function CardFacts({ arrival }: { readonly arrival: CardArrival }) {
  const { card, fileName, warnings, portrait } = arrival
  const name = plainName(card.name)
  const member = cardMember({ id: '', fileName, card: arrival.data, name, portrait })
  const user = useSettings(({ userName }) => userName)
  const facts: readonly (readonly [string, string])[] = [
    [arrivalsText('card.by'), card.creator],
    [arrivalsText('card.version'), card.characterVersion],
    [arrivalsText('card.lore'), loreOf(card.lorebookEntries)],
    [
      arrivalsText('card.also'),
      arrival.assets.size === 0 ? '' : arrivalsText('card.files', { size: arrival.assets.size }),
    ],
  ]
  return (
    <>
      <Person arrival={arrival} member={member} name={name} />
      <Playing arrival={arrival} />
      <Facts facts={facts} />
      {warnings.length > 0 && (
        <Notice title={arrivalsText('mended')} tone="calm">
          {warnings.map((warning) => (
            <DetailParagraph key={warning} detail={warning} />
          ))}
        </Notice>
      )}
      <UnknownMacros names={unknownIn(card)} />
      {card.creatorNotes.trim() !== '' && (
        <Fold title={arrivalsText('card.notes')}>
          <p className={styles.words} dir="auto">
            {shortened(card.creatorNotes)}
          </p>
        </Fold>
      )}
      <Fold title={arrivalsText('card.text')}>
        {textsOf(card, user).map((text, index) => (
          <p key={`${index} ${text.slice(0, 32)}`} className={styles.words} dir="auto">
            {text}
          </p>
        ))}
        <dl className={styles.facts}>
          <dt>SHA-256</dt>
          <dd>
            <code>{arrival.sha256}</code>
          </dd>
        </dl>
      </Fold>
    </>
  )
}

/** Macros of a card that mean nothing here. */
function UnknownMacros({ names }: { readonly names: readonly string[] }) {
  if (names.length === 0) return null
  return (
    <Notice title={arrivalsText('card.macros')} tone="calm">
      <p>
        {names.length > MOST_MACROS
          ? arrivalsText('card.macros.more', {
              macros: names.slice(0, MOST_MACROS).join(', '),
              more: names.length - MOST_MACROS,
            })
          : arrivalsText('card.macros.some', { macros: list(names) })}
      </p>
    </Notice>
  )
}

interface PersonProps {
  readonly arrival: CardArrival
  readonly member: CastMember
  readonly name: string
}

function Person({ arrival, member, name }: PersonProps) {
  return (
    <div className={styles.person} {...accentProps(member.accent)}>
      <Portrait member={member} size="medium" />
      <header className={styles.head}>
        <h3 className={styles.name}>
          <bdi>{name}</bdi>
        </h3>
        <p className={asides.quiet}>
          {kindOf(arrival)} · {arrival.fileName} · {bytes(arrival.bytes)}
        </p>
      </header>
    </div>
  )
}

function kindOf({ program, spec }: CardArrival): string {
  return program === null
    ? arrivalsText('card.kind', { spec: arrivalsText(`card.spec.${spec}`) })
    : arrivalsText('card.kind.program', { program })
}

/** How they can be played. */
function Playing({ arrival }: { readonly arrival: CardArrival }) {
  const hasExamples = arrival.card.exampleMessages.trim() !== ''
  return (
    <>
      <p>{arrivalsText(hasExamples ? 'card.plays.examples' : 'card.plays')}</p>
      {hasExamples && (
        <div className={styles.actions}>
          <Button label={arrivalsText('card.teach')} icon="trained" onClick={() => void teachCard(arrival)} />
        </div>
      )}
    </>
  )
}

/** What is said, by name. */
function Facts({ facts }: { readonly facts: readonly (readonly [string, string])[] }) {
  const said = facts.filter(([, value]) => value.trim() !== '')
  return (
    <dl className={styles.facts}>
      {said.map(([key, value]) => (
        <Fact key={key} name={key} value={value} />
      ))}
    </dl>
  )
}

function Fact({ name, value }: { readonly name: string; readonly value: string }) {
  return (
    <>
      <dt>{name}</dt>
      <dd dir="auto">{value.slice(0, 200)}</dd>
    </>
  )
}

/** The texts of a card as they are played: in their order, macros filled, none longer than can be shown. */
function textsOf(card: CharacterCard, user: string): readonly string[] {
  const { description, personality, scenario, exampleMessages, systemPrompt, lore } = card
  const words = [description, personality, scenario, ...greetingsOf(card), exampleMessages, systemPrompt]
  const values = { user, character: nameOf(card), original: '{{original}}' }
  return [...words, ...lore.slice(0, MOST_LORE)]
    .filter((text) => text.trim() !== '')
    .map((text, seed) => {
      const filled = fillMacros(text.slice(0, 2 * LONGEST), { ...values, seed })
      return text.length > LONGEST ? shortened(filled + text.slice(2 * LONGEST)) : filled
    })
}

function shortened(text: string): string {
  return text.length > LONGEST
    ? arrivalsText('card.shortened', { text: text.slice(0, LONGEST), length: text.length })
    : text
}

function loreOf(entries: number): string {
  return entries > 0 ? arrivalsText('card.entries', { entries }) : ''
}
