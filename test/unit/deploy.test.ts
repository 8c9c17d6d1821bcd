// What is shipped for containers, held to the program that it starts, since no container engine runs in the tests. What would
// surprise: a setting that the program does not know, a probe of an address that nobody answers, a container that is root.
import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse, parseAllDocuments } from 'yaml';
import { z } from 'zod';
import { readConfig, SETTING_NAMES } from '../../src/config.js';

const root = resolve(import.meta.dirname, '../..');
const text = (path: string): string => readFileSync(join(root, path), 'utf8');
const folder = 'deploy/kubernetes';
const files = readdirSync(join(root, folder)).filter((name) => name.endsWith('.yaml'));

const PORTS: Readonly<Record<string, number>> = { api: 4000, worker: 9464 };
const START = ['node', 'dist/main.js'];

const reference = z.object({ name: z.string(), key: z.string(), optional: z.boolean().optional() });
const envSchema = z.object({
  name: z.string(),
  value: z.string().optional(),
  valueFrom: z.object({ secretKeyRef: reference }).optional(),
});
const probeSchema = z.object({ httpGet: z.object({ path: z.string(), port: z.string() }) });
const containerSchema = z.object({
  image: z.string(),
  command: z.array(z.string()).optional(),
  env: z.array(envSchema),
  ports: z.array(z.object({ name: z.string(), containerPort: z.number() })),
  startupProbe: probeSchema.optional(),
  livenessProbe: probeSchema.optional(),
  readinessProbe: z.union([probeSchema, z.object({ exec: z.object({ command: z.array(z.string()) }) })]),
  resources: z.object({
    requests: z.object({ cpu: z.string(), memory: z.string() }),
    limits: z.object({ memory: z.string() }),
  }),
  securityContext: z.object({
    allowPrivilegeEscalation: z.literal(false),
    readOnlyRootFilesystem: z.literal(true),
    capabilities: z.object({ drop: z.tuple([z.literal('ALL')]) }),
  }),
});
const podSchema = z.object({
  automountServiceAccountToken: z.literal(false),
  terminationGracePeriodSeconds: z.number().optional(),
  securityContext: z.object({ runAsNonRoot: z.literal(true), runAsUser: z.number().min(1) }),
  containers: z.array(containerSchema).length(1),
});
const labels = z.record(z.string(), z.string());
const workloadSchema = z.object({
  spec: z.object({
    selector: z.object({ matchLabels: labels }),
    template: z.object({ metadata: z.object({ labels }), spec: podSchema }),
  }),
});
const objectSchema = z.looseObject({
  apiVersion: z.string(),
  kind: z.string(),
  metadata: z.object({ name: z.string() }).optional(),
});
const dataSchema = z.object({ data: labels.optional(), stringData: labels.optional() });
type KubernetesObject = z.output<typeof objectSchema>;

function objectsOf(file: string): KubernetesObject[] {
  return parseAllDocuments(text(`${folder}/${file}`), { uniqueKeys: true }).map((document) => {
    expect(document.errors, file).toEqual([]);
    return objectSchema.parse(document.toJS());
  });
}

const objects = files.flatMap(objectsOf);

function named(kind: string, name: string): KubernetesObject {
  const found = objects.find((one) => one.kind === kind && one.metadata?.name === name);
  if (!found) throw new Error(`There is no ${kind} ${name}.`);
  return found;
}

function podOf(role: string) {
  const { spec } = workloadSchema.parse(named('Deployment', `ledgergate-${role}`));
  const [container] = spec.template.spec.containers;
  if (!container) throw new Error('No container.');
  return { ...spec, pod: spec.template.spec, container };
}

const { data: config = {} } = dataSchema.parse(named('ConfigMap', 'ledgergate'));
const { stringData: secrets = {} } = dataSchema.parse(named('Secret', 'ledgergate'));

