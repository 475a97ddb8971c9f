import { parser } from '@prometheus-io/lezer-promql';

/**
 * The names of the series that an expression asks for, each once.
 *
 * @throws Error when it is no PromQL
 */
export function metricsOf(expression: string): string[] {
  const names = new Set<string>();
  parser.parse(expression).iterate({
    enter(node) {
      if (node.type.isError) {
        throw new Error(`no PromQL at character ${node.from}: ${expression}`);
      }
      if (node.name === 'Identifier' && node.node.parent?.name === 'VectorSelector') {
        names.add(expression.slice(node.from, node.to));
      }
    },
  });
  return [...names];
}
