/* Protobuf, as far as the ONNX format needs it: the fields of a message, one after the other. */

#pragma once

#include "base.h"

enum { VARINT = 0, EIGHT_BYTES = 1, BYTES = 2, FOUR_BYTES = 5 };

typedef struct {
  uint32_t number, wire;
  uint64_t value; /* of a varint */
  Span body;      /* of the others */
} Field;

/* Read the next field; `message` then begins behind it. False at its end. */
bool next_field(Span *message, Field *field);

uint64_t read_varint(Span *bytes);
float read_float(Span bytes);
