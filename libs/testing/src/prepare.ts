/*
 * Run by `npm test` before the tests: makes sure that all back ends and tools can be had, so that no
 * test has to install one, and removes the results of the run before.
 *   node libs/testing/src/prepare.ts [root]
 */
import { rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { backendNames, urlVariables } from './backend.ts';
import { hasContainerEngine } from './docker-backend.ts';
import { obtainTool, toolNames } from './obtain-tool.ts';
import { obtainLocalServer } from './start-backends.ts';
import { resultFile, workspaceFolders } from './workspaces.ts';

const [root = process.cwd()] = process.argv.slice(2);
const print = (line: string) => {
  process.stdout.write(`${line}\n`);
};

for (const folder of await workspaceFolders(root)) {
  await rm(dirname(join(root, folder, resultFile)), { recursive: true, force: true });
}

const docker = await hasContainerEngine(process.env);
const failures: string[] = [];
for (const name of backendNames) {
  const variable = urlVariables[name];
  const given = process.env[variable];
  if (given) {
    print(`${name}: the server that ${variable} names`);
  }
  // Tests that kill a server never do that to a given one, so they need another even then.
  if (docker) {
    print(`${name}: a container engine answers, so Docker through testcontainers`);
    continue;
  }
  try {
    print((await obtainLocalServer(name, process.env, print)).source);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    if (given) {
      print(`${name}: tests that need a server of their own will fail. ${reason}`);
    } else {
      failures.push(reason);
    }
  }
}
for (const name of toolNames) {
  try {
    const { file } = await obtainTool(name, { announce: print });
    print(`${name}: ${file}`);
  } catch (error) {
    // Its tests skip, with this reason.
    print(error instanceof Error ? error.message : String(error));
  }
}
for (const failure of failures) {
  print(`\n${failure}`);
}
process.exitCode = failures.length > 0 ? 1 : 0;
