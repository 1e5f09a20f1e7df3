/* What the readers of a graph's parts need of each other. */

#pragma once

#include "onnx.h"
#include "protobuf.h"

/* names.c: a text, and the number of a name; equal names have equal numbers, none has 0. */
void start_names(void);
const char *read_text(Span body);
uint32_t read_name(Span body);
bool is_name(Name name, const char *text, uint32_t length);

/* tensors.c: TensorProto; its name, if it has one, goes to `name`. */
const Tensor *read_tensor(Span body, uint32_t *name);