describe('the Kubernetes files', () => {
  it('are all named by the kustomization, but for the trial’s database', () => {
    const { resources } = z
      .object({ resources: z.array(z.string()) })
      .parse(parse(text(`${folder}/kustomization.yaml`)));
    const left = files.filter((name) => name !== 'kustomization.yaml' && !resources.includes(name));
    expect(left).toEqual(['postgresTrial.yaml']);
    expect(resources.filter((name) => !files.includes(name))).toEqual([]);
  });

  it('use only settings that the program knows, and no secret among those that are not secret', () => {
    const used = ['api', 'worker'].flatMap((role) => podOf(role).container.env.map(({ name }) => name));
    for (const name of [...used, ...Object.keys(config), ...Object.keys(secrets)])
      expect(SETTING_NAMES).toContain(name);
    expect(Object.keys(config).filter((name) => /KEY|TOKEN|URL|PASSWORD/.test(name))).toEqual([]);
    expect(Object.values(secrets).filter((value) => value !== '')).toEqual([]);
  });

  it.each(['api', 'worker'])('start a %s that accepts its settings', (role) => {
    const { container } = podOf(role);
    const given: Record<string, string> = { ...config };
    for (const { name, value, valueFrom } of container.env) {
      const from = valueFrom?.secretKeyRef;
      if (from) {
        expect(from).toMatchObject({ name: 'ledgergate', key: name });
        expect(Object.keys(secrets)).toContain(name);
        if (from.optional) continue;
      }
      given[name] =
        value ?? { DATABASE_URL: 'postgresql://u:p@db:5432/l' }[name] ?? Buffer.alloc(32, 7).toString('base64');
    }
    expect(readConfig(given)).toMatchObject({ roles: [role], host: '0.0.0.0', port: 4000, workerPort: 9464 });
    expect(container.command).toEqual(START);
  });

  it.each(['api', 'worker'])('probe a %s where it answers and give it time to stop', (role) => {
    const { container, pod, template, selector } = podOf(role);
    const [port] = container.ports;
    expect(port?.containerPort).toBe(PORTS[role]);
    const probes = [container.startupProbe, container.livenessProbe, container.readinessProbe].map((probe) =>
      probeSchema.parse(probe),
    );
    expect(probes.map(({ httpGet }) => httpGet.path)).toEqual(['/healthz', '/healthz', '/readyz']);
    expect(new Set(probes.map(({ httpGet }) => httpGet.port))).toEqual(new Set([port?.name]));
    expect(pod.terminationGracePeriodSeconds).toBeGreaterThan(Number(config.LEDGERGATE_SHUTDOWN_SECONDS));
    expect(template.metadata.labels).toMatchObject(selector.matchLabels);
    named('PodDisruptionBudget', `ledgergate-${role}`);
  });

  it('run no image without a version, and none as root', () => {
    const workloads = objects.filter(({ kind }) => ['Deployment', 'StatefulSet'].includes(kind));
    expect(workloads).toHaveLength(3);
    for (const workload of workloads) {
      const { template } = workloadSchema.parse(workload).spec;
      for (const { image } of template.spec.containers) expect(image).toMatch(/^[a-z]+:\d+\.\d+[\w.-]*$/);
    }
  });

  it('scale and reach what they name', () => {
    const scaled = z.object({ spec: z.object({ scaleTargetRef: z.object({ kind: z.string(), name: z.string() }) }) });
    const { scaleTargetRef } = scaled.parse(named('HorizontalPodAutoscaler', 'ledgergate-api')).spec;
    named(scaleTargetRef.kind, scaleTargetRef.name);
    // A number of replicas beside an autoscaler would set it back at every deployment.
    expect(named('Deployment', 'ledgergate-api').spec).not.toHaveProperty('replicas');
    const service = z.object({
      spec: z.object({ selector: labels, ports: z.array(z.object({ targetPort: z.string() })) }),
    });
    const { selector, ports } = service.parse(named('Service', 'ledgergate-api')).spec;
    expect(podOf('api').template.metadata.labels).toMatchObject(selector);
    expect(ports.map(({ targetPort }) => targetPort)).toEqual([podOf('api').container.ports[0]?.name]);
  });

  it('let in calls, probes and scrapes at the ports that are listened on', () => {
    const policies = objects.filter(({ kind }) => kind === 'NetworkPolicy');
    expect(policies.map(({ metadata }) => metadata?.name)).toEqual([
      'ledgergate',
      'ledgergate-api',
      'ledgergate-postgres',
    ]);
    const schema = z.object({
      spec: z.object({ ingress: z.array(z.object({ ports: z.array(z.object({ port: z.number() })) })) }),
    });
    const open = policies.flatMap((one) => schema.parse(one).spec.ingress.flatMap(({ ports }) => ports));
    expect(new Set(open.map(({ port }) => port))).toEqual(new Set([4000, 9464, 5432]));
  });
});

