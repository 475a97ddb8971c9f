import { strings } from '../strings.ts';

/** English words, in the order of day, month and hour that the reader is used to. */
const locale = globalThis.navigator?.languages?.find((name) => name.startsWith('en')) ?? 'en-GB';
const clock = new Intl.DateTimeFormat(locale, { hour: 'numeric', minute: '2-digit' });
const weekday = new Intl.DateTimeFormat(locale, { weekday: 'short' });
const shortDay = new Intl.DateTimeFormat(locale, { day: 'numeric', month: 'short' });
const shortDate = new Intl.DateTimeFormat(locale, {
  day: '2-digit',
  month: '2-digit',
  year: '2-digit',
});
const longDay = new Intl.DateTimeFormat(locale, { weekday: 'long', day: 'numeric', month: 'long' });
const longDate = new Intl.DateTimeFormat(locale, { dateStyle: 'long' });
const exact = new Intl.DateTimeFormat(locale, { dateStyle: 'full', timeStyle: 'short' });

/** The local day of an ISO time, as something to compare. */
export function dayOf(iso: string): string {
  const date = new Date(iso);
  return `${date.getFullYear()}-${date.getMonth() + 1}-${date.getDate()}`;
}

function daysBefore(date: Date, now: Date): number {
  const midnight = (at: Date) => Date.UTC(at.getFullYear(), at.getMonth(), at.getDate());
  return Math.round((midnight(now) - midnight(date)) / 86_400_000);
}

export function clockTime(iso: string): string {
  return clock.format(new Date(iso));
}

export function exactTime(iso: string): string {
  return exact.format(new Date(iso));
}

/** For the line above the messages of a day. */
export function dayTitle(iso: string, now = new Date()): string {
  const date = new Date(iso);
  const days = daysBefore(date, now);
  if (days === 0) {
    return strings.messages.today;
  }
  if (days === 1) {
    return strings.messages.yesterday;
  }
  return (date.getFullYear() === now.getFullYear() ? longDay : longDate).format(date);
}

/** After "last seen". */
export function lastSeenTime(iso: string, now = new Date()): string {
  const date = new Date(iso);
  const minutes = Math.floor((now.getTime() - date.getTime()) / 60_000);
  const { lastSeen } = strings.time;
  if (minutes < 60) {
    return minutes < 1 ? lastSeen.justNow : lastSeen.minutes(minutes);
  }
  const days = daysBefore(date, now);
  if (days < 2) {
    const time = clock.format(date);
    return days <= 0 ? lastSeen.today(time) : lastSeen.yesterday(time);
  }
  return lastSeen.day(relativeTime(iso, now));
}

/** As short as a list wants it: now, 5 min, 14:05, Yesterday, Tue, 3 May. */
export function relativeTime(iso: string, now = new Date()): string {
  const date = new Date(iso);
  const minutes = Math.floor((now.getTime() - date.getTime()) / 60_000);
  const days = daysBefore(date, now);
  if (minutes < 1) {
    return strings.conversations.now;
  }
  if (minutes < 60) {
    return `${minutes} min`;
  }
  if (days <= 0) {
    return clock.format(date);
  }
  if (days === 1) {
    return strings.conversations.yesterday;
  }
  if (days < 7) {
    return weekday.format(date);
  }
  return (date.getFullYear() === now.getFullYear() ? shortDay : shortDate).format(date);
}
