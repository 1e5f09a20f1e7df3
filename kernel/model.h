/* The model in memory, packed for the products. Floats are computed in one order, everywhere. */

#pragma once

#include "plan.h"

/* How many k stand side by side in a lane: four bytes for the relaxed dot, two for the plain one. */
#ifdef __wasm_relaxed_simd__
#define GROUP 4
typedef uint8_t Quantised; /* 0 to 127 */
#else
#define GROUP 2
typedef int16_t Quantised;
#endif

#define PANEL 8       /* columns that are computed together */
#define TILE_ROWS 4   /* rows that are computed together */
#define BLOCK_ROWS 40 /* rows that go through a layer's products together: they stay in the caches */

/* Weights (inputs, outputs), in panels of PANEL columns: (panel, input / GROUP, column, GROUP). */
typedef struct {
  uint32_t inputs, groups; /* groups * GROUP >= inputs */
  uint32_t outputs, panels;
  int8_t *weights;
  int32_t *sums;  /* of a column: what a row's zero point is taken off with */
  int32_t *zeros; /* of a column; NULL if all are zero */
  float *scales, *bias; /* of a column */
  float *floats;        /* instead of weights: (outputs, inputs) */
  Activation activation;
} Product;

typedef struct {
  float *weight, *bias;
  float epsilon;
} Norm;

typedef struct {
  Product query_key_content, output, up, down;
  Norm attention_norm, norm;
  float scale;
} Layer;

typedef struct {
  uint32_t rows, type; /* TensorProto.DataType */
  void *bytes;
  float scale, zero;
  bool first_row_only;
} EmbeddingTable;

typedef struct {
  uint32_t hidden, heads, size, labels, layer_count, head_count;
  uint32_t inner; /* the most columns between two products of a layer */
  uint32_t longest; /* tokens */
  EmbeddingTable tables[TABLES];
  Norm embedding_norm;
  Layer *layers;
  Product head[MOST_HEAD_PRODUCTS];
} Model;

extern Model model;

void load_model(void); /* from the plan and the files */

/* Rows of quantised activations, in tiles: (tile, group, row of the tile, GROUP). */
typedef struct {
  Quantised *values;
  float *scales;  /* of a row */
  int32_t *zeros; /* of a row */
  int32_t *sums;  /* of a row's values */
} Rows;

/* quantise.c: a row's own 7 bits, so that no row depends on another. */
void quantise(const float *from, uint32_t stride, uint32_t rows, const Product *product, Rows *into);

/* product.c: to[row][column] = activation(rows x weights + bias) + residual[row][column], for the
   columns of the panels from `first` to before `end`. */
typedef struct {
  float *to;
  uint32_t stride;       /* floats from one row to the next, of both */
  const float *residual; /* or NULL */
} Target;
void multiply(const Product *product, const Rows *rows, uint32_t count, uint32_t first,
              uint32_t end, Target target);

/* norm.c, of one row of `hidden` floats in place */
void normalise(float *row, uint32_t hidden, const Norm *norm);

/* attention.c: from rows of (query, key, content) to rows of hidden states, for the first
   `queries` of `tokens`. */
typedef struct {
  float *keys, *contents, *queries, *weights, *mixed;
} AttentionSpace;
void attend(const float *parts, uint32_t tokens, uint32_t queries, float scale,
            const AttentionSpace *space, float *to);

static inline uint32_t rounded_up(uint32_t value, uint32_t to) {
  return (value + to - 1) / to * to;
}
