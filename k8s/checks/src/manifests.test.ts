import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { processes } from '@bambochat/docs/configuration';
import { images } from '@bambochat/images';
import { readConfig } from '@bambochat/runtime';
import { obtainTool, ToolMissingError } from '@bambochat/testing';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { environmentOf, runtimeVariables, seconds, secrets } from './environment.ts';
import { allows, type Party } from './network-policies.ts';
import { ofKind, ownImage, selects, type Workload, workloadsOf } from './objects.ts';
import { jobs, overlays, type Rendering, render } from './render.ts';

/** The oldest and the newest Kubernetes that the manifests are held against. */
const kubernetesVersions = ['1.33', '1.37'];

const readme = await readFile(new URL('../../README.md', import.meta.url), 'utf8');
const schemas = new Map(Object.entries(processes));
const kustomize = await obtainTool('kustomize').catch((error: unknown) => {
  if (error instanceof ToolMissingError) {
    return error;
  }
  throw error;
});

if (kustomize instanceof ToolMissingError) {
  test('the manifests', (context) => context.skip(kustomize.message));
} else {
  const tracing = { component: 'components/tracing' };
  const renderings = new Map<string, Rendering>([
    ...(await Promise.all(
      [...overlays, ...jobs].map(
        async (folder) => [folder, await render(kustomize, folder)] as const,
      ),
    )),
    ['production and tracing', await render(kustomize, 'overlays/production', tracing)],
  ]);
  describe.each([...renderings])('%s', (name, rendering) => {
    checkRendering(name, rendering);
    if (!name.startsWith('jobs/')) {
      checkSystem(name, rendering);
    }
  });
}

/** What holds for everything that is applied. */
function checkRendering(_name: string, { text, objects }: Rendering): void {
  test.each(kubernetesVersions)(
    'is what Kubernetes %s knows, and nothing else',
    async (version) => {
      const validate = await obtainTool('kubernetes-validate');
      const folder = await mkdtemp(join(tmpdir(), 'bambochat-manifests-'));
      try {
        const file = join(folder, 'all.yaml');
        await writeFile(file, text);
        await promisify(execFile)(validate.file, ['--strict', '--quiet', '-k', version, file]);
      } finally {
        await rm(folder, { recursive: true, force: true });
      }
    },
    120_000,
  );

  describe.each(workloadsOf(objects).map((workload) => [workload.name, workload] as const))(
    '%s',
    (_name, workload) => checkPods(workload),
  );

  function checkPods({ pod }: Workload): void {
    test('is restricted, as the Pod Security Standard says', () => {
      expect(pod).toMatchObject({
        automountServiceAccountToken: false,
        securityContext: { runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } },
      });
      expect(pod.securityContext?.runAsUser).toBeGreaterThan(0);
      expect(pod.hostNetwork).toBeUndefined();
      expect(pod.volumes?.filter(({ hostPath }) => hostPath !== undefined) ?? []).toEqual([]);
      for (const { securityContext, resources } of pod.containers) {
        expect(securityContext).toEqual({
          allowPrivilegeEscalation: false,
          readOnlyRootFilesystem: true,
          capabilities: { drop: ['ALL'] },
        });
        expect(resources?.requests).toHaveProperty('cpu');
        expect(resources?.requests).toHaveProperty('memory');
        expect(resources?.limits).toHaveProperty('memory');
      }
    });

    test('runs an image of deploy/Dockerfile, or one with a version', () => {
      for (const container of pod.containers) {
        const own = ownImage(container);
        expect(own === undefined || own in images, container.image).toBe(true);
        expect(container.image).toMatch(/:\d+\.\d+\.\d+/);
      }
    });

    test('uses Secrets that the README explains', () => {
      const used = [
        ...pod.containers.flatMap(({ env = [] }) =>
          env.flatMap(({ valueFrom }) => valueFrom?.secretKeyRef?.name ?? []),
        ),
        ...(pod.volumes ?? []).flatMap(({ secret }) => secret?.secretName ?? []),
      ];
      for (const secret of used) {
        expect(secrets).toHaveProperty(secret);
        expect(readme).toContain(`\`${secret}\``);
      }
    });

    test('gets the variables that its code reads, with values that it takes, and no others', () => {
      for (const container of pod.containers) {
        const environment = environmentOf(container, objects);
        const schema = schemas.get(ownImage(container) ?? '');
        if (schema !== undefined) {
          const read = [...Object.keys(schema.shape), ...runtimeVariables];
          expect(Object.keys(environment).filter((variable) => !read.includes(variable))).toEqual(
            [],
          );
          // Throws for one that is missing or wrong.
          readConfig(schema as Parameters<typeof readConfig>[0], environment);
        }
      }
    });
  }

  test('holds no secret', () => {
    const words = /(password|secret|token|private)/i;
    for (const map of ofKind(objects, 'ConfigMap')) {
      for (const [key, value] of Object.entries(map.data ?? {})) {
        expect(words.test(key) && /^[\w+/=-]{16,}$/.test(value), key).toBe(false);
        expect(value).not.toMatch(/PRIVATE KEY|:\/\/[^:@/$]+:[^$@/][^@/]*@/);
      }
    }
    for (const { pod } of workloadsOf(objects)) {
      for (const { env = [] } of pod.containers) {
        for (const { name, value } of env) {
          expect(value !== undefined && words.test(name), name).toBe(false);
        }
      }
    }
  });
}

