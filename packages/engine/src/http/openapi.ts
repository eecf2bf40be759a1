/** Loaded when somebody asks for it: few do, and it is large. */
export { openApi } from "@vdb/dct/openapi";
