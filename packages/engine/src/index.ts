/** Filled in by the package's first module. */