/** What holds for the whole system. */
function checkSystem(name: string, { objects }: Rendering): void {
  const workloads = workloadsOf(objects);
  const deployments = workloads.filter(({ kind }) => kind === 'Deployment');

  test('every service is there', () => {
    const services = Object.keys(images).filter(
      (image) => images[image]?.folder.startsWith('services/') && image !== 'load-tester',
    );
    expect(deployments.map((deployment) => deployment.name).toSorted()).toEqual(
      services.toSorted(),
    );
  });

  test.each(deployments.map((deployment) => [deployment.name, deployment] as const))(
    '%s: ports, probes, disruptions and spread fit each other',
    (service, { pod, labels }) => {
      const [container] = pod.containers;
      if (container === undefined) {
        throw new Error('no container');
      }
      const environment = environmentOf(container, objects);
      const [port] = container.ports ?? [];
      expect(port?.containerPort).toBe(Number(environment.PORT));
      expect(environment.HOST).toBe('0.0.0.0');
      // libs/runtime answers these two and /metrics on every process' port.
      expect(container.startupProbe?.httpGet).toEqual({ path: '/healthz', port: port?.name });
      expect(container.livenessProbe?.httpGet).toEqual({ path: '/healthz', port: port?.name });
      expect(container.readinessProbe?.httpGet).toEqual({ path: '/readyz', port: port?.name });
      const own = ofKind(objects, 'Service').filter(({ spec }) =>
        selects({ matchLabels: spec.selector }, labels),
      );
      expect(own.map(({ spec }) => spec.ports[0].targetPort)).toEqual([port?.name]);
      const budgets = ofKind(objects, 'PodDisruptionBudget').filter(({ spec }) =>
        selects(spec.selector, labels),
      );
      expect(budgets).toHaveLength(1);
      expect(pod.topologySpreadConstraints?.length).toBeGreaterThan(0);
      for (const { labelSelector } of pod.topologySpreadConstraints ?? []) {
        expect(selects(labelSelector, labels)).toBe(true);
      }
      // The kubelet counts from the beginning of preStop.
      const grace = pod.terminationGracePeriodSeconds ?? 30;
      const before = container.lifecycle?.preStop?.sleep?.seconds ?? 0;
      const stopping = seconds(environment.STOP_TIMEOUT, 25);
      expect(grace).toBeGreaterThanOrEqual(before + stopping);
      const drain = seconds(environment.DRAIN_DELAY) + seconds(environment.DRAIN_SPREAD);
      expect(drain).toBeLessThanOrEqual(stopping / 2);
      if (service === 'socket-gateway') {
        expect(Number(environment.DRAIN_DELAY)).toBeGreaterThanOrEqual(5000);
      }
    },
  );

  test('who is scaled is there, and does not fix its own number', () => {
    for (const { spec } of ofKind(objects, 'HorizontalPodAutoscaler')) {
      const target = objects.find(
        ({ kind, metadata }) =>
          kind === spec.scaleTargetRef.kind && metadata.name === spec.scaleTargetRef.name,
      );
      expect(target?.spec).toBeDefined();
      expect(target?.spec.replicas).toBeUndefined();
      expect(spec.minReplicas).toBeGreaterThanOrEqual(2);
    }
  });

  test('prometheus-adapter makes the metrics that are scaled by', async () => {
    const adapter = new URL('../../autoscaling/prometheus-adapter-values.yaml', import.meta.url);
    const { rules } = parse(await readFile(adapter, 'utf8'));
    for (const { spec } of ofKind(objects, 'HorizontalPodAutoscaler')) {
      for (const { pods, external } of spec.metrics) {
        const made = pods === undefined ? rules.external : rules.custom;
        const metric: string | undefined = (pods ?? external)?.metric.name;
        expect(
          metric === undefined ||
            made.some(({ seriesQuery }: { seriesQuery: string }) =>
              seriesQuery.startsWith(`${metric}{`),
            ),
          metric,
        ).toBe(true);
      }
    }
  });

  test('the ingress sends to Services that exist', () => {
    for (const { spec } of ofKind(objects, 'Ingress')) {
      for (const { backend } of spec.rules.flatMap(
        (rule: { http: { paths: object[] } }) => rule.http.paths,
      )) {
        const service = ofKind(objects, 'Service').find(
          ({ metadata }) => metadata.name === backend.service.name,
        );
        expect(service?.spec.ports.map((port: { name: string }) => port.name)).toContain(
          backend.service.port.name,
        );
      }
    }
    if (name !== 'overlays/local') {
      expect(ofKind(objects, 'Ingress').every(({ spec }) => spec.tls?.length > 0)).toBe(true);
    }
  });

  test('the policies let through what the code dials, and nothing else', () => {
    const inCluster = workloads.some(({ name: workload }) => workload === 'mongodb');
    const pods: Party[] = workloads.map(({ name: workload, labels, pod }) => ({
      name: workload,
      namespace: 'bambochat',
      labels,
      ports: Object.fromEntries(
        pod.containers.flatMap(({ ports = [] }) =>
          ports.map((port) => [port.name, port.containerPort]),
        ),
      ),
    }));
    const operate: Party = {
      name: 'operate',
      namespace: 'bambochat',
      labels: { 'app.kubernetes.io/name': 'operate' },
      ports: {},
    };
    const elsewhere = (party: string, namespace: string, label: string, ports = {}): Party => ({
      name: party,
      namespace,
      labels: { [label]: party },
      ports,
    });
    const ingress = elsewhere(
      'traefik',
      name === 'overlays/local' ? 'kube-system' : 'traefik',
      'app.kubernetes.io/name',
    );
    const prometheus = elsewhere('prometheus', 'monitoring', 'app.kubernetes.io/name');
    const collector = elsewhere('otel-collector', 'monitoring', 'app.kubernetes.io/name');
    const dns = elsewhere('kube-dns', 'kube-system', 'k8s-app');
    const stranger = elsewhere('stranger', 'other', 'app.kubernetes.io/name');
    const lostPod: Party = { ...stranger, namespace: 'bambochat' };
    const internet: Party = {
      name: 'outside',
      namespace: '',
      labels: {},
      ports: {},
      outside: true,
    };
    const parties = [
      ...pods,
      operate,
      ingress,
      prometheus,
      collector,
      dns,
      stranger,
      lostPod,
      internet,
    ];

    const expected = new Set<string>();
    const arrow = (from: string, to: string, port: number) =>
      expected.add(`${from} → ${to}:${port}`);
    for (const { name: service, pod } of deployments) {
      const environment = environmentOf(pod.containers[0] as (typeof pod.containers)[0], objects);
      const dials = (variable: string, to: string, port: number, externalPort = port) => {
        if (environment[variable] !== undefined) {
          arrow(service, inCluster ? to : 'outside', inCluster ? port : externalPort);
        }
      };
      dials('MONGODB_URL', 'mongodb', 27017);
      dials('NATS_URL', 'nats', 4222);
      dials('REDIS_URL', 'redis', 6379, 6380);
      if (environment.OTEL_EXPORTER_OTLP_ENDPOINT !== undefined) {
        arrow(service, 'otel-collector', 4318);
      }
      arrow('prometheus', service, 3000);
    }
    for (const { spec } of ofKind(objects, 'Ingress')) {
      for (const { backend } of spec.rules.flatMap(
        (rule: { http: { paths: object[] } }) => rule.http.paths,
      )) {
        arrow('traefik', backend.service.name, 3000);
      }
    }
    // Migrations, dead letters, partitions.
    arrow('operate', inCluster ? 'mongodb' : 'outside', 27017);
    arrow('operate', inCluster ? 'nats' : 'outside', 4222);
    if (inCluster) {
      arrow('mongodb-initiate', 'mongodb', 27017);
    }
    if (
      workloads.some(
        ({ name: workload, pod }) =>
          workload === 'nats' &&
          pod.containers[0]?.ports?.some(({ containerPort }) => containerPort === 6222),
      )
    ) {
      arrow('nats', 'nats', 6222);
      arrow('mongodb', 'mongodb', 27017);
    }

    const ports = [3000, 27017, 4222, 6222, 8222, 6379, 6380, 4318, 443, 53];
    const ours = (party: Party) => party.namespace === 'bambochat';
    const found = new Set<string>();
    for (const from of parties) {
      for (const to of parties) {
        for (const port of ports) {
          if ((ours(from) || ours(to)) && port !== 53 && allows(objects, from, to, port)) {
            found.add(`${from.name} → ${to.name}:${port}`);
          }
        }
      }
      if (ours(from)) {
        expect(allows(objects, from, dns, 53, 'UDP'), `${from.name} asks for names`).toBe(true);
      }
    }
    expect([...found].toSorted()).toEqual([...expected].toSorted());
  });
}
