/** Line icons of one family: 20 × 20, strokes of 1.5 px. */
const paths = {
  back: 'M12 4 6 10l6 6',
  forward: 'm8 4 6 6-6 6',
  send: 'M10 16V4m0 0L5 9m5-5 5 5',
  stop: 'M6 6h8v8H6z',
  pause: 'M7.500 5v10M12.500 5v10',
  again: 'M15.500 8A6 6 0 1 0 16 11.500M15.500 4v4h-4',
  onward: 'M4 10h11m0 0-4-4m4 4-4 4',
  endless:
    'M10 10c-1.500-2-2.600-3-4-3a3 3 0 0 0 0 6c1.400 0 2.500-1 4-3s2.600-3 4-3a3 3 0 0 1 0 6c-1.400 0-2.500-1-4-3',
  edit: 'm4 16 .8-3.600L13.300 4l2.700 2.700-8.500 8.500zM11.500 5.800l2.700 2.700',
  branch:
    'M6 7.500v5M6 12.500a2 2 0 1 0 0 4 2 2 0 0 0 0-4Zm0-9a2 2 0 1 0 0 4 2 2 0 0 0 0-4Zm8 0a2 2 0 1 0 0 4 2 2 0 0 0 0-4Zm0 4c0 3-8 2-8 5',
  copy: 'M7 7h9v9H7zM4 13V4h9',
  bin: 'M4 6h12M8 6V4h4v2m-6.500 0 .7 10h7.600l.7-10',
  close: 'm5 5 10 10M15 5 5 15',
  plus: 'M10 4v12M4 10h12',
  pin: 'M7.500 3.500h5l-.7 5 2.700 3h-9l2.700-3zM10 11.500V17',
  curtain:
    'M3 3.500h14M4.500 3.500V17M15.500 3.500V17M10 3.500c0 5.500-2 8.500-5.500 10M10 3.500c0 5.500 2 8.500 5.500 10',
  down: 'm5 8 5 5 5-5',
  out: 'M10 3v9m0 0-3.500-3.500M10 12l3.500-3.500M4 13v3h12v-3',
  in: 'M10 12V3m0 0L6.500 6.500M10 3l3.500 3.500M4 13v3h12v-3',
  share:
    'M5.500 12a2 2 0 1 0 0-4 2 2 0 0 0 0 4Zm9-5a2 2 0 1 0 0-4 2 2 0 0 0 0 4Zm0 10a2 2 0 1 0 0-4 2 2 0 0 0 0 4ZM7.300 9.100l5.400-3.200M7.300 10.900l5.400 3.200',
  blend: 'M8 5a5 5 0 1 0 0 10A5 5 0 0 0 8 5Zm4 0a5 5 0 1 0 0 10 5 5 0 0 0 0-10Z',
  lock: 'M5.500 9h9v7h-9zM7.500 9V6.500a2.500 2.500 0 0 1 5 0V9',
  unlock: 'M5.500 9h9v7h-9zM7.500 9V6.500a2.500 2.500 0 0 1 4.800-1',
  keys: 'M3 6h14v8H3zM6 9h.01M9 9h.01M12 9h.01M14.500 9h.01M7 11.500h6',
  trained: 'M10 3.500 12 8l4.500 2-4.500 2-2 4.500L8 12l-4.500-2L8 8z',
  warning: 'M10 4 3 16h14zM10 9v3m0 2v.01',
  several:
    'M7.500 9.500a2.700 2.700 0 1 0 0-5.400 2.700 2.700 0 0 0 0 5.400Zm-5 6c.4-2.400 2.400-3.500 5-3.500s4.600 1.100 5 3.500M12.500 4.300a2.700 2.700 0 0 1 0 5M14.500 12.300c1.700.4 2.700 1.500 3 3.200',
  up: 'm5 12 5-5 5 5',
  heard: 'M3.500 4.500h13v8.500H9l-3.500 3v-3h-2z',
  muted: 'M3.500 4.500h13v8.500H9l-3.500 3v-3h-2zM3 2.500l14 15',
  nobody:
    'M10 10.500a3.200 3.200 0 1 0 0-6.400 3.200 3.200 0 0 0 0 6.400Zm-6.500 6c.500-2.800 3-4 6.500-4s6 1.200 6.500 4',
  ask: 'M10 2.500a7.500 7.500 0 1 0 0 15 7.500 7.500 0 0 0 0-15ZM7.800 8a2.200 2.200 0 1 1 3.300 1.900c-.8.5-1.100 1-1.100 1.800M10 14v.01',
  sound: 'M3.500 8v4H6.500L10.500 15.500v-11L6.500 8zM13 7.500a3.500 3.500 0 0 1 0 5M15.200 5a7 7 0 0 1 0 10',
  beside: 'M3.500 4.500h5.500v11H3.500zM11 4.500h5.500v11H11z',
  order: 'M4 6h12M4 10h8M4 14h4',
  heart:
    'M10 16.500 4 10.400a3.700 3.700 0 0 1 0-5.200 3.600 3.600 0 0 1 5 0l1 1 1-1a3.600 3.600 0 0 1 5 0 3.700 3.700 0 0 1 0 5.200z',
  search: 'M9 4a5 5 0 1 0 0 10A5 5 0 0 0 9 4Zm3.600 8.600L16 16',
} as const

export type IconName = keyof typeof paths

/** One icon, drawn in the colour of the text; the control it sits in has the name. */
export function Icon({ name, size = 20 }: { readonly name: IconName; readonly size?: number }) {
  return (
    <svg
      aria-hidden="true"
      width={size}
      height={size}
      viewBox="0 0 20 20"
      fill="none"
      stroke="currentColor"
      strokeWidth="1.5"
      strokeLinecap="round"
      strokeLinejoin="round"
    >
      <path d={paths[name]} />
    </svg>
  )
}
