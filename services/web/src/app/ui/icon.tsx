/** Line drawings on a field of 24 × 24. */
const PATHS = {
  alert: 'M12 8v5m0 3.2v.1M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18Z',
  back: 'm15 5-7 7 7 7',
  check: 'm5 12.5 4.5 4.5L19 7.5',
  checks: 'm2.5 12.5 4 4.5L15.500 7.500M11.500 15.500 13 17l8.500-9.500',
  clock: 'M12 7.500V12l3 2M12 3.500a8.500 8.500 0 1 0 0 17 8.500 8.500 0 0 0 0-17Z',
  close: 'm6 6 12 12M18 6 6 18',
  compose: 'M4 20h4L19.500 8.500a2.100 2.100 0 0 0-3-3L5 17v3M14.500 7.500l3 3',
  down: 'm6 9.500 6 6 6-6',
  eye: 'M2.500 12S6 5.500 12 5.500 21.500 12 21.500 12 18 18.500 12 18.500 2.500 12 2.500 12Zm9.500-2.800a2.800 2.800 0 1 0 0 5.600 2.800 2.800 0 0 0 0-5.600Z',
  friends:
    'M9 11.500a3.500 3.500 0 1 0 0-7 3.500 3.500 0 0 0 0 7Zm-6.500 8a6.500 6.500 0 0 1 13 0M16 4.900a3.500 3.500 0 0 1 0 6.300M18 14a6.500 6.500 0 0 1 3.500 5.500',
  info: 'M12 11v5.500M12 7.600v.1M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18Z',
  leave: 'M14 4.500H6.500v15H14M10.500 12H21m-3.500-3.500L21 12l-3.500 3.500',
  more: 'M5.500 12h.01M12 12h.01M18.500 12h.01',
  offline:
    'M4 4l16 16M8.500 8.700A10.500 10.500 0 0 0 4.500 11M7.800 14.400a6 6 0 0 1 3.600-1.700M12 18.500h.01M12.500 8a10.500 10.500 0 0 1 7 3',
  plus: 'M12 5v14M5 12h14',
  profile: 'M12 12a4 4 0 1 0 0-8 4 4 0 0 0 0 8Zm-7.500 8.500a7.500 7.500 0 0 1 15 0',
  search: 'M11 4.500a6.500 6.500 0 1 0 0 13 6.500 6.500 0 0 0 0-13Zm4.800 11.300 4.200 4.200',
  send: 'M4.500 12 3.500 4.500 21 12 3.500 19.500 4.500 12Zm0 0H12',
} as const;

export type IconName = keyof typeof PATHS;

/** Beside words, or in a control that has a label: says nothing itself. */
export function Icon(props: { name: IconName }) {
  return (
    <svg className={`icon icon-${props.name}`} viewBox="0 0 24 24" aria-hidden="true">
      <path d={PATHS[props.name]} />
    </svg>
  );
}
