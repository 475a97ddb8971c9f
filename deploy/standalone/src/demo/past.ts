import type { ReactionType } from '@bambochat/protocol';
import { companion, newcomer } from './people.ts';

/** Something that was said before anybody started the demo. */
export interface PastMessage {
  readonly from: string;
  readonly when: When;
  readonly text: string;
  readonly reactions?: Partial<Record<ReactionType, readonly string[]>>;
}

/** In the time of this machine. */
type When = { readonly daysAgo: number; readonly at: string } | { readonly minutesAgo: number };

export interface PastConversation {
  /** Null: a direct one, of two. */
  readonly name: string | null;
  /** The first one began it. */
  readonly members: readonly string[];
  readonly messages: readonly PastMessage[];
  /** How many of the last messages somebody has not read; absent: none. */
  readonly unread: Readonly<Record<string, number>>;
}

type Reactions = NonNullable<PastMessage['reactions']>;
type Line = readonly [at: string, from: string, text: string, reactions?: Reactions];

const day = (daysAgo: number, ...lines: readonly Line[]): PastMessage[] =>
  lines.map(([at, from, text, reactions]) => ({
    from,
    when: { daysAgo, at },
    text,
    ...(reactions === undefined ? {} : { reactions }),
  }));

const justNow = (
  ...lines: readonly (readonly [minutesAgo: number, from: string, text: string, Reactions?])[]
): PastMessage[] =>
  lines.map(([minutesAgo, from, text, reactions]) => ({
    from,
    when: { minutesAgo },
    text,
    ...(reactions === undefined ? {} : { reactions }),
  }));

const trail: PastConversation = {
  name: 'Panda Trail 🐼⛰️',
  members: [newcomer.id, 'ben', 'mei', 'yuki', 'layla'],
  unread: { [newcomer.id]: 3, ben: 1, layla: 4 },
  messages: [
    ...day(
      6,
      ['18:02', 'ada', 'I made this group for the hike. Saturday after next, two days, one hut?'],
      ['18:04', 'ben', 'Yes! I bring coffee. ☕', { love: ['ada', 'mei'], like: ['layla'] }],
      ['18:10', 'mei', '太好了！I was hoping somebody would ask. 我带茶。'],
      ['18:31', 'yuki', '行きます！山小屋は予約が必要ですか？'],
      ['18:33', 'ada', 'Yes, the hut needs a reservation. I will call them tomorrow.'],
      ['19:47', 'layla', 'أنا معكم! هل الطريق صعب؟'],
      ['19:52', 'ada', '900 m up on the first day, but no climbing. صعب قليلاً، لكنه جميل 🙂'],
      ['19:53', 'layla', 'جميل جداً، شكراً لكِ ❤️', { love: ['ada'] }],
    ),
    ...day(
      5,
      [
        '08:15',
        'ada',
        'The hut has five places for us. Booked!',
        {
          like: ['ben', 'mei', 'yuki', 'layla'],
        },
      ],
      ['08:16', 'ben', 'Five of us, ten legs, one kettle.', { haha: ['mei', 'ada', 'yuki'] }],
      [
        '12:40',
        'mei',
        'Packing list, add what is missing:\n• rain jacket\n• head lamp 🔦\n• tea (me)\n• coffee (Ben)\n• first aid kit',
      ],
      ['12:58', 'yuki', '地図とコンパス。GPSも持って行きます。'],
      ['13:02', 'ben', 'A map on paper? In this century?'],
      ['13:03', 'ada', 'A map on paper. In every century. 🗺️', { like: ['yuki', 'mei'] }],
      ['21:20', 'layla', 'هل يوجد ماء في الطريق؟ Is there water on the way?'],
      [
        '21:25',
        'mei',
        'Two springs, marked here: https://example.org/trails/panda?points=water#springs',
      ],
    ),
    ...day(
      3,
      ['07:58', 'ben', 'Weather for Saturday: 🌤️ 14 °C, wind from the west.'],
      ['08:01', 'yuki', '完璧！😍', { love: ['layla'] }],
      ['08:05', 'mei', '完美 ✨'],
      ['17:30', 'ada', 'Train at 07:12, platform 4. We meet at the clock at 07:00.'],
      ['17:31', 'ada', 'That is 07:00 for everybody, Ben.'],
      ['17:36', 'ben', 'I was late ONCE.', { haha: ['ada', 'mei', 'layla', 'yuki'] }],
      ['17:40', 'layla', '😂😂😂'],
      ['22:11', 'yuki', 'おやすみなさい 🌙'],
    ),
    ...day(
      1,
      ['12:05', 'mei', 'Does anybody have a spare sleeping bag? Mine has met the cat. 🐈'],
      ['12:09', 'layla', 'عندي واحد إضافي! I have one.', { love: ['mei'] }],
      ['12:10', 'mei', 'شكراً ليلى! 谢谢！🙏'],
      [
        '20:44',
        'ben',
        'Would you look at this: 👨‍👩‍👧‍👦🏔️🇨🇭🏕️ is one family, one mountain, one flag and one tent, and every one of them should be in one piece.',
        {
          haha: ['ada'],
        },
      ],
      ['20:46', 'ada', 'They are.'],
    ),
    ...justNow(
      [52, 'yuki', '天気予報が変わりました。日曜日は雨です。☔'],
      [49, 'yuki', 'The forecast has changed: rain on Sunday.', { sad: ['mei'] }],
      [47, 'mei', 'Then we start earlier on Sunday, and are down before it comes.'],
      [12, 'ben', '@ada do we take the earlier train back, too?'],
    ),
  ],
};

