import type { Handler } from "../grpc/handler.ts";

/** Always ready: a DCT that cannot be reached is named by the call that needs it, and a restart of the driver would not mend it. */
export const probe: Handler = () => ({ ready: { value: true } });
