export * from './bus-catalogue.ts';
export * from './event-catalogue.ts';