describe('compose.yaml', () => {
  const composed = z
    .object({
      services: z.record(
        z.string(),
        z.looseObject({
          image: z.string(),
          environment: labels,
          read_only: z.boolean().optional(),
          stop_grace_period: z.string().optional(),
        }),
      ),
    })
    .parse(parse(text('compose.yaml'), { merge: true }));

  it('gives the gateway settings that it knows and accepts, in containers that cannot write', () => {
    for (const role of ['api', 'worker']) {
      const service = composed.services[role];
      const given = Object.fromEntries(
        Object.entries(service?.environment ?? {}).map(([name, value]) => [name, filledIn(value)]),
      );
      for (const name of Object.keys(given)) expect(SETTING_NAMES).toContain(name);
      expect(readConfig(given)).toMatchObject({ roles: [role], logLevel: 'info', masterKeySource: 'environment' });
      expect(service).toMatchObject({ read_only: true, stop_grace_period: '30s', cap_drop: ['ALL'] });
    }
  });

  it('names a version of each image, the same as the Kubernetes files', () => {
    const images = Object.values(composed.services).map(({ image }) => image);
    const others = objects
      .filter(({ kind }) => ['Deployment', 'StatefulSet'].includes(kind))
      .map((one) => workloadSchema.parse(one).spec.template.spec.containers[0]?.image);
    expect(new Set(images)).toEqual(new Set(others));
  });

  /** As compose does it, with a key in the place of what has no default. */
  function filledIn(value: string): string {
    return value.replaceAll(/\$\{(\w+)(:[-?])([^}]*)\}/g, (_whole, _name: string, sign: string, rest: string) =>
      sign === ':-' ? rest : Buffer.alloc(32, 5).toString('base64'),
    );
  }
});

describe('the Dockerfile', () => {
  const lines = text('Dockerfile')
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'));
  const all = (word: string) =>
    lines.filter((line) => line.startsWith(`${word} `)).map((line) => line.slice(word.length + 1));
  const scripts = z.object({ scripts: labels, version: z.string() }).parse(JSON.parse(text('package.json')));

  it('starts what `npm start` starts, as somebody who is not root', () => {
    expect(lines.at(-1)).toBe(`CMD ${JSON.stringify(START).replace(',', ', ')}`);
    expect(scripts.scripts.start).toBe(START.join(' '));
    expect(all('USER')).toEqual(['1000:1000']);
    expect(lines.indexOf('USER 1000:1000')).toBeGreaterThan(lines.findLastIndex((line) => line.startsWith('COPY')));
  });

  it('is built on one pinned node that the program runs on', () => {
    const from = all('FROM').map((line) => line.split(' ')[0]);
    expect(new Set(from).size).toBe(1);
    expect(from[0]).toMatch(/^node:24\.\d+\.\d+-bookworm-slim$/);
  });

  it('runs only scripts that there are, sets only settings that there are, and opens the ports that are listened on', () => {
    const run = all('RUN').flatMap((line) => [...line.matchAll(/npm run ([\w:-]+)/g)].map(([, name]) => name ?? ''));
    expect(run).toEqual(['build']);
    for (const name of run) expect(Object.keys(scripts.scripts)).toContain(name);
    const set = all('ENV').flatMap((line) => line.split(' ').map((pair) => pair.split('=')));
    for (const [name] of set) expect(SETTING_NAMES).toContain(name);
    expect(Object.fromEntries(set)).toMatchObject({ PORT: '4000', LEDGERGATE_WORKER_PORT: '9464', HOST: '0.0.0.0' });
    expect(all('EXPOSE')).toEqual(['4000 9464']);
  });

  it('takes from the working copy only what is let through, and nothing that may hold a secret', () => {
    const ignore = text('.dockerignore').trim().split('\n');
    expect(ignore[0]).toBe('*');
    const open = ignore.slice(1).map((line) => line.replace('!', ''));
    const copied = all('COPY')
      .filter((line) => !line.startsWith('--from'))
      .flatMap((line) => line.split(' ').slice(0, -1));
    expect(new Set(copied)).toEqual(new Set(open));
    expect(open.filter((name) => /\.env|\.git|\.ledgergate/.test(name))).toEqual([]);
  });

  it('gives images the version of the package', () => {
    expect(podOf('api').container.image).toBe(`ledgergate:${scripts.version}`);
  });
});
