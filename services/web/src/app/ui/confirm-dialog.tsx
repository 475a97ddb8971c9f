import { strings } from '../strings.ts';
import { Dialog } from './dialog.tsx';

export function ConfirmDialog(props: {
  text: string;
  label: string;
  onConfirm: () => void;
  onClose: () => void;
}) {
  return (
    <Dialog title={props.label} onClose={props.onClose}>
      <p>{props.text}</p>
      <footer>
        <button type="button" className="button button-quiet" onClick={props.onClose}>
          {strings.cancel}
        </button>
        <button
          type="button"
          className="button button-danger"
          onClick={() => {
            props.onConfirm();
            props.onClose();
          }}
        >
          {props.label}
        </button>
      </footer>
    </Dialog>
  );
}
