export type { Listing, StackListing } from './ready-line.ts';
export type { Stack, StartStackOptions } from './stack.ts';
export { startStack } from './stack.ts';
