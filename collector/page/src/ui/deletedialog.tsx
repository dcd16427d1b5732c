// Asks before something is deleted for good.
import { Button, Dialog, toast } from "./basics";
import { useSubmit } from "./submit";

interface Props {
  name: string;
  /** What goes with it, and what stays. */
  words: string;
  onDelete: () => Promise<unknown>;
  /** Once it is gone. */
  onGone: () => void;
  onClose: () => void;
}

export function DeleteDialog({ name, words, onDelete, onGone, onClose }: Props) {
  const { isBusy, submit } = useSubmit(`${name} was not deleted`, async () => {
    await onDelete();
    toast(`${name} is deleted`);
    onGone();
  });
  return (
    <Dialog title={`Delete ${name}?`} onClose={onClose}>
      <form class="promote" onSubmit={submit}>
        <p>{words}</p>
        <div class="row-start">
          <Button type="submit" kind="danger" icon="trash" disabled={isBusy}>Delete</Button>
          <Button kind="quiet" onClick={onClose}>Keep it</Button>
        </div>
      </form>
    </Dialog>
  );
}
