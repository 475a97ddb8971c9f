import { expect, test } from 'vitest';
import { clientPaths } from '../client-paths.ts';
import { paths, readRoute } from './shell/route.ts';

test('an address leads back to where it came from', () => {
  expect(readRoute(paths.conversation('a b'))).toEqual({ page: 'conversation', id: 'a b' });
  expect(readRoute(paths.friends)).toEqual({ page: 'friends' });
  expect(readRoute(paths.home)).toEqual({ page: 'home' });
  expect(readRoute('/conversations/%')).toEqual({ page: 'conversation', id: '%' });
  expect(readRoute('/whatever/else')).toEqual({ page: 'home' });
});

test('the server answers all of them with the page', () => {
  const { conversation, ...others } = paths;
  expect(clientPaths).toEqual(expect.arrayContaining(Object.values(others)));
  expect(clientPaths).toContain(decodeURIComponent(conversation(':conversationId')));
});
