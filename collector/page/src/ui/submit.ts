// What a form does when it is sent: once at a time, and it says when that went wrong.
import { useState } from "preact/hooks";
import { toastError } from "./basics";

export function useSubmit(failure: string, work: () => Promise<void>) {
  const [isBusy, setBusy] = useState(false);
  const submit = async (event: Event) => {
    event.preventDefault();
    setBusy(true);
    try {
      await work();
    } catch (error) {
      toastError(failure, error);
    } finally {
      setBusy(false);
    }
  };
  return { isBusy, submit };
}
