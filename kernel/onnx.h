/* A graph of the ONNX format, read: operators and where the constants' bytes are.
   Source: onnx.proto (ModelProto, GraphProto, NodeProto, AttributeProto, TensorProto). */

#pragma once

#include "base.h"

#define MOST_NAMES 32768
#define MOST_AXES 6
#define MOST_INPUTS 16
#define MOST_OUTPUTS 3
#define MOST_ATTRIBUTES 8

/* TensorProto.DataType */
enum { FLOAT32 = 1, UINT8 = 2, INT8 = 3, INT32 = 6, INT64 = 7, BOOL = 9, FLOAT64 = 11 };

/* How the numbers of a constant are written: one after the other, or as protobuf's varints. */
typedef enum { ABSENT, RAW, VARINTS } Encoding;

typedef struct {
  int32_t rank;
  uint32_t dims[MOST_AXES];
  uint32_t count; /* the product of dims */
  uint32_t type;  /* TensorProto.DataType */
  Encoding encoding;
  Span data;
} Tensor;

typedef struct {
  const char *text;
  uint32_t length;
} Name;

typedef struct {
  const char *name;
  uint32_t name_length;
  uint32_t count; /* of integers */
  int64_t integers[MOST_AXES];
  double real;
  const Tensor *tensor;
  bool is_used; /* a rule has looked at it */
} Attribute;

typedef struct {
  char op[32]; /* cut if longer: no known operator is */
  uint32_t inputs[MOST_INPUTS], input_count; /* names; 0 where an optional one is left out */
  uint32_t outputs[MOST_OUTPUTS], output_count;
  Attribute attributes[MOST_ATTRIBUTES];
  uint32_t attribute_count;
} Node;

typedef struct {
  uint32_t opset;
  Node *nodes;
  uint32_t node_count;
  const Tensor **constants; /* by name; NULL if it is none */
  uint32_t *inputs, input_count; /* names */
  uint32_t output; /* a name: the only output */
  uint32_t name_count;
} Graph;

extern Graph graph;

void read_graph(void); /* of the first file */

uint32_t name_of(const char *text); /* 0 if the graph has no such name */

/* The numbers of a constant, as doubles. */
void read_numbers(const Tensor *tensor, double *into);

bool same_text(const char *a, uint32_t length, const char *b);
