import { strings } from '../strings.ts';
import { Icon } from '../ui/icon.tsx';
import { paths } from './route.ts';

export function PageHeader({ title }: { title: string }) {
  return (
    <header className="pane-header">
      <a className="icon-button back" href={paths.home} aria-label={strings.back}>
        <Icon name="back" />
      </a>
      <div className="pane-title">
        <h2>{title}</h2>
      </div>
    </header>
  );
}