const withBen: PastConversation = {
  name: null,
  members: ['ben', newcomer.id],
  unread: { [newcomer.id]: 2 },
  messages: [
    ...day(
      4,
      ['09:30', 'ben', 'Do you still have my book about knots?'],
      ['09:41', 'ada', 'I do, and I have learnt exactly one. It holds, though.'],
      ['09:42', 'ben', 'The one that cannot be undone?', { haha: ['ada'] }],
      ['09:42', 'ada', 'That one.'],
    ),
    ...day(
      2,
      ['16:20', 'ben', 'Lunch on Thursday?'],
      ['16:50', 'ada', 'Gladly. The place with the lanterns, 12:30?', { like: ['ben'] }],
      ['16:51', 'ben', '👍'],
    ),
    ...justNow(
      [26, 'ben', 'I have found a thermos that holds two litres.'],
      [25, 'ben', 'It weighs more than the tent. I will take it. ☕☕☕'],
    ),
  ],
};

const withMei: PastConversation = {
  name: null,
  members: [newcomer.id, 'mei'],
  unread: {},
  messages: [
    ...day(
      5,
      ['20:02', 'ada', '你好！我在学中文。这句话对吗？'],
      ['20:06', 'mei', '完全对！👏 Soon you will order for all of us.', { love: ['ada'] }],
      ['20:07', 'ada', '一步一步来。'],
    ),
    ...day(
      1,
      ['14:30', 'mei', '明天见？ Tea at four?'],
      ['14:33', 'ada', '好的，四点见 🍵', { like: ['mei'] }],
    ),
  ],
};

const withLayla: PastConversation = {
  name: null,
  members: ['layla', newcomer.id],
  unread: { layla: 1 },
  messages: [
    ...day(
      2,
      ['19:15', 'layla', 'مساء الخير يا آدا! قرأتُ قصيدة عن الجبل وفكرتُ فيكِ.'],
      ['19:16', 'layla', '«على قدر أهل العزم تأتي العزائم»'],
      ['19:30', 'ada', 'ما أجملها! هل تقرئينها لنا في الكوخ؟', { love: ['layla'] }],
      ['19:31', 'layla', 'بالتأكيد 😊'],
    ),
    ...day(1, [
      '08:00',
      'ada',
      'Good morning from the office! “בוקר טוב”, as our poet from Haifa says. 🎉',
    ]),
  ],
};

const withCompanion: PastConversation = {
  name: null,
  members: [companion.id, newcomer.id],
  unread: {},
  messages: day(1, [
    '10:00',
    companion.id,
    'Hello! I am a script, not a person. Write me something and watch me type; write “bye” and I go offline for a while, so that you see me come back.',
  ]),
};

export const pastConversations: readonly PastConversation[] = [
  trail,
  withBen,
  withMei,
  withLayla,
  withCompanion,
];
