// Who sits before this browser, as they call themselves: reviews are assigned to names.
import { remembered } from "../../lib/session";

export const me = remembered("me", "");
