/**
 * When messages are due, in milliseconds from the beginning: a Poisson process, as many people who
 * know nothing of each other are. It is fixed before anything is sent, so a slow answer delays
 * nothing and hides nothing (an open loop).
 */
export function* arrivals(
  rate: number,
  duration: number,
  random: () => number = Math.random,
): Generator<number> {
  if (rate <= 0) {
    return;
  }
  const mean = 1000 / rate;
  for (let due = -Math.log(1 - random()) * mean; due < duration; ) {
    yield due;
    due += -Math.log(1 - random()) * mean;
  }
}
