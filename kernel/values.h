/* What is known of a value while a graph is read: small numbers are computed, hidden states are
   described. Values never change once they are made, so the same pointer is the same value. */

#pragma once

#include "onnx.h"

typedef enum {
  NUMBERS,  /* computed: shapes, masks, positions, settings */
  CONSTANT, /* weights, in the file */

  /* The embeddings, and the steps of a norm; `of` is what is normed. */
  ROWS,      /* looked up in a table of bytes */
  EMBEDDING, /* a sum of what was looked up */
  SUM,       /* of a product and the state before it */
  MEAN, CENTERED, SQUARE, VARIANCE, DEVIATION, NORMED, WEIGHTED,
  STATE,

  /* A product with weights; `of` is what is multiplied. */
  QUANTISED, QUANTISED_SCALE, QUANTISED_ZERO,
  PRODUCT, FACTOR,
  LINEAR,
  ERF, ERF_PLUS_1,
  ACTIVE,

  /* Attention; `of` is the query, `key` and `content` the others. */
  SPLIT, SCORES, ATTENTION_WEIGHTS, MIXED, CONTEXT,

  FIRST, /* of the tokens */
} Kind;

typedef enum { NO_ACTIVATION, RELU, GELU, TANH } Activation;

/* What an embedding table is looked up by. */
enum { WORDS, POSITIONS, TYPES, TABLES };

typedef struct {
  const Tensor *rows; /* NULL if there is no such table */
  double scale, zero; /* of bytes */
  bool first_row_only;
} Table;

typedef struct Value Value;
struct Value {
  Kind kind;
  int32_t rank;
  int32_t dims[MOST_AXES];

  /* NUMBERS; a uniform one has one number for all places. */
  bool is_uniform, is_whole;
  double *numbers;

  const Tensor *constant; /* CONSTANT */

  /* Of all others: the value is `scale` times what the kind says. */
  double scale;
  const Value *root; /* itself before it was scaled */
  const Value *of, *key, *content;
  Activation activation;
  int32_t order[4]; /* SPLIT, MIXED: which of (row, token, head, feature) each axis is */
  double epsilon;   /* NORMED, STATE */
  const Tensor *weight, *zero, *factor, *bias; /* LINEAR; STATE has weight and bias */
  bool is_float, is_transposed;                /* LINEAR: its weight */
  Table tables[TABLES];                        /* ROWS, EMBEDDING */
};

/* numbers.c: values that are computed. */
uint32_t count_of(const Value *value);
double number(const Value *value, uint32_t place);
bool is_uniform(const Value *value, double number);
Value *make_numbers(int32_t rank, const int32_t *dims, bool is_whole);
Value *make_uniform(int32_t rank, const int32_t *dims, bool is_whole, double number);
Value *make_scalar(bool is_whole, double number);
const Value *as_numbers(const Value *value); /* NULL if it is neither computed nor small */
const Value *need_numbers(const Value *value);
bool same_dims(const Value *a, const Value *b);
Value *broadcast_dims(const Value *a, const Value *b); /* a value with the dims of both */
const Value *elementwise(const Value *a, const Value *b, bool is_whole,
                         double (*compute)(double, double));

/* What the graph is read with; see recognise.c. */
typedef struct {
  int32_t length;
  const double *ids, *types; /* one a token */
  double padding;            /* id that the graph compares ids with; -1 for none */
  int32_t first_position;    /* -1 until a position table is met */
  bool positions_skip_padding;
  bool has_padding; /* whether ids hold it */
} Scenario;
extern Scenario scenario;

/* rules.c: what an operator makes of its inputs. */
typedef struct {
  Node *node;
  const Value *in[MOST_INPUTS]; /* NULL where an optional one is left out */
  const Value *out[MOST_OUTPUTS];
} Step;

void apply_rule(Step *step);

/* attributes.c */
int64_t integer_attribute(Node *node, const char *name, int64_t otherwise);
const Attribute *attribute(Node *node, const char *name);
