/** How an image is built: `docker build -f deploy/Dockerfile --target … --build-arg SERVICE=…`. */
export interface ImageRecipe {
  readonly target: 'service' | 'standalone' | 'tool';
  /** The folder of its package. */
  readonly folder: string;
}

const service = (name: string): ImageRecipe => ({ target: 'service', folder: `services/${name}` });

/** Every image, by the name of its package without the scope, which is SERVICE. */
export const images: Readonly<Record<string, ImageRecipe>> = {
  'socket-gateway': service('socket-gateway'),
  'message-service': service('message-service'),
  'presence-service': service('presence-service'),
  'history-service': service('history-service'),
  'directory-service': service('directory-service'),
  standalone: { target: 'standalone', folder: 'deploy/standalone' },
  operate: { target: 'tool', folder: 'deploy/operate' },
  'load-tester': { target: 'tool', folder: 'services/load-tester' },
};

/** `bambochat/<name>:<version>`, unless it is pushed elsewhere. */
export const imagePrefix = 'bambochat/';
