import {
  type KubernetesObject,
  type Labels,
  ofKind,
  type Peer,
  type PolicyRule,
  selects,
} from './objects.ts';

/** Who talks, or is talked to: a pod of ours, one of another namespace, or an address outside. */
export interface Party {
  readonly name: string;
  readonly namespace: string;
  readonly labels: Labels;
  /** Names of its ports. */
  readonly ports: Readonly<Record<string, number>>;
  /** It has no pod: an address that blocks of addresses match. */
  readonly outside?: boolean;
}

const OURS = 'bambochat';

/**
 * Whether a connection is let through: by the policies of who begins it, and by those of who takes it.
 * As the NetworkPolicy API says: a pod that no policy of a direction selects is open in it.
 */
export function allows(
  objects: readonly KubernetesObject[],
  from: Party,
  to: Party,
  port: number,
  protocol = 'TCP',
): boolean {
  const way = (direction: 'Egress' | 'Ingress', subject: Party, peer: Party) => {
    if (subject.namespace !== OURS || subject.outside === true) {
      return true;
    }
    const policies = ofKind(objects, 'NetworkPolicy').filter(
      ({ spec }) =>
        spec.policyTypes.includes(direction) && selects(spec.podSelector, subject.labels),
    );
    return (
      policies.length === 0 ||
      policies.some(({ spec }) => {
        const rules: PolicyRule[] = spec[direction.toLowerCase()] ?? [];
        return rules.some((rule) => {
          const peers = direction === 'Egress' ? rule.to : rule.from;
          return (
            matchesPort(rule, to) && (peers === undefined || peers.some((one) => isPeer(one, peer)))
          );
        });
      })
    );
  };
  const matchesPort = ({ ports }: PolicyRule, target: Party) =>
    ports === undefined ||
    ports.some(
      (one) =>
        (one.protocol ?? 'TCP') === protocol &&
        (typeof one.port === 'number' ? one.port : target.ports[one.port]) === port,
    );
  return way('Egress', from, to) && way('Ingress', to, from);
}

function isPeer(peer: Peer, party: Party): boolean {
  if (peer.ipBlock !== undefined) {
    return party.outside === true;
  }
  if (party.outside === true) {
    return false;
  }
  const rightNamespace =
    peer.namespaceSelector === undefined
      ? party.namespace === OURS
      : selects(peer.namespaceSelector, { 'kubernetes.io/metadata.name': party.namespace });
  return rightNamespace && selects(peer.podSelector ?? {}, party.labels);
}
