/**
 * @file Stands in for @localmode/core, which the npm registry did not have: three classes that the
 * reranker does not use.
 */

export class ModelLoadError extends Error {}
export class GenerationError extends Error {}
export class SileroVADProvider {}
