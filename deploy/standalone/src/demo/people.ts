/** Everybody's. It is printed, and the server of the demo listens on this machine alone. */
export const demoPassword = 'bamboo-demo';

export interface DemoPerson {
  readonly id: string;
  readonly displayName: string;
  readonly bio: string;
}

/** Who to log in as first. */
export const newcomer = {
  id: 'ada',
  displayName: 'Ada Okafor',
  bio: 'Maps, mountains, mathematics.',
} as const;

/** A program: `keep-company.ts`. Its name and its first message say so. */
export const companion = {
  id: 'bamboo',
  displayName: 'Bamboo (a script)',
  bio: 'I am a program with a few fixed answers. Write to me, and I am typing at once.',
} as const;

export const people: readonly DemoPerson[] = [
  newcomer,
  { id: 'ben', displayName: 'Ben Müller', bio: 'Brings the coffee.' },
  { id: 'mei', displayName: '林美 Mei', bio: '走路去。Usually on foot.' },
  { id: 'yuki', displayName: '田中 由紀', bio: '写真と山。' },
  { id: 'layla', displayName: 'ليلى حداد', bio: 'أحب الجبال والشعر.' },
  { id: 'arjun', displayName: 'अर्जुन', bio: 'Trains, not planes. 🚂' },
  companion,
];

/** Friends of the newcomer; what is left has asked and waits for an answer. */
export const friends = ['ben', 'mei', 'yuki', 'layla', companion.id] as const;
export const asking = ['arjun'] as const;
