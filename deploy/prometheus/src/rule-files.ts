import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { parse } from 'yaml';
import { z } from 'zod';

const alertSchema = z.strictObject({
  alert: z.string(),
  expr: z.string(),
  for: z.string().optional(),
  labels: z.strictObject({ severity: z.enum(['critical', 'warning']) }),
  annotations: z.strictObject({
    summary: z.string(),
    /** One line that says what to do. */
    runbook: z.string(),
    runbook_url: z.string(),
  }),
});
export type Alert = z.infer<typeof alertSchema>;

const recordSchema = z.strictObject({ record: z.string(), expr: z.string() });
export type RecordingRule = z.infer<typeof recordSchema>;

const fileSchema = z.strictObject({
  groups: z.array(
    z.strictObject({ name: z.string(), rules: z.array(z.union([alertSchema, recordSchema])) }),
  ),
});

const fileNamed = (name: string) => fileURLToPath(new URL(`../${name}`, import.meta.url));

/** What Prometheus loads. */
export const ruleFiles = {
  alerts: fileNamed('alerts.yaml'),
  recording: fileNamed('recording.yaml'),
  configuration: fileNamed('prometheus.yml'),
};

/** @throws Error when the file is no list of rules as we write them */
export async function rulesIn(
  file: string,
): Promise<{ alerts: Alert[]; recordings: RecordingRule[] }> {
  const { groups } = fileSchema.parse(parse(await readFile(file, 'utf8')));
  const rules = groups.flatMap((group) => group.rules);
  return {
    alerts: rules.filter((rule) => 'alert' in rule),
    recordings: rules.filter((rule) => 'record' in rule),
  };
}
