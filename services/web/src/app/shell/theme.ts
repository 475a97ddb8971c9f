import { recall, remember } from '../state/page-storage.ts';

export type Theme = 'system' | 'light' | 'dark';
const KEY = 'bambochat-theme';

export function chosenTheme(): Theme {
  const theme = recall<Theme>(KEY);
  return theme === 'light' || theme === 'dark' ? theme : 'system';
}

export function chooseTheme(theme: Theme): void {
  remember(KEY, theme === 'system' ? null : theme);
  applyTheme();
}

export function applyTheme(): void {
  const theme = chosenTheme();
  if (theme === 'system') {
    delete document.documentElement.dataset.theme;
  } else {
    document.documentElement.dataset.theme = theme;
  }
}
