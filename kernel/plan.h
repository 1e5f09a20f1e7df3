/* What a graph turns out to be: an encoder of the BERT family, told by its weights in the file. */

#pragma once

#include "values.h"

#define MOST_LAYERS 64
#define MOST_HEAD_PRODUCTS 3

typedef struct {
  Tensor weight, zero, factor, bias; /* (inputs, outputs), one or outputs each; ABSENT if none */
  uint32_t inputs, outputs;
  bool is_float, is_transposed;
  Activation activation; /* of what comes out */
} LinearPlan;

typedef struct {
  Tensor weight, bias; /* (hidden) */
  float epsilon;
} NormPlan;

typedef struct {
  LinearPlan query, key, content, output, up, down;
  NormPlan attention_norm, norm;
  float scale; /* of query x key */
} LayerPlan;

typedef struct {
  Tensor rows; /* (entries, hidden); ABSENT if there is no such table */
  float scale, zero;
  bool first_row_only;
} TablePlan;

typedef struct {
  uint32_t hidden, heads, labels, layer_count, head_count;
  TablePlan tables[TABLES];
  NormPlan embedding_norm;
  LayerPlan layers[MOST_LAYERS];
  LinearPlan head[MOST_HEAD_PRODUCTS]; /* of the first token, in their order */

  /* A token's position is `first_position` and as many as come before it; or, if padding inside a
     text is skipped, `padding` for padding, and one more than before for others. */
  int32_t first_position, padding;
  bool positions_skip_padding;
  bool has_types; /* an input tells the types of tokens */
} Plan;

extern Plan plan;

void recognise(void);     /* the graph, into the plan; stops if it is another model */
void make_plan(const Value *answer); /* plan.c: from what the graph answers */
