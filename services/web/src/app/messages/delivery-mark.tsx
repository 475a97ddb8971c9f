import { strings } from '../strings.ts';
import { Icon } from '../ui/icon.tsx';

export type DeliveryState = 'pending' | 'failed' | 'stored' | 'read';

/** How far a message of one's own has come. */
export function DeliveryMark(props: { state: DeliveryState; readBy: number; readers: number }) {
  const { state, readBy, readers } = props;
  const { messages } = strings;
  const label =
    state === 'stored' && readBy > 0 ? messages.readBy(readBy, readers) : messages[state];
  const icon = { pending: 'clock', failed: 'alert', stored: 'check', read: 'checks' } as const;
  return (
    <span className="mark" data-mark={state} title={label}>
      <Icon name={icon[state]} />
      <span className="hidden">{label}</span>
    </span>
  );
}
