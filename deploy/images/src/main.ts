/*
 * npm run images [-- NAME…]: builds the images of deploy/Dockerfile without Docker, runs each as a
 * container, and prints their sizes.
 */
import { fileURLToPath } from 'node:url';
import { obtainTool, startBackends } from '@bambochat/testing';
import { ImageBuilder } from './build-image.ts';
import { checkImage } from './check-image.ts';
import { images } from './images.ts';
import { compressedSize, sizeOf } from './size.ts';

const repository = fileURLToPath(new URL('../../..', import.meta.url));
const print = (line: string) => void process.stdout.write(`${line}\n`);
const inMiB = (bytes: number) => (bytes / 2 ** 20).toFixed(0);

const chosen = process.argv.slice(2);
const { file: bwrap } = await obtainTool('bwrap', { announce: print });
await using backends = await startBackends({ announce: print });
await using builder = await ImageBuilder.open({ repository, bwrap });
print('| image | MiB above Debian | as pulled | healthy after |');
print('| --- | --: | --: | --: |');
for (const name of chosen.length > 0 ? chosen : Object.keys(images)) {
  const { root, healthyAfter } = await checkImage(name, {
    builder,
    bwrap,
    backends: {
      MONGODB_URL: backends.mongodb.url,
      NATS_URL: backends.nats.url,
      REDIS_URL: backends.redis.url,
    },
  });
  const healthy = healthyAfter === null ? '' : `${(healthyAfter / 1000).toFixed(1)} s`;
  const [size, compressed] = [await sizeOf(root), await compressedSize(root)];
  print(`| ${name} | ${inMiB(size)} | ${inMiB(compressed)} | ${healthy} |`);
}
