import { presenceReplicaIdSchema, subjects } from '@bambochat/protocol';
import { expect, test } from 'vitest';
import { createPresenceReplicas } from './presence-replicas.ts';

const [a, b] = [presenceReplicaIdSchema.parse('a'), presenceReplicaIdSchema.parse('b')];

function subjectsOf(replicas: ReturnType<typeof createPresenceReplicas>, failures: number) {
  return Array.from({ length: failures + 1 }, (_, index) => replicas.subject(index));
}

test('as long as none is known, any is asked', () => {
  expect(new Set(subjectsOf(createPresenceReplicas(), 5))).toEqual(
    new Set([subjects.presenceReport]),
  );
});

test('first any is asked, then those that answered last, then any again', () => {
  const replicas = createPresenceReplicas();
  replicas.answered(a);
  replicas.answered(b);
  replicas.answered(a);
  expect(subjectsOf(replicas, 4)).toEqual([
    subjects.presenceReport,
    subjects.presenceReportTo(a),
    subjects.presenceReportTo(b),
    subjects.presenceReport,
    subjects.presenceReportTo(a),
  ]);
});

test('replicas that were replaced long ago are forgotten', () => {
  const replicas = createPresenceReplicas();
  for (let index = 0; index < 100; index += 1) {
    replicas.answered(presenceReplicaIdSchema.parse(`replica-${index}`));
  }
  expect(new Set(subjectsOf(replicas, 100)).size).toBe(17);
});
